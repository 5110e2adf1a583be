package figure

import (
	"image/color"
	"math"
	"strconv"
	"strings"
	"unicode"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of the page. A journal's double column is 180 mm wide.
const (
	mm          = vg.Millimeter
	pageW       = 180 * mm
	contentW    = pageW - 1.5*mm // the right edge of every panel
	leftAxis    = 8.5 * mm       // room for a y axis with its label
	leftEdge    = 3 * mm         // from the page to the first y axis label
	leastHeight = 8 * mm         // of a panel with nothing in it

	smallPt  = vg.Length(5.5) // numbers inside cells
	tickPt   = vg.Length(6)
	labelPt  = vg.Length(6.5)
	letterPt = vg.Length(9)

	hairline = vg.Length(0.35)
	thin     = vg.Length(0.5)
	medium   = vg.Length(0.8)
	tickLen  = 0.7 * mm
)

// capHeight is the height of a capital of Liberation Sans in units of the font size (OS/2 table).
const capHeight = 0.716

// black is the colour of text and axes; muted that of notes.
func black() color.NRGBA { return color.NRGBA{R: 0x1a, G: 0x1a, B: 0x1a, A: 0xff} }
func muted() color.NRGBA { return color.NRGBA{R: 0x5f, G: 0x5f, B: 0x5f, A: 0xff} }
func white() color.NRGBA { return color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff} }

// Color is the colour of a kind of image set.
func (k Kind) Color() color.NRGBA { return k.Tint(0) }

// Tint is the colour of the i-th set of a kind, each lighter than the one before.
func (k Kind) Tint(i int) color.NRGBA {
	base, end := color.NRGBA{}, 0.62
	switch k {
	case DeePSim:
		base = color.NRGBA{R: 0x1f, G: 0x4e, B: 0xa8, A: 0xff}
	case BigGAN:
		base = color.NRGBA{R: 0xe5, G: 0x5b, B: 0x4b, A: 0xff}
	case Control:
		base = color.NRGBA{R: 0xe0, G: 0xc5, B: 0x70, A: 0xff}
	default:
		base, end = color.NRGBA{R: 0x4a, G: 0x4a, B: 0x4a, A: 0xff}, 0.72
	}
	const step = 0.24
	return blend(base, white(), math.Min(end, step*float64(i)))
}

// String is the name of the kind in the figure.
func (k Kind) String() string {
	switch k {
	case DeePSim:
		return "DeePSim"
	case BigGAN:
		return "BigGAN"
	case Control:
		return "control"
	}
	return "natural"
}

// tints gives every set its colour, by kind and order of first appearance.
func tints(sets []Set) map[string]color.NRGBA {
	out := make(map[string]color.NRGBA)
	seen := make(map[Kind]int)
	for _, s := range sets {
		if _, ok := out[s.Name]; ok {
			continue
		}
		out[s.Name] = s.Kind.Tint(seen[s.Kind])
		seen[s.Kind]++
	}
	return out
}

// blend mixes two opaque colours: t = 0 is a, t = 1 is b.
func blend(a, b color.NRGBA, t float64) color.NRGBA {
	mix := func(x, y uint8) uint8 {
		return uint8(math.Round(float64(x) + t*(float64(y)-float64(x))))
	}
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 0xff}
}

// luminance is the relative luminance of WCAG 2, in [0, 1].
func luminance(c color.NRGBA) float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
}

// run is a piece of a line of text in one style.
type run struct {
	s           string
	bold, slant bool
	super       bool
	color       color.Color // nil means the colour of the line
}

// line is a line of text.
type line []run

// plain is a line in one style; text from data always comes through here or through clean.
func plain(s string) line { return line{{s: clean(s)}} }

// clean makes text safe for every output: control characters and line breaks become spaces,
// bytes that are not UTF-8 become U+FFFD, and direction marks are dropped.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Cf, r), r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// textBox says how a line is placed at a point: ax 0, .5, 1 puts its left end, middle, right end
// there; ay 0, .5, 1 its baseline, middle of the capitals, top of the capitals. turn is in radians.
type textBox struct {
	size   vg.Length
	color  color.Color
	ax, ay float64
	turn   float64
}

func face(r run, size vg.Length) font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if r.super {
		f.Size = size * 0.72
	}
	if r.bold {
		f.Weight = xfont.WeightBold
	}
	if r.slant {
		f.Style = xfont.StyleItalic
	}
	return font.DefaultCache.Lookup(f, f.Size)
}

// width is the length of the line at a font size.
func (l line) width(size vg.Length) vg.Length {
	var w vg.Length
	for _, r := range l {
		f := face(r, size)
		w += f.Width(r.s)
	}
	return w
}

// draw draws the line.
func (l line) draw(c draw.Canvas, pt vg.Point, b textBox) {
	if b.color == nil {
		b.color = black()
	}
	c.Push()
	defer c.Pop()
	c.Translate(pt)
	if b.turn != 0 {
		c.Rotate(b.turn)
	}
	x := -vg.Length(b.ax) * l.width(b.size)
	y := -vg.Length(b.ay*capHeight) * b.size
	for _, r := range l {
		f := face(r, b.size)
		// SVG drops spaces at the start of a text, so they are made by moving.
		text := strings.TrimLeft(r.s, " ")
		x += f.Width(r.s[:len(r.s)-len(text)])
		c.SetColor(b.color)
		if r.color != nil {
			c.SetColor(r.color)
		}
		up := vg.Length(0)
		if r.super {
			up = 0.38 * b.size
		}
		c.FillString(f, vg.Point{X: x, Y: y + up}, text)
		x += f.Width(text)
	}
}

// fit shortens the text with an ellipsis until it is at most w wide.
func fit(s string, size, w vg.Length) string {
	s = clean(s)
	if plain(s).width(size) <= w {
		return s
	}
	rs := []rune(s)
	for n := len(rs) - 1; n > 0; n-- {
		t := strings.TrimRight(string(rs[:n]), " ") + "…"
		if plain(t).width(size) <= w {
			return t
		}
	}
	return "…"
}

// count prints a whole number with thousands separated by commas.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// minus replaces the hyphen of a negative number by a minus sign.
func minus(s string) string { return strings.ReplaceAll(s, "-", "\u2212") }
