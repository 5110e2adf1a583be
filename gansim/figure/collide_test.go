package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// spy is a canvas that only remembers where text is put.
type spy struct {
	w, h  vg.Length
	stack [][6]float64
	texts []placed
}

// placed is the box of a text, as its four corners in points.
type placed struct {
	text    string
	corners [4][2]float64
}

func newSpy(w, h vg.Length) *spy {
	return &spy{w: w, h: h, stack: [][6]float64{{1, 0, 0, 1, 0, 0}}}
}

func (s *spy) Size() (x, y vg.Length)             { return s.w, s.h }
func (s *spy) SetLineWidth(vg.Length)             {}
func (s *spy) SetLineDash([]vg.Length, vg.Length) {}
func (s *spy) SetColor(color.Color)               {}
func (s *spy) Stroke(vg.Path)                     {}
func (s *spy) Fill(vg.Path)                       {}
func (s *spy) Pop()                               { s.stack = s.stack[:len(s.stack)-1] }
func (s *spy) Scale(x, y float64)                 { s.concat([6]float64{x, 0, 0, y, 0, 0}) }

func (s *spy) DrawImage(vg.Rectangle, image.Image) {}

func (s *spy) Push() { s.stack = append(s.stack, s.stack[len(s.stack)-1]) }

func (s *spy) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	s.concat([6]float64{cos, sin, -sin, cos, 0, 0})
}

func (s *spy) Translate(pt vg.Point) {
	s.concat([6]float64{1, 0, 0, 1, pt.X.Points(), pt.Y.Points()})
}

func (s *spy) concat(b [6]float64) {
	a := &s.stack[len(s.stack)-1]
	*a = [6]float64{
		a[0]*b[0] + a[2]*b[1], a[1]*b[0] + a[3]*b[1],
		a[0]*b[2] + a[2]*b[3], a[1]*b[2] + a[3]*b[3],
		a[0]*b[4] + a[2]*b[5] + a[4], a[1]*b[4] + a[3]*b[5] + a[5],
	}
}

func (s *spy) FillString(f font.Face, pt vg.Point, text string) {
	if text == "" {
		return
	}
	m := s.stack[len(s.stack)-1]
	w, h := f.Width(text).Points(), capHeight*f.Font.Size.Points()
	low := 0.0
	if strings.ContainsAny(text, "gjpqy,(") {
		low = -0.2 * f.Font.Size.Points() // descenders
	}
	p := placed{text: text}
	for i, d := range [4][2]float64{{0, low}, {w, low}, {w, h}, {0, h}} {
		x, y := pt.X.Points()+d[0], pt.Y.Points()+d[1]
		p.corners[i] = [2]float64{m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]}
	}
	s.texts = append(s.texts, p)
}

// overlap is the separating axis test for two turned rectangles; touching by less than 0.2 pt in
// any direction counts as apart.
func overlap(a, b placed) bool {
	for _, r := range []placed{a, b} {
		for i := range 2 {
			ex := r.corners[i+1][0] - r.corners[i][0]
			ey := r.corners[i+1][1] - r.corners[i][1]
			n := math.Hypot(ex, ey)
			if n == 0 {
				continue
			}
			alo, ahi := extent(a, ex/n, ey/n)
			blo, bhi := extent(b, ex/n, ey/n)
			if ahi < blo+0.2 || bhi < alo+0.2 {
				return false
			}
		}
	}
	return true
}

func extent(p placed, ux, uy float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, c := range p.corners {
		d := c[0]*ux + c[1]*uy
		lo, hi = math.Min(lo, d), math.Max(hi, d)
	}
	return lo, hi
}

// TestNoCollisions draws pages of many sizes and checks that no two texts touch, that all text lies
// on the page, and that the page is no higher than a journal's.
func TestNoCollisions(t *testing.T) {
	for name, f := range pages() {
		t.Run(name, func(t *testing.T) {
			w, h := f.Size()
			if h > 240*mm {
				t.Errorf("page is %.1f mm high, want at most 240", h/mm)
			}
			s := newSpy(w, h)
			if err := f.Draw(draw.New(s)); err != nil {
				t.Fatal(err)
			}
			checkTexts(t, s)
		})
	}
}

func checkTexts(t *testing.T, s *spy) {
	t.Helper()
	for i, a := range s.texts {
		for _, c := range a.corners {
			if c[0] < 0 || c[1] < 0 || c[0] > s.w.Points() || c[1] > s.h.Points() {
				t.Errorf("%q leaves the page at %.1f, %.1f pt", a.text, c[0], c[1])
				break
			}
		}
		for _, b := range s.texts[:i] {
			if overlap(a, b) {
				t.Errorf("%q and %q collide at %v", a.text, b.text, fmt.Sprint(a.corners[0]))
			}
		}
	}
}
