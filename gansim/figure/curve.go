package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve draws the mean of many curves with a band of one standard error to both sides. On a
// logarithmic axis, points that are not positive are left out and the band is cut at the bottom.
type Curve struct {
	X, Mean, SEM []float64   // equally long; SEM may be nil
	Color        color.NRGBA // zero means grey
}

// NewCurve returns a curve of copies of the values. They must be finite and equally many.
func NewCurve(x, mean, sem []float64) (*Curve, error) {
	if len(x) != len(mean) || (sem != nil && len(sem) != len(x)) {
		return nil, fmt.Errorf("figure: curve: %d x, %d means, %d standard errors",
			len(x), len(mean), len(sem))
	}
	for _, v := range [][]float64{x, mean, sem} {
		if err := finite("curve", v...); err != nil {
			return nil, err
		}
	}
	return &Curve{X: slices.Clone(x), Mean: slices.Clone(mean), SEM: slices.Clone(sem)}, nil
}

// Plot implements plot.Plotter.
func (s *Curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	_, logX := p.X.Scale.(plot.LogScale)
	_, logY := p.Y.Scale.(plot.LogScale)
	var mid, upper, lower []vg.Point
	for i := range s.X {
		if (logX && s.X[i] <= 0) || (logY && s.Mean[i] <= 0) {
			continue
		}
		at := x(s.X[i])
		mid = append(mid, vg.Point{X: at, Y: y(s.Mean[i])})
		if s.SEM != nil {
			low, high := s.Mean[i]-s.SEM[i], s.Mean[i]+s.SEM[i]
			upper = append(upper, vg.Point{X: at, Y: y(math.Min(high, p.Y.Max))})
			lower = append(lower, vg.Point{X: at, Y: y(math.Max(low, p.Y.Min))})
		}
	}
	col := s.Color
	if col == (color.NRGBA{}) {
		col = Natural.Color()
	}
	if len(mid) == 1 {
		dots(c, mid, 0.9, col)
		return
	}
	if len(upper) > 1 {
		slices.Reverse(lower)
		c.FillPolygon(withAlpha(col, 0x55), append(upper, lower...))
	}
	c.StrokeLines(draw.LineStyle{Color: col, Width: medium + 0.1}, mid)
}

// DataRange implements plot.DataRanger. It covers the band.
func (s *Curve) DataRange() (xmin, xmax, ymin, ymax float64) {
	low, high := slices.Clone(s.Mean), slices.Clone(s.Mean)
	for i, e := range s.SEM {
		low[i] -= e
		high[i] += e
	}
	rx, ry := padded(0, s.X), padded(0, low, high)
	return rx[0], rx[1], ry[0], ry[1]
}

// positiveRange is the range of what a logarithmic axis can show, a little widened.
func positiveRange(values ...[]float64) [2]float64 {
	var keep []float64
	for _, g := range values {
		for _, v := range g {
			if v > 0 {
				keep = append(keep, math.Log10(v))
			}
		}
	}
	r := padded(0.04, keep)
	return [2]float64{math.Pow(10, r[0]), math.Pow(10, r[1])}
}
