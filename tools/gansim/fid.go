package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/features"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/models/inception"
	"gansim.example/kernels"
	"gansim.example/weights"
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

	net, layer, out                  string
	kid, is, pr, infinity, cacheless bool
	batch                            int
	sets                             []*features.Set
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
	c.Flags().BoolVar(&d.cacheless, "no-cache", false, "do not keep features")
	n, seed := countFlag(c, 0, "of images of each set (default: all, or 2000 drawn)"), seedFlag(c, "of samples")
	c.Flags().IntVar(&d.batch, "batch", 16, "images computed together")
	c.Flags().StringVar(&d.out, "out", "", "`folder` for fid.png, fid.csv, fid.json and the sets' statistics")
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
			if err := checkOut(d.out); err != nil {
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
		f, err := x.Features(c.Context(), s)
		if err != nil {
			return err
		}
		for _, k := range f.Skipped {
			fmt.Fprintf(c.ErrOrStderr(), "gansim: %s: skipped %s: %v\n", s.Name, k.Name, k.Reason)
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
		_, given := cast.files.weightFiles[name]
		if _, err := weights.Path(name); !given && errors.Is(err, weights.ErrMissing) {
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

// compare computes all that was asked for of the features.
func (d *distances) compare(ctx context.Context, seed uint64, talk io.Writer) error {
	var labels []string
	var moments []*metric.Moments
	for i, s := range d.sets {
		labels, moments = append(labels, s.Name), append(moments, s.Moments)
		if err := d.score(i); err != nil {
			return err
		}
	}
	pairs, err := metric.Matrix(ctx, labels, moments)
	if err != nil {
		return err
	}
	d.Warnings = []string{}
	for _, p := range pairs {
		for _, w := range p.Warnings {
			if text := strings.TrimPrefix(w.Error(), "metric: "); !slices.Contains(d.Warnings, text) {
				d.Warnings = append(d.Warnings, text)
				fmt.Fprintf(talk, "gansim: %s\n", text)
			}
		}
	}
	at := 0
	for i, a := range d.sets {
		for _, b := range d.sets[i+1:] {
			p := pairs[at]
			at++
			pair := setPair{A: p.A, B: p.B, NA: p.NA, NB: p.NB, FID: p.FID, Lo: finite(p.Lo), Hi: finite(p.Hi)}
			if v := experiment.PublishedFID(paperName(a.Name), paperName(b.Name)); v != nil {
				off := p.FID - *v
				pair.Paper, pair.Difference = v, &off
			}
			if err := d.more(ctx, &pair, a, b, seed); err != nil {
				return fmt.Errorf("%s and %s: %w", a.Name, b.Name, err)
			}
			d.Pairs = append(d.Pairs, pair)
		}
	}
	return nil
}

// score computes a set's inception score, where it is asked for and there are images.
func (d *distances) score(i int) error {
	if !d.is || d.sets[i].N == 0 {
		return nil
	}
	_, logits, err := d.sets[i].All()
	if err != nil {
		return err
	}
	mean, sd, err := metric.InceptionScore(logits, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", d.sets[i].Name, err)
	}
	d.Sets[i].IS, d.Sets[i].ISSD = &mean, &sd
	return nil
}

// more adds the metrics that need all features of both sets, which statistics do not have.
func (d *distances) more(ctx context.Context, p *setPair, a, b *features.Set, seed uint64) error {
	if !d.kid && !d.pr && !d.infinity || a.N == 0 || b.N == 0 {
		return nil
	}
	x, _, err := a.All()
	if err != nil {
		return err
	}
	y, _, err := b.All()
	if err != nil {
		return err
	}
	if d.kid {
		mean, sd, err := metric.KIDSubsets(x, y, metric.KIDOptions{Seed: seed})
		if err != nil {
			return err
		}
		p.KID, p.KIDSD = &mean, &sd
	}
	if d.pr {
		c, err := metric.PrecisionRecall(x, y, metric.Neighbours)
		if err != nil {
			return err
		}
		p.Coverage = &c
	}
	if d.infinity {
		c, err := metric.FIDInfinity(ctx, x, y, seed)
		if err != nil {
			return err
		}
		p.Convergence = &c
	}
	return nil
}

func (d *distances) show(w io.Writer) error {
	fmt.Fprintf(w, "FID, convention %s, features %s\n", d.Convention, d.Features)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	published := slices.ContainsFunc(d.Pairs, func(p setPair) bool { return p.Paper != nil })
	head := "a\tb\tn a\tn b\tFID\t95 % interval"
	for _, extra := range []struct {
		on   bool
		text string
	}{{published, "\tpaper\tdifference"}, {d.kid, "\tKID ± SD"}, {d.pr, "\tprecision\trecall"}, {d.infinity, "\tFID at infinity\t95 % interval"}} {
		if extra.on {
			head += extra.text
		}
	}
	fmt.Fprintln(t, head)
	for _, p := range d.Pairs {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.5g\t%s%s\n", p.A, p.B, p.NA, p.NB, p.FID,
			reach(p.Lo, p.Hi), p.cells(published))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range d.Sets {
		if s.IS != nil {
			fmt.Fprintf(w, "inception score of %s: %.5g ± %.3g\n", s.Name, *s.IS, *s.ISSD)
		}
	}
	return nil
}

// cells are the columns behind the interval; published says that one of all pairs has a paper's number.
func (p setPair) cells(published bool) string {
	text := ""
	if published {
		text = fmt.Sprintf("\t%s\t%s", cell(p.Paper, 5), cell(p.Difference, 4))
	}
	if p.KID != nil {
		text += fmt.Sprintf("\t%.4g ± %.2g", *p.KID, *p.KIDSD)
	}
	if p.Coverage != nil {
		text += fmt.Sprintf("\t%.4g\t%.4g", p.Coverage.Precision, p.Coverage.Recall)
	}
	if c := p.Convergence; c != nil {
		text += fmt.Sprintf("\t%.5g\t%s", c.FID, reach(&c.Lo, &c.Hi))
	}
	return text
}

// reach is an interval as text, empty where there is none.
func reach(lo, hi *float64) string {
	if lo == nil || hi == nil {
		return ""
	}
	return fmt.Sprintf("%.5g to %.5g", *lo, *hi)
}

// write writes the heat map, the table, the JSON and each set's statistics.
func (d *distances) write() error {
	page := figure.DistanceMap{Miniature: d.Miniature, Note: fmt.Sprintf("FID, convention %s, features %s.",
		d.Convention, d.Features)}
	lines := [][]string{{"a", "b", "n_a", "n_b", "fid", "lo", "hi", "paper"}}
	for _, s := range d.Sets {
		page.Names = append(page.Names, s.Name)
	}
	for _, p := range d.Pairs {
		page.Distances = append(page.Distances, figure.Distance{A: p.A, B: p.B, Value: p.FID})
		lines = append(lines, []string{p.A, p.B, strconv.Itoa(p.NA), strconv.Itoa(p.NB), cell(&p.FID, -1),
			cell(p.Lo, -1), cell(p.Hi, -1), cell(p.Paper, -1)})
	}
	png, err := page.Encode("png")
	if err != nil {
		return err
	}
	var table, text bytes.Buffer
	if err := writeCSV(&table, lines); err != nil {
		return err
	}
	if err := writeJSON(&text, d); err != nil {
		return err
	}
	all := map[string][]byte{"fid.png": png, "fid.csv": table.Bytes(), "fid.json": text.Bytes()}
	for i, s := range d.sets {
		if s.N == 0 {
			continue
		}
		var b bytes.Buffer
		if err := metric.WriteStatistics(&b, s.Moments); err != nil {
			return err
		}
		all[fmt.Sprintf("%d_%s.npz", i, fileName(s.Name))] = b.Bytes()
	}
	for name, b := range all {
		if err := renameio.WriteFile(filepath.Join(d.out, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
