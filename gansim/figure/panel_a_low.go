package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

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
	a.xTicks, a.turnX = category(names), math.Pi/4
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
	a.xTicks, a.turnX = category(names), math.Pi/4
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
	return p.rowLabels() + vg.Length(len(p.Sets)-1)*4.2*mm
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
		drawTurned(c, plain(m.Names[i]),
			vg.Point{X: box.Min.X + (vg.Length(i)+0.5)*w, Y: box.Min.Y - 0.6*mm}, math.Pi/4)
	}
	title := plain("FID of all pairs")
	if p.FIDImages > 0 {
		title = append(plain("FID of all pairs, "), nText([]int{p.FIDImages})...)
	}
	title.draw(c, vg.Point{X: box.Max.X, Y: box.Max.Y + 1.2*mm},
		textBox{size: tickPt, ax: 1, color: muted()})
}
