package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/weights"
)

// maximization is what gansim maximize does; what is exported determines its pieces.
type maximization struct {
	GAN, GANHash, NetHash string
	Label                 string
	Rate                  float64
	Basis                 string // hash of the metric's file; empty means that of the miniature
	Recipe                string
	Placement             string
	Steps, N              int
	Seed                  uint64
	Units                 []gansim.Unit
	Batch                 int
	Backend               string

	hunt
	method actmax.Method
}

// maximized is a row: one maximisation.
type maximized struct {
	Generator string  `parquet:"generator,dict" json:"generator"`
	Unit      string  `parquet:"unit,dict" json:"unit"`
	Placement string  `parquet:"placement,dict" json:"placement"`
	Label     string  `parquet:"label,dict" json:"label"`
	Rate      float64 `parquet:"lr" json:"lr"`
	Steps     int     `parquet:"steps" json:"steps"`
	Seed      uint64  `parquet:"seed" json:"seed"`
	Start     int     `parquet:"start" json:"start"`
	BatchRank int     `parquet:"batch_rank" json:"batch_rank"` // by the last score, 0 is the best
	Score     float64 `parquet:"score" json:"score"`
	MaxScore  float64 `parquet:"maxscore" json:"maxscore"`
	MaxStep   int     `parquet:"maxstep" json:"maxstep"`
	Image     string  `parquet:"image" json:"image"`
}

func maximizeCommand() *cobra.Command {
	m := &maximization{}
	c := &cobra.Command{
		Use:   "maximize --gan NAME --unit NET/LAYER/CHANNELS",
		Short: "Search codes that drive units, by gradients",
		Long: "Climb units' activations as panel D does, by an optimiser as the paper prints it (Adam001 has\n" +
			"rate 0.01). Channels are 7, 0-9, 3,5,8, all or random:N. Blocks, and AlexNet's conv5, are read\n" +
			"after their rectifier, modules such as features.10 as they are. Writes a sheet, images, rows, codes.",
		Example: "  gansim maximize --gan DeePSim --unit resnet50/layer3/0-3 --label Adam01Hess\n" +
			"  gansim maximize --gan deepsim_fc6 --unit published:resnet50/.layer3.Bottleneck5/7",
		Args: arguments(),
	}
	m.flags(c, 4, "of starts for each unit", "results/maximize")
	label := c.Flags().String("label", "", "optimiser (default: the generator's first)")
	complete(c, "label", names(actmax.Labels(), func(v actmax.Method) string { return v.Label }))
	c.Flags().Float64Var(&m.Rate, "rate", 0, "learning rate (default: the label's)")
	c.Flags().IntVar(&m.Steps, "steps", 100, "steps")
	c.Flags().IntVar(&m.Batch, "batch", 8, "runs computed together")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := m.hunt.open(c); err != nil {
			return err
		}
		if err := m.settle(c, *label); err != nil {
			return err
		}
		b, err := openBackend(c, *m.backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		f, err := m.run(c, b)
		if err != nil {
			return kept(err)
		}
		return f.tell(c, *m.asJSON, func(r maximized) string {
			return fmt.Sprintf("%s %s %s: score %.4g, maximum %.4g at step %d", r.Generator, r.Unit, r.Label,
				r.Score, r.MaxScore, r.MaxStep)
		})
	}
	return c
}

// settle checks the flags against each other.
func (m *maximization) settle(c *cobra.Command, label string) (err error) {
	switch {
	case m.Steps < 1:
		return misused(c, "--steps %d: want at least 1", m.Steps)
	case m.Batch < 1:
		return misused(c, "--batch %d: want at least 1", m.Batch)
	case m.Rate < 0:
		return misused(c, "--rate %g: want a positive number", m.Rate)
	case m.population.Responding > 0:
		return misused(c, "first:N is for gansim evolve; here scores of zero draw new codes")
	}
	g := m.players[0]
	if label == "" {
		label = actmax.Methods(g.family)[0].Label
	}
	if m.method, err = actmax.FindMethod(label); err != nil {
		return misused(c, "%w", err)
	}
	if m.Rate > 0 {
		m.method.Rate = m.Rate
	}
	if m.method.Hessian && g.metric == nil {
		return g.errNoMetric(label)
	}
	m.Label, m.Rate, m.Basis = m.method.Label, m.method.Rate, m.basisHash
	m.GAN, m.GANHash, m.NetHash, m.Recipe = g.Name(), g.hash, m.netHash, recipeOf(*m.recipe, g, "maximize")
	m.Placement, m.N, m.Seed, m.Units = *m.placement, *m.n, *m.seed, m.units
	m.Backend = *m.backend
	return nil
}

// run climbs from all starts of all units, units side by side in batches, a batch a piece.
func (m *maximization) run(c *cobra.Command, b compute.Backend) (*finished[maximized], error) {
	g := m.players[0]
	if err := m.prepare(c, b); err != nil {
		return nil, err
	}
	p, err := newPieces(*m.out, m)
	if err != nil {
		return nil, err
	}
	runs, err := m.runs(g)
	if err != nil {
		return nil, err
	}
	config := actmax.MaximizerConfig{Layer: m.units[0].Layer, Batch: min(m.Batch, len(runs))}
	if m.method.Hessian {
		config.Basis = g.metric.Vectors
	}
	if m.Placement != actmax.Full {
		config.Input = m.scorer.(actmax.Inner).InputSize()
	}
	x, err := actmax.NewMaximizer(b, g, m.scorer, config)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	progress := newProgress(c.ErrOrStderr(), "maximize")
	progress(0, len(runs))
	found := climbed{d: g.CodeSize(), steps: m.Steps}
	for from := 0; from < len(runs); from += config.Batch {
		to := min(from+config.Batch, len(runs))
		name := fmt.Sprintf("%s-%s-%d", m.units[0].Layer, m.units[0].Net, from)
		f, err := p.do(c.Context(), fileName(name), func() ([]weights.Tensor, error) {
			out, err := x.Maximize(c.Context(), runs[from:to], m.Steps)
			if err != nil {
				return nil, err
			}
			return pack(out)
		})
		if err != nil {
			return nil, err
		}
		if err := found.read(f); err != nil {
			return nil, err
		}
		progress(to, len(runs))
	}
	done, err := m.write(c, b, found)
	if err != nil {
		return nil, err
	}
	return done, p.done()
}

// runs are the starts of all units. A unit's starts are the same whatever the label and the other units.
func (m *maximization) runs(g *player) ([]actmax.Run, error) {
	var runs []actmax.Run
	for _, u := range m.units {
		for i := range m.N {
			rng := rand.New(rand.NewPCG(m.Seed, stream(u.String(), i)))
			start, err := g.Draw(m.Recipe, rng, 1)
			if err != nil {
				return nil, misuse{err}
			}
			runs = append(runs, actmax.Run{Unit: u, Method: m.method, Start: actmax.Widen(start.Z),
				Redraw: actmax.Redraws(g, m.Recipe, rng), Placement: m.place(u)})
		}
	}
	return runs, nil
}

// climbed are the outcomes of all runs.
type climbed struct {
	d, steps       int
	codes, scores  []float64 // [runs, d], [runs, steps]
	last, most, at []float64
}

// pack makes a piece of outcomes.
func pack(out []actmax.Outcome) ([]weights.Tensor, error) {
	var codes, scores []float64
	for _, o := range out {
		codes, scores = append(codes, o.Code...), append(scores, o.Scores...)
	}
	z, err := tensor64("z", codes, len(out), len(codes)/len(out))
	if err != nil {
		return nil, err
	}
	s, err := tensor64("scores", scores, len(out), len(scores)/len(out))
	return []weights.Tensor{z, s}, err
}

func (k *climbed) read(f *weights.File) error {
	codes, err := values(f, "z")
	if err != nil {
		return err
	}
	scores, err := values(f, "scores")
	k.codes, k.scores = append(k.codes, codes...), append(k.scores, scores...)
	for run := range slices.Chunk(scores, k.steps) {
		most := slices.Max(run)
		k.last, k.most = append(k.last, run[len(run)-1]), append(k.most, most)
		k.at = append(k.at, float64(slices.Index(run, most)))
	}
	return err
}

// write ranks the runs of each unit by their last score and writes everything.
func (m *maximization) write(c *cobra.Command, b compute.Backend, k climbed) (*finished[maximized], error) {
	g := m.players[0]
	s, err := newShow(*m.out, b, g)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var rows []maximized
	for i, u := range m.units {
		var codes []float64
		var paths []string
		for rank, r := range actmax.Best(k.last[i*m.N:(i+1)*m.N], m.N) {
			at := i*m.N + r
			row := maximized{Generator: g.Name(), Unit: u.String(), Placement: m.Placement, Label: m.Label,
				Rate: m.Rate, Steps: m.Steps, Seed: m.Seed, Start: r, BatchRank: rank, Score: k.last[at],
				MaxScore: k.most[at], MaxStep: int(k.at[at])}
			row.Image = filepath.Join(*m.out, fmt.Sprintf("%s_%s_%02d.png", g.Name(), fileName(u.String()), rank))
			rows = append(rows, row)
			paths, codes = append(paths, row.Image), append(codes, k.codes[at*k.d:(at+1)*k.d]...)
		}
		cells, err := s.images(c.Context(), g, codes, paths)
		if err != nil {
			return nil, err
		}
		photos, err := m.photographs(c.Context(), u)
		if err != nil {
			return nil, err
		}
		s.add(append(cells, photos...)...)
	}
	return finish(s, "maximize", rows, []named{{"z", k.codes, k.d}, {"scores", k.scores, k.steps}},
		map[string]string{"generator": g.Name(), "weights": g.hash, "order": "units, then starts"})
}
