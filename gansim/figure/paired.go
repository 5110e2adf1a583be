package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Paired draws two columns of points, at x = 0 for DeePSim and x = 1 for BigGAN, and joins the two
// points of each pair by a thin line. Short bars mark the medians, when given.
type Paired struct {
	Pairs           []Pair
	DeePSim, BigGAN *Estimate // medians; nil means no bar
	Width           float64   // of a column; zero means 0.36
}

// NewPaired returns the plotter, or an error if a value is not finite.
func NewPaired(pairs []Pair) (*Paired, error) {
	for _, p := range pairs {
		if err := finite("pair", p.DeePSim, p.BigGAN); err != nil {
			return nil, err
		}
	}
	return &Paired{Pairs: append([]Pair(nil), pairs...)}, nil
}

// columns are the values of both sides.
func (p *Paired) columns() (left, right []float64) {
	for _, pair := range p.Pairs {
		left, right = append(left, pair.DeePSim), append(right, pair.BigGAN)
	}
	return left, right
}

// Plot implements plot.Plotter.
func (p *Paired) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	width := p.Width
	if width == 0 {
		width = 0.36
	}
	left, right := p.columns()
	a, b := make([]vg.Point, len(left)), make([]vg.Point, len(left))
	offA, offB := spread(left), spread(right)
	sty := draw.LineStyle{Color: withAlpha(muted(), 0x38), Width: hairline}
	for i := range left {
		a[i] = vg.Point{X: x(offA[i] * width / 2), Y: y(left[i])}
		b[i] = vg.Point{X: x(1 + offB[i]*width/2), Y: y(right[i])}
		c.StrokeLine2(sty, a[i].X, a[i].Y, b[i].X, b[i].Y)
	}
	radius, _ := dotSize(len(left))
	dots(c, a, radius+0.15, withAlpha(DeePSim.Color(), 0xc0))
	dots(c, b, radius+0.15, withAlpha(BigGAN.Color(), 0xc0))
	medianBar(c, plt, -0.36, p.DeePSim, DeePSim)
	medianBar(c, plt, 1.36, p.BigGAN, BigGAN)
}

// medianBar draws a median with its standard error beside a column.
func medianBar(c draw.Canvas, plt *plot.Plot, at float64, e *Estimate, k Kind) {
	if e == nil {
		return
	}
	x, y := plt.Transforms(&c)
	mid, half := x(at), 0.9*mm
	sty := draw.LineStyle{Color: k.Color(), Width: medium}
	c.StrokeLine2(sty, mid, y(e.Value-e.SE), mid, y(e.Value+e.SE))
	c.StrokeLine2(sty, mid-half, y(e.Value), mid+half, y(e.Value))
}

// DataRange implements plot.DataRanger.
func (p *Paired) DataRange() (xmin, xmax, ymin, ymax float64) {
	left, right := p.columns()
	r := padded(0, left, right)
	return -0.5, 1.5, r[0], r[1]
}
