package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// averaging is what gansim hessian does; what is exported determines its pieces and is the result.
type averaging struct {
	Generator string  `json:"generator"`
	Weights   string  `json:"weights"` // SHA-256
	Distance  string  `json:"distance"`
	Recipe    string  `json:"recipe"`
	N         int     `json:"n"`
	Seed      uint64  `json:"seed"`
	Backend   string  `json:"backend"`
	Metric    string  `json:"metric"` // the file with eigenvalues and eigenvectors
	Spectrum  string  `json:"spectrum"`
	Table     string  `json:"table"`
	Largest   float64 `json:"largest"`   // eigenvalue
	Effective int     `json:"effective"` // eigenvalues above 1e-3 of the largest
	Negative  int     `json:"negative"`
	out       string
	batch     int
	player    *player
}

// eigenvalue is a row.
type eigenvalue struct {
	Generator string  `parquet:"generator,dict"`
	Distance  string  `parquet:"distance,dict"`
	N         int     `parquet:"n"`
	Seed      uint64  `parquet:"seed"`
	Rank      int     `parquet:"rank"` // 1 is the largest
	Value     float64 `parquet:"eigenvalue"`
}

// distanceNames are what a metric may be of.
var distanceNames = []string{"mse", "lpips_squeeze", "lpips_alex", "lpips_vgg"}

func hessianCommand() *cobra.Command {
	a := &averaging{}
	c := &cobra.Command{
		Use:   "hessian --gan NAME",
		Short: "Average a generator's metric and find its eigenvectors",
		Long: "Average the second derivative of the distance between a code's image and those nearby, and write\n" +
			"eigenvalues (ascending) and eigenvectors (columns), the spectrum as a plot and as rows. Searches\n" +
			"take the file by --basis. The paper's distance is lpips_squeeze of images in [0, 1]; its own two\n" +
			"files are not public (1000 classes at truncation 0.6 for BigGAN, codes of experiments for\n" +
			"DeePSim). Here codes are drawn, or read from --codes, such as those of gansim evolve.",
		Example: "  gansim hessian --gan BigGAN -n 5 --distance mse --out results/hessian\n" +
			"  gansim hessian --gan biggan_deep_256 -n 1000 --distance lpips_squeeze",
		Args: arguments(),
	}
	gan := c.Flags().String("gan", "", ganUsage)
	complete(c, "gan", ganNames())
	distance := choiceFlag(c, "distance", "mse", "of images", distanceNames)
	c.Flags().IntVarP(&a.N, "number", "n", 10, "of codes")
	codes := c.Flags().String("codes", "", "`file` of codes in place of drawn ones")
	c.Flags().StringVar(&a.Recipe, "recipe", "", "of the codes (default: trunc0.7 or std1)")
	c.Flags().IntVar(&a.batch, "batch", 16, "directions computed together")
	seed, out, backend, asJSON := seedFlag(c, "of the codes"), outFlag(c, "results/hessian"), backendFlag(c),
		jsonFlag(c)
	files := weightsFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case *gan == "":
			return misused(c, "no --gan given, known are %s", strings.Join(ganNames(), ", "))
		case a.N < 1 || a.batch < 1:
			return misused(c, "-n %d, --batch %d: want at least 1", a.N, a.batch)
		}
		a.Distance, a.Seed, a.out = distance.value, *seed, *out
		d, z, err := a.open(files, *gan, *codes)
		if err != nil {
			return err
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		a.Backend = b.Description()
		if err := a.run(c, b, d, z); err != nil {
			return kept(err)
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), a)
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s of %s over %d codes: largest eigenvalue %.4g, %d above a "+
			"thousandth of it\nWritten to %s and %s.\n", a.Metric, a.Distance, a.Generator, a.N, a.Largest,
			a.Effective, a.Spectrum, a.Table)
		return err
	}
	return c
}

// open opens what is needed, before anything is computed.
func (a *averaging) open(files *networkFiles, gan, codes string) (d gansim.Distance, z [][]float64,
	err error) {
	all, err := newCast(files)
	if err != nil {
		return d, nil, err
	}
	if a.player, err = all.generator(gan); err != nil {
		return d, nil, err
	}
	a.Generator, a.Weights = a.player.Name(), a.player.hash
	if d, err = a.measure(files); err != nil {
		return d, nil, err
	}
	if z, err = a.codes(codes); err != nil {
		return d, nil, err
	}
	return d, z, checkOut(a.out)
}

// measure opens the distance.
func (a *averaging) measure(files *networkFiles) (gansim.Distance, error) {
	if a.Distance == "mse" {
		return nn.PixelMSE(), nil
	}
	return perceptual(files, a.Distance, true)
}

// codes are drawn, or those of a file.
func (a *averaging) codes(path string) ([][]float64, error) {
	d := a.player.CodeSize()
	var flat []float64
	if path == "" {
		if a.Recipe == "" {
			a.Recipe = map[string]string{"BigGAN": "trunc0.7", "DeePSim": "std1"}[a.player.family]
		}
		z, err := a.player.Draw(a.Recipe, rand.New(rand.NewPCG(a.Seed, 0)), a.N)
		if err != nil {
			return nil, misuse{err}
		}
		flat = actmax.Widen(z.Z)
	} else {
		f, err := weights.Open(path)
		if err != nil {
			return nil, err
		}
		a.Recipe = "codes " + f.SHA256()
		for _, t := range f.Tensors {
			if len(t.Shape) == 2 && t.Shape[1] == d && flat == nil {
				if flat, err = t.Float64s(); err != nil {
					return nil, err
				}
			}
		}
		if flat == nil {
			return nil, fmt.Errorf("%s has no tensor of %d columns, the code's size of %s", path, d, a.Generator)
		}
		a.N = min(a.N, len(flat)/d)
	}
	var codes [][]float64
	for i := range a.N {
		codes = append(codes, flat[i*d:(i+1)*d])
	}
	return codes, nil
}

// run averages and writes.
func (a *averaging) run(c *cobra.Command, b compute.Backend, d gansim.Distance, codes [][]float64) error {
	sum, p, err := a.average(c, b, d, codes)
	if err != nil {
		return err
	}
	m, err := hessian.NewMetric(sum)
	if err != nil {
		return err
	}
	for _, v := range m.Values {
		a.Largest = max(a.Largest, v)
		if v < 0 {
			a.Negative++
		}
	}
	if a.Negative > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: %d eigenvalues are below zero, down to %.2g: rounding; searches "+
			"take them for %g of the largest\n", a.Negative, m.Values[0], leastShare)
	}
	if err := a.write(m); err != nil {
		return err
	}
	return p.done()
}

// average sums code by code; the sum so far is kept.
func (a *averaging) average(c *cobra.Command, b compute.Backend, d gansim.Distance, codes [][]float64) (
	*mat.SymDense, *pieces, error) {
	p, err := newPieces(a.out, a)
	if err != nil {
		return nil, nil, err
	}
	n := a.player.CodeSize()
	sum, from := mat.NewSymDense(n, nil), 0
	if f, err := weights.OpenSafetensors(p.path("sum")); err == nil {
		kept, err := values(f, "sum")
		if err != nil {
			return nil, nil, err
		}
		if from, err = strconv.Atoi(f.Metadata["codes"]); err != nil {
			return nil, nil, err
		}
		sum = mat.NewSymDense(n, kept)
	}
	x, err := hessian.New(b, a.player, d, min(a.batch, n))
	if err != nil {
		return nil, nil, err
	}
	progress := newProgress(c.ErrOrStderr(), "hessian, codes")
	progress(from, len(codes))
	for i := from; i < len(codes); i++ {
		h, err := x.At(c.Context(), codes[i])
		if err != nil {
			return nil, nil, fmt.Errorf("code %d of %d: %w", i, len(codes), err)
		}
		sum.AddSym(sum, h)
		if err := keepSum(p, sum, i+1); err != nil {
			return nil, nil, err
		}
		progress(i+1, len(codes))
	}
	sum.ScaleSym(1/float64(len(codes)), sum)
	return sum, p, nil
}

func keepSum(p *pieces, sum *mat.SymDense, codes int) error {
	n := sum.SymmetricDim()
	t, err := tensor64("sum", mat.DenseCopyOf(sum).RawMatrix().Data, n, n)
	if err != nil {
		return err
	}
	_, err = p.put("sum", []weights.Tensor{t}, map[string]string{"codes": strconv.Itoa(codes)})
	return err
}

// write writes the metric, its spectrum and the rows.
func (a *averaging) write(m *hessian.Metric) error {
	a.Metric = filepath.Join(a.out, "hessian.safetensors")
	a.Spectrum, a.Table = filepath.Join(a.out, "spectrum.png"), filepath.Join(a.out, "hessian.parquet")
	var rows []eigenvalue
	s := figure.Series{Set: figure.Set{Name: a.Generator, Kind: figure.BigGAN}}
	if a.player.family == "DeePSim" {
		s.Set.Kind = figure.DeePSim
	}
	for rank := 1; rank <= len(m.Values); rank++ {
		v := m.Values[len(m.Values)-rank]
		rows = append(rows, eigenvalue{a.Generator, a.Distance, a.N, a.Seed, rank, v})
		if v > 0 && v > a.Largest*1e-12 {
			s.X, s.Mean = append(s.X, float64(rank)), append(s.Mean, v)
		}
		if v > 1e-3*a.Largest {
			a.Effective++
		}
	}
	if math.IsNaN(a.Largest) || a.Largest <= 0 {
		return fmt.Errorf("the largest eigenvalue is %g: the images do not depend on the code", a.Largest)
	}
	ts, err := m.Tensors()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, ts, map[string]string{"generator": a.Generator,
		"weights": a.Weights, "distance": a.Distance, "recipe": a.Recipe, "n": strconv.Itoa(a.N),
		"seed": strconv.FormatUint(a.Seed, 10)}); err != nil {
		return err
	}
	if err := renameio.WriteFile(a.Metric, b.Bytes(), 0o644); err != nil {
		return err
	}
	if err := experiment.WriteRows(a.out, "hessian", rows); err != nil {
		return err
	}
	text := fmt.Sprintf("Eigenvalues of the averaged %s metric of %s by rank, over %d codes.", a.Distance,
		a.Generator, a.N)
	png, err := figure.Spectrum{XLabel: "Rank", YLabel: "Eigenvalue", LogX: true, LogY: true,
		Series: []figure.Series{s}}.Encode("png", "Spectrum of "+a.Generator, text)
	if err != nil {
		return err
	}
	return renameio.WriteFile(a.Spectrum, png, 0o644)
}
