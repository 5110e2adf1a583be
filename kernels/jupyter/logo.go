package jupyter

import (
	"bytes"
	_ "embed"
	"image"
	"image/color"
	"image/png"
	"math"
)

// logoSVG is the kernels' logo: two fields that overlap, with what both see in the middle.
//
//go:embed logo.svg
var logoSVG []byte

// shape is a part of the logo on a field of 64 by 64: a ring, or a disc where inner is 0.
type shape struct {
	x, y, inner, outer float64
	paint              color.RGBA
}

// shapes are logo.svg's, in its order.
var shapes = []shape{
	{26, 32, 15.25, 18.75, color.RGBA{0x00, 0xad, 0xd8, 255}},
	{26, 32, 7.75, 11.25, color.RGBA{0x7f, 0xd6, 0xec, 255}},
	{38, 32, 15.25, 18.75, color.RGBA{0xf2, 0xa5, 0x41, 255}},
	{32, 32, 0, 4.5, color.RGBA{255, 255, 255, 255}},
}

// logo draws the logo as PNG, size pixels wide and high.
func logo(size int) []byte {
	const samples = 4 // of a pixel, each way
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			var r, g, b, a int
			for i := range samples * samples {
				c := logoAt((float64(x)+(float64(i%samples)+.5)/samples)*64/float64(size),
					(float64(y)+(float64(i/samples)+.5)/samples)*64/float64(size))
				if c.A > 0 {
					r, g, b, a = r+int(c.R), g+int(c.G), b+int(c.B), a+1
				}
			}
			if a > 0 {
				img.SetNRGBA(x, y, color.NRGBA{uint8(r / a), uint8(g / a), uint8(b / a),
					uint8(255 * a / (samples * samples))})
			}
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a buffer takes everything
	return out.Bytes()
}

// logoAt is the colour at a point, see-through outside the rounded square.
func logoAt(x, y float64) color.RGBA {
	const radius = 12
	dx, dy := max(radius-x, x-64+radius, 0), max(radius-y, y-64+radius, 0)
	if math.Hypot(dx, dy) > radius {
		return color.RGBA{}
	}
	c := color.RGBA{0x0b, 0x3c, 0x49, 255}
	for _, s := range shapes {
		if d := math.Hypot(x-s.x, y-s.y); d >= s.inner && d <= s.outer {
			c = s.paint
		}
	}
	return c
}
