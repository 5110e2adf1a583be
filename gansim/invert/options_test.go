package invert_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/nn"
)

// limited is a linear generator whose images are limited to [0, 1].
type limited struct{ linear }

func (g limited) Decode(w gansim.Weights, z *Node) *Node {
	return ClipScalar(g.Unclamped(w, z), 0, 1)
}
func (g limited) Unclamped(w gansim.Weights, z *Node) *Node { return g.linear.Decode(w, z) }

func inverted(t *testing.T, g gansim.Generator, c invert.Config, images gansim.Images,
	start gansim.Codes) invert.Result {
	t.Helper()
	x, err := invert.New(open(t), g, c)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	r, err := x.Invert(t.Context(), images, start)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBest: with a rate that overshoots, the best iterate has the smallest loss of all and its image
// is that of its code.
func TestBest(t *testing.T) {
	g := newLinear()
	images, start := targets(g, 3)
	least := make([]float64, 3)
	for i := range least {
		least[i] = math.Inf(1)
	}
	watch := func(s invert.Iteration) {
		losses, err := s.Losses()
		if err != nil {
			t.Error(err)
		}
		for i, row := range s.Rows {
			least[row] = min(least[row], float64(losses[i]))
		}
	}
	c := invert.Config{Steps: 25, Rate: .9, Batch: 2, Best: true, Watch: watch}
	r := inverted(t, g, c, images, start)
	c.Best, c.Watch = false, nil
	last := inverted(t, g, c, images, start)
	for i, want := range least {
		if math.Abs(r.LossLast[i]-want) > 1e-6 || r.LossLast[i] > last.LossLast[i]+1e-9 {
			t.Errorf("image %d: best loss %v, want %v, the last iterate's is %v", i, r.LossLast[i], want,
				last.LossLast[i])
		}
		made := g.image([]float64{float64(r.Codes.At(i)[0]), float64(r.Codes.At(i)[1])})
		for j, v := range made {
			if math.Abs(v-float64(r.Images.At(i)[j])) > 1e-4 {
				t.Fatalf("image %d is not that of its code", i)
			}
		}
		if last.Iterate[i] != 24 || r.Iterate[i] < 0 || r.Iterate[i] > 24 {
			t.Errorf("iterates %d and %d", r.Iterate[i], last.Iterate[i])
		}
	}
}

// TestSpaces: dimensions that are not free keep the start's; a rotated search ends at the same code by
// another way; a basis and held dimensions exclude each other.
func TestSpaces(t *testing.T) {
	g := newLinear()
	images, start := targets(g, 2)
	c := invert.Config{Steps: 40, Rate: .05, Free: []bool{true, false}}
	r := inverted(t, g, c, images, start)
	for i := range 2 {
		if r.Codes.At(i)[1] != start.At(i)[1] || r.Codes.At(i)[0] == start.At(i)[0] {
			t.Errorf("code %v from %v, want the first dimension alone moved", r.Codes.At(i), start.At(i))
		}
	}
	turn := []float64{.6, -.8, .8, .6}
	c = invert.Config{Steps: 400, Rate: .05}
	plain := inverted(t, g, c, images, start)
	c.Basis = turn
	turned := inverted(t, g, c, images, start)
	for i := range 2 {
		for j := range 2 {
			if math.Abs(float64(plain.Codes.At(i)[j]-turned.Codes.At(i)[j])) > .02 {
				t.Errorf("code %v, in the basis %v", plain.Codes.At(i), turned.Codes.At(i))
			}
		}
		if turned.LossFirst[i] != plain.LossFirst[i] && math.Abs(turned.LossFirst[i]/plain.LossFirst[i]-1) > 1e-5 {
			t.Errorf("first losses %v and %v: the starts differ", turned.LossFirst[i], plain.LossFirst[i])
		}
	}
	for _, bad := range []invert.Config{{Rate: 1, Free: []bool{true}}, {Rate: 1, Basis: []float64{1}},
		{Rate: 1, Free: []bool{true, true}, Basis: turn}} {
		if _, err := invert.New(open(t), g, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestLosses: each loss falls; what lies beyond the limits has a gradient only without them.
func TestLosses(t *testing.T) {
	g := newLinear()
	images, start := targets(g, 2)
	mixed, err := invert.Mixed([]gansim.Distance{nn.PixelMSE(), invert.L1()}, []float64{.5, 2})
	if err != nil || mixed.Name != "0.5*mse+2*l1" {
		t.Fatalf("%q (%v)", mixed.Name, err)
	}
	first := map[string]float64{}
	for _, l := range []gansim.Distance{nn.PixelMSE(), invert.L1(), mixed} {
		r := inverted(t, g, invert.Config{Steps: 60, Rate: .05, Loss: l}, images, start)
		if r.LossLast[0] > .8*r.LossFirst[0] {
			t.Errorf("%s: from %v to %v", l.Name, r.LossFirst[0], r.LossLast[0])
		}
		first[l.Name] = r.LossFirst[0]
	}
	if want := .5*first["mse"] + 2*first["l1"]; math.Abs(first[mixed.Name]/want-1) > 1e-5 {
		t.Errorf("mixed loss %v, want %v", first[mixed.Name], want)
	}
	for _, shares := range [][]float64{{1}, {1, 0}, {1, math.NaN()}} {
		if _, err := invert.Mixed([]gansim.Distance{nn.PixelMSE(), invert.L1()}, shares); err == nil {
			t.Errorf("weights %v were taken", shares)
		}
	}
	far := gansim.Codes{N: 2, Dim: 2, Z: []float32{500, 400, 600, 700}}
	c := invert.Config{Steps: 1, Rate: .05}
	stuck := inverted(t, limited{g}, c, images, far)
	c.Unclamped = true
	free := inverted(t, limited{g}, c, images, far)
	if free.LossFirst[0] <= 100*stuck.LossFirst[0] {
		t.Errorf("losses %v with limits, %v without", stuck.LossFirst[0], free.LossFirst[0])
	}
	for _, v := range free.Images.Pix {
		if v < 0 || v > 1 {
			t.Fatalf("a pixel is %v", v)
		}
	}
}

// TestPilotAndRestarts: the pilot ranks rates by the loss they end with; of several starts each target
// takes the best.
func TestPilotAndRestarts(t *testing.T) {
	g := newLinear()
	images, start := targets(g, 4)
	x, err := invert.New(open(t), g, invert.Config{Steps: 30, Rate: .05})
	if err != nil {
		t.Fatal(err)
	}
	trials, err := x.Pilot(t.Context(), images, start, []float64{1e-4, .05, 30})
	if err != nil || len(trials) != 3 || trials[0].Rate != .05 || trials[0].Loss > trials[1].Loss {
		t.Errorf("trials %v (%v), want .05 first", trials, err)
	}
	other := gansim.Codes{N: 4, Dim: 2, Z: make([]float32, 8)}
	copy(other.Z, start.Z)
	other.Z[0], other.Z[2] = 90, -80 // far off for the first two
	start.Z[4], start.Z[6] = 70, 60  // and here for the last two
	r, which, err := x.Restarts(t.Context(), images, []gansim.Codes{start, other})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 0, 1, 1} {
		if which[i] != want || r.LossLast[i] > 1 {
			t.Errorf("target %d takes start %d with loss %v, want %d", i, which[i], r.LossLast[i], want)
		}
	}
}
