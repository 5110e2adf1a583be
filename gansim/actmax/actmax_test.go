package actmax_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/optim"
	"gansim.example/kernels"
)

// plain is a generator whose "image" is the code itself, so that a unit's score is a function of the
// code that can be written down.
type plain struct{ dim int }

func (plain) Name() string          { return "plain" }
func (p plain) CodeSize() int       { return p.dim }
func (plain) ImageSize() int        { return 1 }
func (plain) Params() gansim.Params { return gansim.Params{} }
func (p plain) Decode(_ gansim.Weights, z *Node) *Node {
	return Reshape(z, -1, 1, 1, p.dim)
}
func (p plain) Draw(_ string, rng *rand.Rand, n int) (gansim.Codes, error) {
	c := gansim.Codes{N: n, Dim: p.dim, Z: make([]float32, n*p.dim)}
	for i := range c.Z {
		c.Z[i] = float32(rng.NormFloat64())
	}
	return c, nil
}

// rectified is a network of one layer: unit k is max(0, row k of a times z - b).
type rectified struct {
	a    []float32 // [dim, channels]
	dim  int
	b    float64
	maps bool // as a map of 3x3 positions of which only the middle one answers
}

func (rectified) Name() string { return "rectified" }
func (r rectified) Params() gansim.Params {
	return gansim.Params{Names: []string{"a"},
		Tensors: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(r.a, r.dim, len(r.a)/r.dim)}}
}
func (r rectified) Layers() []gansim.Layer {
	l := gansim.Layer{Name: "units", Channels: len(r.a) / r.dim}
	if r.maps {
		l.Height, l.Width = 3, 3
	}
	return []gansim.Layer{l}
}
func (r rectified) Activations(w gansim.Weights, images *Node, _ string) *Node {
	s := AddScalar(Dot(Reshape(images, -1, r.dim), w("a")).Product(), -r.b)
	s = Max(s, ZerosLike(s))
	if !r.maps {
		return s
	}
	s = Reshape(s, -1, 1, 1, len(r.a)/r.dim)
	return Pad(s, ScalarZero(s.Graph(), s.DType()), PadAxis{}, PadAxis{Start: 1, End: 1},
		PadAxis{Start: 1, End: 1}, PadAxis{})
}

func open(t *testing.T) compute.Backend {
	t.Helper()
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMethods: labels drop the decimal point; SGD in a rotated basis is SGD; batches do not matter.
func TestMethods(t *testing.T) {
	if got := len(actmax.Methods("DeePSim")); got != 2 {
		t.Errorf("%d methods of DeePSim, want 2", got)
	}
	biggan := actmax.Methods("BigGAN")
	if len(biggan) != 12 {
		t.Errorf("%d methods of BigGAN, want 12", len(biggan))
	}
	for label, want := range map[string]actmax.Method{
		"adam01":       {Label: "Adam01", Adam: true, Rate: .1},
		"Adam0003Hess": {Label: "Adam0003Hess", Adam: true, Rate: .003, Hessian: true},
		"SGD001":       {Label: "SGD001", Rate: .01}} {
		if got, err := actmax.FindMethod(label); err != nil || got != want {
			t.Errorf("%s is %+v (%v)", label, got, err)
		}
	}
	if _, err := actmax.FindMethod("Adam1"); err == nil || !strings.Contains(err.Error(), "SGD0001Hess") {
		t.Errorf("got %v, want an error that lists the known labels", err)
	}
	const d = 4
	rng := rand.New(rand.NewPCG(5, 6))
	a := make([]float32, d*2)
	for i := range a {
		a[i] = float32(rng.NormFloat64())
	}
	basis := rotation(.7)
	var runs []actmax.Run
	for _, m := range biggan {
		m.Rate *= 10
		runs = append(runs, actmax.Run{Unit: gansim.Unit{Layer: "units", Channel: 1, Row: 1, Col: 1},
			Method: m, Start: []float64{.3, -.2, .5, .1},
			Redraw: func() ([]float64, error) { return []float64{1, 1, 1, 1}, nil }})
	}
	net := rectified{a: a, dim: d, b: -3, maps: true}
	var want []actmax.Outcome
	for _, batch := range []int{12, 5} {
		m, err := actmax.NewMaximizer(open(t), plain{d}, net,
			actmax.MaximizerConfig{Layer: "units", Basis: basis, Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.Maximize(t.Context(), runs, 15)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			if out[i].MaxScore < out[i].Scores[0] || out[i].Score <= out[i].Scores[0] {
				t.Errorf("%s: score falls from %v to %v", runs[i].Method.Label, out[i].Scores[0], out[i].Score)
			}
			if want != nil && math.Abs(out[i].Score-want[i].Score) > 1e-5 {
				t.Errorf("%s: %v in batches of %d, %v in others", runs[i].Method.Label,
					out[i].Score, batch, want[i].Score)
			}
		}
		want = out
	}
	for i := 6; i < 12; i += 2 { // SGD, SGDHess pairs
		if math.Abs(want[i].Score-want[i+1].Score) > 1e-5 {
			t.Errorf("%s gives %v, %s %v", runs[i].Method.Label, want[i].Score,
				runs[i+1].Method.Label, want[i+1].Score)
		}
	}
}

// rotation turns the first and last two of four axes.
func rotation(angle float64) []float64 {
	c, s := math.Cos(angle), math.Sin(angle)
	return []float64{c, -s, 0, 0, s, c, 0, 0, 0, 0, c, -s, 0, 0, s, c}
}

// TestEvolve: generation 0 is the start alone, later ones are populations, and scores rise.
func TestEvolve(t *testing.T) {
	const d = 6
	a := []float32{1, -1, .5, 2, 0, .3}
	net := rectified{a: a, dim: d, b: -20}
	e, err := actmax.NewEvolver(open(t), plain{d}, net, "units", 7)
	if err != nil {
		t.Fatal(err)
	}
	cma, err := optim.New(optim.Config{Dim: d, Start: make([]float64, d), Sigma: 1, Seed: 3,
		Population: 7})
	if err != nil {
		t.Fatal(err)
	}
	th := &actmax.Thread{Evolver: e, Search: cma}
	u := gansim.Unit{Layer: "units", Row: -1, Col: -1}
	if err := actmax.Evolve(t.Context(), u, 1, []*actmax.Thread{th}); err != nil {
		t.Fatal(err)
	}
	if len(th.Codes) != 1 || th.Scores[0] != 20 {
		t.Errorf("generation 0: %d codes, score %v, want the start with 20", len(th.Codes), th.Scores)
	}
	if err := actmax.Evolve(t.Context(), u, 30, []*actmax.Thread{th}); err != nil {
		t.Fatal(err)
	}
	if len(th.Codes) != 7 || th.Best[30] < 25 {
		t.Errorf("last generation: %d codes, best %v, want 7 above 25", len(th.Codes), th.Best[30])
	}
	again, err := optim.New(optim.Config{Dim: d, Start: make([]float64, d), Sigma: 1, Seed: 3,
		Population: 7})
	if err != nil {
		t.Fatal(err)
	}
	replayed := &actmax.Thread{Search: again}
	if err := replayed.Replay(th.History); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(replayed.Codes, th.Codes) || !reflect.DeepEqual(replayed.Best, th.Best) ||
		!reflect.DeepEqual(again.Ask(), cma.Ask()) {
		t.Error("a replay from the scores ends elsewhere")
	}
	for i, z := range th.Codes {
		want := 20.
		for j, x := range z {
			want += float64(a[j]) * x
		}
		if math.Abs(th.Scores[i]-want) > 1e-3 {
			t.Errorf("code %d scores %v, want %v", i, th.Scores[i], want)
		}
	}
}

func TestUnknownLayer(t *testing.T) {
	net := rectified{a: []float32{1}, dim: 1}
	_, err := actmax.NewEvolver(open(t), plain{1}, net, "conv9", 2)
	if err == nil || !strings.Contains(err.Error(), "units") {
		t.Errorf("got %v, want an error that lists the known layers", err)
	}
}

// broken is a generator that has codes to start from and no fresh ones.
type broken struct{ plain }

func (broken) Draw(string, *rand.Rand, int) (gansim.Codes, error) {
	return gansim.Codes{}, errors.New("no codes left")
}

// TestRedraw: a run that scores zero gets a fresh code, keeps its own without a Redraw, and ends where
// no code can be drawn or one has other dimensions.
func TestRedraw(t *testing.T) {
	net := rectified{a: []float32{1, 1}, dim: 2} // zero for negative codes
	m, err := actmax.NewMaximizer(open(t), plain{2}, net, actmax.MaximizerConfig{Layer: "units", Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		redraw func() ([]float64, error)
		score  float64
		code   []float64
		err    string
	}{
		"none":  {nil, 0, []float64{-1, -1}, ""},
		"fresh": {func() ([]float64, error) { return []float64{1, 2}, nil }, 3, []float64{1, 2}, ""},
		"fails": {actmax.Redraws(broken{}, "std1", nil), 0, nil, "units/0: no codes left"},
		"short": {func() ([]float64, error) { return []float64{1}, nil }, 0, nil, "1 dimensions, want 2"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := m.Maximize(t.Context(), []actmax.Run{{Start: []float64{-1, -1},
				Unit: gansim.Unit{Net: "n", Layer: "units", Row: -1}, Redraw: c.redraw}}, 2)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want an error with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out[0].Score != c.score || !slices.Equal(out[0].Code, c.code) {
				t.Errorf("got %v of %v, want %v of %v", out[0].Score, out[0].Code, c.score, c.code)
			}
		})
	}
}

// TestSharedBasis: runs of one program on two networks go on at once, from its first use; for the race
// detector.
func TestSharedBasis(t *testing.T) {
	net := rectified{a: []float32{1, 2, 3, 4}, dim: 4}
	m, err := actmax.NewMaximizer(open(t), plain{4}, net, actmax.MaximizerConfig{Layer: "units", Batch: 1,
		Basis: rotation(.7)})
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.On(net)
	if err != nil {
		t.Fatal(err)
	}
	run := actmax.Run{Start: []float64{1, 1, 1, 1}, Unit: gansim.Unit{Layer: "units", Row: -1},
		Method: actmax.Method{Label: "SGD001Hess", Rate: .01, Hessian: true}}
	var scores [4]float64
	var workers sync.WaitGroup
	for i := range scores {
		workers.Go(func() {
			out, err := []*actmax.Maximizer{m, other}[i%2].Maximize(t.Context(), []actmax.Run{run}, 2)
			if err != nil {
				t.Error(err)
				return
			}
			scores[i] = out[0].Score
		})
	}
	workers.Wait()
	for _, s := range scores {
		if s != scores[0] || s <= 10 {
			t.Errorf("scores %v, want equal ones above 10", scores)
		}
	}
}
