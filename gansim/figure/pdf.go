package figure

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"time"

	"codeberg.org/go-pdf/fpdf"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas is a vg.Canvas that writes PDF. gonum's own writes the time of day into the file,
// orders objects at random and knows only the characters of code page 1252; here the same drawing
// gives the same bytes, and text stays text in any script that the font has.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	w, h   vg.Length
	stack  []pdfState
	fonts  map[string]bool
	images int
	err    error
}

// pdfState is what Push saves: colour, line and the map from canvas to page (x, y upwards).
type pdfState struct {
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	offset vg.Length
	m      [6]float64 // x' = m0 x + m2 y + m4, y' = m1 x + m3 y + m5
}

// newPDF returns an empty page.
func newPDF(w, h vg.Length, title, subject string) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt",
		Size: fpdf.SizeType{Wd: w.Points(), Ht: h.Points()}})
	doc.SetCatalogSort(true)
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetProducer("gansim", true)
	doc.SetTitle(title, true)
	doc.SetSubject(subject, true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	c := &pdfCanvas{doc: doc, w: w, h: h, fonts: make(map[string]bool),
		stack: []pdfState{{m: [6]float64{1, 0, 0, 1, 0, 0}, color: color.Black}}}
	vg.Initialize(c)
	return c
}

// encode closes the document.
func (c *pdfCanvas) encode() ([]byte, error) {
	if c.err != nil {
		return nil, fmt.Errorf("figure: pdf: %w", c.err)
	}
	var b bytes.Buffer
	if err := c.doc.Output(&b); err != nil {
		return nil, fmt.Errorf("figure: pdf: %w", err)
	}
	return b.Bytes(), nil
}

func (c *pdfCanvas) top() *pdfState { return &c.stack[len(c.stack)-1] }

// Size implements vg.CanvasSizer.
func (c *pdfCanvas) Size() (x, y vg.Length) { return c.w, c.h }

// SetLineWidth implements vg.Canvas.
func (c *pdfCanvas) SetLineWidth(w vg.Length) { c.top().width = w }

// SetLineDash implements vg.Canvas.
func (c *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.top().dashes, c.top().offset = pattern, offset
}

// SetColor implements vg.Canvas.
func (c *pdfCanvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.top().color = col
}

// Push implements vg.Canvas.
func (c *pdfCanvas) Push() { c.stack = append(c.stack, *c.top()) }

// Pop implements vg.Canvas.
func (c *pdfCanvas) Pop() {
	if len(c.stack) > 1 {
		c.stack = c.stack[:len(c.stack)-1]
	}
}

// Rotate implements vg.Canvas.
func (c *pdfCanvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.concat([6]float64{cos, sin, -sin, cos, 0, 0})
}

// Translate implements vg.Canvas.
func (c *pdfCanvas) Translate(pt vg.Point) {
	c.concat([6]float64{1, 0, 0, 1, pt.X.Points(), pt.Y.Points()})
}

// Scale implements vg.Canvas.
func (c *pdfCanvas) Scale(x, y float64) { c.concat([6]float64{x, 0, 0, y, 0, 0}) }

// concat applies b before the current map.
func (c *pdfCanvas) concat(b [6]float64) {
	a := c.top().m
	c.top().m = [6]float64{
		a[0]*b[0] + a[2]*b[1], a[1]*b[0] + a[3]*b[1],
		a[0]*b[2] + a[2]*b[3], a[1]*b[2] + a[3]*b[3],
		a[0]*b[4] + a[2]*b[5] + a[4], a[1]*b[4] + a[3]*b[5] + a[5],
	}
}

// page is the place of a point on the page, y downwards as fpdf has it.
func (c *pdfCanvas) page(pt vg.Point) (x, y float64) {
	m, px, py := c.top().m, pt.X.Points(), pt.Y.Points()
	return m[0]*px + m[2]*py + m[4], c.h.Points() - (m[1]*px + m[3]*py + m[5])
}

// Stroke implements vg.Canvas.
func (c *pdfCanvas) Stroke(p vg.Path) {
	s := c.top()
	if s.width <= 0 {
		return
	}
	c.ink()
	c.doc.SetLineWidth(s.width.Points())
	dashes := make([]float64, len(s.dashes))
	for i, d := range s.dashes {
		dashes[i] = d.Points()
	}
	c.doc.SetDashPattern(dashes, s.offset.Points())
	c.path(p)
	c.doc.DrawPath("D")
}

// Fill implements vg.Canvas.
func (c *pdfCanvas) Fill(p vg.Path) {
	c.ink()
	c.path(p)
	c.doc.DrawPath("F")
}

// ink sets the colours of the document.
func (c *pdfCanvas) ink() {
	col, _ := color.NRGBAModel.Convert(c.top().color).(color.NRGBA)
	r, g, b := int(col.R), int(col.G), int(col.B)
	c.doc.SetFillColor(r, g, b)
	c.doc.SetDrawColor(r, g, b)
	c.doc.SetTextColor(r, g, b)
	c.doc.SetAlpha(float64(col.A)/255, "Normal")
}

// path writes the outline; arcs become Bézier curves.
func (c *pdfCanvas) path(p vg.Path) {
	for _, comp := range p {
		switch comp.Type {
		case vg.MoveComp:
			c.doc.MoveTo(c.page(comp.Pos))
		case vg.LineComp:
			c.doc.LineTo(c.page(comp.Pos))
		case vg.CloseComp:
			c.doc.ClosePath()
		case vg.ArcComp:
			c.arc(comp)
		case vg.CurveComp:
			x, y := c.page(comp.Pos)
			switch len(comp.Control) {
			case 1:
				x0, y0 := c.page(comp.Control[0])
				c.doc.CurveTo(x0, y0, x, y)
			case 2:
				x0, y0 := c.page(comp.Control[0])
				x1, y1 := c.page(comp.Control[1])
				c.doc.CurveBezierCubicTo(x0, y0, x1, y1, x, y)
			}
		}
	}
}

// arc writes an arc as cubic curves of at most a quarter turn, joined to the current point.
func (c *pdfCanvas) arc(comp vg.PathComp) {
	n := max(1, int(math.Ceil(math.Abs(comp.Angle)/(math.Pi/2)-1e-9)))
	step := comp.Angle / float64(n)
	k := comp.Radius * vg.Length(4.0/3*math.Tan(step/4))
	at := func(angle float64) (pt, tangent vg.Point) {
		sin, cos := math.Sincos(angle)
		x, y := vg.Length(cos), vg.Length(sin)
		return vg.Point{X: comp.Pos.X + comp.Radius*x, Y: comp.Pos.Y + comp.Radius*y},
			vg.Point{X: -k * y, Y: k * x}
	}
	from, tan := at(comp.Start)
	c.doc.LineTo(c.page(from))
	for i := range n {
		to, next := at(comp.Start + step*float64(i+1))
		x0, y0 := c.page(from.Add(tan))
		x1, y1 := c.page(to.Sub(next))
		x, y := c.page(to)
		c.doc.CurveBezierCubicTo(x0, y0, x1, y1, x, y)
		from, tan = to, next
	}
}

// FillString implements vg.Canvas.
func (c *pdfCanvas) FillString(f font.Face, pt vg.Point, text string) {
	name := "Liberation"
	if f.Font.Weight == xfont.WeightBold {
		name += "Bold"
	}
	if f.Font.Style == xfont.StyleItalic {
		name += "Italic"
	}
	if !c.fonts[name] {
		var raw bytes.Buffer
		if _, err := f.Face.WriteSourceTo(nil, &raw); err != nil {
			c.err = err
			return
		}
		c.doc.AddUTF8FontFromBytes(name, "", raw.Bytes())
		c.fonts[name] = true
	}
	c.ink()
	c.doc.SetFont(name, "", f.Font.Size.Points())
	x, y := c.page(pt)
	m := c.top().m
	c.doc.TransformBegin()
	c.doc.TransformRotate(math.Atan2(m[1], m[0])*180/math.Pi, x, y)
	c.doc.Text(x, y, text)
	c.doc.TransformEnd()
}

// DrawImage implements vg.Canvas. The rectangle must not be turned.
func (c *pdfCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		c.err = err
		return
	}
	c.images++
	name := fmt.Sprintf("image%05d", c.images)
	opt := fpdf.ImageOptions{ImageType: "png"}
	info := c.doc.RegisterImageOptionsReader(name, opt, &b)
	if err := rank(info, c.images); err != nil {
		c.err = err
		return
	}
	x0, y0 := c.page(vg.Point{X: r.Min.X, Y: r.Max.Y})
	x1, y1 := c.page(vg.Point{X: r.Max.X, Y: r.Min.Y})
	c.doc.SetAlpha(1, "Normal")
	c.doc.ImageOptions(name, x0, y0, x1-x0, y1-y0, false, opt, 0, "")
}

// rank makes the order of images in the file that of their drawing. fpdf sorts them by width,
// which is a float64 that it writes as a whole number, and leaves ties to chance; so the i-th image
// gets i millionths of a pixel more. The only door to the field is the type's own gob encoding.
func rank(info *fpdf.ImageInfoType, i int) error {
	if info == nil {
		return errors.New("image refused")
	}
	raw, err := info.GobEncode()
	if err != nil {
		return err
	}
	var (
		data, mask, palette       []byte
		number, bits              int
		width, height, scale, dpi float64
		space, filter, parameters string
		transparent               []int
		in                        = gob.NewDecoder(bytes.NewReader(raw))
		packed                    bytes.Buffer
		out                       = gob.NewEncoder(&packed)
		fields                    = []any{&data, &mask, &number, &width, &height, &space,
			&palette, &bits, &filter, &parameters, &transparent, &scale, &dpi}
	)
	for _, field := range fields {
		if err := in.Decode(field); err != nil {
			return err
		}
	}
	width += 1e-6 * float64(i)
	for _, field := range fields {
		if err := out.Encode(field); err != nil {
			return err
		}
	}
	return info.GobDecode(packed.Bytes())
}
