package figure

import (
	"image"
	"image/color"
	"math"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"gansim.example/gansim/imaging"
)

// ImageGrid draws images in square cells, row by row from the top left, each with a frame of one
// colour when Frame is not zero. Images that are not square keep their shape inside the cell.
type ImageGrid struct {
	Images  []imaging.RGB
	Columns int         // zero means all images in one row
	Gap     vg.Length   // between cells; zero means none
	Frame   color.NRGBA // zero means no frame
	// Border is the width of the frame; zero means 0.35 mm.
	Border vg.Length
}

// NewImageGrid returns a grid, or an error if an image has too few pixels.
func NewImageGrid(images []imaging.RGB, columns int) (*ImageGrid, error) {
	if err := checkImages("image grid", images); err != nil {
		return nil, err
	}
	return &ImageGrid{Images: images, Columns: columns}, nil
}

// Plot implements plot.Plotter. The grid fills the width or the height of the canvas, whichever is
// smaller, from the top left corner; the scales of the plot do not matter.
func (g *ImageGrid) Plot(c draw.Canvas, _ *plot.Plot) {
	cols := g.columns()
	if cols == 0 {
		return
	}
	rows := (len(g.Images) + cols - 1) / cols
	size := c.Size()
	cell := min((size.X-vg.Length(cols-1)*g.Gap)/vg.Length(cols),
		(size.Y-vg.Length(rows-1)*g.Gap)/vg.Length(rows))
	for i, m := range g.Images {
		x := c.Min.X + vg.Length(i%cols)*(cell+g.Gap)
		y := c.Max.Y - vg.Length(i/cols)*(cell+g.Gap) - cell
		g.drawCell(c, rect(x, y, cell, cell), m)
	}
}

func (g *ImageGrid) columns() int {
	if g.Columns > 0 {
		return g.Columns
	}
	return len(g.Images)
}

// drawCell draws one image; the frame lies inside the cell, around the image.
func (g *ImageGrid) drawCell(c draw.Canvas, cell vg.Rectangle, m imaging.RGB) {
	inner := cell
	if g.Frame != (color.NRGBA{}) {
		border := g.Border
		if border == 0 {
			border = 0.35 * mm
		}
		c.FillPolygon(g.Frame, []vg.Point{cell.Min, {X: cell.Max.X, Y: cell.Min.Y},
			cell.Max, {X: cell.Min.X, Y: cell.Max.Y}})
		inner = rect(cell.Min.X+border, cell.Min.Y+border,
			cell.Size().X-2*border, cell.Size().Y-2*border)
	}
	drawImage(c, inner, m)
}

// drawImage draws an image as large as it fits into the box, centred.
func drawImage(c draw.Canvas, box vg.Rectangle, m imaging.RGB) {
	size := box.Size()
	scale := min(size.X/vg.Length(m.Width), size.Y/vg.Length(m.Height))
	w, h := scale*vg.Length(m.Width), scale*vg.Length(m.Height)
	at := rect((box.Min.X+box.Max.X-w)/2, (box.Min.Y+box.Max.Y-h)/2, w, h)
	c.DrawImage(at, reduced(m, w))
}

// reduced is the image, made smaller when it has far more pixels than the page can show at width w.
func reduced(m imaging.RGB, w vg.Length) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Width * m.Height {
		img.Pix[4*i], img.Pix[4*i+1] = m.Pix[3*i], m.Pix[3*i+1]
		img.Pix[4*i+2], img.Pix[4*i+3] = m.Pix[3*i+2], 0xff
	}
	want := int(math.Ceil(float64(w/vg.Inch) * pixelsPerInch))
	if m.Width <= want+want/4 || want < 1 {
		return img
	}
	high := max(1, m.Height*want/m.Width)
	small := image.NewNRGBA(image.Rect(0, 0, want, high))
	xdraw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), xdraw.Src, nil)
	return small
}
