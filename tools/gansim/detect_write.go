package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"text/tabwriter"

	"github.com/google/renameio/v2"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/objectness"
)

// draw writes a picture with its boxes.
func (d *detection) draw(row detectedImage, m imaging.RGB) error {
	var marks []imaging.Mark
	for _, b := range row.Boxes {
		marks = append(marks, imaging.Mark{X0: b.Box[0], Y0: b.Box[1], X1: b.Box[2], Y1: b.Box[3],
			Text: fmt.Sprintf("%s %.2f", d.Classes[b.Class], b.Confidence), Color: figure.BigGAN.Tint(b.Class % 3)})
	}
	m, err := imaging.Annotate(m, marks)
	if err != nil {
		return err
	}
	return writePNG(row.Drawn, m)
}

func (s *detectedSet) summarize() error {
	if len(s.Images) == 0 {
		return fmt.Errorf("%s: %w", s.Name, dataset.ErrNoImages)
	}
	var surest []float64
	for _, m := range s.Images {
		surest = append(surest, orNaN(m.Confidence))
	}
	d, err := objectness.Summarize(surest)
	if err != nil {
		return err
	}
	s.N, s.Detected, s.Rate, s.Lo, s.Hi = d.N, d.Detected, d.Rate, d.RateLo, d.RateHi
	s.Confidence, s.ConfidenceSEM = finite(d.Confidence), finite(d.ConfidenceSEM)
	s.Fill0, s.Fill0SEM = finite(d.Fill0), finite(d.Fill0SEM)
	return nil
}

func (d *detection) show(w io.Writer) error {
	label := d.Detector
	if d.Miniature {
		label = "miniature " + label
	}
	fmt.Fprintf(w, "objects by %s, %d pixels, confidence above %g, IoU %g\n", label, d.Size,
		d.Confidence, d.IoU)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "set\tn\tdetected\trate\t95 % interval\tconfidence\tSEM\twith 0\tSEM")
	for _, s := range d.Sets {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.4g\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.N, s.Detected, s.Rate,
			reach(&s.Lo, &s.Hi), cell(s.Confidence, 4), cell(s.ConfidenceSEM, 2), cell(s.Fill0, 4),
			cell(s.Fill0SEM, 2))
	}
	return t.Flush()
}

// write writes a row per image, and everything as JSON.
func (d *detection) write() error {
	lines := [][]string{{"set", "image", "sha256", "n_objects", "confidence"}}
	for _, s := range d.Sets {
		for _, m := range s.Images {
			lines = append(lines, []string{s.Name, m.Image, m.SHA256, fmt.Sprint(m.Objects), cell(m.Confidence, -1)})
		}
	}
	var table, text bytes.Buffer
	if err := writeCSV(&table, lines); err != nil {
		return err
	}
	if err := writeJSON(&text, d); err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(d.out, "detect.csv"), table.Bytes(), 0o644); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(d.out, "detect.json"), text.Bytes(), 0o644)
}

// orNaN is a value that may be missing.
func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// writeCSV writes lines of a table.
func writeCSV(w io.Writer, lines [][]string) error { return csv.NewWriter(w).WriteAll(lines) }
