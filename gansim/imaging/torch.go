package imaging

import (
	"errors"
	"fmt"
	"math"

	"gansim.example/gansim"
)

// Mode is a rule of PyTorch's torch.nn.functional.interpolate, or [TensorFlow1].
type Mode string

// The modes.
const (
	TorchNearest      Mode = "nearest" // the pixel at floor(i in/out)
	TorchNearestExact Mode = "nearest-exact"
	TorchArea         Mode = "area" // mean of all pixels that the output pixel touches
	TorchBilinear     Mode = "bilinear"
	TorchBicubic      Mode = "bicubic" // a = -0.75; with antialias -0.5, as Pillow
	// TensorFlow1 is that program's bilinear: pixel i lies at i in/out, without the half pixel of the
	// others (torch-fidelity, interpolate_compat_tensorflow.py).
	TensorFlow1 Mode = "tensorflow1"
)

// Interpolation says how [Interpolate] resizes.
type Interpolation struct {
	Mode Mode // empty means TorchBilinear
	// AlignCorners keeps the centres of the corner pixels in the corners; else the corners of the
	// pictures agree.
	AlignCorners bool
	// Antialias widens the kernel with the reduction. With neither of the two, bilinear positions
	// under 0 count as 0.
	Antialias bool
}

// Interpolate is PyTorch's interpolate to a size. Positions and sums are in float64, float32
// between rows and columns. Bicubic values may leave [0, 1]. AlignCorners and Antialias are for
// bilinear and bicubic, and exclude each other.
func Interpolate(images gansim.Images, width, height int, o Interpolation) (gansim.Images, error) {
	if err := checkImages(images); err != nil {
		return gansim.Images{}, err
	}
	if err := checkSize(width, height, Bilinear); err != nil {
		return gansim.Images{}, err
	}
	taps, err := o.taps()
	if err != nil {
		return gansim.Images{}, err
	}
	return separable(images, taps(images.Width, width), taps(images.Height, height)), nil
}

// taps chooses the coefficients of one direction.
func (o Interpolation) taps() (func(in, out int) []tap, error) {
	if o.Mode == "" {
		o.Mode = TorchBilinear
	}
	smooth := o.Mode == TorchBilinear || o.Mode == TorchBicubic
	if (o.AlignCorners || o.Antialias) && !smooth || o.AlignCorners && o.Antialias {
		return nil, fmt.Errorf("imaging: interpolate: mode %q, align corners %v, antialias %v",
			o.Mode, o.AlignCorners, o.Antialias)
	}
	switch {
	case o.Mode == TorchNearest:
		return each(func(i, in, out int) tap { return torchPixel(float64(i), in, out) }), nil
	case o.Mode == TorchNearestExact:
		return each(func(i, in, out int) tap { return torchPixel(float64(i)+0.5, in, out) }), nil
	case o.Mode == TorchArea:
		return each(torchMean), nil
	case o.Antialias && o.Mode == TorchBilinear:
		return Bilinear.taps, nil
	case o.Antialias && o.Mode == TorchBicubic:
		return Bicubic.taps, nil
	case o.Mode == TorchBilinear:
		return each(o.linear), nil
	case o.Mode == TensorFlow1:
		return each(func(i, in, out int) tap { return between(float64(i)*float64(in)/float64(out), in) }), nil
	case o.Mode == TorchBicubic:
		return each(o.cubic), nil
	}
	return nil, errors.New("imaging: interpolate: unknown mode " + string(o.Mode) +
		", known are nearest, nearest-exact, area, bilinear, bicubic and tensorflow1")
}

// each makes a tap for every output pixel.
func each(at func(i, in, out int) tap) func(in, out int) []tap {
	return func(in, out int) []tap {
		all := make([]tap, out)
		for i := range all {
			all[i] = at(i, in, out)
		}
		return all
	}
}

// torchPixel takes the pixel at a position.
func torchPixel(at float64, in, out int) tap {
	first := int(at * (float64(in) / float64(out)))
	return tap{first: min(first, in-1), weights: []float64{1}}
}

// torchMean averages from floor(i in/out) to ceil((i+1) in/out), the rule of adaptive_avg_pool2d.
func torchMean(i, in, out int) tap {
	first, end := i*in/out, ((i+1)*in+out-1)/out
	t := tap{first: first, weights: make([]float64, end-first)}
	for k := range t.weights {
		t.weights[k] = 1 / float64(end-first)
	}
	return t
}

// position is where an output pixel's centre lies, in input pixels (area_pixel_compute_source_index
// in ATen/native/UpSample.h).
func (o Interpolation) position(i, in, out int) float64 {
	if o.AlignCorners {
		return float64(i) * float64(in-1) / float64(max(out-1, 1))
	}
	return (float64(i)+0.5)*float64(in)/float64(out) - 0.5
}

func (o Interpolation) linear(i, in, out int) tap {
	return between(max(0, o.position(i, in, out)), in)
}

// between mixes the two pixels around a position, from 0 up.
func between(at float64, in int) tap {
	first := min(int(at), in-1)
	if first == in-1 {
		return tap{first: first, weights: []float64{1}}
	}
	part := at - float64(first)
	return tap{first: first, weights: []float64{1 - part, part}}
}

// cubic reads four pixels, those beyond the edge being the last one.
func (o Interpolation) cubic(i, in, out int) tap {
	at := o.position(i, in, out)
	second := int(math.Floor(at))
	part := at - float64(second)
	inside := func(i int) int { return min(max(i, 0), in-1) }
	t := tap{first: inside(second - 1)}
	t.weights = make([]float64, inside(second+2)-t.first+1)
	for k := range 4 {
		distance := math.Abs(part + 1 - float64(k))
		t.weights[inside(second-1+k)-t.first] += cubicKernel(distance, -0.75)
	}
	return t
}

// cubicKernel is the convolution kernel of Keys (IEEE Trans. ASSP 29 (1981) 1153) at a distance.
func cubicKernel(x, a float64) float64 {
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}
