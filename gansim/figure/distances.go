package figure

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// DistanceMap is a page of its own: the distances of all pairs of sets as a triangle of colours with
// their numbers.
type DistanceMap struct {
	Names     []string
	Distances []Distance
	// Note is printed at the foot, such as the features that the distances are of.
	Note string
	// Miniature prints in front of the note that these are not the paper's networks.
	Miniature bool
}

const (
	mapCell  = 14 * mm
	mapLabel = 46 * mm // the longest name that is printed in full
)

// Encode returns the page as a file of a format: "png" or "svg".
func (d DistanceMap) Encode(format string) ([]byte, error) {
	if len(d.Names) < 2 || len(d.Distances) == 0 {
		return nil, ErrEmpty
	}
	const title = "FID of all pairs of image sets"
	w, h := d.size()
	switch format {
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pixelsPerInch))
		d.draw(draw.New(c))
		return encodePNG(c, title, d.Alt())
	case "svg":
		c := newSVG(w, h)
		d.draw(draw.New(c))
		return c.encode(title, d.Alt())
	}
	return nil, fmt.Errorf("figure: unknown format %q, want png or svg", format)
}

// Alt is the page in words.
func (d DistanceMap) Alt() string {
	text := []string{"FID between image sets as a triangular table of colours."}
	for _, v := range d.Distances {
		text = append(text, fmt.Sprintf("%s and %s: %.4g.", v.A, v.B, v.Value))
	}
	if foot := d.foot(); len(foot) > 0 {
		text = append(text, foot.plainText())
	}
	return clean(strings.Join(text, " "))
}

func (d DistanceMap) labels() []string {
	out := make([]string, len(d.Names))
	for i, name := range d.Names {
		out[i] = fit(name, tickPt, mapLabel)
	}
	return out
}

// room is what the names need beside and, turned, below the triangle.
func (d DistanceMap) room() vg.Length {
	widest := vg.Length(0)
	for _, name := range d.labels() {
		widest = max(widest, plain(name).width(tickPt))
	}
	return widest + 2*mm
}

func (d DistanceMap) side() vg.Length { return mapCell * vg.Length(len(d.Names)-1) }

func (d DistanceMap) size() (width, height vg.Length) {
	turned := d.room()/math.Sqrt2 + 2*mm
	width = max(2*pageMargin+d.room()+d.side(), 2*pageMargin+d.foot().width(tickPt))
	return width, 2*pageMargin + d.side() + turned + footHeight
}

func (d DistanceMap) foot() line {
	var l line
	if d.Miniature {
		l = append(l, run{s: miniature + " ", bold: true})
	}
	if d.Note != "" {
		l = append(l, run{s: d.Note})
	}
	return l
}

func (d DistanceMap) draw(c draw.Canvas) {
	labels := d.labels()
	n, side := len(labels)-1, d.side()
	box := rect(c.Min.X+pageMargin+d.room(), c.Max.Y-pageMargin-side, side, side)
	m := &Matrix{Names: labels, Value: d.value}
	m.Plot(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, nil)
	for i := range n {
		at := (vg.Length(i) + 0.5) * mapCell
		plain(labels[i+1]).draw(c, vg.Point{X: box.Min.X - 1*mm, Y: box.Max.Y - at},
			textBox{size: tickPt, ax: 1, ay: 0.5})
		drawTurned(c, plain(labels[i]), vg.Point{X: box.Min.X + at, Y: box.Min.Y - 1*mm}, math.Pi/4)
	}
	d.foot().draw(c, vg.Point{X: c.Min.X + pageMargin, Y: c.Min.Y + pageMargin},
		textBox{size: tickPt, color: muted()})
}

// value finds the distance of two sets.
func (d DistanceMap) value(row, col int) (float64, bool) {
	for _, v := range d.Distances {
		if v.A == d.Names[row] && v.B == d.Names[col] || v.A == d.Names[col] && v.B == d.Names[row] {
			return v.Value, true
		}
	}
	return 0, false
}
