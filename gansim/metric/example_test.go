package metric_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gansim.example/gansim/metric"
)

// noise makes n rows of dim normal features about mean.
func noise(seed uint64, n, dim int, mean float64) metric.Features {
	rng := rand.New(rand.NewPCG(seed, 0))
	f := metric.Features{N: n, Dim: dim, X: make([]float32, n*dim)}
	for i := range f.X {
		f.X[i] = float32(rng.NormFloat64() + mean)
	}
	return f
}

func Example() {
	var acc metric.Accumulator
	for batch := range uint64(4) {
		if err := acc.Add(noise(batch, 50, 16, 0)); err != nil {
			fmt.Println(err)
			return
		}
	}
	a, err := acc.Moments()
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := metric.MomentsOf(noise(9, 200, 16, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := metric.FIDInterval(a, b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("FID %.1f, 95%% interval %.1f to %.1f\n", e.Value, e.Lo, e.Hi)
	fmt.Println(e.Warnings[0])
	// Output:
	// FID 17.1, 95% interval 15.5 to 18.6
	// metric: set "a" has 200 images: FID is biased upwards below 2048; compare at equal n only
}

func ExampleFID() {
	a, _ := metric.MomentsOf(metric.Features{N: 4, Dim: 1, X: []float32{0, 0, 2, 2}})
	b, _ := metric.MomentsOf(metric.Features{N: 4, Dim: 1, X: []float32{3, 3, 5, 5}})
	value, err := metric.FID(a, b)
	fmt.Println(value, err)
	// Output: 9 <nil>
}

func benchmark(b *testing.B, n, dim int, call func(x, y *metric.Moments) error) {
	x, err := metric.MomentsOf(noise(1, n, dim, 0))
	if err != nil {
		b.Fatal(err)
	}
	y, err := metric.MomentsOf(noise(2, n, dim, 0.1))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := call(x, y); err != nil {
			b.Fatal(err)
		}
	}
}

func fid(x, y *metric.Moments) error {
	_, err := metric.FID(x, y)
	return err
}

func interval(x, y *metric.Moments) error {
	_, err := metric.FIDInterval(x, y)
	return err
}

func BenchmarkFID256(b *testing.B)         { benchmark(b, 2000, 256, fid) }
func BenchmarkFID2048(b *testing.B)        { benchmark(b, 4000, 2048, fid) }
func BenchmarkFIDFew2048(b *testing.B)     { benchmark(b, 300, 2048, fid) }
func BenchmarkFIDInterval256(b *testing.B) { benchmark(b, 2000, 256, interval) }

func BenchmarkMoments256(b *testing.B) {
	f := noise(1, 2000, 256, 0)
	for b.Loop() {
		if _, err := metric.MomentsOf(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKID256(b *testing.B) {
	x, y := noise(1, 2000, 256, 0), noise(2, 2000, 256, 0.1)
	for b.Loop() {
		if _, err := metric.KID(x, y); err != nil {
			b.Fatal(err)
		}
	}
}
