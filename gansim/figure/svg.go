package figure

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// svgCanvas is a vg.Canvas that writes SVG. Runs of text are placed by their widths in Liberation
// Sans; a viewer without it fits another font into the same widths, so that nothing overlaps.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length // of the texts, in the order of drawing
}

// newSVG returns an empty page.
func newSVG(w, h vg.Length) *svgCanvas { return &svgCanvas{Canvas: vgsvg.New(w, h)} }

// FillString implements vg.Canvas. Viewers drop spaces at the ends of a text.
func (c *svgCanvas) FillString(f font.Face, pt vg.Point, text string) {
	bare := strings.TrimLeft(text, " ")
	pt.X += f.Width(text[:len(text)-len(bare)])
	text = strings.TrimRight(bare, " ")
	c.widths = append(c.widths, f.Width(text))
	c.Canvas.FillString(f, pt, text)
}

// encode closes the document. It adds title and description, names fallback fonts, gives each text
// its width, and corrects the type of the images that gonum embeds (it writes PNG data as image/jpg).
func (c *svgCanvas) encode(title, alt string) ([]byte, error) {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure: svg: %w", err)
	}
	head, body, ok := strings.Cut(b.String(), "xlink\">\n")
	if !ok {
		return nil, fmt.Errorf("figure: svg: no end of the opening tag")
	}
	head = strings.Replace(head, "<svg ", `<svg role="img" aria-labelledby="title desc" `, 1)
	body = strings.NewReplacer(
		"data:image/jpg;", "data:image/png;",
		"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;",
	).Replace(body)
	texts := strings.Split(body, "<text ")
	if len(texts) != len(c.widths)+1 {
		return nil, fmt.Errorf("figure: svg: %d texts, want %d", len(texts)-1, len(c.widths))
	}
	var out strings.Builder
	fmt.Fprintf(&out, `%sxlink">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<rect width="100%%" height="100%%" fill="#FFFFFF"/>
%s`, head, html.EscapeString(title), html.EscapeString(alt), texts[0])
	for i, text := range texts[1:] {
		fmt.Fprintf(&out, `<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" %s`,
			c.widths[i].Points(), text)
	}
	return []byte(out.String()), nil
}
