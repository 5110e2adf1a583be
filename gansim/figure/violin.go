package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"gansim.example/gansim/ranktest"
)

// fewValues is the number of values below which every one of them is drawn as a point, because a
// density says little there.
const fewValues = 10

// Violin draws the distribution of a group: a Gaussian kernel density with Scott's bandwidth, cut
// at the smallest and the largest value, and in it a Tukey box (median, quartiles of type 7,
// whiskers to the last value within 1.5 interquartile ranges, outliers as points).
//
// An empty group draws nothing, one value a point, a constant group a line.
type Violin struct {
	Location float64   // on the x axis
	Values   []float64 // finite
	// Width is the widest part, in units of the x axis; zero means 0.8.
	Width float64
	// Peak is the density that gets the full width. Zero means the violin's own largest density,
	// which makes all violins equally wide; a common value makes areas comparable.
	Peak  float64
	Color color.NRGBA // zero means grey
	// Bare leaves the box out.
	Bare bool
}

// NewViolin returns a violin of a copy of the values, or an error if one is not finite.
func NewViolin(location float64, values []float64) (*Violin, error) {
	if err := finite("violin", values...); err != nil {
		return nil, err
	}
	return &Violin{Location: location, Values: slices.Clone(values)}, nil
}

// densityPoints is the number of points of a violin's outline from bottom to top.
const densityPoints = 96

// density evaluates a Gaussian kernel density estimate with Scott's bandwidth at equally spaced
// points from the smallest to the largest value. Fewer than two different values give nil.
func density(values []float64) (at, dens []float64) {
	if len(values) < 2 || slices.Min(values) == slices.Max(values) {
		return nil, nil
	}
	at = floats.Span(make([]float64, densityPoints), slices.Min(values), slices.Max(values))
	dens, err := ranktest.Density(values, at, 0)
	if err != nil {
		return nil, nil
	}
	return at, dens
}

// Plot implements plot.Plotter.
func (v *Violin) Plot(c draw.Canvas, p *plot.Plot) {
	if len(v.Values) == 0 {
		return
	}
	at, dens := density(v.Values)
	if at == nil {
		v.drawFlat(c, p)
		return
	}
	v.drawBody(c, p, at, dens)
	if len(v.Values) < fewValues {
		v.drawFew(c, p)
		return
	}
	if !v.Bare {
		v.drawBox(c, p)
	}
}

func (v *Violin) width() float64 {
	if v.Width == 0 {
		return 0.8
	}
	return v.Width
}

func (v *Violin) color() color.NRGBA {
	if v.Color == (color.NRGBA{}) {
		return Natural.Color()
	}
	return v.Color
}

// drawFlat draws one value as a point and a constant group as a line with a point.
func (v *Violin) drawFlat(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := y(v.Values[0])
	if len(v.Values) > 1 {
		half := v.width() / 2
		c.StrokeLine2(draw.LineStyle{Color: v.color(), Width: medium},
			x(v.Location-half), at, x(v.Location+half), at)
	}
	dots(c, []vg.Point{{X: x(v.Location), Y: at}}, 0.9, v.color())
}

func (v *Violin) drawBody(c draw.Canvas, p *plot.Plot, at, dens []float64) {
	peak := v.Peak
	if peak <= 0 {
		peak = slices.Max(dens)
	}
	x, y := p.Transforms(&c)
	n := len(at)
	outline := make([]vg.Point, 2*n)
	for i := range at {
		half := v.width() / 2 * math.Min(1, dens[i]/peak)
		outline[i] = vg.Point{X: x(v.Location - half), Y: y(at[i])}
		outline[2*n-1-i] = vg.Point{X: x(v.Location + half), Y: y(at[i])}
	}
	c.FillPolygon(blend(v.color(), white(), 0.45), outline)
	outline = append(outline, outline[0])
	c.StrokeLines(draw.LineStyle{Color: v.color(), Width: thin}, outline)
}

func (v *Violin) drawFew(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	pts := make([]vg.Point, len(v.Values))
	for i, value := range v.Values {
		pts[i] = vg.Point{X: x(v.Location), Y: y(value)}
	}
	dots(c, pts, 0.8, blend(v.color(), color.NRGBA{A: 0xff}, 0.35))
}

func (v *Violin) drawBox(c draw.Canvas, p *plot.Plot) {
	box, err := ranktest.Tukey(v.Values)
	if err != nil {
		return
	}
	x, y := p.Transforms(&c)
	mid := x(v.Location)
	room := x(v.Location+v.width()) - mid
	half := min(0.55*mm, room*0.11)
	dark := blend(v.color(), color.NRGBA{A: 0xff}, 0.55)
	dots(c, fliers(box.Outliers, mid, y), 0.42, withAlpha(dark, 0xa0))
	sty := draw.LineStyle{Color: dark, Width: thin}
	c.StrokeLine2(sty, mid, y(box.WhiskerLow), mid, y(box.WhiskerHigh))
	c.FillPolygon(dark, []vg.Point{
		{X: mid - half, Y: y(box.Q1)}, {X: mid + half, Y: y(box.Q1)},
		{X: mid + half, Y: y(box.Q3)}, {X: mid - half, Y: y(box.Q3)},
	})
	median := []vg.Point{{X: mid, Y: y(box.Median)}}
	dots(c, median, half, dark)
	dots(c, median, half*0.65, white())
}

func fliers(values []float64, mid vg.Length, y func(float64) vg.Length) []vg.Point {
	pts := make([]vg.Point, len(values))
	for i, value := range values {
		pts[i] = vg.Point{X: mid, Y: y(value)}
	}
	return pts
}

// DataRange implements plot.DataRanger.
func (v *Violin) DataRange() (xmin, xmax, ymin, ymax float64) {
	half := v.width() / 2
	if len(v.Values) == 0 {
		return v.Location - half, v.Location + half, math.Inf(1), math.Inf(-1)
	}
	return v.Location - half, v.Location + half, slices.Min(v.Values), slices.Max(v.Values)
}
