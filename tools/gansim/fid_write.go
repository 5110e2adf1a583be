package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"

	"gansim.example/gansim/figure"
	"gansim.example/gansim/metric"
)

func (d *distances) show(w io.Writer) error {
	fmt.Fprintf(w, "FID, convention %s, features %s\n", d.Convention, d.Features)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	published := slices.ContainsFunc(d.Pairs, func(p setPair) bool { return p.Paper != nil })
	head := "a\tb\tn a\tn b\tFID\t95 % interval"
	for _, extra := range []struct {
		on   bool
		text string
	}{
		{published, "\tpaper\tdifference"}, {d.kid, "\tKID ± SD"}, {d.pr, "\tprecision\trecall"},
		{d.infinity, "\tFID at infinity\t95 % interval"},
	} {
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

// picture says that --out is a file for the heat map.
func (d *distances) picture() bool { return strings.EqualFold(filepath.Ext(d.out), ".png") }

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
	if d.picture() {
		return renameio.WriteFile(d.out, png, 0o644)
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
	at := 0
	for i := range d.sets {
		for j := i + 1; j < len(d.sets); j++ {
			if p := d.Pairs[at]; p.Convergence != nil {
				b, err := p.convergence()
				if err != nil {
					return err
				}
				all[fmt.Sprintf("convergence_%d_%d.png", i, j)] = b
			}
			at++
		}
	}
	for name, b := range all {
		if err := renameio.WriteFile(filepath.Join(d.out, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// convergence draws FID over 1/n, where it falls along a straight line.
func (p setPair) convergence() ([]byte, error) {
	s := figure.Spectrum{XLabel: "1000 / images", YLabel: "FID"}
	one := figure.Series{Set: figure.Set{Name: p.B, Kind: figure.Natural}}
	for _, v := range slices.Backward(p.Convergence.Points) {
		one.X = append(one.X, 1000/float64(min(v.NA, v.NB)))
		one.Mean = append(one.Mean, v.FID)
	}
	s.Series = []figure.Series{one}
	return s.Encode("png", "FID and the number of images", fmt.Sprintf("FID of %s and %s falls from %.4g at "+
		"%d images to %.4g at %d; the line ends at %.4g.", p.A, p.B, p.Convergence.Points[0].FID,
		p.Convergence.Points[0].NA, p.FID, p.NA, p.Convergence.FID))
}
