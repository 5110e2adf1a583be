package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/optim"
	"gansim.example/weights"
)

// evolution is what gansim evolve does; what is exported determines its pieces.
type evolution struct {
	Threads     []threadSettings
	NetHash     string
	Placement   string
	Generations int
	Seed        uint64

	hunt
	labels     []string
	population int
	sigma      float64
	dump       bool
	evolvers   []*actmax.Evolver
	log        *slog.Logger
}

// threadSettings are those of one generator.
type threadSettings struct {
	GAN, GANHash, Basis, Recipe string
	Label                       optim.Label
	Sigma                       float64 // of its first part
	Population                  int
}

// evolved is a row: an image of the last generation.
type evolved struct {
	Generator  string  `parquet:"generator,dict" json:"generator"`
	Unit       string  `parquet:"unit,dict" json:"unit"`
	Placement  string  `parquet:"placement,dict" json:"placement"`
	Label      string  `parquet:"label,dict" json:"label"`
	Sigma      float64 `parquet:"sigma" json:"sigma"`
	Seed       uint64  `parquet:"seed" json:"seed"`
	Replicate  int     `parquet:"replicate" json:"replicate"`
	Generation int     `parquet:"generation" json:"generation"`
	Image      int     `parquet:"image" json:"image"` // in the order of the search
	Score      float64 `parquet:"score" json:"score"`
	File       string  `parquet:"file" json:"file,omitempty"`
}

// shownImages is how many of a last generation stand in a row of the sheet.
const shownImages = 8

func evolveCommand() *cobra.Command {
	e := &evolution{}
	c := &cobra.Command{
		Use:   "evolve --unit NET/LAYER/CHANNELS",
		Short: "Search codes that drive units, without gradients",
		Long: "Evolve codes for units in all generators' spaces side by side, as panel B does, by a search as\n" +
			"the original scripts name it (of several, each generator takes the first that it knows).\n" +
			"Channels are 7, 0-9, 3,5,8, all, random:N, or first:N that respond. Writes a sheet, rows, codes.",
		Example: "  gansim evolve --unit alexnet/conv5/first:4\n" +
			"  gansim evolve --gan BigGAN --unit alexnet/conv5/7 --label HessCMA --images",
		Args: arguments(),
	}
	e.flags(c, 1, "of replicates for each unit", "results/evolve")
	c.Flags().StringSliceVar(&e.labels, "label", []string{"CholCMA"}, "search, such as HessCMA")
	complete(c, "label", names(optim.Labels(), func(l optim.Label) string { return l.Name }))
	c.Flags().IntVar(&e.Generations, "generations", 100, "generations; the first is the start alone")
	c.Flags().IntVar(&e.population, "population", 0, "codes (default: the search's own)")
	c.Flags().Float64Var(&e.sigma, "sigma", 0, "first step size (default: the label's, or a pilot's)")
	c.Flags().BoolVar(&e.dump, "images", false, "write all images of the last generation")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if len(*e.gans) == 0 {
			*e.gans = generators()
		}
		if err := e.open(c); err != nil {
			return err
		}
		if err := e.settle(c); err != nil {
			return err
		}
		b, err := openBackend(c, *e.backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		f, err := e.run(c, b)
		if err != nil {
			return kept(err)
		}
		return e.tell(c, f)
	}
	return c
}

// settle checks the flags against each other.
func (e *evolution) settle(c *cobra.Command) error {
	switch {
	case e.Generations < 2:
		return misused(c, "--generations %d: want at least 2, of which the first is the start", e.Generations)
	case e.population < 0 || e.population == 1:
		return misused(c, "--population %d: want at least 2", e.population)
	case e.sigma < 0:
		return misused(c, "--sigma %g: want a positive number", e.sigma)
	}
	for _, g := range e.players {
		l, err := firstLabel(g.family, e.labels)
		if err != nil {
			return misused(c, "%w", err)
		}
		t := threadSettings{GAN: g.Name(), GANHash: g.hash, Recipe: recipeOf(*e.recipe, g, "evolve"),
			Basis: e.basisHash, Label: l, Sigma: e.sigma, Population: e.population}
		if slices.ContainsFunc(l.Parts, func(p optim.PartLabel) bool { return p.Hessian }) && g.metric == nil {
			return g.errNoMetric(l.Name)
		}
		if t.Sigma == 0 && g.mini && l.Parts[0].Part == "all" && !l.Parts[0].Hessian {
			t.Sigma = experiment.MiniatureSigma(g.Name())
		}
		if t.Sigma == 0 {
			t.Sigma = l.Parts[0].Sigma
		}
		e.Threads = append(e.Threads, t)
	}
	e.NetHash, e.Placement, e.Seed = e.netHash, *e.placement, *e.seed
	e.log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
	return nil
}

// firstLabel is the first label that a generator's family knows.
func firstLabel(family string, labels []string) (l optim.Label, err error) {
	for _, name := range labels {
		if l, err = optim.FindLabel(family, name); err == nil {
			return l, nil
		}
	}
	return l, err
}

// thread starts a replicate's search in one space. All searches of a generator share the start.
func (e *evolution) thread(i int, u gansim.Unit, replicate int) (*actmax.Thread, error) {
	g, set := e.players[i], e.Threads[i]
	rng := rand.New(rand.NewPCG(e.Seed, stream(g.Name()+u.String(), replicate)))
	start, err := g.Draw(set.Recipe, rng, 1)
	if err != nil {
		return nil, misuse{err}
	}
	space := optim.Space{Start: actmax.Widen(start.Z), Noise: g.noise, Population: set.Population,
		Sigma: set.Sigma, Seed: rng.Uint64(), Logger: e.log}
	if g.metric != nil {
		space.Subspace = subspaces(g.metric, e.log)
	}
	search, err := set.Label.Search(space)
	if err != nil {
		return nil, err
	}
	t := &actmax.Thread{Search: search}
	if i < len(e.evolvers) { // not yet while they are compiled
		t.Evolver = e.evolvers[i]
	}
	return t, nil
}

// leastShare of the largest eigenvalue is what HessCMA takes smaller ones for: those of a float32
// average are noise below it.
const leastShare = 1e-9

// subspaces gives parts of a metric for HessCMA; what is raised is logged.
func subspaces(m *hessian.Metric, log *slog.Logger) func(from, to, cutoff int, exponent float64) ([]float64,
	error) {
	return func(from, to, cutoff int, exponent float64) ([]float64, error) {
		block := &hessian.Metric{Matrix: m.Matrix, Values: slices.Clone(m.Values), Vectors: m.Vectors}
		if to-from < len(m.Values) {
			var err error
			if block, err = m.Block(from, to); err != nil {
				return nil, err
			}
		}
		if n := block.Clamp(leastShare); n > 0 {
			log.Info("eigenvalues raised", "number", n, "share of the largest", leastShare)
		}
		if cutoff == 0 || cutoff > to-from {
			cutoff = to - from
		}
		a, err := block.Subspace(cutoff, exponent)
		if err != nil {
			return nil, err
		}
		return a.RawMatrix().Data, nil
	}
}

// run evolves unit by unit.
func (e *evolution) run(c *cobra.Command, b compute.Backend) (*finished[evolved], error) {
	if err := e.prepare(c, b); err != nil {
		return nil, err
	}
	p, err := newPieces(*e.out, e)
	if err != nil {
		return nil, err
	}
	if err := e.compile(b); err != nil {
		return nil, err
	}
	s, err := newShow(*e.out, b, e.players...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	wanted := len(e.units)
	if e.hunt.population.Responding > 0 {
		wanted = e.hunt.population.Responding
	}
	w := &evolutionRows{e: e, show: s, codes: make([]named, len(e.players))}
	progress := newProgress(c.ErrOrStderr(), "evolve, generations")
	for done, i := 0, 0; done < wanted && i < len(e.units); i++ {
		u := e.units[i]
		tell := func(g int) { progress(min(done, wanted-1)*e.Generations**e.n+g, wanted*e.Generations**e.n) }
		replicates, err := e.unitRuns(c.Context(), p, u, tell)
		if err != nil {
			return nil, err
		}
		if e.hunt.population.Responding > 0 && !respond(replicates) {
			fmt.Fprintf(c.ErrOrStderr(), "gansim: %v does not respond, left out\n", u)
			continue
		}
		done++
		if err := w.add(c.Context(), u, replicates); err != nil {
			return nil, err
		}
	}
	if len(w.rows) == 0 {
		return nil, errors.New("no unit responds in all spaces")
	}
	f, err := finish(s, "evolve", w.rows, w.codes, map[string]string{"order": "as the rows, by generator"})
	if err != nil {
		return nil, err
	}
	return f, p.done()
}

// compile prepares each generator's program; units of one position share their field.
func (e *evolution) compile(b compute.Backend) error {
	if len(e.boxes) > 1 {
		return errors.New("evolve: units at several positions have several receptive fields; one at a time")
	}
	net, err := e.place(e.units[0]).Scorer(e.scorer)
	if err != nil {
		return err
	}
	for i, g := range e.players {
		t, err := e.thread(i, e.units[0], 0)
		if err != nil {
			return err
		}
		if err := t.Replay([][]float64{{1}}); err != nil {
			return err
		}
		x, err := actmax.NewEvolver(b, g, net, e.units[0].Layer, len(t.Search.Ask()))
		if err != nil {
			return err
		}
		e.evolvers = append(e.evolvers, x)
	}
	return nil
}

// unitRuns runs a unit's replicates, [replicate][generator]. An interrupted one keeps its scores, from
// which it is replayed.
func (e *evolution) unitRuns(ctx context.Context, p *pieces, u gansim.Unit, tell func(g int)) (
	[][]*actmax.Thread, error) {
	var all [][]*actmax.Thread
	for r := range *e.n {
		var threads []*actmax.Thread
		for i := range e.players {
			t, err := e.thread(i, u, r)
			if err != nil {
				return nil, err
			}
			threads = append(threads, t)
		}
		name := fileName(fmt.Sprintf("%v-%d", u, r))
		if err := e.resume(p, name, threads); err != nil {
			return nil, err
		}
		for g := len(threads[0].History); g < e.Generations; g++ {
			err := ctx.Err()
			if err == nil {
				err = actmax.Evolve(ctx, u, 1, threads)
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%v: generation %d of %d: %w", u, g, e.Generations, err),
					e.keep(p, name, threads))
			}
			tell(r*e.Generations + g + 1)
		}
		if err := e.keep(p, name, threads); err != nil {
			return nil, err
		}
		all = append(all, threads)
	}
	return all, nil
}

// keep writes the scores of all generations so far.
func (e *evolution) keep(p *pieces, name string, threads []*actmax.Thread) error {
	var ts []weights.Tensor
	for i, t := range threads {
		for g, scores := range t.History {
			x, err := tensor64(fmt.Sprintf("%d/%d", i, g), scores, len(scores))
			if err != nil {
				return err
			}
			ts = append(ts, x)
		}
	}
	if len(ts) == 0 {
		return nil
	}
	_, err := p.put(name, ts, nil)
	return err
}

// resume replays what is kept.
func (e *evolution) resume(p *pieces, name string, threads []*actmax.Thread) error {
	f, err := weights.OpenSafetensors(p.path(name))
	if err != nil {
		return nil // nothing is kept, or it is damaged: start over
	}
	for i, t := range threads {
		var history [][]float64
		for g := range len(f.Tensors) / len(threads) {
			scores, err := values(f, fmt.Sprintf("%d/%d", i, g))
			if err != nil {
				return err
			}
			history = append(history, scores)
		}
		if err := t.Replay(history); err != nil {
			return err
		}
	}
	return nil
}

// respond says whether every thread's last generation has a score above zero.
func respond(replicates [][]*actmax.Thread) bool {
	for _, threads := range replicates {
		for _, t := range threads {
			if slices.Max(t.Scores) <= 0 {
				return false
			}
		}
	}
	return true
}

// evolutionRows collects what is written.
type evolutionRows struct {
	e     *evolution
	show  *show
	rows  []evolved
	codes []named // by generator
}

// add describes a unit's evolutions.
func (w *evolutionRows) add(ctx context.Context, u gansim.Unit, replicates [][]*actmax.Thread) error {
	photos, err := w.e.photographs(ctx, u)
	if err != nil {
		return err
	}
	for r, threads := range replicates {
		for i, t := range threads {
			if err := w.thread(ctx, u, i, r, t, photos); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *evolutionRows) thread(ctx context.Context, u gansim.Unit, i, replicate int, t *actmax.Thread,
	photos []imaging.Cell) error {
	g, set := w.e.players[i], w.e.Threads[i]
	w.codes[i].name, w.codes[i].width = "z."+(*w.e.gans)[i], g.CodeSize()
	rows := make([]evolved, len(t.Codes))
	for k, z := range t.Codes {
		rows[k] = evolved{Generator: g.Name(), Unit: u.String(), Placement: w.e.Placement,
			Label: set.Label.Name, Sigma: set.Sigma, Seed: w.e.Seed, Replicate: replicate,
			Generation: w.e.Generations - 1, Image: k, Score: t.Scores[k]}
		w.codes[i].v = append(w.codes[i].v, z...)
	}
	order := actmax.Best(t.Scores, len(t.Scores))
	if !w.e.dump {
		order = order[:min(shownImages, len(order))]
	}
	var codes []float64
	paths := make([]string, len(order))
	for rank, k := range order {
		codes = append(codes, t.Codes[k]...)
		if w.e.dump {
			paths[rank] = filepath.Join(*w.e.out, fmt.Sprintf("%s_%s_%d_%02d.png", g.Name(),
				fileName(u.String()), replicate, k))
			rows[k].File = paths[rank]
		}
	}
	cells, err := w.show.images(ctx, g, codes, paths)
	if err != nil {
		return err
	}
	w.rows = append(w.rows, rows...)
	w.show.add(append(cells[:min(shownImages, len(cells)):min(shownImages, len(cells))], photos...)...)
	return nil
}

// tell prints the best of each evolution, or everything as JSON.
func (e *evolution) tell(c *cobra.Command, f *finished[evolved]) error {
	if *e.asJSON {
		return writeJSON(c.OutOrStdout(), f)
	}
	short := *f
	short.Rows = nil
	for _, r := range f.Rows {
		if n := len(short.Rows); n > 0 && short.Rows[n-1].Unit == r.Unit &&
			short.Rows[n-1].Generator == r.Generator && short.Rows[n-1].Replicate == r.Replicate {
			if r.Score > short.Rows[n-1].Score {
				short.Rows[n-1] = r
			}
			continue
		}
		short.Rows = append(short.Rows, r)
	}
	return short.tell(c, false, func(r evolved) string {
		return fmt.Sprintf("%s %s %s: best of generation %d scores %.4g", r.Generator, r.Unit, r.Label,
			r.Generation, r.Score)
	})
}
