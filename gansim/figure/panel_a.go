package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PanelA compares the generators' images with natural ones: samples, Fréchet inception distances,
// and what an object detector finds. Parts without data leave their room to the others.
type PanelA struct {
	Grids      []Grid   // sample images, from top to bottom
	Sets       []Set    // one bar each, from left to right
	References []string // names of sets; one group of bars each
	FID        []Distance
	FIDImages  int     // images per set behind FID; zero means not printed
	Detection  []Rate  // one bar each
	Confidence []Group // one violin each
}

// Rows of panel A, mm from the top.
const (
	fidTop    = 5 * mm
	fidHeight = 22 * mm
	lowHeight = 25 * mm
	gridWidth = 60 * mm
)

// Height is the height of the panel.
func (p PanelA) Height() vg.Length {
	h := vg.Length(0)
	if p.hasFID() {
		h += fidTop + fidHeight + p.fidDepth() + 7*mm
	} else {
		h += 3 * mm
	}
	if p.hasLow() {
		h += lowHeight + p.depth() + 1*mm
	}
	if len(p.Grids) > 0 {
		h = max(h, 40*mm)
	}
	return max(h, leastHeight)
}

func (p PanelA) hasFID() bool { return len(p.References) > 0 && len(p.Sets) > 0 }

func (p PanelA) hasLow() bool {
	return len(p.Detection) > 0 || len(p.Confidence) > 0 || len(p.FID) > 1
}

// names are the labels of all bars, cut to a sensible length.
func (p PanelA) names() []string {
	var out []string
	for _, s := range p.allSets() {
		out = append(out, shortName(s.Name))
	}
	return out
}

func shortName(s string) string { return fit(s, tickPt, 17*mm) }

func (p PanelA) allSets() []Set {
	sets := slices.Clone(p.Sets)
	for _, r := range p.Detection {
		sets = append(sets, r.Set)
	}
	for _, g := range p.Confidence {
		sets = append(sets, g.Set)
	}
	return sets
}

// depth is the room that the labels of the lower row need below the axes.
func (p PanelA) depth() vg.Length {
	return tickLen + 0.5*mm + turnedDepth(category(p.names()), math.Pi/4)
}

// fidDepth is the room that labels need below the bars of FID.
func (p PanelA) fidDepth() vg.Length {
	names := category(p.names()[:len(p.Sets)])
	return tickLen + 0.5*mm + turnedDepth(names, p.fidTurn(names))
}

// fidTurn is the angle of those labels; level ones are not worth a change of the layout.
func (p PanelA) fidTurn(names []tick) float64 {
	return max(math.Pi/4, turnFor(names, p.fidWidth()/vg.Length(len(names))))
}

const fidGap = 3 * mm

// left is where the axes' column begins, from the panel's left edge.
func (p PanelA) left() vg.Length {
	switch {
	case len(p.Grids) == 0:
		return leftEdge
	case !p.hasFID() && !p.hasLow():
		return contentW
	}
	return 5*mm + gridWidth + 7*mm
}

// fidWidth is the width of one group of bars.
func (p PanelA) fidWidth() vg.Length {
	k := vg.Length(len(p.References))
	room := (contentW - p.left() - leftAxis - (k-1)*fidGap) / k
	return min(room, vg.Length(len(p.Sets))*6*mm+4*mm)
}

// Draw draws the panel into the canvas, which should be as high as Height says.
func (p PanelA) Draw(c draw.Canvas) error {
	if err := p.check(); err != nil {
		return err
	}
	colors := tints(p.allSets())
	left := c.Min.X + p.left()
	if len(p.Grids) > 0 {
		room := gridWidth
		if !p.hasFID() && !p.hasLow() {
			room = contentW - 5*mm
		}
		box := rect(c.Min.X+5*mm, c.Min.Y, room, c.Size().Y-0.8*mm)
		drawGrids(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, p.Grids)
	}
	low := c.Max.Y - 3*mm
	if p.hasFID() {
		box := vg.Rectangle{Min: vg.Point{X: left, Y: c.Max.Y - fidTop - fidHeight},
			Max: vg.Point{X: c.Max.X, Y: c.Max.Y - fidTop}}
		if err := p.drawFID(c, box, colors); err != nil {
			return err
		}
		low = box.Min.Y - p.fidDepth() - 7*mm
	}
	box := vg.Rectangle{Min: vg.Point{X: left, Y: low - lowHeight},
		Max: vg.Point{X: c.Max.X, Y: low}}
	return p.drawLow(c, box, colors)
}

func (p PanelA) check() error {
	for _, g := range p.Grids {
		if err := checkImages("panel a: "+g.Set.Name, g.Images); err != nil {
			return err
		}
	}
	for _, d := range p.FID {
		if err := finite("panel a: FID "+d.A+", "+d.B, d.Value, d.Lo, d.Hi); err != nil {
			return err
		}
	}
	for _, r := range p.Detection {
		if err := finite("panel a: rate of "+r.Set.Name, r.Value, r.Lo, r.Hi); err != nil {
			return err
		}
	}
	for _, g := range p.Confidence {
		if err := finite("panel a: confidence of "+g.Set.Name, g.Values...); err != nil {
			return err
		}
	}
	return nil
}

// distance looks a pair of sets up, in either order.
func (p PanelA) distance(a, b string) (Distance, bool) {
	for _, d := range p.FID {
		if (d.A == a && d.B == b) || (d.A == b && d.B == a) {
			return d, true
		}
	}
	return Distance{}, false
}

// drawFID draws one group of bars for each reference set, all on one scale.
func (p PanelA) drawFID(c draw.Canvas, box vg.Rectangle, colors map[string]color.NRGBA) error {
	var groups [][]Bar
	top := 0.0
	for _, ref := range p.References {
		var bars []Bar
		for _, s := range p.Sets {
			d, ok := p.distance(ref, s.Name)
			bars = append(bars, Bar{Value: d.Value, Lo: d.Lo, Hi: d.Hi,
				Color: colors[s.Name], Missing: !ok})
			top = max(top, d.Value, d.Hi)
		}
		groups = append(groups, bars)
	}
	if top == 0 {
		top = 1
	}
	room := p.fidWidth()
	names := category(p.names()[:len(p.Sets)])
	for i, bars := range groups {
		x := box.Min.X + leftAxis + vg.Length(i)*(room+fidGap)
		area := rect(x, box.Min.Y, room, box.Size().Y)
		a := newAxes(area, barRange(len(bars)), [2]float64{0, top * 1.06})
		a.xTicks, a.turnX = names, p.fidTurn(names)
		var factor line
		a.yTicks, factor = linearTicks(0, top*1.06, 5)
		a.title = plain("vs " + fit(p.References[i], labelPt, room-3*mm))
		a.hideYLabels = i > 0
		if i == 0 {
			a.yLabel = append(plain("FID"), factor...)
		}
		b, err := NewBars(bars)
		if err != nil {
			return err
		}
		a.draw(c, b)
	}
	return nil
}

func barRange(n int) [2]float64 { return [2]float64{-0.7, float64(n) - 0.3} }

// Alt describes the panel in words.
func (p PanelA) Alt() string {
	var b strings.Builder
	if len(p.Grids) > 0 {
		b.WriteString("Sample images of " + joinSets(p.Grids, func(g Grid) string {
			return g.Set.Name
		}) + ". ")
	}
	for _, ref := range p.References {
		var parts []string
		for _, s := range p.Sets {
			if d, ok := p.distance(ref, s.Name); ok && s.Name != ref {
				parts = append(parts, fmt.Sprintf("%s %.3g", s.Name, d.Value))
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(&b, "FID to %s: %s. ", ref, strings.Join(parts, ", "))
		}
	}
	if len(p.Detection) > 0 {
		b.WriteString("Object detection rate: " + joinSets(p.Detection, func(r Rate) string {
			return fmt.Sprintf("%s %.2f", r.Set.Name, r.Value)
		}) + ". ")
	}
	if len(p.Confidence) > 0 {
		b.WriteString("Violins of detection confidence: " +
			joinSets(p.Confidence, func(g Group) string {
				return g.Set.Name + medianText(g.Values)
			}) + ". ")
	}
	return strings.TrimSpace(b.String())
}
