package experiment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
// "power_KK" are the radial power at KK cycles per image, "orientation_DDD" the orientation spectrum
// at DDD degrees, as a share of the largest.
type RowB struct {
	Origin
	Unit      int     `parquet:"unit"`
	Generator string  `parquet:"generator,dict"`
	Image     int     `parquet:"image"`
	Statistic string  `parquet:"statistic,dict"`
	Value     float64 `parquet:"value"`
}

const (
	evolveLayer = "conv5"
	score       = "score"
	powerPrefix = "power_"
	turnPrefix  = "orientation_"
	turnStep    = 10 // degrees
)

// sigmas are the first step sizes of the evolutions. Those of the miniature spaces, whose codes are
// scaled otherwise than the paper's, come from a pilot: of 0.1, 0.2, 0.3, 0.5, 1 and 2 the one with the
// largest activation after 20 generations, as the median over six units outside the panel.
var sigmas = map[string]map[string]float64{
	Miniature: {deepSim: 2, bigGAN: 1},
	Published: {deepSim: 3, bigGAN: .2},
}

// MiniatureSigma is the first step size in a miniature generator's space, 0 for others.
func MiniatureSigma(generator string) float64 { return sigmas[Miniature][generator] }

// evolution is how a generator's codes are evolved.
type evolution struct {
	name      string
	generator gansim.Generator
	recipe    string
	sigma     float64
}

func (e *env) evolutions() []evolution {
	return []evolution{
		{deepSim, e.world.DeePSim, "std1", sigmas[e.world.Name][deepSim]},
		{bigGAN, e.world.BigGAN, "evolve", sigmas[e.world.Name][bigGAN]},
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
			e.population(v.generator))
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
		rng := e.rng("panel b start "+v.name, u.Channel)
		start, err := v.generator.Draw(v.recipe, rng, 1)
		if err != nil {
			return nil, err
		}
		code := make([]float64, start.Dim)
		for j, x := range start.Z {
			code[j] = float64(x)
		}
		cma, err := optim.New(optim.Config{Dim: start.Dim, Start: code, Sigma: v.sigma,
			Seed: rng.Uint64(), Population: e.preset.B.Population})
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
		name := e.evolutions()[i].name
		if e.Images {
			if err := e.keepEvolved(name, u, t.Codes, images); err != nil {
				return nil, err
			}
		}
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
	turns, err := p.Orientation()
	if err != nil {
		return nil, err
	}
	for at := 0; at < len(turns); at += turnStep {
		if v := turns[at]; !math.IsNaN(v) { // a black image has none
			rows = append(rows, RowB{Statistic: fmt.Sprintf("%s%03d", turnPrefix, at), Value: v})
		}
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

// valuesB gives a statistic's values of one generator; an empty one means all.
func valuesB(rows []RowB, generator, statistic string) []float64 {
	var out []float64
	for _, r := range rows {
		if (generator == "" || r.Generator == generator) && r.Statistic == statistic {
			out = append(out, r.Value)
		}
	}
	return out
}

func (e *env) summariseB(rows []RowB, dead []int) *Section {
	s := &Section{Tests: []Test{}}
	for _, v := range e.evolutions() {
		n := len(valuesB(rows, v.name, score))
		s.N += n
		s.Values = append(s.Values, Value{Name: "images of the last generation",
			Group: v.name, Ours: Number(n), SE: Number(math.NaN()), N: n})
	}
	s.Values = append(s.Values, Value{Name: "images of the last generation", Group: "both",
		Ours: Number(s.N), SE: Number(math.NaN()), Paper: paper(paperImages), N: s.N})
	names := []string{score}
	for _, st := range imstat.Statistics() {
		names = append(names, st.Name)
	}
	for _, name := range names {
		for _, v := range e.evolutions() {
			s.addMean(name, v.name, valuesB(rows, v.name, name))
		}
	}
	for _, st := range shown {
		for _, v := range e.evolutions() {
			s.addMean(st.name+", unit means", v.name, unitMeans(rows, v.name, st.name))
		}
	}
	s.Notes = append([]string{
		"Mean ± SEM (n - 1) over the images; images of one unit are not independent, so means of units " +
			"(n is units) stand beside them.",
		"The paper names no statistic. Main, after public code of the authors that nothing calls: radial " +
			"spectrum and its slope, orientation spectrum, RMS contrast (mean of the colours'), luminance " +
			"and its variance; all others are extras.",
		e.noteSigmas(),
		"Units are the centre units of conv5's channels in order; channels that one of the spaces " +
			fmt.Sprintf("could not activate are left out: %v.", dead),
	}, readingsB(rows, s.N)...)
	return s
}

// noteSigmas says what the first step sizes are.
func (e *env) noteSigmas() string {
	here, paper := sigmas[e.world.Name], sigmas[Published]
	if e.world.Name == Published {
		return fmt.Sprintf("Step sizes are those of the paper's code: DeePSim %g, BigGAN %g.", paper[deepSim],
			paper[bigGAN])
	}
	return fmt.Sprintf("Step sizes come from a pilot on the miniature spaces: DeePSim %g, BigGAN %g (the "+
		"paper's code: %g and %g).", here[deepSim], here[bigGAN], paper[deepSim], paper[bigGAN])
}

// addMean adds the mean and SEM of values, if there are any.
func (s *Section) addMean(name, group string, values []float64) {
	if len(values) == 0 {
		return
	}
	sem, err := ranktest.SEM(values, 1)
	if err != nil {
		sem = math.NaN()
	}
	s.Values = append(s.Values, Value{Name: name, Group: group, Ours: Number(stat.Mean(values, nil)),
		SE: Number(sem), N: len(values)})
}

// unitMeans are the means of a statistic over each unit's images.
func unitMeans(rows []RowB, generator, statistic string) []float64 {
	byUnit := map[int][]float64{}
	for _, r := range rows {
		if r.Generator == generator && r.Statistic == statistic {
			byUnit[r.Unit] = append(byUnit[r.Unit], r.Value)
		}
	}
	var means []float64
	for _, u := range slices.Sorted(maps.Keys(byUnit)) {
		means = append(means, stat.Mean(byUnit[u], nil))
	}
	return means
}

// The populations of the original scripts' searches, from which the legend's number can be read.
const (
	paperPopulationDeePSim = 40
	paperPopulationBigGAN  = 28
)

// readingsB says what the legend's number of images can mean, and what ours are.
func readingsB(rows []RowB, total int) []string {
	units := len(unitMeans(rows, "DeePSim", score))
	perGenerator := paperUnits * paperPopulationDeePSim
	return []string{fmt.Sprintf("The legend's %d images of %d units, read as one generator's: %d x %d = %d fits, "+
		"for DeePSim with its own population and for BigGAN with the same; with BigGAN's own population, %d, "+
		"it has %d. Read as both generators' together: %d x (%d + %d) = %d does not fit, nor do %d images of "+
		"each unit in each space, since no search of the original scripts has a population of %d.",
		paperImages, paperUnits, paperUnits, paperPopulationDeePSim, perGenerator, paperPopulationBigGAN,
		paperUnits*paperPopulationBigGAN, paperUnits, paperPopulationDeePSim, paperPopulationBigGAN,
		paperUnits*(paperPopulationDeePSim+paperPopulationBigGAN), paperImages/paperUnits/2,
		paperImages/paperUnits/2),
		fmt.Sprintf("Ours: %d units, %d images by DeePSim, %d by BigGAN, %d in all.", units,
			len(valuesB(rows, "DeePSim", score)), len(valuesB(rows, "BigGAN", score)), total)}
}

// population is the number of codes in each generation.
func (e *env) population(g gansim.Generator) int {
	if n := e.preset.B.Population; n > 0 {
		return n
	}
	return optim.DefaultPopulation(g.CodeSize())
}

// shown are the scalar statistics that are drawn, with short labels and units: the main candidates,
// then a few extras.
var shown = []struct{ name, label, unit string }{
	{"rms_contrast", "RMS contrast", ""},
	{"gray_mean", "Luminance", ""},
	{"gray_variance", "Lum. variance", ""},
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
			set := figure.Set{Name: v.name, Kind: kind(v.name)}
			g.Groups = append(g.Groups,
				figure.Group{Set: set, Values: valuesB(rows, v.name, st.name)})
		}
		p.Statistics = append(p.Statistics, g)
	}
	p.Spectra = []figure.Spectrum{e.spectrum(rows, figure.Spectrum{XLabel: "Cycles per image",
		YLabel: "Power (a.u.)", LogX: true, LogY: true}, powerPrefix)}
	if len(valuesB(rows, "", turnPrefix+"000")) > 0 { // not in rows of older versions
		p.Spectra = append(p.Spectra, e.spectrum(rows, figure.Spectrum{XLabel: "Orientation (deg)",
			YLabel: "Power (share of max.)", XTicks: []float64{0, 45, 90, 135}}, turnPrefix))
	}
	return p
}

// spectrum adds the mean of the statistics that begin with a prefix, by their numbers, of each
// generator's images with its SEM.
func (e *env) spectrum(rows []RowB, s figure.Spectrum, prefix string) figure.Spectrum {
	for _, v := range e.evolutions() {
		name := v.name
		series := figure.Series{Set: figure.Set{Name: name, Kind: kind(name)}}
		at := map[int][]float64{}
		for _, r := range rows {
			if k, ok := strings.CutPrefix(r.Statistic, prefix); ok && r.Generator == name {
				if x, err := strconv.Atoi(k); err == nil {
					at[x] = append(at[x], r.Value)
				}
			}
		}
		for _, x := range slices.Sorted(maps.Keys(at)) {
			mean, variance := stat.MeanVariance(at[x], nil)
			series.X = append(series.X, float64(x))
			series.Mean = append(series.Mean, mean)
			series.SEM = append(series.SEM, math.Sqrt(variance/float64(len(at[x]))))
		}
		if s.LogX {
			fit := imstat.Fit(series.Mean)
			series.Slope, series.HasSlope = fit.Slope, !math.IsNaN(fit.Slope)
		}
		s.Series = append(s.Series, series)
	}
	return s
}
