package imaging

import (
	"errors"
	"image/color"
	"math"
	"testing"
)

// TestAnnotate: boxes have edges of their colour inside, the first mark lies on top, and what is
// outside of the picture is left out.
func TestAnnotate(t *testing.T) {
	red, blue := color.NRGBA{R: 255, A: 255}, color.NRGBA{B: 255, A: 255}
	m := NewRGB(40, 30)
	got, err := Annotate(m, []Mark{{X0: 4, Y0: 5, X1: 20, Y1: 15, Color: red},
		{X0: -9, Y0: 5, X1: 99, Y1: 99, Color: blue, Text: "mug .91"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		x, y int
		want [3]uint8
	}{
		{"corner", 4, 5, [3]uint8{255, 0, 0}},
		{"opposite corner", 19, 14, [3]uint8{255, 0, 0}},
		{"within the other", 20, 25, [3]uint8{}},
		{"below, under the other", 20, 5, [3]uint8{0, 0, 255}},
		{"edge of the picture", 39, 29, [3]uint8{0, 0, 255}},
		{"outside", 30, 4, [3]uint8{}},
	} {
		if p := got.Row(c.y)[3*c.x:]; [3]uint8(p) != c.want {
			t.Errorf("%s: %v, want %v", c.name, p[:3], c.want)
		}
	}
	text := 0
	for y := 7; y < 20; y++ {
		for x := 21; x < 39; x++ { // right of the first box
			if got.Row(y)[3*x+2] == 255 {
				text++
			}
		}
	}
	if text == 0 {
		t.Error("no text in the second box")
	}
	if m.Pix[3*(5*40+4)] != 0 {
		t.Error("the picture itself is drawn on")
	}
	_, err = Annotate(m, []Mark{{X0: math.NaN(), Color: red}})
	if !errors.Is(err, ErrNotFinite) {
		t.Errorf("NaN: got %v, want ErrNotFinite", err)
	}
}
