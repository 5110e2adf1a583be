package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/imstat"
)

// imstatPiece is how many images are in memory at a time.
const imstatPiece = 64

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
		Use:   "imstat FOLDER...",
		Short: "Contrast, colour, edges and spectra of images",
		Long: "Every image statistic, per image and as mean and SEM of each folder. Images are cut to\n" +
			"their centre square and resized, as photographs are elsewhere.",
		Example: "  gansim imstat photos evolved --out statistics.csv",
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misused(c, "%s: no FOLDER given", c.CommandPath())
		}
		return nil
	}
	size := c.Flags().Int("size", 256, "height and width in `pixels`")
	strict := c.Flags().Bool("strict", false, "stop at a file that cannot be read")
	out := c.Flags().String("out", "", "CSV `file` for a row per image")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *size < 2 {
			return misused(c, "--size %d, want at least 2", *size)
		}
		if *out != "" {
			if err := checkOut(filepath.Dir(*out)); err != nil {
				return err
			}
		}
		var rows []imstatRow
		for i, dir := range args {
			if slices.Contains(args[:i], dir) {
				return misused(c, "folder %s is given twice", dir)
			}
			o := dataset.Options{Size: *size, Strict: *strict}
			of, err := imstatFolder(c, dir, o)
			if err != nil {
				return err
			}
			rows = append(rows, of...)
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

// imstatFolder measures a folder piece by piece; files that cannot be read are named.
func imstatFolder(c *cobra.Command, dir string, o dataset.Options) ([]imstatRow, error) {
	names, skipped, err := dataset.List(c.Context(), dir)
	if err != nil {
		return nil, err
	}
	progress := newProgress(c.ErrOrStderr(), "imstat "+dir)
	var rows []imstatRow
	for piece := range slices.Chunk(names, imstatPiece) {
		p, err := dataset.Files(c.Context(), dir, piece, imaging.ReadPhotograph, o)
		if err != nil {
			return nil, err
		}
		skipped = append(skipped, p.Skipped...)
		for i, name := range p.Names {
			if err := c.Context().Err(); err != nil {
				return nil, fmt.Errorf("interrupted: %w", err)
			}
			picture, err := imstat.New(o.Size, o.Size, p.Images.At(i))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			row := imstatRow{dir, name, p.SHA256[i], map[string]*float64{}}
			for _, s := range imstat.Statistics() {
				row.Values[s.Name] = finite(s.Value(picture))
			}
			rows = append(rows, row)
			progress(len(rows)+len(skipped), len(names))
		}
	}
	for _, s := range skipped {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: skipped %s: %v\n", s.Name, s.Reason)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("folder %s: %w", dir, dataset.ErrNoImages)
	}
	return rows, nil
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
	if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
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
