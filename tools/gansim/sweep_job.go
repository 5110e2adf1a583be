package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/sweep"
)

// sweepFlags say what a sweep computes.
type sweepFlags struct {
	preset, config, out string
	rows, batch         int
	seed                uint64
	bases               map[string]string
	files               *networkFiles
}

func sweepFlagsOf(c *cobra.Command) *sweepFlags {
	f := &sweepFlags{files: weightsFlag(c)}
	names := experiment.ConfigNamesD()
	c.Flags().StringVar(&f.preset, "preset", "smoke", "the runs: "+strings.Join(names, ", "))
	complete(c, "preset", names)
	c.Flags().StringVar(&f.config, "config", "", "YAML `file` with the runs in place of --preset")
	c.Flags().IntVar(&f.rows, "rows", 0, "so many of the runs, drawn with equal shares; 0 means all")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of all draws")
	c.Flags().IntVar(&f.batch, "batch", 0, "runs computed together (default 36)")
	c.Flags().StringToStringVar(&f.bases, "basis", nil,
		"`GAN=FILE` of gansim hessian, for published generators")
	c.Flags().StringVar(&f.out, "out", "", "`folder` of the sweep (default results/sweep-PRESET)")
	if err := c.MarkFlagDirname("out"); err != nil {
		panic(err) // only if there were no such flag
	}
	return f
}

// folder of the sweep.
func (f *sweepFlags) folder() string {
	if f.out != "" {
		return f.out
	}
	return "results/sweep-" + f.preset
}

// words are the flags as arguments, for a folder.
func (f *sweepFlags) words(folder string) []string {
	w := []string{"--preset", f.preset}
	if f.config != "" {
		w = []string{"--config", f.config}
	}
	w = append(w, "--seed", fmt.Sprint(f.seed), "--out", folder)
	for _, n := range []struct {
		flag  string
		value int
	}{{"--rows", f.rows}, {"--batch", f.batch}} {
		if n.value != 0 {
			w = append(w, n.flag, fmt.Sprint(n.value))
		}
	}
	for _, files := range []struct {
		flag string
		all  map[string]string
	}{{"--basis", f.bases}, {"--weights", f.files.weightFiles}} {
		for _, name := range slices.Sorted(maps.Keys(files.all)) {
			w = append(w, files.flag, name+"="+files.all[name])
		}
	}
	return w
}

// absolute makes the paths of files absolute.
func (f *sweepFlags) absolute() (err error) {
	if f.config != "" {
		if f.config, err = filepath.Abs(f.config); err != nil {
			return err
		}
	}
	for _, files := range []map[string]string{f.bases, f.files.weightFiles} {
		for name, path := range files {
			if files[name], err = filepath.Abs(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// command is the line of a verb of the same sweep, as a shell reads it.
func (f *sweepFlags) command(verb string) string {
	words := []string{os.Args[0], "sweep", verb, "--out", f.folder()}
	if verb == "run" {
		words = append(words[:3], f.words(f.folder())...)
	}
	for i, w := range words {
		words[i] = shellQuoted(w)
	}
	return strings.Join(words, " ")
}

// plan lists the runs.
func (f *sweepFlags) plan(c *cobra.Command) (*experiment.PlanD, error) {
	config, err := f.read(c)
	if err != nil {
		return nil, err
	}
	if f.rows < 0 || f.batch < 0 {
		return nil, misused(c, "%d rows in batches of %d, want none negative", f.rows, f.batch)
	}
	if f.rows > 0 {
		config.Rows = f.rows
	}
	if c.Flags().Changed("seed") || config.Seed == 0 {
		config.Seed = f.seed
	}
	p, err := experiment.NewPlanD(*config)
	if err != nil {
		return nil, misused(c, "%w", err)
	}
	return p, nil
}

func (f *sweepFlags) read(c *cobra.Command) (*experiment.ConfigD, error) {
	if f.config == "" {
		config, err := experiment.FindConfigD(f.preset)
		if err != nil {
			return nil, misused(c, "%w", err)
		}
		return config, nil
	}
	if c.Flags().Changed("preset") {
		return nil, misused(c, "--preset %s and --config %s: give one of them", f.preset, f.config)
	}
	file, err := os.Open(f.config)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	config, err := experiment.ReadConfigD(file)
	if err != nil {
		return nil, misused(c, "%s: %w", f.config, err)
	}
	return config, nil
}

// panelD is the sweep as a job. Its batches can be halved while no shard is in flight.
type panelD struct {
	*experiment.PlanD
	key     sweep.Key
	backend compute.Backend
	world   experiment.WorldD

	mu      sync.RWMutex
	batch   int
	running *experiment.SweepD
}

// Key says what determines the rows.
func (j *panelD) Key() sweep.Key { return j.key }

// Compute computes a shard.
func (j *panelD) Compute(ctx context.Context, i int) ([]experiment.RowD, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.running.Compute(ctx, i)
}

// Halve makes batches half as large.
func (j *panelD) Halve() (batch int, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.batch < 2 {
		return j.batch, false
	}
	j.running.Close()
	j.batch /= 2
	j.open()
	return j.batch, true
}

func (j *panelD) open() {
	j.running = j.On(j.backend, j.world, experiment.OptionsD{Batch: j.batch})
}

// job makes the sweep of the flags ready; the networks are opened.
func (f *sweepFlags) job(c *cobra.Command, b compute.Backend) (*panelD, error) {
	p, err := f.plan(c)
	if err != nil {
		return nil, err
	}
	world, err := f.world(p)
	if err != nil {
		return nil, err
	}
	code, err := codeVersion()
	if err != nil {
		return nil, err
	}
	j := &panelD{PlanD: p, backend: b, world: world, batch: f.batch, key: sweep.Key{Table: "panel_d",
		Plan: p.Hash(), Seed: p.Config.Seed, Preset: p.Config.Name, World: p.Config.World,
		Weights: world.Weights, Precision: "float32", Code: code}}
	j.open()
	j.batch = j.running.Batch
	return j, nil
}

// world opens the networks of a plan: the miniature ones or those published.
func (f *sweepFlags) world(p *experiment.PlanD) (experiment.WorldD, error) {
	if p.Config.World == experiment.Miniature {
		return experiment.MiniatureD()
	}
	cast, err := newCast(f.files)
	if err != nil {
		return experiment.WorldD{}, err
	}
	scorers, gens := map[string]gansim.Scorer{}, map[string]*player{}
	var hashes []string
	for _, part := range p.Config.Parts {
		for _, name := range part.Networks {
			if scorers[name] != nil {
				continue
			}
			s, hash, err := cast.scorer(publishedPrefix + name)
			if err != nil {
				return experiment.WorldD{}, err
			}
			scorers[name], hashes = s, append(hashes, name+" "+hash)
		}
		for _, name := range part.Generators {
			if gens[name] != nil {
				continue
			}
			g, err := cast.published(name, f.bases[name])
			if err != nil {
				return experiment.WorldD{}, err
			}
			gens[name], hashes = g, append(hashes, name+" "+g.hash)
		}
	}
	slices.Sort(hashes)
	return experiment.WorldD{
		Scorer:    func(name string) (gansim.Scorer, error) { return found(scorers, name) },
		Generator: func(name string) (gansim.Generator, error) { return found(gens, name) },
		Basis: func(name string) ([]float64, error) {
			g, err := found(gens, name)
			if err != nil {
				return nil, err
			}
			if g.metric == nil {
				return nil, g.errNoMetric("a label with Hess")
			}
			return g.metric.Vectors, nil
		},
		Weights: sweep.Hash(hashes...),
	}, nil
}

// published opens the published DeePSim or BigGAN, with the metric of a file if one is given.
func (c *cast) published(name, basis string) (*player, error) {
	g, err := c.generator(publishedGenerator[name])
	if err != nil || basis == "" {
		return g, err
	}
	return g, g.readMetric(basis)
}

// publishedGenerator gives the weight files of the paper's generators.
var publishedGenerator = map[string]string{"BigGAN": "biggan_deep_256", "DeePSim": "deepsim_fc6"}

func found[V any](all map[string]V, name string) (v V, err error) {
	v, ok := all[name]
	if !ok {
		return v, errors.New(name + " is not part of the plan")
	}
	return v, nil
}
