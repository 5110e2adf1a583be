package features_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"gansim.example/gansim/features"
)

// BenchmarkConvert decodes a JPEG of 500 x 375 pixels and prepares it for Inception. For 101 photographs
// of about that size Pillow takes 2.6 ms each for the paper's way and 4.9 ms for clean-fid's; this 4.8
// and 6.6, one core of the same machine.
func BenchmarkConvert(b *testing.B) {
	m := image.NewRGBA(image.Rect(0, 0, 500, 375))
	for y := range 375 {
		for x := range 500 {
			v := 128 + 60*math.Sin(float64(x)/9)*math.Cos(float64(y)/14) + float64((x*7+y*13)%23)
			m.SetRGBA(x, y, color.RGBA{R: uint8(v), G: uint8(v / 2), B: uint8(255 - v), A: 255})
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 92}); err != nil {
		b.Fatal(err)
	}
	for _, c := range features.Conventions() {
		b.Run(c.Name, func(b *testing.B) {
			convert := c.Convert(false, 299)
			for b.Loop() {
				if _, err := convert.File(bytes.NewReader(file.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
