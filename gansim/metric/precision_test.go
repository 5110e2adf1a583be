package metric_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gansim.example/gansim/metric"
)

// cloud draws n points around a centre on every axis.
func cloud(rng *rand.Rand, n int, centre float32) metric.Features {
	f := metric.Features{N: n, Dim: 8, X: make([]float32, n*8)}
	for i := range f.X {
		f.X[i] = centre + float32(rng.NormFloat64())
	}
	return f
}

func join(a, b metric.Features) metric.Features {
	return metric.Features{N: a.N + b.N, Dim: a.Dim, X: append(append([]float32(nil), a.X...), b.X...)}
}

func TestPrecisionRecall(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, far := cloud(rng, 150, 0), cloud(rng, 150, 100)
	both := join(a, far)
	for _, c := range []struct {
		name              string
		real, fake        metric.Features
		precision, recall float64
	}{
		{"the same", a, a, 1, 1},
		{"apart", a, far, 0, 0},
		{"one of two modes", both, a, 1, .5},
		{"two modes for one", a, both, .5, 1},
		{"four copies, all of radius 0", join(join(a, a), join(a, a)), a, 1, 1},
	} {
		got, err := metric.PrecisionRecall(c.real, c.fake, metric.Neighbours)
		if err != nil || got.Precision != c.precision || got.Recall != c.recall {
			t.Errorf("%s: got %+v, %v, want %v and %v", c.name, got, err, c.precision, c.recall)
		}
	}
	for _, k := range []int{0, 150} {
		if _, err := metric.PrecisionRecall(a, a, k); err == nil {
			t.Errorf("%d neighbours of 150 points: no error", k)
		}
	}
	if _, err := metric.PrecisionRecall(a, metric.Features{N: 9, Dim: 2, X: make([]float32, 18)}, 3); err == nil {
		t.Error("other dimensions: no error")
	}
}

// TestCovered compares with the definition, spelled out.
func TestCovered(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := cloud(rng, 90, 0), cloud(rng, 70, .7)
	distance := func(x, y []float32) float64 {
		sum := 0.
		for i := range x {
			sum += math.Pow(float64(x[i])-float64(y[i]), 2)
		}
		return sum
	}
	inside := 0
	for i := range b.N {
		for j := range a.N {
			var all []float64
			for l := range a.N {
				all = append(all, distance(a.At(j), a.At(l)))
			}
			slices.Sort(all)
			if distance(b.At(i), a.At(j)) <= all[metric.Neighbours] {
				inside++
				break
			}
		}
	}
	got, err := metric.PrecisionRecall(a, b, metric.Neighbours)
	if want := float64(inside) / 70; err != nil || got.Precision != want {
		t.Errorf("precision %v, %v, want %v", got.Precision, err, want)
	}
}

func BenchmarkPrecisionRecall(b *testing.B) {
	x, y := noise(1, 1000, 2048, 0), noise(2, 1000, 2048, .1)
	for b.Loop() {
		if _, err := metric.PrecisionRecall(x, y, metric.Neighbours); err != nil {
			b.Fatal(err)
		}
	}
}
