package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tick is one mark of an axis. Minor ticks have no label.
type tick struct {
	at    float64
	label line
	under line // a second line, below the first; x axes only
}

// axes is a plot whose data area is given in page coordinates, so that neighbours line up to the
// hundredth of a millimetre. Only the left and the bottom spine are drawn.
type axes struct {
	plot           *plot.Plot // scales and plotters
	area           vg.Rectangle
	xTicks, yTicks []tick
	xLabel, yLabel line
	title          line    // short name of a small multiple, above the data
	turnX          float64 // angle of the x axis's tick labels, radians; 0 is level
	hideYLabels    bool    // the neighbour to the left shows them
	yGap           vg.Length
}

// newAxes returns empty axes with both ranges set.
func newAxes(area vg.Rectangle, x, y [2]float64) *axes {
	p := plot.New()
	p.X.Min, p.X.Max = x[0], x[1]
	p.Y.Min, p.Y.Max = y[0], y[1]
	return &axes{plot: p, area: area}
}

// rect is a rectangle from its lower left corner and its size.
func rect(x, y, w, h vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + w, Y: y + h}}
}

// draw draws spines, ticks, labels, then the plotters.
func (a *axes) draw(c draw.Canvas, plotters ...plot.Plotter) {
	dc := draw.Canvas{Canvas: c.Canvas, Rectangle: a.area}
	a.drawX(dc)
	a.drawY(dc)
	for _, p := range plotters {
		p.Plot(dc, a.plot)
	}
	if len(a.title) > 0 {
		mid := (a.area.Min.X + a.area.Max.X) / 2
		a.title.draw(dc, vg.Point{X: mid, Y: a.area.Max.Y + 1.2*mm},
			textBox{size: labelPt, ax: 0.5})
	}
}

func (a *axes) drawX(c draw.Canvas) {
	sty := draw.LineStyle{Color: black(), Width: thin}
	y := a.area.Min.Y
	c.StrokeLine2(sty, a.area.Min.X, y, a.area.Max.X, y)
	for _, t := range a.xTicks {
		x := c.X(a.plot.X.Norm(t.at))
		long := tickLen
		if t.label == nil {
			long *= 0.55
		}
		c.StrokeLine2(sty, x, y, x, y-long)
		pt := vg.Point{X: x, Y: y - tickLen - 0.5*mm}
		if a.turnX != 0 {
			drawTurned(c, t.label, pt, a.turnX)
			continue
		}
		t.label.draw(c, pt, textBox{size: tickPt, ax: 0.5, ay: 1})
		pt.Y -= tickPt * 1.15
		t.under.draw(c, pt, textBox{size: tickPt, ax: 0.5, ay: 1, color: muted()})
	}
	mid := (a.area.Min.X + a.area.Max.X) / 2
	pt := vg.Point{X: mid, Y: y - a.xDepth() - 0.9*mm}
	a.xLabel.draw(c, pt, textBox{size: labelPt, ax: 0.5, ay: 1})
}

// xDepth is how far ticks and their labels reach below the data.
func (a *axes) xDepth() vg.Length {
	depth := tickLen + 0.5*mm
	if a.turnX != 0 {
		return depth + turnedDepth(a.xTicks, a.turnX)
	}
	lines := vg.Length(0)
	for _, t := range a.xTicks {
		if len(t.label) > 0 {
			lines = max(lines, tickPt*capHeight)
		}
		if len(t.under) > 0 {
			lines = tickPt * (1.15 + capHeight)
		}
	}
	return depth + lines
}

// turnFor is the angle at which labels of the ticks' size can stand side by side when each has the
// given room: level if they fit, else 45 degrees or as steep as needed for 2 mm between lines.
func turnFor(ticks []tick, room vg.Length) float64 {
	switch {
	case !crowded(ticks, room):
		return 0
	case room >= 2.85*mm:
		return math.Pi / 4
	case room >= 2.35*mm:
		return math.Pi / 3
	}
	return math.Pi / 2
}

// drawTurned draws a label whose top right end hangs on a tick.
func drawTurned(c draw.Canvas, l line, pt vg.Point, turn float64) {
	const middle = 0.5
	lift := 0.4 * math.Cos(turn) * math.Sqrt2 // the steeper, the more it is centred
	pt.X += vg.Length(0.3*math.Cos(turn)*math.Sqrt2) * mm
	l.draw(c, pt, textBox{size: tickPt, ax: 1, ay: middle + lift, turn: turn})
}

// turnedDepth is the height of turned labels.
func turnedDepth(ticks []tick, turn float64) vg.Length {
	widest := vg.Length(0)
	for _, t := range ticks {
		widest = max(widest, t.label.width(tickPt))
	}
	sin, cos := math.Sincos(turn)
	return widest*vg.Length(sin) + tickPt*capHeight*vg.Length(cos) + 0.2*mm
}

func (a *axes) drawY(c draw.Canvas) {
	sty := draw.LineStyle{Color: black(), Width: thin}
	x := a.area.Min.X
	c.StrokeLine2(sty, x, a.area.Min.Y, x, a.area.Max.Y)
	for _, t := range a.yTicks {
		y := c.Y(a.plot.Y.Norm(t.at))
		long := tickLen
		if t.label == nil {
			long *= 0.55
		}
		c.StrokeLine2(sty, x, y, x-long, y)
		if !a.hideYLabels {
			pt := vg.Point{X: x - tickLen - 0.5*mm, Y: y}
			t.label.draw(c, pt, textBox{size: tickPt, ax: 1, ay: 0.5})
		}
	}
	gap := a.yGap
	if gap == 0 {
		gap = a.yDepth() + 0.9*mm
	}
	pt := vg.Point{X: x - gap, Y: (a.area.Min.Y + a.area.Max.Y) / 2}
	a.yLabel.draw(c, pt, textBox{size: labelPt, ax: 0.5, turn: math.Pi / 2})
}

// yDepth is how far ticks and their labels reach left of the data.
func (a *axes) yDepth() vg.Length {
	widest := vg.Length(0)
	if !a.hideYLabels {
		for _, t := range a.yTicks {
			widest = max(widest, t.label.width(tickPt))
		}
	}
	return tickLen + 0.5*mm + widest
}

// category returns the ticks of a categorical axis at 0, 1, 2, ….
func category(names []string) []tick {
	ticks := make([]tick, len(names))
	for i, n := range names {
		ticks[i] = tick{at: float64(i), label: plain(n)}
	}
	return ticks
}

// crowded says that horizontal labels would touch when each has the given room.
func crowded(ticks []tick, room vg.Length) bool {
	for _, t := range ticks {
		if max(t.label.width(tickPt), t.under.width(tickPt)) > room-0.8*mm {
			return true
		}
	}
	return false
}

// linearTicks returns at most limit labelled ticks at multiples of 1, 2, 2.5 or 5 times a power of
// ten. Very large and very small numbers are printed in units of a power of ten, which is returned
// as a factor for the label (empty for none).
func linearTicks(lo, hi float64, limit int) (ticks []tick, factor line) {
	step := niceStep(lo, hi, limit)
	if step == 0 {
		return []tick{{at: lo, label: plain(minus(strconv.FormatFloat(lo, 'g', 4, 64)))}}, nil
	}
	unit, exponent := 1.0, 0
	if big := math.Max(math.Abs(lo), math.Abs(hi)); big >= 1e5 || big < 2e-3 {
		exponent = int(math.Floor(math.Log10(big)))
		unit = math.Pow(10, float64(exponent))
		factor = line{{s: " (10"}, {s: minus(strconv.Itoa(exponent)), super: true}, {s: ")"}}
	}
	digits := decimals(step / unit)
	first := math.Ceil(lo/step - slack)
	for k := range limit + 2 {
		v := (first + float64(k)) * step
		if v > hi+slack*step {
			break
		}
		text := strconv.FormatFloat(v/unit+0, 'f', digits, 64)
		if math.Abs(v) < slack*step {
			v, text = 0, strconv.FormatFloat(0, 'f', digits, 64)
		}
		ticks = append(ticks, tick{at: v, label: plain(minus(text))})
	}
	return ticks, factor
}

// slack is the share of a step by which a tick may lie outside the range.
const slack = 1e-9

// niceStep is the smallest nice step with at most limit multiples in the range; 0 if there is none.
func niceStep(lo, hi float64, limit int) float64 {
	span := hi - lo
	if !(span > 0) || math.IsInf(span, 0) || limit < 1 {
		return 0
	}
	power := math.Pow(10, math.Floor(math.Log10(span/float64(limit+1))))
	for _, m := range []float64{1, 2, 2.5, 5, 10, 20, 25, 50, 100} {
		step := m * power
		n := math.Floor(hi/step+slack) - math.Ceil(lo/step-slack) + 1
		if n >= 1 && n <= float64(limit) {
			return step
		}
	}
	return 0
}

// decimals is the number of decimals that a step needs.
func decimals(step float64) int {
	for d := range 12 {
		s := step * math.Pow(10, float64(d))
		if math.Abs(s-math.Round(s)) < 1e-6*s {
			return d
		}
	}
	return 12
}

// logTicks labels about limit ticks: 1, 2 and 5 or 1 and 3 of each decade where that is few enough
// and the numbers are short, else decades, thinned if need be. The others are minor.
func logTicks(lo, hi float64, limit int) []tick {
	first, last := math.Log10(lo), math.Log10(hi)
	every := max(1, int(math.Ceil((last-first)/float64(max(1, limit)))))
	short := first > -2.01 && last < 4.01
	wanted := []int{1}
	for _, digits := range [][]int{{1, 2, 5}, {1, 3}} {
		if short && logCount(lo, hi, digits) <= limit {
			wanted = digits
			break
		}
	}
	var ticks []tick
	for e := int(math.Floor(first)); e <= int(math.Ceil(last)); e++ {
		for m := 1; m <= 9; m++ {
			v := float64(m) * math.Pow(10, float64(e))
			if !logInside(v, lo, hi) || (every > 1 && m > 1) {
				continue
			}
			t := tick{at: v}
			switch labelled := slices.Contains(wanted, m) && e%every == 0; {
			case labelled && short:
				t.label = plain(strconv.FormatFloat(v, 'f', max(0, -e), 64))
			case labelled:
				t.label = powerOfTen(e)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

func logInside(v, lo, hi float64) bool { return v >= lo*(1-slack) && v <= hi*(1+slack) }

// logCount counts the numbers with the given first digits in the range.
func logCount(lo, hi float64, digits []int) int {
	n := 0
	for e := int(math.Floor(math.Log10(lo))); e <= int(math.Ceil(math.Log10(hi))); e++ {
		for _, m := range digits {
			if logInside(float64(m)*math.Pow(10, float64(e)), lo, hi) {
				n++
			}
		}
	}
	return n
}

// givenTicks labels the given places that lie in the range.
func givenTicks(at []float64, r [2]float64) []tick {
	var ticks []tick
	for _, v := range at {
		if v >= r[0]-slack && v <= r[1]+slack {
			text := strconv.FormatFloat(v, 'g', 4, 64)
			ticks = append(ticks, tick{at: v, label: plain(minus(text))})
		}
	}
	return ticks
}

// powerOfTen is 10 to the e.
func powerOfTen(e int) line {
	return line{{s: "10"}, {s: minus(strconv.Itoa(e)), super: true}}
}

// padded widens the range of the values by a share of it on both sides. A range without width gets
// one around its value; no values give [0, 1].
func padded(share float64, groups ...[]float64) [2]float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, g := range groups {
		for _, v := range g {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	switch {
	case lo > hi:
		return [2]float64{0, 1}
	case lo == hi:
		d := math.Max(math.Abs(lo)*0.1, 1e-9)
		return [2]float64{lo - d, hi + d}
	}
	return [2]float64{lo - share*(hi-lo), hi + share*(hi-lo)}
}
