package dataset

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"

	"gansim.example/gansim"
)

// PinkNoise draws n images of size x size pixels whose amplitude falls as 1/frequency: uniform white
// noise per channel, divided by the frequency (by 1 at 0), then standardised per image over all
// channels, times 0.2, plus 0.5, clamped to [0, 1]
// (Animadversio/Neuro-ActMax-GAN-comparison, core/GAN_sampling_O2.py). The original's batches lose
// the spectrum of one channel of their first image by a wrong index; that is not repeated here.
func PinkNoise(n, size int, seed uint64) gansim.Images { return Pink(0, n, size, seed) }

// Pink are the images from to to (exclusive) of [PinkNoise].
func Pink(from, to, size int, seed uint64) gansim.Images {
	out := gansim.NewImages(to-from, size, size)
	for i := range out.N {
		rng := rand.New(rand.NewPCG(seed, uint64(from+i)))
		pix := out.At(i)
		for c := range 3 {
			for j, v := range pinkPlane(size, rng) {
				pix[j*3+c] = float32(v)
			}
		}
		standardise(pix)
	}
	return out
}

// White are images of uniform noise in [0, 1) in every pixel and channel; each depends on its number
// and the seed alone.
func White(from, to, size int, seed uint64) gansim.Images {
	out := gansim.NewImages(to-from, size, size)
	for i := range out.N {
		rng := rand.New(rand.NewPCG(seed, uint64(from+i)))
		for k := range out.At(i) {
			out.At(i)[k] = rng.Float32()
		}
	}
	return out
}

// pinkPlane filters one channel of white noise, [size, size].
func pinkPlane(size int, rng *rand.Rand) []float64 {
	f := make([]complex128, size*size)
	for i := range f {
		f[i] = complex(rng.Float64(), 0)
	}
	fft := fourier.NewCmplxFFT(size)
	transform(f, size, fft.Coefficients)
	for y := range size {
		for x := range size {
			k := math.Hypot(fft.Freq(y), fft.Freq(x))
			if k == 0 {
				k = 1
			}
			f[y*size+x] /= complex(k, 0)
		}
	}
	transform(f, size, fft.Sequence)
	out := make([]float64, len(f))
	for i, v := range f {
		out[i] = real(v) / float64(size*size)
	}
	return out
}

// transform applies a one-dimensional transform along both axes of f [size, size].
func transform(f []complex128, size int, one func(dst, src []complex128) []complex128) {
	line := make([]complex128, size)
	for y := range size {
		copy(f[y*size:], one(line, f[y*size:(y+1)*size]))
	}
	column := make([]complex128, size)
	for x := range size {
		for y := range size {
			column[y] = f[y*size+x]
		}
		for y, v := range one(line, column) {
			f[y*size+x] = v
		}
	}
}

func standardise(pix []float32) {
	mean, square := 0., 0.
	for _, v := range pix {
		mean += float64(v)
	}
	mean /= float64(len(pix))
	for _, v := range pix {
		square += (float64(v) - mean) * (float64(v) - mean)
	}
	std := math.Sqrt(square / float64(len(pix)-1))
	for i, v := range pix {
		pix[i] = float32(min(1, max(0, (float64(v)-mean)/std*.2+.5)))
	}
}
