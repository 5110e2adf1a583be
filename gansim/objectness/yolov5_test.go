package objectness

import (
	"slices"
	"testing"

	"gansim.example/gansim/imaging"
)

// TestFromYOLOv5: objectness multiplies, and a box below the threshold by it alone is no candidate.
func TestFromYOLOv5(t *testing.T) {
	rows := []float32{
		20, 10, 8, 4, .5, .25, .75,
		20, 10, 8, 4, .25, .9, 1,
	}
	p, err := FromYOLOv5(rows, 2, .25)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{16, 8, 24, 12}; !slices.Equal(p.Boxes[:4], want) {
		t.Errorf("box %v, want %v", p.Boxes[:4], want)
	}
	if want := []float32{.125, .375, 0, 0}; !slices.Equal(p.Scores, want) {
		t.Errorf("scores %v, want %v", p.Scores, want)
	}
	if _, err := FromYOLOv5(rows[:13], 2, .25); err == nil {
		t.Error("13 values were taken")
	}
}

// TestAutoShape: a wide and a small picture share the shape of the wide one; margins are grey.
func TestAutoShape(t *testing.T) {
	boxed, frames, err := AutoShape([]imaging.RGB{imaging.NewRGB(500, 300), imaging.NewRGB(64, 32)}, 256)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range boxed {
		if b.Width != 256 || b.Height != 160 || b.Pix[0] != 114 {
			t.Errorf("picture %d: %dx%d, first pixel %d, want 256x160, 114", i, b.Width, b.Height, b.Pix[0])
		}
	}
	if got := frames[1].Back([4]float64{0, 16, 256, 144}); got != [4]float64{0, 0, 64, 32} {
		t.Errorf("the whole picture comes back as %v", got)
	}
	if _, _, err := AutoShape(nil, 256); err == nil {
		t.Error("no pictures, no error")
	}
}
