package figure

import (
	"errors"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PanelC compares how well the generators reproduce photographs: the pixel correlation of every
// photograph with both reconstructions, and examples.
type PanelC struct {
	Pairs           []Pair
	DeePSim, BigGAN *Estimate // medians; nil means not printed
	Test            *Test     // nil means not printed
	Rows            []ImageRow
}

// Sizes of panel C.
const (
	scatterWidth  = 33 * mm
	scatterHeight = 28 * mm
	scatterTop    = 5 * mm // room for the bracket with the P value
	largestCell   = 12 * mm
	rowGap        = 0.8 * mm
)

// Height is the height of the panel.
func (p PanelC) Height() vg.Length {
	h := vg.Length(0)
	if len(p.Pairs) > 0 {
		h = scatterTop + scatterHeight + 11*mm
	}
	if len(p.Rows) > 0 {
		cell, _ := p.cell()
		rows := vg.Length(len(p.Rows))
		h = max(h, 2*mm+rows*cell+(rows-1)*rowGap+1*mm)
	}
	return max(h, leastHeight)
}

// rowsLeft is where the image rows begin, from the panel's left edge.
func (p PanelC) rowsLeft() vg.Length {
	if len(p.Pairs) == 0 {
		return 5 * mm
	}
	return leftEdge + leftAxis + scatterWidth + 5*mm
}

// cell is the size of an image and the width of the labels before the rows.
func (p PanelC) cell() (size, labels vg.Length) {
	longest := 1
	for _, r := range p.Rows {
		longest = max(longest, len(r.Images))
		labels = max(labels, line{{s: shortName(r.Label), bold: true}}.width(labelPt))
	}
	labels += 1.5 * mm
	room := contentW - p.rowsLeft() - labels
	return min(largestCell, (room-vg.Length(longest-1)*cellGap)/vg.Length(longest)), labels
}

// Draw draws the panel into the canvas, which should be as high as Height says.
func (p PanelC) Draw(c draw.Canvas) error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p.Pairs) > 0 {
		if err := p.drawScatter(c); err != nil {
			return err
		}
	}
	cell, labels := p.cell()
	rows := vg.Length(len(p.Rows))
	block := rows*cell + (rows-1)*rowGap
	y := c.Max.Y - 2*mm
	if len(p.Pairs) > 0 && block <= p.Height()-scatterTop-1*mm {
		y = c.Max.Y - scatterTop - max(0, scatterHeight-block)/2
	}
	for _, r := range p.Rows {
		x := c.Min.X + p.rowsLeft() + labels
		n := vg.Length(len(r.Images))
		box := rect(x, y-cell, n*cell+(n-1)*cellGap, cell)
		g := &ImageGrid{Images: r.Images, Gap: cellGap, Border: 0.45 * mm}
		if r.Kind != Natural {
			g.Frame = r.Kind.Color()
		}
		g.Plot(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, nil)
		line{{s: shortName(r.Label), bold: true}}.draw(c,
			vg.Point{X: x - 1.2*mm, Y: y - cell/2},
			textBox{size: labelPt, ax: 1, ay: 0.5, color: labelInk(r.Kind)})
		y -= cell + rowGap
	}
	return nil
}

func (p PanelC) check() error {
	for _, r := range p.Rows {
		if err := checkImages("panel c: "+r.Label, r.Images); err != nil {
			return err
		}
	}
	return errors.Join(p.DeePSim.finite("panel c: median of DeePSim"),
		p.BigGAN.finite("panel c: median of BigGAN"), p.Test.finite("panel c: test"))
}

// drawScatter draws the correlations with medians below the names and P above.
func (p PanelC) drawScatter(c draw.Canvas) error {
	s, err := NewPaired(p.Pairs)
	if err != nil {
		return err
	}
	s.DeePSim, s.BigGAN = p.DeePSim, p.BigGAN
	_, _, lo, _ := s.DataRange()
	if lo >= 0 {
		lo = 0
	} else {
		lo = max(-1, lo-0.05)
	}
	area := rect(c.Min.X+leftEdge+leftAxis, c.Max.Y-scatterTop-scatterHeight,
		scatterWidth, scatterHeight)
	a := newAxes(area, [2]float64{-0.62, 1.62}, [2]float64{lo, 1})
	a.yTicks, _ = linearTicks(lo, 1, 6)
	a.xTicks = category([]string{"DeePSim", "BigGAN"})
	a.xTicks[0].under = medianLine(p.DeePSim)
	a.xTicks[1].under = medianLine(p.BigGAN)
	a.yLabel = line{{s: "Pixel correlation, Pearson "}, {s: "r", slant: true}}
	a.xLabel = line{{s: "n", slant: true}, {s: " = " + plural(len(p.Pairs), "picture")}}
	if p.DeePSim != nil || p.BigGAN != nil {
		a.xLabel = append(line{{s: "median ± s.e., "}}, a.xLabel...)
	}
	a.draw(c, s)
	if p.Test != nil {
		left := area.Min.X + area.Size().X*0.62/2.24
		right := area.Min.X + area.Size().X*1.62/2.24
		bracket(c, left, right, area.Max.Y+1.2*mm, pText(p.Test.Log10P))
	}
	return nil
}

func medianLine(e *Estimate) line {
	if e == nil {
		return nil
	}
	return plain(estimateText(*e))
}

// bracket joins two columns and prints what was found between them.
func bracket(c draw.Canvas, left, right, y vg.Length, text line) {
	sty := draw.LineStyle{Color: black(), Width: thin}
	c.StrokeLines(sty, []vg.Point{{X: left, Y: y - 0.7*mm}, {X: left, Y: y},
		{X: right, Y: y}, {X: right, Y: y - 0.7*mm}})
	text.draw(c, vg.Point{X: (left + right) / 2, Y: y + 0.8*mm},
		textBox{size: tickPt, ax: 0.5, color: color.Color(black())})
}

// Alt describes the panel in words.
func (p PanelC) Alt() string {
	var b strings.Builder
	if len(p.Pairs) > 0 {
		fmt.Fprintf(&b, "Pearson correlations of %d pictures with their reconstructions",
			len(p.Pairs))
		if p.DeePSim != nil && p.BigGAN != nil {
			fmt.Fprintf(&b, ": median DeePSim %s, BigGAN %s",
				estimateText(*p.DeePSim), estimateText(*p.BigGAN))
		}
		if p.Test != nil {
			fmt.Fprintf(&b, "; %s, %s", p.Test.Name, testText(*p.Test).plainText())
		}
		b.WriteString(". ")
	}
	if len(p.Rows) > 0 {
		b.WriteString("Rows of images: " + joinSets(p.Rows, func(r ImageRow) string {
			return r.Label
		}) + ".")
	}
	return strings.TrimSpace(b.String())
}
