package invert_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/invert"
	"gansim.example/kernels"
)

// linear is a generator whose 4x4 image is 0.5 + A z, without a clamp: the best code has a closed
// form and Adam can be followed by hand.
type linear struct{ a []float32 } // [2, 48]

func newLinear() linear {
	rng := rand.New(rand.NewPCG(1, 2))
	a := make([]float32, 2*48)
	for i := range a {
		a[i] = float32(rng.NormFloat64() * .1)
	}
	return linear{a}
}

func (linear) Name() string   { return "linear" }
func (linear) CodeSize() int  { return 2 }
func (linear) ImageSize() int { return 4 }
func (g linear) Params() gansim.Params {
	return gansim.Params{Names: []string{"a"},
		Tensors: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(g.a, 2, 48)}}
}
func (linear) Decode(w gansim.Weights, z *Node) *Node {
	return Reshape(AddScalar(Dot(z, w("a")).Product(), .5), -1, 4, 4, 3)
}
func (linear) Draw(string, *rand.Rand, int) (gansim.Codes, error) { return gansim.Codes{}, nil }

func (g linear) image(z []float64) []float64 {
	out := make([]float64, 48)
	for j := range out {
		out[j] = .5 + float64(g.a[j])*z[0] + float64(g.a[48+j])*z[1]
	}
	return out
}

func open(t *testing.T) compute.Backend {
	t.Helper()
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func targets(g linear, n int) (gansim.Images, gansim.Codes) {
	rng := rand.New(rand.NewPCG(3, 4))
	images := gansim.NewImages(n, 4, 4)
	start := gansim.Codes{N: n, Dim: 2, Z: make([]float32, 2*n)}
	for i := range n {
		for j, v := range g.image([]float64{rng.NormFloat64(), rng.NormFloat64()}) {
			images.At(i)[j] = float32(v)
		}
		start.At(i)[0], start.At(i)[1] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
	}
	return images, start
}

// byHand follows Adam (Kingma & Ba 2015, algorithm 1) on one image and gives the last code that was
// evaluated, with the losses of the first and that code.
func byHand(g linear, target []float32, z []float64, steps int, rate float64) (code []float64,
	first, last float64) {
	var m, v [2]float64
	for k := 1; k <= steps; k++ {
		made := g.image(z)
		loss, grad := 0., [2]float64{}
		for j, x := range made {
			d := x - float64(target[j])
			loss += d * d / 48
			grad[0] += 2 * d * float64(g.a[j]) / 48
			grad[1] += 2 * d * float64(g.a[48+j]) / 48
		}
		if k == 1 {
			first = loss
		}
		last, code = loss, append([]float64(nil), z...)
		for i := range z {
			m[i] = .9*m[i] + .1*grad[i]
			v[i] = .999*v[i] + .001*grad[i]*grad[i]
			z[i] -= rate * (m[i] / (1 - math.Pow(.9, float64(k)))) /
				(math.Sqrt(v[i]/(1-math.Pow(.999, float64(k)))) + 1e-8)
		}
	}
	return code, first, last
}

// TestAdam compares with Adam by hand; batches and neighbours do not matter.
func TestAdam(t *testing.T) {
	const steps, rate = 60, .05
	g := newLinear()
	images, start := targets(g, 5)
	for _, batch := range []int{1, 2, 5, 8} {
		x, err := invert.New(open(t), g, invert.Config{Steps: steps, Rate: rate, Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		r, err := x.Invert(t.Context(), images, start)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			z := []float64{float64(start.At(i)[0]), float64(start.At(i)[1])}
			code, first, last := byHand(g, images.At(i), z, steps, rate)
			for j := range code {
				if math.Abs(float64(r.Codes.At(i)[j])-code[j]) > 1e-4 {
					t.Errorf("batch %d, image %d: code %v, want %v", batch, i, r.Codes.At(i), code)
				}
			}
			if math.Abs(r.LossFirst[i]-first) > 1e-6 || math.Abs(r.LossLast[i]-last) > 1e-6 {
				t.Errorf("batch %d, image %d: losses %v and %v, want %v and %v",
					batch, i, r.LossFirst[i], r.LossLast[i], first, last)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	g := newLinear()
	images, start := targets(g, 2)
	for _, c := range []invert.Config{{Rate: 0}, {Rate: -1}, {Rate: 1, Steps: -1}, {Rate: math.NaN()}} {
		if _, err := invert.New(open(t), g, c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	x, err := invert.New(open(t), g, invert.Config{Steps: 2, Rate: .1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Invert(t.Context(), gansim.NewImages(2, 8, 8), start); err == nil ||
		!strings.Contains(err.Error(), "8x8") {
		t.Errorf("got %v, want an error with both sizes", err)
	}
	if _, err := x.Invert(t.Context(), images, gansim.Codes{N: 1, Dim: 2}); err == nil {
		t.Error("one start for two images is accepted")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := x.Invert(ctx, images, start); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
