package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/ranktest"
	"gansim.example/weights"
)

// inversion is what gansim invert does; what is exported determines its pieces.
type inversion struct {
	Set, Loss, Space string
	N, Steps         int
	Restarts, Pilot  int
	Rate             float64
	Best, Unclamped  bool
	Seed             uint64
	Weights          []string
	Batch            int
	Recipe, Backend  string

	gans    *[]string
	out     *string
	basis   *string
	measure *string
	json    *bool
	files   *networkFiles
	cast    *cast
	players []*player
	loss    gansim.Distance
	ruler   *gansim.Distance
	images  pictureSet
}

// inverted is a row: one picture through one generator.
type inverted struct {
	Image     string   `parquet:"image" json:"image"`
	SHA256    string   `parquet:"sha256" json:"sha256"`
	Generator string   `parquet:"generator,dict" json:"generator"`
	Loss      string   `parquet:"loss,dict" json:"loss"`
	Space     string   `parquet:"space,dict" json:"space"`
	Rate      float64  `parquet:"lr" json:"lr"`
	Steps     int      `parquet:"steps" json:"steps"`
	Seed      uint64   `parquet:"seed" json:"seed"`
	Start     int      `parquet:"start" json:"start"`
	Iterate   int      `parquet:"iterate" json:"iterate"` // the one taken, from 0
	LossFirst float64  `parquet:"loss_first" json:"loss_first"`
	LossLast  float64  `parquet:"loss_last" json:"loss_last"`
	R         *float64 `parquet:"r" json:"r"` // empty for a constant picture
	MSE       float64  `parquet:"mse" json:"mse"`
	LPIPS     *float64 `parquet:"lpips" json:"lpips,omitempty"`
}

// spaces are what may be searched of a code.
var spaces = []string{"all", "noise", "class", "hess"}

// pilotRates are those of the pilot by a generator's family.
var pilotRates = map[string][]float64{"DeePSim": {.01, .03, .1, .3}, "BigGAN": {.001, .003, .01, .03, .1}}

// miniatureRate is that of a pilot in the miniature spaces.
const miniatureRate = .1

func invertCommand() *cobra.Command {
	v := &inversion{}
	c := &cobra.Command{
		Use:   "invert SET",
		Short: "Search codes whose images match photographs",
		Long: "Search codes for the pictures of a folder, or of mini:ecoset and the like, as panel C does: Adam\n" +
			"on the pixels' mean squared error. Writes a sheet (originals, then each generator), images, rows\n" +
			"with r, and codes. The learning rate is given, or chosen by a pilot on further pictures.",
		Example: "  gansim invert mini:ecoset -n 4 --steps 100 --out results/invert\n" +
			"  gansim invert photos -n 20 --gan deepsim_fc6 --pilot 10 --loss mse+0.1*lpips_alex",
		Args: arguments("SET"),
	}
	v.gans = c.Flags().StringSlice("gan", generators(), ganUsage)
	complete(c, "gan", ganNames())
	c.Flags().IntVarP(&v.N, "number", "n", 12, "of pictures, drawn by the seed")
	c.Flags().IntVar(&v.Steps, "steps", invert.PaperSteps, "iterations")
	c.Flags().Float64Var(&v.Rate, "rate", 0, "learning rate (default: .1, or a pilot's)")
	c.Flags().IntVar(&v.Pilot, "pilot", 0, "pictures of the pilot (default: 10 for published)")
	c.Flags().StringVar(&v.Loss, "loss", "mse", "mse, l1, lpips_alex, ..., or mse+0.1*lpips_alex")
	space := choiceFlag(c, "space", "all", "part of the code, or basis", spaces)
	c.Flags().BoolVar(&v.Best, "best", false, "take the iterate of the smallest loss")
	c.Flags().BoolVar(&v.Unclamped, "unclamped", false, "compare pixels before they are clamped")
	c.Flags().IntVar(&v.Restarts, "restarts", 1, "starts for each picture; the best counts")
	c.Flags().IntVar(&v.Batch, "batch", 8, "pictures computed together")
	c.Flags().StringVar(&v.Recipe, "recipe", "", "of the first codes (default: the paper's)")
	v.measure = c.Flags().String("lpips", "", "also measure by `name`, such as lpips_alex")
	v.basis = c.Flags().String("basis", "", "`file` of gansim hessian (default: the miniature's)")
	seed, backend := seedFlag(c, "of the pictures and the starts"), backendFlag(c)
	v.out, v.json, v.files = outFlag(c, "results/invert"), jsonFlag(c), weightsFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		v.Set, v.Seed, v.Backend, v.Space = args[0], *seed, *backend, space.value
		if err := v.settle(c); err != nil {
			return err
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		f, err := v.run(c, b)
		if err != nil {
			return kept(err)
		}
		return v.tell(c, f)
	}
	return c
}

// settle checks the flags and opens what is needed, before anything is computed.
func (v *inversion) settle(c *cobra.Command) (err error) {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{{"-n", v.N, 1}, {"--steps", v.Steps, 1}, {"--restarts", v.Restarts, 1}, {"--batch", v.Batch, 1},
		{"--pilot", v.Pilot, 0}} {
		if f.value < f.least {
			return misused(c, "%s %d: want at least %d", f.name, f.value, f.least)
		}
	}
	if v.Rate < 0 {
		return misused(c, "--rate %g: want a positive number", v.Rate)
	}
	if v.cast, err = newCast(v.files); err != nil {
		return err
	}
	for _, name := range *v.gans {
		p, err := v.cast.generator(name)
		if err != nil {
			return err
		}
		if *v.basis != "" {
			if err := p.readMetric(*v.basis); err != nil {
				return err
			}
		}
		switch {
		case v.Space == "hess" && p.metric == nil:
			return p.errNoMetric("--space hess")
		case (v.Space == "noise" || v.Space == "class") && p.noise == 0:
			return misused(c, "--space %s: the codes of %s have no such part", v.Space, p.Name())
		}
		v.players, v.Weights = append(v.players, p), append(v.Weights, p.hash)
		if v.Rate == 0 && !p.mini && v.Pilot == 0 {
			v.Pilot = 10
		}
	}
	if v.loss, err = lossOf(v.files, v.Loss); err != nil {
		return err
	}
	if *v.measure != "" {
		ruler, err := perceptual(v.files, *v.measure, false)
		if err != nil {
			return err
		}
		v.ruler = &ruler
	}
	if err := checkOut(*v.out); err != nil {
		return err
	}
	size := v.players[0].ImageSize()
	for _, p := range v.players {
		if p.ImageSize() != size {
			return misused(c, "%s makes images of %d pixels, %s of %d: one size at a time",
				v.players[0].Name(), size, p.Name(), p.ImageSize())
		}
	}
	v.images, err = openPictures(c, v.Set, size, v.N+v.Pilot, v.Seed)
	return err
}

// run inverts through each generator and describes the results.
func (v *inversion) run(c *cobra.Command, b compute.Backend) (*finished[inverted], error) {
	p, err := newPieces(*v.out, v)
	if err != nil {
		return nil, err
	}
	targets := v.images.images.Slice(0, min(v.N, v.images.images.N))
	var rows []inverted
	var codes []named
	made := []gansim.Images{targets}
	for _, g := range v.players {
		r, err := v.through(c, b, p, g, targets)
		if err != nil {
			return nil, err
		}
		some, err := v.describe(c.Context(), b, r, targets)
		if err != nil {
			return nil, err
		}
		rows, made = append(rows, some...), append(made, r.images)
		codes = append(codes, named{"z." + g.Name(), r.codes, g.CodeSize()})
	}
	s, err := newShow(*v.out, b)
	if err != nil {
		return nil, err
	}
	if err := v.sheet(s, made); err != nil {
		return nil, err
	}
	f, err := finish(s, "invert", rows, codes, map[string]string{"order": "as the rows, by generator"})
	if err != nil {
		return nil, err
	}
	return f, p.done()
}

// reconstructions are the results of one generator.
type reconstructions struct {
	*player
	rate                  float64
	codes                 []float64
	images                gansim.Images
	first, last, at, from []float64
}

// through inverts through one generator, a batch a piece.
func (v *inversion) through(c *cobra.Command, b compute.Backend, p *pieces, g *player,
	targets gansim.Images) (*reconstructions, error) {
	config := invert.Config{Steps: v.Steps, Rate: miniatureRate, Batch: v.Batch, Best: v.Best, Loss: v.loss,
		Unclamped: v.Unclamped, Progress: newProgress(c.ErrOrStderr(), "invert, "+g.Name())}
	if v.Rate > 0 {
		config.Rate = v.Rate
	}
	switch v.Space {
	case "hess":
		config.Basis = g.metric.Vectors
	case "noise", "class":
		config.Free = make([]bool, g.CodeSize())
		for i := range config.Free {
			config.Free[i] = (i < g.noise) == (v.Space == "noise")
		}
	}
	x, err := invert.New(b, g, config)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	r := &reconstructions{player: g, rate: config.Rate, images: gansim.NewImages(targets.N, targets.Height,
		targets.Width)}
	if v.Rate == 0 && v.Pilot > 0 {
		if r.rate, err = v.pilot(c, p, x, g); err != nil {
			return nil, err
		}
		config.Rate = r.rate
		if x, err = x.With(config); err != nil {
			return nil, err
		}
	}
	for from := 0; from < targets.N; from += v.Batch {
		to := min(from+v.Batch, targets.N)
		f, err := p.do(c.Context(), fileName(fmt.Sprintf("%s-%d", g.Name(), from)), func() ([]weights.Tensor,
			error) {
			return v.batch(c.Context(), x, g, targets.Slice(from, to), from)
		})
		if err != nil {
			return nil, err
		}
		if err := r.read(f, from); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// start draws the first codes of pictures from the index from on, one stream a picture and start, so
// that batches do not matter.
func (v *inversion) start(g *player, n, from, restart int) (gansim.Codes, error) {
	out := gansim.Codes{N: n, Dim: g.CodeSize()}
	for i := range n {
		rng := rand.New(rand.NewPCG(v.Seed, stream(fmt.Sprintf("%s start %d", g.Name(), restart), from+i)))
		z, err := g.Draw(recipeOf(v.Recipe, g, "invert"), rng, 1)
		if err != nil {
			return out, misuse{err}
		}
		out.Z = append(out.Z, z.Z...)
	}
	return out, nil
}

// pilot chooses the learning rate on the set's further pictures.
func (v *inversion) pilot(c *cobra.Command, p *pieces, x *invert.Inverter, g *player) (float64, error) {
	all := v.images.images
	first := min(v.N, all.N)
	if all.N == first {
		return 0, hinted{fmt.Errorf("%s has %d pictures, none is left for the pilot", v.Set, all.N),
			"choose --rate, or fewer pictures with -n"}
	}
	f, err := p.do(c.Context(), fileName("pilot-"+g.Name()), func() ([]weights.Tensor, error) {
		start, err := v.start(g, all.N-first, first, 0)
		if err != nil {
			return nil, err
		}
		trials, err := x.Pilot(c.Context(), all.Slice(first, all.N), start, pilotRates[g.family])
		if err != nil {
			return nil, err
		}
		var rates, losses []float64
		for _, t := range trials {
			rates, losses = append(rates, t.Rate), append(losses, t.Loss)
		}
		a, err := tensor64("rates", rates, len(rates))
		if err != nil {
			return nil, err
		}
		b, err := tensor64("losses", losses, len(losses))
		return []weights.Tensor{a, b}, err
	})
	if err != nil {
		return 0, err
	}
	rates, err := values(f, "rates")
	if err != nil {
		return 0, err
	}
	losses, err := values(f, "losses")
	for i, rate := range rates {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: pilot of %s: rate %g ends with a median loss of %.4g\n",
			g.Name(), rate, losses[i])
	}
	return rates[0], err
}

// batch inverts some pictures as a piece.
func (v *inversion) batch(ctx context.Context, x *invert.Inverter, g *player, targets gansim.Images,
	from int) ([]weights.Tensor, error) {
	var starts []gansim.Codes
	for k := range v.Restarts {
		z, err := v.start(g, targets.N, from, k)
		if err != nil {
			return nil, err
		}
		starts = append(starts, z)
	}
	r, which, err := x.Restarts(ctx, targets, starts)
	if err != nil {
		return nil, err
	}
	number := func(v []int) []float64 {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	var ts []weights.Tensor
	for _, t := range []named{{"z", actmax.Widen(r.Codes.Z), r.Codes.Dim},
		{"images", actmax.Widen(r.Images.Pix), len(r.Images.At(0))}, {"first", r.LossFirst, 1},
		{"last", r.LossLast, 1}, {"at", number(r.Iterate), 1}, {"from", number(which), 1}} {
		x, err := tensor64(t.name, t.v, targets.N, t.width)
		if err != nil {
			return nil, err
		}
		ts = append(ts, x)
	}
	return ts, nil
}

func (r *reconstructions) read(f *weights.File, from int) error {
	var pixels []float64
	for _, x := range []struct {
		name string
		to   *[]float64
	}{{"z", &r.codes}, {"images", &pixels}, {"first", &r.first}, {"last", &r.last}, {"at", &r.at},
		{"from", &r.from}} {
		v, err := values(f, x.name)
		if err != nil {
			return err
		}
		*x.to = append(*x.to, v...)
	}
	to := r.images.At(from)[:0]
	for _, p := range pixels {
		to = append(to, float32(p))
	}
	return nil
}

// describe measures one generator's reconstructions.
func (v *inversion) describe(ctx context.Context, b compute.Backend, r *reconstructions,
	targets gansim.Images) ([]inverted, error) {
	errs, err := invert.Distances(ctx, b, nn.PixelMSE(), r.images, targets)
	if err != nil {
		return nil, err
	}
	var perceived []float64
	if v.ruler != nil {
		if perceived, err = invert.Distances(ctx, b, *v.ruler, r.images, targets); err != nil {
			return nil, err
		}
	}
	rows := make([]inverted, targets.N)
	for i := range rows {
		rows[i] = inverted{Image: v.images.names[i], SHA256: v.images.hashes[i], Generator: r.Name(),
			Loss: v.loss.Name, Space: v.Space, Rate: r.rate, Steps: v.Steps, Seed: v.Seed,
			Start: int(r.from[i]), Iterate: int(r.at[i]), LossFirst: r.first[i], LossLast: r.last[i],
			MSE: errs[i]}
		if x, err := ranktest.Pearson(actmax.Widen(targets.At(i)), actmax.Widen(r.images.At(i))); err == nil {
			rows[i].R = &x
		}
		if perceived != nil {
			rows[i].LPIPS = &perceived[i]
		}
		m, err := imaging.FromImages(r.images, i)
		if err != nil {
			return nil, err
		}
		if err := writePNG(filepath.Join(*v.out, fmt.Sprintf("%s_%03d.png", r.Name(), i)), m); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// sheetColumns are the pictures in a row of the sheet.
const sheetColumns = 12

// sheet shows blocks of rows: originals, then each generator.
func (v *inversion) sheet(s *show, made []gansim.Images) error {
	for from := 0; from < made[0].N; from += sheetColumns {
		for _, images := range made {
			var cells []imaging.Cell
			for i := from; i < min(from+sheetColumns, images.N); i++ {
				m, err := imaging.FromImages(images, i)
				if err != nil {
					return err
				}
				cells = append(cells, imaging.Cell{Picture: m})
			}
			s.add(cells...)
		}
	}
	return nil
}

// tell prints each generator's median, and their comparison where there are two.
func (v *inversion) tell(c *cobra.Command, f *finished[inverted]) error {
	if *v.json {
		return writeJSON(c.OutOrStdout(), f)
	}
	out := c.OutOrStdout()
	var r [][]float64
	for _, g := range v.players {
		var some []float64
		for _, row := range f.Rows {
			if row.Generator == g.Name() && row.R != nil {
				some = append(some, *row.R)
			}
		}
		r = append(r, some)
		if len(some) > 0 {
			sorted := slices.Sorted(slices.Values(some))
			fmt.Fprintf(out, "%s: r %.3f (median of %d), %.3f to %.3f\n", g.Name(),
				(sorted[(len(some)-1)/2]+sorted[len(some)/2])/2, len(some), sorted[0], sorted[len(some)-1])
		}
	}
	if len(r) == 2 && len(r[0]) == len(r[1]) {
		if t, err := ranktest.SignedRank(r[0], r[1], ranktest.Options{}); err == nil {
			fmt.Fprintf(out, "%s against %s: %s, n = %d, P = %.2g\n", v.players[0].Name(),
				v.players[1].Name(), t.Name, t.N, t.P)
		}
	}
	f.Rows = nil
	return f.tell(c, false, nil)
}
