package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Strip draws every value of a group as a small translucent point, spread sideways as far as the
// density at its height allows, and the mean with its standard error on top. The spread depends on
// the order of the values alone, so the same group always looks the same.
type Strip struct {
	Location float64
	Values   []float64   // finite
	Width    float64     // of the widest part, in units of the x axis; zero means 0.7
	Color    color.NRGBA // zero means grey
}

// NewStrip returns a strip of a copy of the values, or an error if one is not finite.
func NewStrip(location float64, values []float64) (*Strip, error) {
	if err := finite("strip", values...); err != nil {
		return nil, err
	}
	return &Strip{Location: location, Values: slices.Clone(values)}, nil
}

// MeanSEM is the mean of the values and its standard error, sd/√n with the population standard
// deviation (divisor n, as numpy's std in the reference code). No values give zeros.
func MeanSEM(values []float64) (mean, sem float64) {
	if len(values) == 0 {
		return 0, 0
	}
	mean, sd := stat.PopMeanStdDev(values, nil)
	return mean, sd / math.Sqrt(float64(len(values)))
}

// Plot implements plot.Plotter.
func (s *Strip) Plot(c draw.Canvas, p *plot.Plot) {
	if len(s.Values) == 0 {
		return
	}
	x, y := p.Transforms(&c)
	width, col := s.Width, s.Color
	if width == 0 {
		width = 0.7
	}
	if col == (color.NRGBA{}) {
		col = Natural.Color()
	}
	pts := make([]vg.Point, len(s.Values))
	for i, off := range spread(s.Values) {
		pts[i] = vg.Point{X: x(s.Location + off*width/2), Y: y(s.Values[i])}
	}
	radius, alpha := dotSize(len(pts))
	dots(c, pts, radius, withAlpha(blend(col, white(), 0.25), alpha))
	s.drawMean(c, p, col, width)
}

// drawMean draws the mean as a bar and the standard error as a whisker, on a white ground so that
// both can be seen in front of many points.
func (s *Strip) drawMean(c draw.Canvas, p *plot.Plot, col color.NRGBA, width float64) {
	x, y := p.Transforms(&c)
	mean, sem := MeanSEM(s.Values)
	mid := x(s.Location)
	half := min(1.7*mm, (x(s.Location+width)-mid)*0.45)
	dark := blend(col, color.NRGBA{A: 0xff}, 0.5)
	for _, sty := range []draw.LineStyle{
		{Color: white(), Width: medium + 1.1}, {Color: dark, Width: medium},
	} {
		edge := (sty.Width - medium) / 2
		c.StrokeLine2(sty, mid-half-edge, y(mean), mid+half+edge, y(mean))
		c.StrokeLine2(sty, mid, y(mean-sem)-edge, mid, y(mean+sem)+edge)
	}
}

// dotSize makes dots smaller and clearer the more there are.
func dotSize(n int) (radius vg.Length, alpha uint8) {
	switch {
	case n <= 30:
		return 0.85, 0xd0
	case n <= 200:
		return 0.65, 0xa0
	case n <= 1000:
		return 0.5, 0x78
	}
	return 0.4, 0x48
}

// spread gives each value an offset in [-1, 1]: a golden-ratio sequence times the density at the
// value over the largest density.
func spread(values []float64) []float64 {
	const golden = 0.6180339887498949
	at, dens := density(values)
	out := make([]float64, len(values))
	if at == nil {
		for i := range out {
			if len(values) > 1 {
				out[i] = 0.8 * (2*float64(i)/float64(len(values)-1) - 1)
			}
		}
		return out
	}
	peak := slices.Max(dens)
	last := len(at) - 1
	for i, v := range values {
		k := int(math.Round((v - at[0]) / (at[last] - at[0]) * float64(last)))
		_, frac := math.Modf(golden * float64(i+1))
		out[i] = (2*frac - 1) * dens[min(max(k, 0), last)] / peak
	}
	return out
}

// DataRange implements plot.DataRanger.
func (s *Strip) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = s.Location-0.5, s.Location+0.5
	if len(s.Values) == 0 {
		return xmin, xmax, math.Inf(1), math.Inf(-1)
	}
	return xmin, xmax, slices.Min(s.Values), slices.Max(s.Values)
}
