package imaging

import (
	"fmt"
	"math"

	"gansim.example/gansim"
)

// GaussianBlur convolves each channel with a Gaussian of a standard deviation, cut off at radius
// pixels on each side and scaled to sum 1, as torchvision's gaussian_blur with a kernel of 2*radius+1:
// beyond the edge images are mirrored without repeating the edge itself. radius 0 changes nothing.
func GaussianBlur(images gansim.Images, radius int, sigma float64) (gansim.Images, error) {
	if err := checkImages(images); err != nil {
		return gansim.Images{}, err
	}
	if radius < 0 || radius >= min(images.Width, images.Height) || !(sigma > 0) || math.IsInf(sigma, 0) {
		return gansim.Images{}, fmt.Errorf("imaging: blur of %dx%d pixels with radius %d, sigma %v: want a "+
			"radius below the size and a positive sigma", images.Width, images.Height, radius, sigma)
	}
	kernel := make([]float64, 2*radius+1)
	sum := 0.
	for i := range kernel {
		x := float64(i-radius) / sigma
		kernel[i] = math.Exp(-x * x / 2)
		sum += kernel[i]
	}
	taps := func(size int) []tap {
		all := make([]tap, size)
		for i := range all {
			all[i] = mirrored(i, radius, size, kernel, sum)
		}
		return all
	}
	return separable(images, taps(images.Width), taps(images.Height)), nil
}

// mirrored is the tap of one pixel, what lies beyond the edges folded back.
func mirrored(i, radius, size int, kernel []float64, sum float64) tap {
	t := tap{first: max(0, i-radius)}
	last := min(size-1, i+radius)
	if i-radius < 0 {
		last = max(last, radius-i)
	}
	if over := i + radius - (size - 1); over > 0 {
		t.first = min(t.first, size-1-over)
	}
	t.weights = make([]float64, last-t.first+1)
	for k, w := range kernel {
		at := i - radius + k
		if at < 0 {
			at = -at
		}
		if at >= size {
			at = 2*(size-1) - at
		}
		t.weights[at-t.first] += w / sum
	}
	return t
}
