package figure

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ErrEmpty is returned when a figure has no panel.
var ErrEmpty = errors.New("figure: no panel to draw")

// Panel is a part of the page. The canvas that Draw gets is 180 mm wide and Height high.
type Panel interface {
	Height() vg.Length
	Draw(c draw.Canvas) error
	// Alt is the panel in words, for readers who cannot see it.
	Alt() string
}

// Figure is the page: its panels from top to bottom, and a note at the foot.
type Figure struct {
	A *PanelA // nil leaves the panel out
	B *PanelB
	C *PanelC
	D *PanelD
	// Title goes into the files, not onto the page; empty means the published title.
	Title string
	// Note is printed at the foot; empty means none.
	Note string
	// Miniature prints in front of the note that these are not the paper's networks.
	Miniature bool
}

// publishedTitle is the title of the figure in the paper.
const publishedTitle = "Exploring the image statistics and representational flexibility " +
	"of the generators"

const (
	panelGap   = 3 * mm
	pageMargin = 1.5 * mm
	footHeight = 5 * mm
	miniature  = "Miniature world \u2013 not the paper\u2019s networks."
)

// lettered is a panel with its letter.
type lettered struct {
	letter string
	Panel
}

// panels are the panels that are present.
func (f Figure) panels() []lettered {
	var out []lettered
	if f.A != nil {
		out = append(out, lettered{"a", *f.A})
	}
	if f.B != nil {
		out = append(out, lettered{"b", *f.B})
	}
	if f.C != nil {
		out = append(out, lettered{"c", *f.C})
	}
	if f.D != nil {
		out = append(out, lettered{"d", *f.D})
	}
	return out
}

// Size is the size of the page: 180 mm wide, as high as the panels need.
func (f Figure) Size() (width, height vg.Length) { return f.size(f.panels()) }

func (f Figure) size(panels []lettered) (width, height vg.Length) {
	height = 2 * pageMargin
	for i, p := range panels {
		if i > 0 {
			height += panelGap
		}
		height += p.Height()
	}
	if len(f.foot()) > 0 {
		height += footHeight
	}
	return pageW, height
}

// Draw draws the page into a canvas of the size that Size says.
func (f Figure) Draw(c draw.Canvas) error { return f.draw(c, f.panels()) }

func (f Figure) draw(c draw.Canvas, panels []lettered) error {
	if len(panels) == 0 {
		return ErrEmpty
	}
	y := c.Max.Y - pageMargin
	for _, p := range panels {
		h := p.Height()
		box := rect(c.Min.X, y-h, contentW, h)
		if err := p.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: box}); err != nil {
			return err
		}
		line{{s: p.letter, bold: true}}.draw(c, vg.Point{X: c.Min.X + 0.6*mm, Y: y},
			textBox{size: letterPt, ay: 1})
		y -= h + panelGap
	}
	if foot := f.foot(); len(foot) > 0 {
		foot.draw(c, vg.Point{X: c.Min.X + leftEdge, Y: c.Min.Y + pageMargin + 0.6*mm},
			textBox{size: tickPt, color: muted()})
	}
	return nil
}

// foot is the note at the foot of the page, in one line.
func (f Figure) foot() line {
	var l line
	room := pageW - 6*mm
	if f.Miniature {
		l = append(l, run{s: miniature + " ", bold: true})
		room -= l.width(tickPt)
	}
	if f.Note != "" {
		l = append(l, run{s: fit(f.Note, tickPt, room)})
	}
	return l
}

// Alt is the whole figure in words: the alternative text that goes into the files.
func (f Figure) Alt() string { return f.alt(f.panels()) }

func (f Figure) alt(panels []lettered) string {
	var parts []string
	for _, p := range panels {
		parts = append(parts, fmt.Sprintf("Panel %s. %s", p.letter, p.Alt()))
	}
	if foot := f.foot(); len(foot) > 0 {
		parts = append(parts, foot.plainText())
	}
	return clean(strings.Join(parts, " "))
}

func (f Figure) title() string {
	if f.Title == "" {
		return publishedTitle
	}
	return clean(f.Title)
}
