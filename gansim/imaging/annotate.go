package imaging

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Mark is a box around a part of a picture, pixels from the upper left corner, with a line of text.
type Mark struct {
	X0, Y0, X1, Y1 float64
	Text           string // at the upper left corner, inside; empty means none
	Color          color.NRGBA
}

// Annotate draws boxes onto a copy of a picture, the first on top. Parts outside are left out; a
// coordinate that is not finite is an error that wraps [ErrNotFinite].
func Annotate(m RGB, marks []Mark) (RGB, error) {
	if err := m.check(); err != nil {
		return RGB{}, err
	}
	canvas := m.Image()
	width := max(1, min(m.Width, m.Height)/128)
	for i := len(marks) - 1; i >= 0; i-- {
		k := marks[i]
		for _, v := range []float64{k.X0, k.Y0, k.X1, k.Y1} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return RGB{}, fmt.Errorf("imaging: box %d: %w", i, ErrNotFinite)
			}
		}
		at := image.Rect(within(k.X0, m.Width), within(k.Y0, m.Height), within(k.X1, m.Width),
			within(k.Y1, m.Height))
		frame(canvas, at, width, k.Color)
		label(canvas, at.Min.Add(image.Pt(width+1, width+1)), k)
	}
	out := NewRGB(m.Width, m.Height)
	for i := range m.Width * m.Height {
		copy(out.Pix[3*i:3*i+3], canvas.Pix[4*i:])
	}
	return out, nil
}

// within is a coordinate as a pixel of the picture or of its edge.
func within(v float64, size int) int { return int(math.Round(min(max(v, 0), float64(size)))) }

// frame paints the edge of a rectangle, inside.
func frame(m *image.NRGBA, r image.Rectangle, width int, c color.NRGBA) {
	inner := r.Inset(width)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if !image.Pt(x, y).In(inner) {
				m.SetNRGBA(x, y, c)
			}
		}
	}
}

// label prints a mark's text in its colour on black, at a corner.
func label(m *image.NRGBA, at image.Point, k Mark) {
	if k.Text == "" {
		return
	}
	face := basicfont.Face7x13
	for y := range face.Height {
		for x := range face.Advance * len(k.Text) {
			if p := at.Add(image.Pt(x, y)); p.In(m.Rect) {
				m.SetNRGBA(p.X, p.Y, color.NRGBA{A: 255})
			}
		}
	}
	d := font.Drawer{Dst: m, Src: image.NewUniform(k.Color), Face: face,
		Dot: fixed.P(at.X, at.Y+face.Ascent)}
	d.DrawString(k.Text)
}
