package imaging

import (
	"fmt"
	"math"

	"gansim.example/gansim"
)

// Filter is a resampling kernel. All but Nearest widen with the reduction (antialiasing).
type Filter int

// The filters of Pillow (src/libImaging/Resample.c).
const (
	Nearest  Filter = iota
	Box             // support 0.5
	Bilinear        // triangle, support 1
	Hamming         // support 1
	Bicubic         // a = -0.5, support 2
	Lanczos         // support 3
)

// String is Pillow's name of the filter.
func (f Filter) String() string {
	names := [...]string{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}
	if f < 0 || int(f) >= len(names) {
		return fmt.Sprintf("filter %d", int(f))
	}
	return names[f]
}

// support is half the width of the kernel at scale 1.
func (f Filter) support() float64 {
	return [...]float64{0, 0.5, 1, 1, 2, 3}[f]
}

// at is the kernel's value at x.
func (f Filter) at(x float64) float64 {
	switch f {
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	case Hamming:
		if x = math.Abs(x); x >= 1 {
			return 0
		}
		return sinc(x) * (0.54 + 0.46*math.Cos(x*math.Pi))
	case Bicubic:
		return cubicKernel(math.Abs(x), -0.5)
	case Lanczos:
		if x >= -3 && x < 3 {
			return sinc(x) * sinc(x/3)
		}
		return 0
	}
	return max(0, 1-math.Abs(x))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(x*math.Pi) / (x * math.Pi)
}

// tap is the part of a row or column that one output pixel reads.
type tap struct {
	first   int
	weights []float64 // sum 1
	fixed   []int     // the same times 2^precision, rounded
}

// precision is Pillow's number of fraction bits for 8-bit pictures: 32 - 8 - 2.
const precision = 22

// taps are Pillow's coefficients for one direction (precompute_coeffs, normalize_coeffs_8bpc).
func (f Filter) taps(in, out int) []tap {
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	support := f.support() * wide
	all := make([]tap, out)
	most := int(2*support) + 2 // pixels of a tap
	weights, fixed := make([]float64, out*most), make([]int, out*most)
	for i := range all {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), in)
		from, to := i*most, i*most+last-first
		t := tap{first, weights[from:to:to], fixed[from:to:to]}
		sum := 0.0
		for k := range t.weights {
			t.weights[k] = f.at((float64(k+first) - center + 0.5) * (1 / wide))
			sum += t.weights[k]
		}
		for k := range t.weights {
			if sum != 0 {
				t.weights[k] /= sum
			}
			t.fixed[k] = int(math.Round(t.weights[k] * (1 << precision)))
		}
		all[i] = t
	}
	return all
}

// checkSize refuses sizes that are not positive or over MaxPixels, and unknown filters.
func checkSize(width, height int, f Filter) error {
	if width <= 0 || height <= 0 || width > MaxPixels/height {
		return fmt.Errorf("imaging: resize to %dx%d, want 1 to %d pixels", width, height, MaxPixels)
	}
	if f < Nearest || f > Lanczos {
		return fmt.Errorf("imaging: unknown %v, want nearest, box, bilinear, hamming, bicubic "+
			"or lanczos", f)
	}
	return nil
}

// Resize is Pillow's Image.resize on 8-bit RGB, equal to the last bit: rows first, then columns,
// integer coefficients, 8-bit values between the passes.
func Resize(m RGB, width, height int, f Filter) (RGB, error) {
	if err := m.check(); err != nil {
		return RGB{}, err
	}
	if err := checkSize(width, height, f); err != nil {
		return RGB{}, err
	}
	if f == Nearest {
		return nearest(m, width, height), nil
	}
	out := m
	if width != m.Width {
		out = NewRGB(width, m.Height)
		taps := f.taps(m.Width, width)
		for y := range m.Height {
			src, dst := m.Row(y), out.Row(y)
			for x, t := range taps {
				convolve(dst[3*x:3*x+3:3*x+3], src[3*t.first:], t.fixed)
			}
		}
	}
	if height != m.Height {
		rows := out
		out = NewRGB(width, height)
		sums := make([]int32, 3*width)
		for y, t := range f.taps(m.Height, height) {
			addRows(sums, rows, t)
			dst := out.Row(y)[:len(sums)]
			for x, v := range sums {
				dst[x] = clamp8(int(v >> precision))
			}
		}
	}
	if width == m.Width && height == m.Height {
		out.Pix = append([]uint8(nil), m.Pix...)
	}
	return out, nil
}

// half is one half in fixed point.
const half = 1 << (precision - 1)

// convolve sums neighbouring pixels. As in Pillow, sums fit 32 bits: weights add up to 1 and their
// sizes to less than 2.
func convolve(dst, src []uint8, weights []int) {
	r, g, b := half, half, half
	src = src[:3*len(weights)]
	for _, w := range weights {
		r += int(src[0]) * w
		g += int(src[1]) * w
		b += int(src[2]) * w
		src = src[3:]
	}
	dst[0] = clamp8(r >> precision)
	dst[1] = clamp8(g >> precision)
	dst[2] = clamp8(b >> precision)
}

// addRows sums the rows that a tap reads, one after the other, as memory has them.
func addRows(sums []int32, m RGB, t tap) {
	for i := range sums {
		sums[i] = half
	}
	for k, weight := range t.fixed {
		w, row := int32(weight), m.Row(t.first + k)[:len(sums)]
		for i := range sums {
			sums[i] += int32(row[i]) * w
		}
	}
}

// nearest is Pillow's ImagingScaleAffine, with its running sum of positions.
func nearest(m RGB, width, height int) RGB {
	positions := func(in, out int) []int {
		step := float64(in) / float64(out)
		at := step * 0.5
		list := make([]int, out)
		for i := range list {
			list[i] = min(int(at), in-1)
			at += step
		}
		return list
	}
	out := NewRGB(width, height)
	columns := positions(m.Width, width)
	for y, sy := range positions(m.Height, height) {
		src, dst := m.Row(sy), out.Row(y)
		for x, sx := range columns {
			copy(dst[3*x:3*x+3], src[3*sx:])
		}
	}
	return out
}

// ResizeFloat resizes each channel as Pillow does in mode F (float64 sums, float32 between the
// passes) and clamps to [0, 1], as clean-fid does on 0..255 (Parmar et al. 2022,
// cleanfid/resize.py). Nearest is not offered.
func ResizeFloat(images gansim.Images, width, height int, f Filter) (gansim.Images, error) {
	if err := checkImages(images); err != nil {
		return gansim.Images{}, err
	}
	if err := checkSize(width, height, f); err != nil {
		return gansim.Images{}, err
	}
	if f == Nearest {
		return gansim.Images{}, fmt.Errorf("imaging: %v resize of float images", f)
	}
	out := separable(images, f.taps(images.Width, width), f.taps(images.Height, height))
	for k, v := range out.Pix {
		out.Pix[k] = min(max(v, 0), 1)
	}
	return out, nil
}

// separable applies columns' taps along rows, then rows' taps.
func separable(images gansim.Images, columns, rows []tap) gansim.Images {
	width, height := len(columns), len(rows)
	out := gansim.NewImages(images.N, height, width)
	between := make([]float32, images.Height*width*3)
	sums := make([]float64, width*3)
	for i := range images.N {
		src, dst := images.At(i), out.At(i)
		for y := range images.Height {
			line, to := src[3*y*images.Width:3*(y+1)*images.Width], between[3*y*width:3*(y+1)*width]
			for x, t := range columns {
				sum3(to[3*x:3*x+3:3*x+3], line[3*t.first:], t.weights)
			}
		}
		for y, t := range rows {
			clear(sums)
			for k, w := range t.weights {
				line := between[3*(t.first+k)*width:][:len(sums)]
				for x, v := range line {
					sums[x] += float64(v) * w
				}
			}
			to := dst[3*y*width:][:len(sums)]
			for x, v := range sums {
				to[x] = float32(v)
			}
		}
	}
	return out
}

// sum3 sums neighbouring pixels.
func sum3(dst, src []float32, weights []float64) {
	var r, g, b float64
	src = src[:3*len(weights)]
	for _, w := range weights {
		r += float64(src[0]) * w
		g += float64(src[1]) * w
		b += float64(src[2]) * w
		src = src[3:]
	}
	dst[0], dst[1], dst[2] = float32(r), float32(g), float32(b)
}

// checkImages refuses batches without pixels and those whose sizes do not agree.
func checkImages(m gansim.Images) error {
	want := m.N * m.Height * m.Width * 3
	if m.N <= 0 || m.Height <= 0 || m.Width <= 0 || len(m.Pix) != want {
		return fmt.Errorf("imaging: batch [%d, %d, %d, 3] has %d values, want %d and at least one",
			m.N, m.Height, m.Width, len(m.Pix), want)
	}
	return nil
}
