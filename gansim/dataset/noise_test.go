package dataset_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"

	"gansim.example/gansim/dataset"
)

// TestPinkNoise: mean and deviation are those of the recipe, amplitude falls as 1/frequency, and an
// image depends on seed and index alone.
func TestPinkNoise(t *testing.T) {
	const size = 64
	images := dataset.PinkNoise(6, size, 3)
	low, high := 0., 0.
	for i := range images.N {
		mean, square := 0., 0.
		for _, v := range images.At(i) {
			mean += float64(v)
		}
		mean /= float64(len(images.At(i)))
		for _, v := range images.At(i) {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
		std := math.Sqrt(square / float64(len(images.At(i))))
		if math.Abs(mean-.5) > .02 || math.Abs(std-.2) > .02 {
			t.Errorf("image %d has mean %.3f and deviation %.3f, want 0.5 and 0.2", i, mean, std)
		}
		a, b := rowPower(images.At(i), size, 2), rowPower(images.At(i), size, 16)
		low, high = low+a, high+b
	}
	// Rows of an image with amplitude 1/k have power falling about as 1/k.
	if ratio := low / high; ratio < 4 || ratio > 40 {
		t.Errorf("power at 2 cycles is %.1f times that at 16, want about 8 to 20", ratio)
	}
	if again := dataset.PinkNoise(2, size, 3); !slices.Equal(again.At(1), images.At(1)) {
		t.Error("image 1 depends on how many are drawn")
	}
	if other := dataset.PinkNoise(1, size, 4); slices.Equal(other.At(0), images.At(0)) {
		t.Error("two seeds give the same image")
	}
}

// rowPower is the mean power of the first channel's rows at k cycles.
func rowPower(pix []float32, size, k int) float64 {
	fft := fourier.NewFFT(size)
	sum := 0.
	row := make([]float64, size)
	for y := range size {
		for x := range row {
			row[x] = float64(pix[(y*size+x)*3])
		}
		c := fft.Coefficients(nil, row)[k]
		sum += real(c)*real(c) + imag(c)*imag(c)
	}
	return sum / float64(size)
}

// TestNoisePieces: images are the same whichever others are drawn with them, and white ones are flat.
func TestNoisePieces(t *testing.T) {
	all, part := dataset.PinkNoise(5, 16, 3), dataset.Pink(2, 4, 16, 3)
	if !slices.Equal(part.Pix, all.Slice(2, 4).Pix) {
		t.Error("pink images 2 and 3 depend on the others")
	}
	white := dataset.White(0, 4, 64, 3)
	if again := dataset.White(3, 4, 64, 3); !slices.Equal(again.Pix, white.At(3)) {
		t.Error("white image 3 depends on the others")
	}
	for i := range white.N {
		mean, square := 0., 0.
		for _, v := range white.At(i) {
			mean += float64(v) / float64(len(white.At(i)))
			square += float64(v) * float64(v) / float64(len(white.At(i)))
		}
		if v := square - mean*mean; math.Abs(mean-.5) > .01 || math.Abs(v-1./12) > .003 {
			t.Errorf("image %d has mean %.4f and variance %.4f, want 1/2 and 1/12", i, mean, v)
		}
	}
}
