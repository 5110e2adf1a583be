package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pixelsPerInch is the resolution of PNG files and of everything that is drawn as pixels in the
// vector files. 180 mm at 400 per inch are 2834 pixels.
const pixelsPerInch = 400

// manyDots is the number of dots above which a cloud is drawn as pixels, also in SVG and PDF,
// to keep the files small.
const manyDots = 600

// dots draws filled circles of one colour, which may be translucent.
func dots(c draw.Canvas, pts []vg.Point, radius vg.Length, col color.NRGBA) {
	if len(pts) > manyDots {
		cloud(c, pts, radius, col)
		return
	}
	c.SetColor(col)
	for _, pt := range pts {
		var p vg.Path
		p.Move(vg.Point{X: pt.X + radius, Y: pt.Y})
		p.Arc(pt, radius, 0, 2*math.Pi)
		p.Close()
		c.Fill(p)
	}
}

// cloud draws dots into one image on the grid of the PNG's pixels.
func cloud(c draw.Canvas, pts []vg.Point, radius vg.Length, col color.NRGBA) {
	const px = vg.Inch / pixelsPerInch
	lo, hi := pts[0], pts[0]
	for _, pt := range pts {
		lo.X, lo.Y = min(lo.X, pt.X), min(lo.Y, pt.Y)
		hi.X, hi.Y = max(hi.X, pt.X), max(hi.Y, pt.Y)
	}
	x0 := int(math.Floor(float64((lo.X-radius)/px))) - 1
	y0 := int(math.Floor(float64((lo.Y-radius)/px))) - 1
	w := int(math.Ceil(float64((hi.X+radius)/px))) + 1 - x0
	h := int(math.Ceil(float64((hi.Y+radius)/px))) + 1 - y0
	clear := make([]float64, w*h) // how much of the ground shows through
	for i := range clear {
		clear[i] = 1
	}
	r := float64(radius / px)
	alpha := float64(col.A) / 255
	for _, pt := range pts {
		stamp(clear, w, h, float64(pt.X/px)-float64(x0), float64(pt.Y/px)-float64(y0), r, alpha)
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			a := uint8(math.Round(255 * (1 - clear[y*w+x])))
			img.SetNRGBA(x, h-1-y, color.NRGBA{R: col.R, G: col.G, B: col.B, A: a})
		}
	}
	c.DrawImage(rect(vg.Length(x0)*px, vg.Length(y0)*px, vg.Length(w)*px, vg.Length(h)*px), img)
}

// stamp lays one antialiased disc over the layer.
func stamp(clear []float64, w, h int, cx, cy, r, alpha float64) {
	for y := max(0, int(cy-r-1)); y <= min(h-1, int(cy+r+1)); y++ {
		for x := max(0, int(cx-r-1)); x <= min(w-1, int(cx+r+1)); x++ {
			d := math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy)
			cover := math.Min(1, math.Max(0, r-d+0.5))
			clear[y*w+x] *= 1 - alpha*cover
		}
	}
}

// withAlpha is the colour with another opacity.
func withAlpha(c color.NRGBA, a uint8) color.NRGBA {
	c.A = a
	return c
}
