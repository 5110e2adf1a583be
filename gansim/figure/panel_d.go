package figure

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PanelD compares how strongly the generators' images can drive units: the largest score of every
// run, by network, layer and generator.
type PanelD struct {
	Nets []Net
	// YLabel is what a score is; empty means "Maximum activation score".
	YLabel string
}

// Sizes of panel D.
const (
	netTop    = 8 * mm
	netHeight = 30 * mm
	netLow    = 27 * mm // when slanted labels need room
	netGap    = 4 * mm
)

// Height is the height of the panel.
func (p PanelD) Height() vg.Length {
	if len(p.Nets) == 0 {
		return leastHeight
	}
	depth := vg.Length(0)
	for _, n := range p.Nets {
		depth = max(depth, p.axes(n, vg.Rectangle{Max: vg.Point{X: p.width()}}).xDepth())
	}
	return netTop + p.dataHeight() + depth + 4.5*mm
}

// dataHeight is the height of the axes.
func (p PanelD) dataHeight() vg.Length {
	for _, n := range p.Nets {
		if p.axes(n, vg.Rectangle{Max: vg.Point{X: p.width()}}).turnX != 0 {
			return netLow
		}
	}
	return netHeight
}

// width is the width of one network's data.
func (p PanelD) width() vg.Length {
	n := vg.Length(max(1, len(p.Nets)))
	return min(120*mm, (contentW-leftEdge-(n-1)*netGap)/n-leftAxis)
}

// Draw draws the panel into the canvas, which should be as high as Height says.
func (p PanelD) Draw(c draw.Canvas) error {
	w, h := p.width(), p.dataHeight()
	for i, n := range p.Nets {
		err := errors.Join(n.DeePSim.finite("panel d: "+n.Name+", median of DeePSim"),
			n.BigGAN.finite("panel d: "+n.Name+", median of BigGAN"),
			n.Test.finite("panel d: "+n.Name+", test"))
		if err != nil {
			return err
		}
		x := c.Min.X + leftEdge + vg.Length(i)*(leftAxis+w+netGap) + leftAxis
		area := rect(x, c.Max.Y-netTop-h, w, h)
		if err := p.drawNet(c, area, n, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// axes are the axes of a network, without a range in y.
func (p PanelD) axes(n Net, area vg.Rectangle) *axes {
	var names []string
	for _, l := range n.Layers {
		names = append(names, shortName(l.Name))
	}
	a := newAxes(area, [2]float64{-0.55, float64(max(1, len(names))) - 0.45}, [2]float64{0, 1})
	a.xTicks = category(names)
	a.turnX = turnFor(a.xTicks, area.Size().X/vg.Length(max(1, len(names))))
	return a
}

func (p PanelD) drawNet(c draw.Canvas, area vg.Rectangle, n Net, first bool) error {
	a := p.axes(n, area)
	half := violinHalf(area.Size().X, len(n.Layers))
	var violins []plot.Plotter
	var values [][]float64
	total := 0
	for i, l := range n.Layers {
		for _, side := range []struct {
			kind   Kind
			sign   float64
			values []float64
		}{{BigGAN, -1, l.BigGAN}, {DeePSim, 1, l.DeePSim}} {
			what := fmt.Sprintf("panel d: %s, %s, %v", n.Name, l.Name, side.kind)
			if err := finite(what, side.values...); err != nil {
				return err
			}
			v, err := NewViolin(float64(i)+side.sign*half*0.54, side.values)
			if err != nil {
				return err
			}
			v.Color, v.Width = side.kind.Color(), half
			violins = append(violins, v)
			values = append(values, side.values)
			total += len(side.values)
		}
	}
	r := padded(0.05, values...)
	if low := padded(0, values...)[0]; low >= 0 && low < 0.4*r[1] {
		r[0] = 0
	}
	a.plot.Y.Min, a.plot.Y.Max = r[0], r[1]
	var factor line
	a.yTicks, factor = linearTicks(r[0], r[1], 6)
	if first {
		a.yLabel = append(plain(p.yLabel()), factor...)
	} else {
		a.yLabel = factor
	}
	a.xLabel = line{{s: "Layer ("}, {s: "n", slant: true}, {s: " = " + plural(total, "run") + ")"}}
	if total == 0 {
		a.xLabel = plain("Layer (no runs)")
	}
	a.draw(c, violins...)
	drawNetText(c, area, n)
	return nil
}

// violinHalf is the width of one violin in units of the axis: at most 9 mm on the page.
func violinHalf(width vg.Length, layers int) float64 {
	unit := width / vg.Length(max(1, layers))
	return min(0.4, float64(9*mm/unit))
}

func (p PanelD) yLabel() string {
	if p.YLabel == "" {
		return "Maximum activation score"
	}
	return p.YLabel
}

// drawNetText prints the network's name, the legend with medians, and the test above the data.
func drawNetText(c draw.Canvas, area vg.Rectangle, n Net) {
	top := area.Max.Y + netTop - 2.6*mm
	name := line{{s: fit(n.Name, labelPt, area.Size().X*0.4), bold: true}}
	name.draw(c, vg.Point{X: area.Min.X, Y: top}, textBox{size: labelPt})
	if n.Test != nil {
		testText(*n.Test).draw(c, vg.Point{X: area.Max.X, Y: top},
			textBox{size: tickPt, ax: 1, color: muted()})
	}
	keys := []key{
		{BigGAN.Color(), medianKey(BigGAN, n.BigGAN)},
		{DeePSim.Color(), medianKey(DeePSim, n.DeePSim)},
	}
	drawKeys(c, vg.Point{X: area.Min.X, Y: top - 2.6*mm}, keys)
}

func medianKey(k Kind, e *Estimate) line {
	if e == nil {
		return plain(k.String())
	}
	return plain(k.String() + ", median " + estimateText(*e))
}

// Alt describes the panel in words.
func (p PanelD) Alt() string {
	var b strings.Builder
	for _, n := range p.Nets {
		fmt.Fprintf(&b, "%s: violins of the maximum activation score in %s for BigGAN and DeePSim",
			n.Name, joinSets(n.Layers, func(l Layer) string { return l.Name }))
		if n.DeePSim != nil && n.BigGAN != nil {
			fmt.Fprintf(&b, "; median DeePSim %s, BigGAN %s",
				estimateText(*n.DeePSim), estimateText(*n.BigGAN))
		}
		if n.Test != nil {
			fmt.Fprintf(&b, "; %s, %s", n.Test.Name, testText(*n.Test).plainText())
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}
