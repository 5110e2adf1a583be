package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gansim.example/gansim/imaging"
)

// TestPage draws the page and compares it with the one that is kept. Pixels may differ by the rounding
// of other processors (package world).
func TestPage(t *testing.T) {
	files, err := page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", folder, name))
		if err != nil {
			t.Fatalf("%v; draw it with go run ./tools/world", err)
		}
		same := bytes.Equal(got, want)
		if strings.HasSuffix(name, ".png") {
			same = near(t, got, want)
		}
		if !same {
			t.Errorf("%s is not what the renderer draws today: go run ./tools/world", name)
		}
	}
}

// near says whether at most one value in a thousand differs by more than one step.
func near(t *testing.T, a, b []byte) bool {
	t.Helper()
	x, err := imaging.Decode(bytes.NewReader(a), imaging.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	y, err := imaging.Decode(bytes.NewReader(b), imaging.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if x.Width != y.Width || x.Height != y.Height {
		return false
	}
	off := 0
	for i, v := range x.Pix {
		if d := int(v) - int(y.Pix[i]); d < -1 || d > 1 {
			off++
		}
	}
	return off*1000 <= len(x.Pix)
}
