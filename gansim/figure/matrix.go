package figure

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Matrix draws the lower triangle of a symmetric table as a heat map with printed numbers. Row r,
// counted from the top, is set r+1, column k is set k; the diagonal and what Value does not know
// stay empty.
type Matrix struct {
	Names []string
	// Value returns the cell of two sets and whether it is known.
	Value func(row, col int) (value float64, ok bool)
}

// Plot implements plot.Plotter: cells fill the canvas, the scales of the plot do not matter.
func (m *Matrix) Plot(c draw.Canvas, _ *plot.Plot) {
	n := len(m.Names) - 1
	if n < 1 || m.Value == nil {
		return
	}
	top := m.largest()
	size := c.Size()
	w, h := size.X/vg.Length(n), size.Y/vg.Length(n)
	for r := 1; r <= n; r++ {
		for k := range r {
			v, ok := m.Value(r, k)
			if !ok {
				continue
			}
			x, y := c.Min.X+vg.Length(k)*w, c.Max.Y-vg.Length(r)*h
			ground := heat(v, top)
			const gap = 0.12 * mm
			c.FillPolygon(ground, []vg.Point{{X: x + gap, Y: y + gap},
				{X: x + w - gap, Y: y + gap}, {X: x + w - gap, Y: y + h - gap},
				{X: x + gap, Y: y + h - gap}})
			ink := black()
			if luminance(ground) < 0.28 {
				ink = white()
			}
			printIn(c, cellText(v), rect(x, y, w, h), ink)
		}
	}
}

// printIn centres a number in a cell, smaller when it would touch the edges.
func printIn(c draw.Canvas, s string, cell vg.Rectangle, ink color.NRGBA) {
	size := smallPt
	if room := cell.Size().X - 0.7*mm; plain(s).width(size) > room {
		size = max(3.5, size*room/plain(s).width(size))
	}
	mid := vg.Point{X: (cell.Min.X + cell.Max.X) / 2, Y: (cell.Min.Y + cell.Max.Y) / 2}
	plain(s).draw(c, mid, textBox{size: size, ax: 0.5, ay: 0.5, color: ink})
}

func (m *Matrix) largest() float64 {
	top := 0.0
	for r := range m.Names {
		for k := range r {
			if v, ok := m.Value(r, k); ok {
				top = math.Max(top, v)
			}
		}
	}
	return top
}

// heat is the colour of a distance: pale for near, dark for far, by the square root.
func heat(v, top float64) color.NRGBA {
	t := 0.0
	if top > 0 && v > 0 {
		t = math.Sqrt(v / top)
	}
	pale := color.NRGBA{R: 0xf3, G: 0xf1, B: 0xea, A: 0xff}
	mid := color.NRGBA{R: 0xb4, G: 0xa9, B: 0xc0, A: 0xff}
	dark := color.NRGBA{R: 0x46, G: 0x3a, B: 0x5c, A: 0xff}
	if t < 0.5 {
		return blend(pale, mid, 2*t)
	}
	return blend(mid, dark, 2*t-1)
}

// cellText prints a distance in at most four characters.
func cellText(v float64) string {
	switch {
	case math.Abs(v) < 0.095:
		return minus(strconv.FormatFloat(v, 'f', 2, 64))
	case math.Abs(v) < 9.95:
		return minus(strconv.FormatFloat(v, 'f', 1, 64))
	case math.Abs(v) < 99999:
		return minus(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return minus(strconv.FormatFloat(v, 'e', 0, 64))
}
