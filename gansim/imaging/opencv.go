package imaging

import (
	"fmt"
	"math"
	"slices"
)

// OpenCVMode is a rule of cv2.resize.
type OpenCVMode string

// The modes.
const (
	OpenCVNearest OpenCVMode = "nearest"
	OpenCVLinear  OpenCVMode = "linear" // of two pixels each way, never of more
	OpenCVCubic   OpenCVMode = "cubic"  // a = -0.75
	OpenCVArea    OpenCVMode = "area"   // mean where both sides shrink, else like linear
)

// ResizeOpenCV is cv2.resize on 8 bits (modules/imgproc/src/resize.cpp). Nearest and linear are
// equal to the last bit: OpenCV computes linear in fixed point. Cubic and area may be one off where
// a sum in floating point is within rounding of a half.
func ResizeOpenCV(m RGB, width, height int, mode OpenCVMode) (RGB, error) {
	if err := m.check(); err != nil {
		return RGB{}, err
	}
	if err := checkSize(width, height, Nearest); err != nil {
		return RGB{}, err
	}
	if width == m.Width && height == m.Height {
		m.Pix = slices.Clone(m.Pix)
	}
	switch mode {
	case OpenCVNearest:
		return nearestOpenCV(m, width, height), nil
	case OpenCVLinear:
		return linearOpenCV(m, width, height, false), nil
	case OpenCVCubic:
		return cubicOpenCV(m, width, height), nil
	case OpenCVArea:
		if width > m.Width || height > m.Height {
			return linearOpenCV(m, width, height, true), nil
		}
		return areaOpenCV(m, width, height), nil
	}
	return RGB{}, fmt.Errorf("imaging: unknown mode %q of OpenCV, want nearest, linear, cubic or "+
		"area", mode)
}

func nearestOpenCV(m RGB, width, height int) RGB {
	out := NewRGB(width, height)
	position := func(i, in, out int) int {
		return min(int(float64(i)*(1/(float64(out)/float64(in)))), in-1)
	}
	for y := range height {
		src, dst := m.Row(position(y, m.Height, height)), out.Row(y)
		for x := range width {
			copy(dst[3*x:3*x+3], src[3*position(x, m.Width, width):])
		}
	}
	return out
}

// linearOpenCV has 11-bit coefficients, rounded half to even, and a two-step shift. Halving both
// sides is the mean of four pixels there. For area see [opencvTaps].
func linearOpenCV(m RGB, width, height int, area bool) RGB {
	if width == m.Width && height == m.Height {
		return m
	}
	out := NewRGB(width, height)
	if m.Width == 2*width && m.Height == 2*height {
		halve(out, m)
		return out
	}
	columns := opencvTaps(m.Width, width, true, area)
	rows := opencvTaps(m.Height, height, false, area)
	line := func(y int) []int {
		sums, src := make([]int, 3*width), m.Row(y)
		for x, t := range columns {
			for c := range 3 {
				sums[3*x+c] = int(src[3*t.at+c])*t.near + int(src[3*t.next+c])*t.far
			}
		}
		return sums
	}
	lines := map[int][]int{}
	for y, t := range rows {
		for old := range lines {
			if old < t.at {
				delete(lines, old)
			}
		}
		for _, need := range [2]int{t.at, t.next} {
			if lines[need] == nil {
				lines[need] = line(need)
			}
		}
		a, b, dst := lines[t.at], lines[t.next], out.Row(y)
		for k := range dst {
			dst[k] = uint8((t.near*(a[k]>>4)>>16 + t.far*(b[k]>>4)>>16 + 2) >> 2)
		}
	}
	return out
}

// halve averages blocks of 2x2.
func halve(out, m RGB) {
	for y := range out.Height {
		a, b, dst := m.Row(2*y), m.Row(2*y+1), out.Row(y)
		for k := range dst {
			i := k/3*6 + k%3
			dst[k] = uint8((int(a[i]) + int(a[i+3]) + int(b[i]) + int(b[i+3]) + 2) >> 2)
		}
	}
}

// opencvTap is two neighbours and their weights, which sum to 2^11.
type opencvTap struct{ at, next, near, far int }

// fixed11 is a weight with 11 bits.
func fixed11(v float32) int { return int(math.RoundToEven(float64(v * 2048))) }

// opencvTaps finds them. Over the edge, columns give all weight to one pixel; rows count the last
// row twice, which rounds differently. For area mode, where one side grows, the second pixel counts
// by how far the output pixel reaches into it.
func opencvTaps(in, out int, columns, area bool) []opencvTap {
	inverse := float64(out) / float64(in)
	scale := 1 / inverse
	all := make([]opencvTap, out)
	for i := range all {
		position := float32((float64(i)+0.5)*scale - 0.5)
		at := int(math.Floor(float64(position)))
		part := position - float32(at)
		if area {
			at = int(math.Floor(float64(i) * scale))
			part = float32(float64(i+1) - float64(at+1)*inverse)
			part = max(0, part-float32(math.Floor(float64(max(part, 0)))))
		}
		if columns && (at < 0 || at >= in-1) {
			at, part = max(0, min(at, in-1)), 0
		}
		all[i] = opencvTap{max(at, 0), min(at+1, in-1), fixed11(1 - part), fixed11(part)}
	}
	return all
}

// cubicOpenCV is the rounded sum with PyTorch's bicubic weights, not in the fixed point of
// resize.cpp: OpenCV's packages for x86 compute it with Intel's IPP.
func cubicOpenCV(m RGB, width, height int) RGB {
	taps := each(Interpolation{}.cubic)
	columns, rows := taps(m.Width, width), taps(m.Height, height)
	between := make([]float64, 3*width*m.Height)
	for y := range m.Height {
		src, dst := m.Row(y), between[3*width*y:]
		for x, t := range columns {
			for c := range 3 {
				for k, w := range t.weights {
					dst[3*x+c] += float64(src[3*(t.first+k)+c]) * w
				}
			}
		}
	}
	out := NewRGB(width, height)
	for y, t := range rows {
		dst := out.Row(y)
		for i := range dst {
			sum := 0.0
			for k, w := range t.weights {
				sum += between[3*width*(t.first+k)+i] * w
			}
			dst[i] = clamp8(int(math.RoundToEven(sum)))
		}
	}
	return out
}

// areaTap is the share of one input pixel in one output pixel.
type areaTap struct {
	from, to int
	share    float32
}

// areaTaps is computeResizeAreaTab.
func areaTaps(in, out int) []areaTap {
	const sliver = 1e-3 // of a pixel, left out
	scale := 1 / (float64(out) / float64(in))
	var all []areaTap
	for to := range out {
		left := float64(to) * scale
		right := left + scale
		cell := min(scale, float64(in)-left)
		end := min(int(math.Floor(right)), in-1)
		first := min(int(math.Ceil(left)), end)
		if float64(first)-left > sliver {
			all = append(all, areaTap{first - 1, to, float32((float64(first) - left) / cell)})
		}
		for from := first; from < end; from++ {
			all = append(all, areaTap{from, to, float32(1 / cell)})
		}
		if right-float64(end) > sliver {
			all = append(all, areaTap{end, to, float32(min(right-float64(end), 1, cell) / cell)})
		}
	}
	return all
}

// areaOpenCV is the mean over the area of each output pixel, in float32; over whole numbers of
// pixels it is summed in integers first.
func areaOpenCV(m RGB, width, height int) RGB {
	if m.Width == 2*width && m.Height == 2*height {
		out := NewRGB(width, height)
		halve(out, m)
		return out
	}
	if m.Width%width == 0 && m.Height%height == 0 {
		return blocksOpenCV(m, width, height)
	}
	columns := areaTaps(m.Width, width)
	sums := make([]float32, 3*width*height)
	line := make([]float32, 3*width)
	for _, t := range areaTaps(m.Height, height) {
		clear(line)
		src, dst := m.Row(t.from), sums[3*width*t.to:]
		for _, c := range columns {
			for k := range 3 {
				line[3*c.to+k] += float32(float32(src[3*c.from+k]) * c.share)
			}
		}
		for i, v := range line {
			dst[i] += float32(v * t.share)
		}
	}
	out := NewRGB(width, height)
	for i, v := range sums {
		out.Pix[i] = clamp8(int(math.RoundToEven(float64(v))))
	}
	return out
}

// blocksOpenCV averages whole blocks of pixels.
func blocksOpenCV(m RGB, width, height int) RGB {
	across, down := m.Width/width, m.Height/height
	out := NewRGB(width, height)
	for i := range out.Pix {
		y, x, c := i/3/width, i/3%width, i%3
		sum := 0
		for dy := range down {
			row := m.Row(y*down + dy)
			for dx := range across {
				sum += int(row[3*(x*across+dx)+c])
			}
		}
		mean := float32(sum) * (1 / float32(across*down))
		out.Pix[i] = clamp8(int(math.RoundToEven(float64(mean))))
	}
	return out
}
