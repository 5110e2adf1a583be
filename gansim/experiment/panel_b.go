package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/imstat"
	"gansim.example/gansim/optim"
	"gansim.example/gansim/ranktest"
)

// Panel B. Claim: images evolved in both spaces for the same AlexNet conv5 units differ in their
// low-level statistics (91 units, 3640 images; mean ± SEM). The legend names no statistic.
//
//	gansim figure --panel b

// RowB is a row of panel B: one statistic of one image of the last generation. Statistics
// "power_KK" are the radial power at KK cycles per image.
type RowB struct {
	Origin
	Unit      int     `parquet:"unit"`
	Generator string  `parquet:"generator,dict"`
	Image     int     `parquet:"image"`
	Statistic string  `parquet:"statistic,dict"`
	Value     float64 `parquet:"value"`
}

// Evolution of the miniature spaces. Step sizes come from a pilot on the miniature world, whose codes
// are scaled otherwise than the paper's: of 0.1, 0.2, 0.3, 0.5, 1 and 2 the one with the largest
// activation after 20 generations, as the median over six units outside the panel.
const (
	evolveLayer   = "conv5"
	score         = "score"
	sigmaDeePSim  = 2.0 // paper: 3.0
	sigmaBigGAN   = 1.0 // paper: 0.2
	powerPrefix   = "power_"
	paperSigmaFC6 = 3.0
)

// MiniatureSigma is the first step size in a miniature generator's space, 0 for others.
func MiniatureSigma(generator string) float64 {
	return map[string]float64{"DeePSim": sigmaDeePSim, "BigGAN": sigmaBigGAN}[generator]
}

// evolution is how a generator's codes are evolved.
type evolution struct {
	generator gansim.Generator
	recipe    string
	sigma     float64
}

func (e *env) evolutions() []evolution {
	return []evolution{
		{e.world.DeePSim, "std1", sigmaDeePSim},
		{e.world.BigGAN, "evolve", sigmaBigGAN},
	}
}

func (e *env) panelB(ctx context.Context) (*Section, *figure.PanelB, error) {
	layer, err := actmax.FindLayer(e.world.AlexNet, evolveLayer)
	if err != nil {
		return nil, nil, err
	}
	var evolvers []*actmax.Evolver
	for _, v := range e.evolutions() {
		x, err := actmax.NewEvolver(e.backend, v.generator, e.world.AlexNet, evolveLayer,
			optim.DefaultPopulation(v.generator.CodeSize()))
		if err != nil {
			return nil, nil, err
		}
		evolvers = append(evolvers, x)
	}
	units := make([][]RowB, layer.Channels)
	done := e.steps("b", e.preset.B.Units)
	var rows []RowB
	kept, dead := 0, []int{}
	for next := 0; next < layer.Channels && kept < e.preset.B.Units; {
		from, n := next, min(e.preset.B.Units-kept, layer.Channels-next)
		err := each(ctx, n, func(ctx context.Context, i int) (err error) {
			defer done()
			u := actmax.CenterUnit(e.world.AlexNet, layer, from+i)
			units[from+i], err = part(ctx, e.store, "panel_b", u.String(),
				func(o Origin) ([]RowB, error) { return e.evolve(ctx, o, u, evolvers) })
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		for next = from; next < from+n; next++ {
			if silent(units[next]) {
				dead = append(dead, next)
				continue
			}
			rows = append(rows, units[next]...)
			kept++
		}
	}
	if kept == 0 {
		return nil, nil, fmt.Errorf("experiment: no unit of %s could be activated", evolveLayer)
	}
	if err := table(e.store, "panel_b", rows); err != nil {
		return nil, nil, err
	}
	return e.summariseB(rows, dead), e.drawB(rows), nil
}

// evolve runs both generators side by side for one unit and describes every image of the last
// generation.
func (e *env) evolve(ctx context.Context, o Origin, u gansim.Unit, evolvers []*actmax.Evolver) (
	[]RowB, error) {
	var threads []*actmax.Thread
	for i, v := range e.evolutions() {
		rng := e.rng("panel b start "+v.generator.Name(), u.Channel)
		start, err := v.generator.Draw(v.recipe, rng, 1)
		if err != nil {
			return nil, err
		}
		code := make([]float64, start.Dim)
		for j, x := range start.Z {
			code[j] = float64(x)
		}
		cma, err := optim.New(optim.Config{Dim: start.Dim, Start: code, Sigma: v.sigma,
			Seed: rng.Uint64()})
		if err != nil {
			return nil, err
		}
		threads = append(threads, &actmax.Thread{Evolver: evolvers[i], Search: cma})
	}
	if err := actmax.Evolve(ctx, u, e.preset.B.Generations, threads); err != nil {
		return nil, err
	}
	var rows []RowB
	for i, t := range threads {
		images, err := t.Evolver.Images(ctx, t.Codes)
		if err != nil {
			return nil, err
		}
		name := e.evolutions()[i].generator.Name()
		described, err := describeAll(images)
		if err != nil {
			return nil, err
		}
		for k, found := range described {
			found = append([]RowB{{Statistic: score, Value: t.Scores[k]}}, found...)
			for _, r := range found {
				r.Origin, r.Unit, r.Generator, r.Image = o, u.Channel, name, k
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// describeAll describes images on all processors.
func describeAll(images gansim.Images) ([][]RowB, error) {
	rows, errs := make([][]RowB, images.N), make([]error, images.N)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), images.N) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < images.N; i = int(next.Add(1)) - 1 {
				rows[i], errs[i] = describe(images, i)
			}
		})
	}
	workers.Wait()
	return rows, errors.Join(errs...)
}

// describe computes all statistics of one image; those that are undefined for it are left out.
func describe(images gansim.Images, i int) ([]RowB, error) {
	p, err := imstat.New(images.Height, images.Width, images.At(i))
	if err != nil {
		return nil, err
	}
	var rows []RowB
	for _, s := range imstat.Statistics() {
		if v := s.Value(p); !math.IsNaN(v) && !math.IsInf(v, 0) {
			rows = append(rows, RowB{Statistic: s.Name, Value: v})
		}
	}
	power, err := p.Spectrum(imstat.Gray)
	if err != nil {
		return nil, err
	}
	for k, v := range power {
		rows = append(rows, RowB{Statistic: fmt.Sprintf("%s%02d", powerPrefix, k+1), Value: v})
	}
	return rows, nil
}

// silent says that a unit's last generation never activated it in one of the spaces.
func silent(rows []RowB) bool {
	best := map[string]float64{}
	for _, r := range rows {
		if r.Statistic == score {
			best[r.Generator] = max(best[r.Generator], r.Value)
		}
	}
	for _, v := range best {
		if v == 0 {
			return true
		}
	}
	return len(best) == 0
}

// valuesB gives a statistic's values of one generator.
func valuesB(rows []RowB, generator, statistic string) []float64 {
	var out []float64
	for _, r := range rows {
		if r.Generator == generator && r.Statistic == statistic {
			out = append(out, r.Value)
		}
	}
	return out
}

func (e *env) summariseB(rows []RowB, dead []int) *Section {
	s := &Section{Tests: []Test{}}
	for _, v := range e.evolutions() {
		n := len(valuesB(rows, v.generator.Name(), score))
		s.N += n
		s.Values = append(s.Values, Value{Name: "images of the last generation",
			Group: v.generator.Name(), Ours: Number(n), SE: Number(math.NaN()), N: n})
	}
	s.Values = append(s.Values, Value{Name: "images of the last generation", Group: "both",
		Ours: Number(s.N), SE: Number(math.NaN()), Paper: paper(paperImages), N: s.N})
	names := []string{score}
	for _, st := range imstat.Statistics() {
		names = append(names, st.Name)
	}
	for _, name := range names {
		for _, v := range e.evolutions() {
			values := valuesB(rows, v.generator.Name(), name)
			if len(values) == 0 {
				continue
			}
			sem, err := ranktest.SEM(values, 1)
			if err != nil {
				sem = math.NaN()
			}
			s.Values = append(s.Values, Value{Name: name, Group: v.generator.Name(),
				Ours: Number(stat.Mean(values, nil)), SE: Number(sem), N: len(values)})
		}
	}
	s.Notes = []string{
		"Mean ± SEM (n - 1) over the images; images of one unit are not independent.",
		"The paper names no statistic. Spectrum, contrast and luminance follow public code of the " +
			"authors that nothing calls; the rest are extras.",
		fmt.Sprintf("The paper: %d units, %d images in all; whether those are of both generators "+
			"together is not stated. Here the populations are those of CMA-ES for each space.",
			paperUnits, paperImages),
		fmt.Sprintf("Step sizes come from a pilot on the miniature spaces: DeePSim %g, BigGAN %g "+
			"(the paper's code: %g and 0.2).", sigmaDeePSim, sigmaBigGAN, paperSigmaFC6),
		"Units are the centre units of conv5's channels in order; channels that one of the spaces " +
			fmt.Sprintf("could not activate are left out: %v.", dead),
	}
	return s
}

// shown are the scalar statistics that are drawn, with short labels and units: the main candidates,
// then a few extras.
var shown = []struct{ name, label, unit string }{
	{"rms_contrast", "RMS contrast", ""},
	{"gray_mean", "Luminance", ""},
	{"gray_variance", "Luminance variance", ""},
	{"spectrum_slope", "Spectral slope", ""},
	{"saturation", "Saturation", ""},
	{"colorfulness_hasler", "Colourfulness", ""},
	{"entropy_luma8_bits", "Entropy", "bits"},
	{"edge_density_sobel", "Edge density", ""},
}

func (e *env) drawB(rows []RowB) *figure.PanelB {
	p := &figure.PanelB{}
	for _, st := range shown {
		g := figure.Statistic{Name: st.label, Unit: st.unit}
		for _, v := range e.evolutions() {
			set := figure.Set{Name: v.generator.Name(), Kind: kind(v.generator.Name())}
			g.Groups = append(g.Groups,
				figure.Group{Set: set, Values: valuesB(rows, v.generator.Name(), st.name)})
		}
		p.Statistics = append(p.Statistics, g)
	}
	p.Spectra = []figure.Spectrum{e.spectrum(rows)}
	return p
}

// spectrum is the mean radial power of each generator's images with its SEM.
func (e *env) spectrum(rows []RowB) figure.Spectrum {
	s := figure.Spectrum{XLabel: "Cycles per image", YLabel: "Power (a.u.)",
		LogX: true, LogY: true}
	for _, v := range e.evolutions() {
		name := v.generator.Name()
		series := figure.Series{Set: figure.Set{Name: name, Kind: kind(name)}}
		for k := 1; ; k++ {
			values := valuesB(rows, name, fmt.Sprintf("%s%02d", powerPrefix, k))
			if len(values) == 0 {
				break
			}
			mean, variance := stat.MeanVariance(values, nil)
			series.X = append(series.X, float64(k))
			series.Mean = append(series.Mean, mean)
			series.SEM = append(series.SEM, math.Sqrt(variance/float64(len(values))))
		}
		fit := imstat.Fit(series.Mean)
		series.Slope, series.HasSlope = fit.Slope, !math.IsNaN(fit.Slope)
		s.Series = append(s.Series, series)
	}
	return s
}
