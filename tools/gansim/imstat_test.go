package main

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImstat measures two plain images, whose mean and SEM follow by hand, and a broken file.
func TestImstat(t *testing.T) {
	dir := t.TempDir()
	for name, level := range map[string]uint8{"a.png": 51, "b.png": 153} {
		m := image.NewGray(image.Rect(0, 0, 20, 16))
		for i := range m.Pix {
			m.Pix[i] = color.Gray{Y: level}.Y
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, "c.png"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rows.csv")
	var told strings.Builder
	err := run(t.Context(), io.Discard, &told, []string{"imstat", dir, "--size", "16", "--out", file})
	if err != nil || !strings.Contains(told.String(), "skipped c.png") {
		t.Fatalf("error %v, told %q", err, told.String())
	}
	got, err := readTable(file, nil)
	if err != nil || got.rows != 2 {
		t.Fatalf("%d rows, %v", got.rows, err)
	}
	v, err := got.numbers("value", []int{0, 1})
	if err != nil || math.Abs(v[0]-.2) > 1e-6 || math.Abs(v[1]-.6) > 1e-6 {
		t.Errorf("values %v, want .2 and .6: %v", v, err)
	}
	rows := []imstatRow{{"s", "a", "", map[string]*float64{"value": &v[0]}},
		{"s", "b", "", map[string]*float64{"value": &v[1]}}}
	for _, m := range imstatMeans(rows) {
		switch {
		case m.Statistic != "value" && (m.N != 0 || m.Mean != nil || m.SEM != nil):
			t.Errorf("%s has values: %+v", m.Statistic, m)
		case m.Statistic == "value" && (math.Abs(*m.Mean-.4) > 1e-6 || math.Abs(*m.SEM-.2) > 1e-6):
			t.Errorf("mean %g, SEM %g, want .4 and .2", *m.Mean, *m.SEM)
		}
	}
	if err := run(t.Context(), io.Discard, io.Discard, []string{"imstat", t.TempDir()}); err == nil {
		t.Error("an empty folder is no error")
	}
	var shown strings.Builder
	if err := run(t.Context(), &shown, io.Discard, []string{"imstat", "mini:coco?n=3", "gen:DeePSim?n=2",
		"--backend", "go", "--size", "64"}); err != nil || strings.Count(shown.String(), " value ") != 2 {
		t.Errorf("drawn sets: %v, %s", err, shown.String())
	}
	var wrong misuse
	for _, args := range [][]string{{"imstat"}, {"imstat", dir, dir}, {"imstat", dir, "--size", "1"}} {
		if err := run(t.Context(), io.Discard, io.Discard, args); !errors.As(err, &wrong) {
			t.Errorf("%q: error %v, want misuse", args, err)
		}
	}
}
