package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/models/inception"
	"gansim.example/kernels"
)

// distances is one run of gansim fid; what is exported is its result as JSON.
type distances struct {
	Convention string        `json:"convention"`
	Features   string        `json:"features"` // network/layer
	Weights    string        `json:"weights"`  // SHA-256
	Miniature  bool          `json:"miniature"`
	Backend    string        `json:"backend"`
	Sets       []measuredSet `json:"sets"`
	Pairs      []setPair     `json:"pairs"`
	Warnings   []string      `json:"warnings"`

	net, layer, out                         string
	kid, is, pr, infinity, cacheless, plain bool
	batch                                   int
	sets                                    []*features.Set
}

// measuredSet is one image set.
type measuredSet struct {
	Name       string   `json:"name"`
	N          int      `json:"n"` // 0 where statistics do not say
	Seed       uint64   `json:"seed"`
	List       string   `json:"list"` // SHA-256 of names and contents
	Skipped    int      `json:"skipped"`
	Duplicates int      `json:"duplicates"`
	IS         *float64 `json:"inception_score,omitempty"`
	ISSD       *float64 `json:"inception_score_sd,omitempty"`
}

// setPair is the distance between two sets, with the other metrics that were asked for.
type setPair struct {
	A           string              `json:"a"`
	B           string              `json:"b"`
	NA          int                 `json:"n_a"`
	NB          int                 `json:"n_b"`
	FID         float64             `json:"fid"`
	Lo          *float64            `json:"lo"` // nil where there is no interval
	Hi          *float64            `json:"hi"`
	Paper       *float64            `json:"paper,omitempty"`      // that its authors print for these sets
	Difference  *float64            `json:"difference,omitempty"` // ours less theirs
	KID         *float64            `json:"kid,omitempty"`
	KIDSD       *float64            `json:"kid_sd,omitempty"` // over subsets
	Coverage    *metric.Coverage    `json:"coverage,omitempty"`
	Convergence *metric.Convergence `json:"convergence,omitempty"`
}

func fidCommand() *cobra.Command {
	d := &distances{}
	c := &cobra.Command{
		Use:   "fid SET SET...",
		Short: "Distances between image sets",
		Long: "Fréchet distances of all pairs of image sets, with 95 % intervals.\n" + setSpecs +
			"Features are kept:\nan interrupted run goes on, and the next one reads them.",
		Example: "  gansim fid mini:imagenet gen:BigGAN/trunc0.7 gen:DeePSim/std4\n" +
			"  gansim fid photos samples -n 5000 --convention clean --kid --out results/fid",
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) < 2 {
			return misused(c, "%s: %d sets given, want at least 2", c.CommandPath(), len(args))
		}
		return nil
	}
	c.Flags().StringVar(&d.net, "net", "", "`network` of the features (default: fid_inception if its weights are\n"+
		"here, else the miniature resnet50)")
	c.Flags().StringVar(&d.layer, "layer", "", "`name` of its layer, averaged over space (default: avgpool)")
	convention := choiceFlag(c, "convention", "paper", "images as in", features.ConventionNames())
	c.Flags().BoolVar(&d.kid, "kid", false, "kernel distances, over subsets of at most 1000")
	c.Flags().BoolVar(&d.is, "is", false, "inception scores of the sets, in 10 parts")
	c.Flags().BoolVar(&d.pr, "pr", false, "precision and recall of the second set for the first")
	c.Flags().BoolVar(&d.infinity, "infinity", false, "FID at infinitely many images, and on the way there")
	c.Flags().BoolVar(&d.plain, "no-interval", false, "leave out the intervals, which take longest")
	c.Flags().BoolVar(&d.cacheless, "no-cache", false, "do not keep features")
	n, seed := countFlag(c, 0, "of images of each set (default: all, or 2000 drawn)"), seedFlag(c, "of samples")
	c.Flags().IntVar(&d.batch, "batch", 16, "images computed together")
	c.Flags().StringVar(&d.out, "out", "", "`folder` for fid.png, fid.csv, fid.json and the sets' statistics;\n"+
		"or a .png file for the heat map alone")
	asJSON, backend, files := jsonFlag(c), backendFlag(c), weightsFlag(c)
	c.Flags().Lookup("strict").Usage = strictSets
	c.RunE = func(c *cobra.Command, args []string) error {
		d.Convention, d.Backend = convention.value, *backend
		switch {
		case *n < 0:
			return misused(c, "-n %d: want at least 1", *n)
		case d.batch < 1:
			return misused(c, "--batch %d: want at least 1", d.batch)
		}
		if d.out != "" {
			folder := d.out
			if d.picture() {
				folder = filepath.Dir(folder)
			}
			if err := checkOut(folder); err != nil {
				return err
			}
		}
		o := dataset.Options{N: *n, Seed: *seed, Strict: *files.strict}
		if err := d.run(c, files, args, o); err != nil {
			return kept(err)
		}
		if d.out != "" {
			if err := d.write(); err != nil {
				return err
			}
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), d)
		}
		return d.show(c.OutOrStdout())
	}
	return c
}

func (d *distances) run(c *cobra.Command, files *networkFiles, specs []string, o dataset.Options) error {
	cast, err := newCast(files)
	if err != nil {
		return err
	}
	net, err := d.network(c, cast)
	if err != nil {
		return err
	}
	b, err := openBackend(c, d.Backend)
	if err != nil {
		return err
	}
	defer b.Finalize()
	d.Backend = b.Description()
	sets, err := setOpener{c, cast, b, o}.open(specs)
	defer closeSets(sets)
	if err != nil {
		return err
	}
	cache, clear, err := d.cache()
	if err != nil {
		return err
	}
	defer clear()
	progress := meters(c.ErrOrStderr(), "fid ")
	x, err := features.New(b, net, features.Options{Convention: d.Convention, Batch: d.batch, Cache: cache,
		Progress: progress})
	if err != nil {
		return misused(c, "%w", err)
	}
	defer x.Close()
	for _, s := range sets {
		f, err := x.Features(c.Context(), s, nil)
		if err != nil {
			return err
		}
		for _, k := range f.Skipped {
			fmt.Fprintf(c.ErrOrStderr(), "gansim: %s: skipped %s: %v\n", s.Name, k.Name, k.Reason)
		}
		if f.Duplicates > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "gansim: %s: %d of %d files have the bytes of another one\n", s.Name,
				f.Duplicates, f.N)
		}
		d.sets = append(d.sets, f)
		d.Sets = append(d.Sets, measuredSet{Name: s.Name, N: f.Moments.N, Seed: s.Seed, List: f.List,
			Skipped: len(f.Skipped), Duplicates: f.Duplicates})
	}
	return d.compare(c.Context(), o.Seed, c.ErrOrStderr())
}

// network chooses what features are read from, and says so where it is not what the field uses.
func (d *distances) network(c *cobra.Command, cast *cast) (features.Network, error) {
	name := d.net
	if name == "" {
		name = inception.FID.Name
		if cast.files.absent(name) {
			name = "resnet50"
			fmt.Fprintf(c.ErrOrStderr(), "gansim: the weights of %s are not here: features of the miniature "+
				"%s, whose FIDs cannot be compared with published ones\n", inception.FID.Name, name)
		}
	}
	s, hash, err := cast.scorer(name)
	if err != nil {
		return features.Network{}, err
	}
	n := features.Network{Scorer: s, Hash: hash, Layer: d.layer}
	for _, m := range cast.world.Scorers() {
		n.Miniature = n.Miniature || m == s
	}
	if d.is {
		n.Logits = features.LogitsOf(s)
	}
	d.Features, d.Weights, d.Miniature = n.Label(), hash, n.Miniature
	return n, nil
}

// cache is the folder of features; clear removes one that is not to be kept.
func (d *distances) cache() (dir string, clear func(), err error) {
	if d.cacheless {
		dir, err = os.MkdirTemp("", "gansim-features-*")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	home, err := kernels.Home()
	return filepath.Join(home, "features"), func() {}, err
}

// meters gives each label a progress of its own.
func meters(w io.Writer, prefix string) func(label string, done, total int) {
	last, show := "", func(int, int) {}
	return func(label string, done, total int) {
		if label != last {
			last, show = label, newProgress(w, prefix+label)
		}
		show(done, total)
	}
}
