package ingraph_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/optim/ingraph"
	"gansim.example/kernels"
)

// TestRulesDescend: every rule, with torch's defaults but a rate of its own scale, comes closer to
// the minimum of a bowl, and maximising goes away from it.
func TestRulesDescend(t *testing.T) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	start := []float64{2, -1, .5}
	for name, rule := range ingraph.Rules() {
		for _, maximize := range []bool{false, true} {
			s := rule.Defaults
			s.Maximize = maximize
			exec := MustNewExec(backend, func(in []*Node) []*Node {
				x := in[0]
				g := Gradient(ReduceAllSum(Square(x)), x)[0]
				x, slots := rule.Step(s, ingraph.Update{X: x, Gradient: g, Slots: in[2:], T: in[1],
					LR: Scalar(x.Graph(), x.DType(), s.LR)})
				return append([]*Node{x}, slots...)
			})
			state := []any{start}
			for _, v := range rule.Slots(s) {
				state = append(state, []float64{v, v, v})
			}
			for k := 1; k <= 20; k++ {
				out, err := exec.Call(append([]any{state[0], float64(k)}, state[1:]...)...)
				if err != nil {
					t.Fatal(err)
				}
				for i := range state {
					state[i] = out[i]
				}
			}
			got := tensors.MustCopyFlatData[float64](state[0].(*tensors.Tensor))
			for i, x := range got {
				if closer := math.Abs(x) < math.Abs(start[i]); closer == maximize {
					t.Errorf("%s, maximise %v: from %v to %v", name, maximize, start[i], x)
				}
			}
		}
	}
}

// TestShortForms: Adam and SGD are the rules of these names.
func TestShortForms(t *testing.T) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	rules := ingraph.Rules()
	exec := MustNewExec(backend, func(in []*Node) []*Node {
		x, g, m, v, t, lr := in[0], in[1], in[2], in[3], in[4], in[5]
		u := ingraph.Update{X: x, Gradient: g, Slots: []*Node{m, v, v}, T: t, LR: lr}
		a, _, _ := ingraph.Adam{Decay: rules["adamw"].Defaults.WeightDecay}.Step(x, m, v, g, t, lr)
		b, _ := rules["adamw"].Step(rules["adamw"].Defaults, u)
		d, _ := rules["sgd"].Step(rules["sgd"].Defaults, u)
		return []*Node{Sub(a, b), Sub(ingraph.SGD(x, g, lr), d)}
	})
	out, err := exec.Call([]float64{1, -2}, []float64{.3, .4}, []float64{.1, 0}, []float64{.2, .1}, 3., .01)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		for _, v := range tensors.MustCopyFlatData[float64](o) {
			if v != 0 {
				t.Errorf("short form %d is %v off", i, v)
			}
		}
	}
}
