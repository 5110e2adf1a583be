package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is one bar with an interval. Lo == Hi means no interval; Missing leaves a gap.
type Bar struct {
	Value, Lo, Hi float64
	Color         color.NRGBA // zero means grey
	Missing       bool
}

// Bars draws bars from zero at x = 0, 1, 2, … with their intervals as whiskers.
type Bars struct {
	Bars  []Bar
	Width float64 // in units of the x axis; zero means 0.72
}

// NewBars returns the bars, or an error if a value is not finite.
func NewBars(bars []Bar) (*Bars, error) {
	for _, b := range bars {
		if b.Missing {
			continue
		}
		if err := finite("bar", b.Value, b.Lo, b.Hi); err != nil {
			return nil, err
		}
	}
	return &Bars{Bars: append([]Bar(nil), bars...)}, nil
}

// Plot implements plot.Plotter.
func (b *Bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	width := b.Width
	if width == 0 {
		width = 0.72
	}
	for i, bar := range b.Bars {
		if bar.Missing {
			continue
		}
		col := bar.Color
		if col == (color.NRGBA{}) {
			col = Natural.Color()
		}
		left, right := x(float64(i)-width/2), x(float64(i)+width/2)
		base, top := y(math.Max(0, p.Y.Min)), y(bar.Value)
		c.FillPolygon(col, []vg.Point{
			{X: left, Y: base}, {X: right, Y: base}, {X: right, Y: top}, {X: left, Y: top},
		})
		if bar.Hi > bar.Lo {
			whisker(c, (left+right)/2, y(bar.Lo), y(bar.Hi), (right-left)*0.24)
		}
	}
}

// whisker draws an interval with caps, dark on a thin white ground.
func whisker(c draw.Canvas, x, lo, hi, half vg.Length) {
	for _, sty := range []draw.LineStyle{
		{Color: white(), Width: thin + 0.7}, {Color: black(), Width: thin},
	} {
		c.StrokeLine2(sty, x, lo, x, hi)
		c.StrokeLine2(sty, x-half, lo, x+half, lo)
		c.StrokeLine2(sty, x-half, hi, x+half, hi)
	}
}

// DataRange implements plot.DataRanger.
func (b *Bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, bar := range b.Bars {
		if !bar.Missing {
			ymin = math.Min(ymin, math.Min(bar.Value, bar.Lo))
			ymax = math.Max(ymax, math.Max(bar.Value, bar.Hi))
		}
	}
	return -0.5, float64(len(b.Bars)) - 0.5, ymin, ymax
}
