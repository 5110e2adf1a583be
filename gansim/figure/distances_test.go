package figure

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// threeSets are distances of three sets, one with a long name.
func threeSets() DistanceMap {
	names := []string{"mini:imagenet", "gen:BigGAN/trunc0.7?n=2000", "photographs/of/a/very/long/folder/that/goes/on"}
	return DistanceMap{Names: names, Note: "FID, convention paper.", Miniature: true, Distances: []Distance{
		{A: names[0], B: names[1], Value: 12.34}, {A: names[2], B: names[0], Value: 250},
		{A: names[1], B: names[2], Value: 87.6}}}
}

// TestDistanceMap compares the page with a golden picture; GOLDEN_UPDATE=1 writes a new one.
func TestDistanceMap(t *testing.T) {
	d := threeSets()
	got, err := d.Encode("png")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "distances.png")
	if os.Getenv("GOLDEN_UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if off := difference(m, want); off > goldenTolerance {
		t.Errorf("mean difference = %.3f, want at most %v", off, goldenTolerance)
	}
	svg, err := d.Encode("svg")
	if err != nil || !bytes.Contains(svg, []byte("mini:imagenet")) {
		t.Errorf("svg without the names, %v", err)
	}
	for _, part := range []string{"12.34", "250", "87.6", "Miniature", "convention paper"} {
		if !strings.Contains(d.Alt(), part) {
			t.Errorf("alt text %q lacks %q", d.Alt(), part)
		}
	}
	if _, err := d.Encode("gif"); err == nil {
		t.Error("gif: no error")
	}
	if _, err := (DistanceMap{Names: []string{"a"}}).Encode("png"); !errors.Is(err, ErrEmpty) {
		t.Errorf("one set: got %v, want ErrEmpty", err)
	}
}
