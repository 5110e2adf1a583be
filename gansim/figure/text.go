package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"gansim.example/gansim/ranktest"
)

// labelInk is the colour of a label of a kind, dark enough to read on white.
func labelInk(k Kind) color.NRGBA {
	switch k {
	case DeePSim:
		return k.Color()
	case BigGAN:
		return blend(k.Color(), color.NRGBA{A: 0xff}, 0.2)
	case Control:
		return blend(k.Color(), color.NRGBA{A: 0xff}, 0.35)
	}
	return black()
}

// estimateText prints a value and its standard error with as many decimals as the error deserves.
func estimateText(e Estimate) string {
	digits := 2
	if e.SE > 0 {
		digits = min(max(int(math.Ceil(-math.Log10(e.SE)-1e-9)), 0), 6)
	}
	text := strconv.FormatFloat(e.Value, 'f', digits, 64)
	if e.SE > 0 {
		text += " ± " + strconv.FormatFloat(e.SE, 'f', digits, 64)
	}
	return minus(text)
}

// pText prints a P value from its logarithm: exact down to 0.001, then as a power of ten.
func pText(log10p float64) line {
	p := line{{s: "P", slant: true}}
	if log10p > -3 {
		digits := 2
		if log10p < math.Log10(0.095) {
			digits = 3
		}
		v := strconv.FormatFloat(math.Pow(10, math.Min(0, log10p)), 'f', digits, 64)
		return append(p, run{s: " = " + v})
	}
	exponent := math.Floor(log10p)
	mantissa := math.Round(math.Pow(10, log10p-exponent)*10) / 10
	if mantissa >= 10 {
		mantissa, exponent = 1, exponent+1
	}
	return append(p,
		run{s: " = " + strconv.FormatFloat(mantissa, 'f', 1, 64) + " × 10"},
		run{s: minus(strconv.FormatFloat(exponent, 'f', 0, 64)), super: true})
}

// testText prints P, the effect size and N of a test, separated by commas.
func testText(t Test) line {
	l := pText(t.Log10P)
	if t.HasEffect {
		l = append(l, run{s: ", "}, run{s: "r", slant: true},
			run{s: minus(fmt.Sprintf(" = %.2f", t.Effect))})
	}
	return append(l, run{s: ", "}, run{s: "N", slant: true}, run{s: " = " + count(t.N)})
}

// plural is "1 image" or "2,000 images".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// plainText is the line without styles, for alternative texts.
func (l line) plainText() string {
	var b strings.Builder
	for _, r := range l {
		if r.super {
			b.WriteString("^")
		}
		b.WriteString(r.s)
	}
	return b.String()
}

// key is an entry of a legend.
type key struct {
	color color.NRGBA
	label line
}

// drawKeys draws a legend in one row from the left; it returns the right end.
func drawKeys(c draw.Canvas, pt vg.Point, keys []key) vg.Length {
	for _, k := range keys {
		mid := vg.Point{X: pt.X + 0.9*mm, Y: pt.Y}
		dots(c, []vg.Point{mid}, 0.85*mm, k.color)
		pt.X += 2.4 * mm
		k.label.draw(c, pt, textBox{size: labelPt, ay: 0.5})
		pt.X += k.label.width(labelPt) + 4*mm
	}
	return pt.X
}

// joinSets lists items in words, separated by commas.
func joinSets[T any](items []T, name func(T) string) string {
	var parts []string
	for _, it := range items {
		parts = append(parts, name(it))
	}
	return strings.Join(parts, ", ")
}

// medianText is " median 0.52", or nothing for no values.
func medianText(values []float64) string {
	q, err := ranktest.Quantiles(slices.Clone(values), 0.5)
	if err != nil || len(q) == 0 {
		return " (empty)"
	}
	return fmt.Sprintf(" median %.3g", q[0])
}
