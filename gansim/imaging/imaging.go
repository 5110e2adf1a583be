// Package imaging turns image files into RGB pixels and pixels into pictures: it decodes files,
// resizes as Pillow, PyTorch and OpenCV do, letterboxes, crops, quantises and lays out montages.
//
// Pixels are RGB, row by row, [height, width, 3], uint8 in 0..255; batches of float pixels are
// [gansim.Images], [batch, height, width, 3] in [0, 1]. What a file means is what Pillow's
// Image.open(f).convert("RGB") says (13.0.0), unless a function says otherwise:
//
//   - The content decides the format, never the name.
//   - Alpha is dropped: colours as stored, also where alpha is 0. Colour keys likewise.
//   - 16-bit samples give their high byte, grey too (there Pillow clips at 255, nearly all white).
//   - CMYK and YCCK are taken as Adobe's, inverted; profiles, gamma and chromaticities are ignored.
//   - Photographs are turned by their EXIF orientation, as ImageOps.exif_transpose does.
//   - Of several frames or pages the first counts, placed on its screen.
//
// All functions are safe for concurrent use and leave their arguments unchanged.
package imaging

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"gansim.example/gansim"
)

// ErrNotFinite is wrapped by the error for NaN or an infinite pixel value.
var ErrNotFinite = errors.New("value is not finite")

// RGB is one picture.
type RGB struct {
	Width, Height int
	Pix           []uint8 // [Height, Width, 3], 0..255
}

// NewRGB returns a black picture.
func NewRGB(width, height int) RGB {
	return RGB{Width: width, Height: height, Pix: make([]uint8, width*height*3)}
}

// Row returns the pixels of row y, [Width, 3]; the memory is shared with the picture.
func (m RGB) Row(y int) []uint8 {
	return m.Pix[y*m.Width*3 : (y+1)*m.Width*3]
}

// check refuses pictures without pixels and those whose sizes do not agree.
func (m RGB) check() error {
	if m.Width <= 0 || m.Height <= 0 || len(m.Pix) != m.Width*m.Height*3 {
		return fmt.Errorf("imaging: picture of %dx%d has %d values, want %d and at least one pixel",
			m.Width, m.Height, len(m.Pix), m.Width*m.Height*3)
	}
	return nil
}

// Image returns a copy as an opaque picture of the standard library.
func (m RGB) Image() *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Width * m.Height {
		copy(out.Pix[4*i:4*i+3], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}

// EncodePNG writes the picture as an 8-bit RGB PNG.
func EncodePNG(w io.Writer, m RGB) error {
	if err := m.check(); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	if err := png.Encode(b, m.Image()); err != nil {
		return fmt.Errorf("imaging: encode png: %w", err)
	}
	return b.Flush()
}

// Quantize is the 8-bit value of x: x*255 + 0.5, clamped to 0..255, fraction cut, as torchvision's
// save_image does. NaN gives 0.
func Quantize(x float32) uint8 {
	v := float32(x*255) + 0.5
	switch {
	case v >= 255:
		return 255
	case v > 0:
		return uint8(v)
	}
	return 0
}

// FromImages quantises image i of a batch. The error wraps [ErrNotFinite] where a value is NaN or
// infinite.
func FromImages(images gansim.Images, i int) (RGB, error) {
	if i < 0 || i >= images.N {
		return RGB{}, fmt.Errorf("imaging: image %d of a batch of %d", i, images.N)
	}
	m := NewRGB(images.Width, images.Height)
	for k, x := range images.At(i) {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return RGB{}, fmt.Errorf("imaging: image %d: value %d: %w", i, k, ErrNotFinite)
		}
		m.Pix[k] = Quantize(x)
	}
	return m, nil
}

// shares are v/255 for v from 0 to 255.
var shares = func() (t [256]float32) {
	for v := range t {
		t[v] = float32(v) / 255
	}
	return t
}()

// ToImages makes a batch of pictures of one size; values are divided by 255.
func ToImages(pictures ...RGB) (gansim.Images, error) {
	if len(pictures) == 0 {
		return gansim.Images{}, errors.New("imaging: no pictures for a batch")
	}
	first := pictures[0]
	out := gansim.NewImages(len(pictures), first.Height, first.Width)
	for i, m := range pictures {
		if err := m.check(); err != nil {
			return gansim.Images{}, err
		}
		if m.Width != first.Width || m.Height != first.Height {
			return gansim.Images{}, fmt.Errorf("imaging: picture %d is %dx%d, want %dx%d",
				i, m.Width, m.Height, first.Width, first.Height)
		}
		row := out.At(i)[:len(m.Pix)]
		for k, v := range m.Pix {
			row[k] = shares[v]
		}
	}
	return out, nil
}
