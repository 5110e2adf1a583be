package figure

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PanelB compares low-level statistics of the images that the two generators evolved: one small
// plot for each scalar statistic, then the spectra.
type PanelB struct {
	Statistics []Statistic
	Spectra    []Spectrum
}

// Sizes of panel B.
const (
	statAxis   = 8.3 * mm // room for a small plot's y axis
	statData   = 8 * mm   // least width of its data
	specAxis   = 10.5 * mm
	specData   = 26 * mm
	statHeight = 25 * mm
	statShort  = 16 * mm // with two rows
	keyHeight  = 5.5 * mm
)

// statGrid is the arrangement of the small plots.
type statGrid struct{ rows, columns int }

func (p PanelB) grid() statGrid {
	n := len(p.Statistics)
	if n == 0 {
		return statGrid{}
	}
	room := contentW - leftEdge - p.spectraWidth()
	most := max(1, int(room/(statAxis+statData)))
	rows := (n + most - 1) / most
	return statGrid{rows, (n + rows - 1) / rows}
}

func (p PanelB) spectraWidth() vg.Length {
	w := specData
	if len(p.Spectra) > 2 {
		w = 22 * mm
	}
	return vg.Length(len(p.Spectra)) * (specAxis + w)
}

// dataHeight is the height of one row of small plots.
func (p PanelB) dataHeight() vg.Length {
	if p.grid().rows > 1 {
		return statShort
	}
	return statHeight
}

const statRowGap = 3.2 * mm

// bodyHeight is the height from the top of the first small plot to the bottom of the last.
func (p PanelB) bodyHeight() vg.Length {
	rows := vg.Length(max(1, p.grid().rows))
	return rows*p.dataHeight() + (rows-1)*statRowGap
}

// Height is the height of the panel.
func (p PanelB) Height() vg.Length {
	if len(p.Statistics)+len(p.Spectra) == 0 {
		return leastHeight
	}
	return keyHeight + p.bodyHeight() + 9.5*mm
}

// Draw draws the panel into the canvas, which should be as high as Height says.
func (p PanelB) Draw(c draw.Canvas) error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p.Statistics)+len(p.Spectra) == 0 {
		return nil
	}
	colors := tints(p.sets())
	p.drawLegend(c, colors)
	top := c.Max.Y - keyHeight
	g := p.grid()
	left := c.Min.X + leftEdge + leftAxis - statAxis
	right := c.Max.X
	statsW := right - left - p.spectraWidth()
	if len(p.Statistics) == 0 {
		statsW = 0
	}
	if len(p.Spectra) > 0 && len(p.Statistics) > 0 {
		wide := vg.Length(g.columns) * 24 * mm
		statsW = min(statsW, wide)
	}
	for i, s := range p.Statistics {
		cell := statsW / vg.Length(g.columns)
		row, col := i/g.columns, i%g.columns
		area := rect(left+vg.Length(col)*cell+statAxis,
			top-vg.Length(row+1)*p.dataHeight()-vg.Length(row)*statRowGap,
			min(cell-statAxis-1.5*mm, 22*mm), p.dataHeight())
		last := i+g.columns >= len(p.Statistics)
		if err := drawStatistic(c, area, s, colors, last); err != nil {
			return err
		}
	}
	cell := min(right-left-statsW, 90*mm*vg.Length(len(p.Spectra)))
	cell /= vg.Length(max(1, len(p.Spectra)))
	for i, s := range p.Spectra {
		area := rect(left+statsW+vg.Length(i)*cell+specAxis, top-p.bodyHeight(),
			cell-specAxis-1.2*mm, p.bodyHeight())
		if err := drawSpectrum(c, area, s, colors); err != nil {
			return err
		}
	}
	return nil
}

func (p PanelB) check() error {
	for _, s := range p.Statistics {
		for _, g := range s.Groups {
			if err := finite("panel b: "+s.Name+" of "+g.Set.Name, g.Values...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p PanelB) sets() []Set {
	var sets []Set
	for _, s := range p.Statistics {
		for _, g := range s.Groups {
			sets = append(sets, g.Set)
		}
	}
	for _, s := range p.Spectra {
		for _, r := range s.Series {
			sets = append(sets, r.Set)
		}
	}
	return sets
}

// drawLegend names the sets, with their colours and numbers of images.
func (p PanelB) drawLegend(c draw.Canvas, colors map[string]color.NRGBA) {
	most := make(map[string]int)
	for _, s := range p.Statistics {
		for _, g := range s.Groups {
			most[g.Set.Name] = max(most[g.Set.Name], len(g.Values))
		}
	}
	var keys []key
	done := make(map[string]bool)
	for _, s := range p.sets() {
		if done[s.Name] {
			continue
		}
		done[s.Name] = true
		label := plain(s.Name)
		if n := most[s.Name]; n > 0 {
			label = append(label, run{s: " ("}, run{s: "n", slant: true},
				run{s: " = " + plural(n, "image") + ")"})
		}
		keys = append(keys, key{colors[s.Name], label})
	}
	x := drawKeys(c, vg.Point{X: c.Min.X + leftEdge + leftAxis, Y: c.Max.Y - 1.3*mm}, keys)
	note := "points: images; bars: mean ± s.e.m."
	if len(p.Statistics) == 0 {
		note = "mean ± s.e.m."
	}
	plain(note).draw(c, vg.Point{X: x, Y: c.Max.Y - 1.3*mm},
		textBox{size: tickPt, ay: 0.5, color: muted()})
}

// drawStatistic draws the strips of one statistic. Only the last row of plots is labelled.
func drawStatistic(c draw.Canvas, area vg.Rectangle, s Statistic,
	colors map[string]color.NRGBA, last bool) error {
	var strips []plot.Plotter
	var values [][]float64
	var names []string
	for i, g := range s.Groups {
		strip, err := NewStrip(float64(i), g.Values)
		if err != nil {
			return err
		}
		strip.Color = colors[g.Set.Name]
		strips = append(strips, strip)
		values = append(values, g.Values)
		names = append(names, shortName(g.Set.Name))
	}
	r := padded(0.06, values...)
	a := newAxes(area, [2]float64{-0.6, float64(len(names)) - 0.4}, r)
	var factor line
	a.yTicks, factor = linearTicks(r[0], r[1], int(area.Size().Y/(5.2*mm)))
	a.xTicks = category(names)
	a.turnX = turnFor(a.xTicks, area.Size().X/vg.Length(max(1, len(names))))
	if !last {
		for i := range a.xTicks {
			a.xTicks[i].label = plain("")
		}
	}
	label := s.Name
	if s.Unit != "" {
		label += " (" + s.Unit + ")"
	}
	a.yLabel = append(plain(fit(label, labelPt, area.Size().Y+2*mm)), factor...)
	a.yGap = a.yDepth() + 1*mm
	a.draw(c, strips...)
	return nil
}

// drawSpectrum draws the curves of one spectrum.
func drawSpectrum(c draw.Canvas, area vg.Rectangle, s Spectrum,
	colors map[string]color.NRGBA) error {
	var curves []plot.Plotter
	var xs, ys [][]float64
	for _, r := range s.Series {
		curve, err := NewCurve(r.X, r.Mean, r.SEM)
		if err != nil {
			return err
		}
		if err := finite("panel b: slope of "+r.Set.Name, r.Slope); r.HasSlope && err != nil {
			return err
		}
		curve.Color = colors[r.Set.Name]
		curves = append(curves, curve)
		_, _, lo, hi := curve.DataRange()
		if s.LogY {
			pr := positiveRange(r.Mean)
			lo, hi = math.Max(lo, pr[0]), math.Max(hi, pr[1])
		}
		xs, ys = append(xs, r.X), append(ys, []float64{lo, hi})
	}
	rx, ry := padded(0, xs...), padded(0.04, ys...)
	if s.LogX {
		rx = positiveRange(xs...)
	}
	if s.LogY {
		ry = positiveRange(ys...)
	}
	a := newAxes(area, rx, ry)
	wide, high := int(area.Size().X/(6*mm)), int(area.Size().Y/(5*mm))
	var fx, fy line
	if s.LogX {
		a.plot.X.Scale, a.xTicks = plot.LogScale{}, logTicks(rx[0], rx[1], wide)
	} else {
		a.xTicks, fx = linearTicks(rx[0], rx[1], wide)
	}
	if len(s.XTicks) > 0 {
		a.xTicks, fx = givenTicks(s.XTicks, rx), nil
	}
	if s.LogY {
		a.plot.Y.Scale, a.yTicks = plot.LogScale{}, logTicks(ry[0], ry[1], high)
	} else {
		a.yTicks, fy = linearTicks(ry[0], ry[1], high)
	}
	a.xLabel, a.yLabel = append(plain(s.XLabel), fx...), append(plain(s.YLabel), fy...)
	a.draw(c, curves...)
	drawSlopes(c, area, s, colors)
	return nil
}

// drawSlopes prints the slopes of the fits inside the axes, at the top right, where falling curves
// leave room.
func drawSlopes(c draw.Canvas, area vg.Rectangle, s Spectrum, colors map[string]color.NRGBA) {
	pt := vg.Point{X: area.Max.X, Y: area.Max.Y - 0.3*mm}
	for _, r := range s.Series {
		if !r.HasSlope {
			continue
		}
		text := "slope " + minus(fmt.Sprintf("%.2f", r.Slope))
		plain(text).draw(c, pt, textBox{size: tickPt, ax: 1, ay: 1, color: labelInk(r.Set.Kind)})
		pt.Y -= tickPt * 1.2
	}
}

// Alt describes the panel in words.
func (p PanelB) Alt() string {
	var b strings.Builder
	for _, s := range p.Statistics {
		b.WriteString(s.Name + ": " + joinSets(s.Groups, func(g Group) string {
			mean, sem := MeanSEM(g.Values)
			return fmt.Sprintf("%s mean %.3g, s.e.m. %.2g, n = %d",
				g.Set.Name, mean, sem, len(g.Values))
		}) + ". ")
	}
	for _, s := range p.Spectra {
		fmt.Fprintf(&b, "Curves of %s against %s for %s. ", s.YLabel, s.XLabel,
			joinSets(s.Series, func(r Series) string { return r.Set.Name }))
	}
	return strings.TrimSpace(b.String())
}
