package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
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
		h += fidTop + fidHeight + p.depth() + 7*mm
	} else {
		h += 3 * mm
	}
	if p.hasLow() {
		h += lowHeight + p.depth() + 1*mm
	}
	if len(p.Grids) > 0 {
		h = max(h, 40*mm)
	}
	return h
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

// depth is the room that slanted labels need below the axes.
func (p PanelA) depth() vg.Length {
	return tickLen + 0.5*mm + slantDepth(category(p.names()))
}

// Draw draws the panel into the canvas, which should be as high as Height says.
func (p PanelA) Draw(c draw.Canvas) error {
	if err := p.check(); err != nil {
		return err
	}
	colors := tints(p.allSets())
	left := c.Min.X
	if len(p.Grids) > 0 {
		room := gridWidth
		if !p.hasFID() && !p.hasLow() {
			room = c.Size().X - 5*mm
		}
		box := rect(left+5*mm, c.Min.Y, room, c.Size().Y-0.8*mm)
		drawGrids(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, p.Grids)
		left += room + 7*mm
	} else {
		left += leftEdge
	}
	low := c.Max.Y - 3*mm
	if p.hasFID() {
		box := vg.Rectangle{Min: vg.Point{X: left, Y: c.Max.Y - fidTop - fidHeight},
			Max: vg.Point{X: c.Max.X, Y: c.Max.Y - fidTop}}
		if err := p.drawFID(c, box, colors); err != nil {
			return err
		}
		low = box.Min.Y - p.depth() - 7*mm
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
	k := vg.Length(len(groups))
	const gap = 3 * mm
	room := (box.Size().X - leftAxis - (k-1)*gap) / k
	room = min(room, vg.Length(len(p.Sets))*6*mm+4*mm)
	names := category(p.names()[:len(p.Sets)])
	for i, bars := range groups {
		x := box.Min.X + leftAxis + vg.Length(i)*(room+gap)
		area := rect(x, box.Min.Y, room, box.Size().Y)
		a := newAxes(area, barRange(len(bars)), [2]float64{0, top * 1.06})
		a.xTicks, a.slantX = names, true
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

// drawLow draws the lower row: detection rates, confidences, and all pairs of FID.
func (p PanelA) drawLow(c draw.Canvas, box vg.Rectangle, colors map[string]color.NRGBA) error {
	x := box.Min.X
	room := box.Size().X
	rates, violins := vg.Length(len(p.Detection)), vg.Length(len(p.Confidence))
	matrix := p.matrixWidth()
	if used := 2*leftAxis + 7*mm + rates*2.9*mm + violins*3.3*mm; matrix > room-used {
		matrix = max(0, room-used)
	}
	if matrix < p.matrixWidth()*0.8 {
		matrix = 0
	}
	free := room - matrix - 2*leftAxis - 3*mm
	if matrix > 0 {
		free -= 4 * mm
	}
	unit := min(6.5*mm, free/(rates+violins*1.15+0.01))
	if len(p.Detection) > 0 {
		w := max(rates*unit, 8*mm)
		if err := p.drawRates(c, rect(x+leftAxis, box.Min.Y, w, box.Size().Y), colors); err != nil {
			return err
		}
		x += leftAxis + w + 3*mm
	}
	if len(p.Confidence) > 0 {
		w := max(violins*unit*1.15, 9*mm)
		err := p.drawConfidence(c, rect(x+leftAxis, box.Min.Y, w, box.Size().Y), colors)
		if err != nil {
			return err
		}
	}
	if matrix > 0 {
		p.drawMatrix(c, vg.Rectangle{Min: vg.Point{X: box.Max.X - matrix, Y: box.Min.Y},
			Max: box.Max})
	}
	return nil
}

func (p PanelA) drawRates(c draw.Canvas, area vg.Rectangle, colors map[string]color.NRGBA) error {
	var bars []Bar
	var names []string
	var n []int
	for _, r := range p.Detection {
		bars = append(bars, Bar{Value: r.Value, Lo: r.Lo, Hi: r.Hi, Color: colors[r.Set.Name]})
		names = append(names, shortName(r.Set.Name))
		n = append(n, r.N)
	}
	b, err := NewBars(bars)
	if err != nil {
		return err
	}
	a := newAxes(area, barRange(len(bars)), [2]float64{0, 1})
	a.yTicks, _ = linearTicks(0, 1, 6)
	a.xTicks, a.slantX = category(names), true
	a.yLabel = plain("Object detection rate")
	a.draw(c, b)
	nNote(c, area, n)
	return nil
}

func (p PanelA) drawConfidence(c draw.Canvas, area vg.Rectangle,
	colors map[string]color.NRGBA) error {
	var names []string
	var violins []plot.Plotter
	var n []int
	for i, g := range p.Confidence {
		v, err := NewViolin(float64(i), g.Values)
		if err != nil {
			return err
		}
		v.Color = colors[g.Set.Name]
		violins = append(violins, v)
		names = append(names, shortName(g.Set.Name))
		n = append(n, len(g.Values))
	}
	a := newAxes(area, barRange(len(names)), [2]float64{0, 1})
	a.yTicks, _ = linearTicks(0, 1, 6)
	a.xTicks, a.slantX = category(names), true
	a.yLabel = plain("Detection confidence")
	a.draw(c, violins...)
	nNote(c, area, n)
	return nil
}

// nNote prints the numbers of images above the axes: one number when all sets have the same.
func nNote(c draw.Canvas, area vg.Rectangle, n []int) {
	l := nText(n)
	if l == nil {
		return
	}
	pt := vg.Point{X: (area.Min.X + area.Max.X) / 2, Y: area.Max.Y + 1.2*mm}
	l.draw(c, pt, textBox{size: tickPt, ax: 0.5, color: muted()})
}

// nText is "n = 2,000" or "n = 60–64"; nil when nothing was counted.
func nText(n []int) line {
	if len(n) == 0 || slices.Max(n) == 0 {
		return nil
	}
	text := " = " + count(slices.Max(n))
	if slices.Min(n) != slices.Max(n) {
		text = " = " + count(slices.Min(n)) + "–" + count(slices.Max(n))
	}
	return line{{s: "n", slant: true}, {s: text}}
}

// matrixWidth is the width that the matrix would like; 0 when there is nothing to draw.
func (p PanelA) matrixWidth() vg.Length {
	if len(p.Sets) < 3 || len(p.FID) < 2 {
		return 0
	}
	return p.rowLabels() + vg.Length(len(p.Sets)-1)*4.4*mm
}

func (p PanelA) rowLabels() vg.Length {
	widest := vg.Length(0)
	for _, s := range p.Sets[1:] {
		widest = max(widest, plain(shortName(s.Name)).width(tickPt))
	}
	return widest + 1*mm
}

// drawMatrix draws the distances of all pairs of sets as a triangle.
func (p PanelA) drawMatrix(c draw.Canvas, box vg.Rectangle) {
	box.Min.X += p.rowLabels()
	n := len(p.Sets) - 1
	m := &Matrix{Names: p.names()[:n+1], Value: func(row, col int) (float64, bool) {
		d, ok := p.distance(p.Sets[row].Name, p.Sets[col].Name)
		return d.Value, ok
	}}
	m.Plot(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, nil)
	w, h := box.Size().X/vg.Length(n), box.Size().Y/vg.Length(n)
	for i := range n {
		plain(m.Names[i+1]).draw(c,
			vg.Point{X: box.Min.X - 0.6*mm, Y: box.Max.Y - (vg.Length(i)+0.5)*h},
			textBox{size: tickPt, ax: 1, ay: 0.5})
		plain(m.Names[i]).draw(c,
			vg.Point{X: box.Min.X + (vg.Length(i)+0.5)*w + 0.3*mm, Y: box.Min.Y - 0.6*mm},
			textBox{size: tickPt, ax: 1, ay: 0.9, turn: math.Pi / 4})
	}
	title := plain("FID of all pairs")
	if p.FIDImages > 0 {
		title = append(plain("FID of all pairs, "), nText([]int{p.FIDImages})...)
	}
	title.draw(c, vg.Point{X: box.Max.X, Y: box.Max.Y + 1.2*mm},
		textBox{size: tickPt, ax: 1, color: muted()})
}

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
