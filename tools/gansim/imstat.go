package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/imstat"
)

// imstatRow is one image; a value is nil where the statistic is undefined.
type imstatRow struct {
	Set    string              `json:"set"`
	Image  string              `json:"image"`
	SHA256 string              `json:"sha256"`
	Values map[string]*float64 `json:"values"`
}

// imstatMean is a statistic over the images of a set that have it.
type imstatMean struct {
	Set       string   `json:"set"`
	Statistic string   `json:"statistic"`
	Source    string   `json:"source"`
	N         int      `json:"n"`
	Mean      *float64 `json:"mean"` // nil without values
	SEM       *float64 `json:"sem"`  // SD/sqrt(n), n-1 under the root; nil below two values
}

func imstatCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "imstat SET...",
		Short: "Contrast, colour, edges and spectra of images",
		Long: "Every image statistic, per image and as mean and SEM of each set. Images are cut to their\n" +
			"centre square and resized, as photographs are elsewhere.\n" + strings.TrimSpace(setSpecs),
		Example: "  gansim imstat photos evolved gen:DeePSim/std4?n=100 --out statistics.csv",
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misused(c, "%s: no SET given", c.CommandPath())
		}
		return nil
	}
	size := c.Flags().Int("size", 256, "height and width in `pixels`")
	n, seed := countFlag(c, 0, "of images of each set (default: all, or 2000 drawn)"), seedFlag(c, "of samples")
	out := c.Flags().String("out", "", "CSV `file` for a row per image")
	asJSON, backend, files := jsonFlag(c), backendFlag(c), weightsFlag(c)
	c.Flags().Lookup("strict").Usage = strictSets
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *size < 2:
			return misused(c, "--size %d, want at least 2", *size)
		case *n < 0:
			return misused(c, "-n %d: want at least 1", *n)
		case *out != "":
			if err := checkOut(filepath.Dir(*out)); err != nil {
				return err
			}
		}
		rows, err := imstatSets(c, files, args, *backend, *size,
			dataset.Options{N: *n, Seed: *seed, Strict: *files.strict})
		if err != nil {
			return interrupted(err, "the same command: it starts over")
		}
		if *out != "" {
			if err := writeImstat(*out, rows); err != nil {
				return err
			}
		}
		means := imstatMeans(rows)
		if *asJSON {
			return writeJSON(c.OutOrStdout(),
				map[string]any{"size": *size, "images": rows, "means": means})
		}
		return showImstat(c.OutOrStdout(), means)
	}
	return c
}

// imstatSets measures all sets. A backend is opened only where a generator needs one.
func imstatSets(c *cobra.Command, files *networkFiles, specs []string, backend string, size int,
	o dataset.Options) ([]imstatRow, error) {
	opener := setOpener{command: c, Options: o}
	if slices.ContainsFunc(specs, func(s string) bool { return strings.HasPrefix(s, "gen:") }) {
		var err error
		if opener.cast, err = newCast(files); err != nil {
			return nil, err
		}
		if opener.backend, err = openBackend(c, backend); err != nil {
			return nil, err
		}
		defer opener.backend.Finalize()
	}
	sets, err := opener.open(specs)
	defer closeSets(sets)
	if err != nil {
		return nil, err
	}
	var rows []imstatRow
	for _, s := range sets {
		of, err := imstatSet(c, s, size)
		if err != nil {
			return nil, err
		}
		rows = append(rows, of...)
	}
	return rows, nil
}

// imstatSet measures a set image by image, side by side; files that cannot be read are named.
func imstatSet(c *cobra.Command, s *dataset.Set, size int) ([]imstatRow, error) {
	if s.Statistics != "" {
		return nil, misused(c, "%s holds statistics of features, not images", s.Name)
	}
	progress := newProgress(c.ErrOrStderr(), "imstat "+s.Name)
	skip := func(name string, reason error) {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: skipped %s: %v\n", name, reason)
	}
	for _, k := range s.Skipped {
		skip(k.Name, k.Reason)
	}
	measured := features.FromPicture(func(m imaging.RGB) (map[string]*float64, error) {
		return measure(m, size)
	})
	var rows []imstatRow
	for item, err := range dataset.Stream(c.Context(), s, measured, dataset.Span{}) {
		if err != nil {
			return nil, err
		}
		if item.Err != nil {
			skip(item.Name, item.Err)
			continue
		}
		rows = append(rows, imstatRow{s.Name, item.Name, item.SHA256, item.Value})
		progress(len(rows), s.Len())
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: %w", s.Name, dataset.ErrNoImages)
	}
	return rows, nil
}

// measure is every statistic of one picture, nil where one is undefined.
func measure(m imaging.RGB, size int) (map[string]*float64, error) {
	m, err := imaging.Photograph(m, size)
	if err != nil {
		return nil, err
	}
	images, err := imaging.ToImages(m)
	if err != nil {
		return nil, err
	}
	picture, err := imstat.New(size, size, images.Pix)
	if err != nil {
		return nil, err
	}
	values := map[string]*float64{}
	for _, s := range imstat.Statistics() {
		values[s.Name] = finite(s.Value(picture))
	}
	return values, nil
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// imstatMeans are in the order of the sets and of the statistics.
func imstatMeans(rows []imstatRow) []imstatMean {
	var sets []string
	for _, r := range rows {
		if !slices.Contains(sets, r.Set) {
			sets = append(sets, r.Set)
		}
	}
	var means []imstatMean
	for _, set := range sets {
		for _, s := range imstat.Statistics() {
			var v []float64
			for _, r := range rows {
				if x := r.Values[s.Name]; r.Set == set && x != nil {
					v = append(v, *x)
				}
			}
			m := imstatMean{Set: set, Statistic: s.Name, Source: string(s.Source), N: len(v)}
			if len(v) > 0 {
				mean, sd := stat.MeanStdDev(v, nil)
				m.Mean, m.SEM = finite(mean), finite(stat.StdErr(sd, float64(len(v))))
			}
			means = append(means, m)
		}
	}
	return means
}

// writeImstat writes the rows in full precision, whole or not at all.
func writeImstat(file string, rows []imstatRow) error {
	header := []string{"set", "image", "sha256"}
	for _, s := range imstat.Statistics() {
		header = append(header, s.Name)
	}
	lines := [][]string{header}
	for _, r := range rows {
		line := []string{r.Set, r.Image, r.SHA256}
		for _, s := range imstat.Statistics() {
			line = append(line, cell(r.Values[s.Name], -1))
		}
		lines = append(lines, line)
	}
	var b bytes.Buffer
	if err := writeCSV(&b, lines); err != nil {
		return err
	}
	if err := renameio.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return hinted{fmt.Errorf("cannot write %s: %w", file, err), "choose another --out"}
	}
	return nil
}

// cell is a number as text, empty where there is none.
func cell(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', digits, 64)
}

func showImstat(w io.Writer, means []imstatMean) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "set\tstatistic\tn\tmean\tSEM\tsource")
	for _, m := range means {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", m.Set, m.Statistic, m.N, cell(m.Mean, 5),
			cell(m.SEM, 3), m.Source)
	}
	return t.Flush()
}
