package actmax_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/nn"
)

// square is a generator whose image of size pixels is the code itself.
type square struct {
	plain
	size int
}

func (s square) ImageSize() int { return s.size }
func (s square) Decode(_ gansim.Weights, z *Node) *Node {
	return Reshape(z, -1, s.size, s.size, 3)
}

// eye is a network of input pixels whose units weigh all of them, after the published preprocessing.
type eye struct {
	input, units int
	a            []float64
}

func newEye(input, units int) eye {
	e, rng := eye{input: input, units: units}, rand.New(rand.NewPCG(7, 8))
	for range input * input * 3 * units {
		e.a = append(e.a, rng.NormFloat64())
	}
	return e
}

func (eye) Name() string { return "eye" }
func (e eye) Params() gansim.Params {
	return gansim.Params{Names: []string{"a"},
		Tensors: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(e.a, len(e.a)/e.units, e.units)}}
}
func (e eye) Layers() []gansim.Layer { return []gansim.Layer{{Name: "units", Channels: e.units}} }
func (e eye) Activations(w gansim.Weights, images *Node, _ string) *Node {
	x := nn.Preprocess(images, [3]float64{.4, .5, .6}, [3]float64{.2, .3, .4}, e.input)
	s := Dot(Reshape(x, -1, len(e.a)/e.units), w("a")).Product()
	return Sub(Sigmoid(s), Square(MulScalar(s, .1)))
}

// placedTolerance is that of scores after some steps in float64: the order of sums.
const placedTolerance = 1e-9

// TestPlacedRuns: one program serves runs of all kinds of placement, boxes and units in a batch, and
// each is what a program of its own with the placement in its graph gives.
func TestPlacedRuns(t *testing.T) {
	const size, input, steps = 5, 8, 4
	g, net := square{plain{size * size * 3}, size}, newEye(input, 3)
	rng := rand.New(rand.NewPCG(1, 9))
	method := actmax.Method{Label: "Adam01", Adam: true, Rate: .1}
	var runs []actmax.Run
	for i, p := range []actmax.Placement{
		{}, {Kind: actmax.Full},
		{Kind: actmax.RF, Box: actmax.Box{X: [2]int{1, 5}, Y: [2]int{3, 7}}, Input: input},
		{Kind: actmax.RF, Box: actmax.Box{X: [2]int{2, 4}, Y: [2]int{0, 7}}, Input: input},
		{Kind: actmax.RFPaper, Box: actmax.Box{X: [2]int{0, 3}, Y: [2]int{1, 4}}, Input: input},
	} {
		c, err := g.Draw("", rng, 1)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, actmax.Run{Unit: gansim.Unit{Layer: "units", Channel: i % 3, Row: -1},
			Method: method, Start: actmax.Widen(c.Z), Placement: p})
	}
	config := actmax.MaximizerConfig{Layer: "units", Batch: 3, Input: input}
	m, err := actmax.NewMaximizer(open(t), g, net, config)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Maximize(t.Context(), runs, steps)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		s, err := r.Placement.Scorer(net)
		if err != nil {
			t.Fatal(err)
		}
		one, err := actmax.NewMaximizer(open(t), g, s, actmax.MaximizerConfig{Layer: "units", Batch: 1})
		if err != nil {
			t.Fatal(err)
		}
		r.Placement = actmax.Placement{}
		want, err := one.Maximize(t.Context(), []actmax.Run{r}, steps)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range want[0].Scores {
			if math.Abs(got[i].Scores[k]-v) > placedTolerance {
				t.Errorf("run %d, step %d: score %v, want %v", i, k, got[i].Scores[k], v)
			}
		}
	}
}

// TestRefusedRuns: what the program has no inputs for is an error before it runs.
func TestRefusedRuns(t *testing.T) {
	g, net := plain{2}, rectified{a: []float32{1, 2}, dim: 2}
	config := actmax.MaximizerConfig{Layer: "units", Batch: 1}
	m, err := actmax.NewMaximizer(open(t), g, net, config)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]actmax.Run{
		"no basis":      {Start: []float64{1, 2}, Method: actmax.Method{Hessian: true}},
		"short start":   {Start: []float64{1}},
		"no placements": {Start: []float64{1, 2}, Placement: actmax.Placement{Kind: actmax.RF}},
		"unknown kind":  {Start: []float64{1, 2}, Placement: actmax.Placement{Kind: "left"}},
	} {
		if _, err := m.Maximize(t.Context(), []actmax.Run{r}, 1); err == nil {
			t.Errorf("%s: the run was taken", name)
		}
	}
	for _, c := range []actmax.MaximizerConfig{
		{Layer: "units"}, {Layer: "units", Batch: 1, Basis: []float64{1}}, {Layer: "none", Batch: 1}} {
		if _, err := actmax.NewMaximizer(open(t), g, net, c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// TestBatchSizes: 64 runs of several units give the same scores and ranks in batches of 8 and of 64.
func TestBatchSizes(t *testing.T) {
	const size, units, n = 4, 5, 64
	g, net := square{plain{size * size * 3}, size}, newEye(6, units)
	rng := rand.New(rand.NewPCG(2, 9))
	var runs []actmax.Run
	for i := range n {
		c, err := g.Draw("", rng, 1)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, actmax.Run{Unit: gansim.Unit{Layer: "units", Channel: i % units, Row: -1},
			Method: actmax.Labels()[i%14/2*2], Start: actmax.Widen(c.Z)})
	}
	var scores [2][]float64
	for k, batch := range []int{8, 64} {
		m, err := actmax.NewMaximizer(open(t), g, net, actmax.MaximizerConfig{Layer: "units", Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.Maximize(t.Context(), runs, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			scores[k] = append(scores[k], o.MaxScore)
		}
	}
	for i := range n {
		if math.Abs(scores[0][i]-scores[1][i]) > placedTolerance {
			t.Errorf("run %d scores %v in batches of 8, %v of 64", i, scores[0][i], scores[1][i])
		}
	}
	if a, b := actmax.Best(scores[0], n), actmax.Best(scores[1], n); !slices.Equal(a, b) {
		t.Errorf("ranks %v and %v", a, b)
	}
}
