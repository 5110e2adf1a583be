package ingraph_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/optim/ingraph"
	"gansim.example/kernels"
)

// tolerance of a state after a hundred steps in float64, relative: rounding of pow and sqrt.
const tolerance = 1e-9

// optimFile is the part of optim.json that torch.optim wrote.
type optimFile struct {
	A, B, Z0 []float64
	After    []int `json:"after_steps"`
	Runs     map[string]struct {
		Args map[string]any
		Z    [][]float64
	}
}

// TestOracle repeats the runs of torch.optim that this package knows.
func TestOracle(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	var f optimFile
	if err := oracle.Read(dir, "optim.json", &f); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for name, run := range f.Runs {
		step, ok := optimiser(name, run.Args)
		if !ok {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) { follow(t, f, step, run.Z) })
	}
	if ran < 3 {
		t.Errorf("%d runs of the oracle covered, want at least 3", ran)
	}
}

type stepper func(z, m, v, gradient, t *Node) (newZ, newM, newV *Node)

// optimiser is this package's equivalent of a run, if it has one.
func optimiser(name string, args map[string]any) (stepper, bool) {
	known := map[string]bool{"lr": true, "betas": true, "eps": true}
	adam := ingraph.Adam{}
	if name == "adamw" {
		known["weight_decay"] = true
		adam.Decay = .01 // torch's default
		if d, ok := args["weight_decay"].(float64); ok {
			adam.Decay = d
		}
	}
	for k := range args {
		if !known[k] {
			return nil, false
		}
	}
	lr, ok := args["lr"].(float64)
	if !ok {
		lr = 1e-3
	}
	if b, ok := args["betas"].([]any); ok {
		adam.Beta1, adam.Beta2 = b[0].(float64), b[1].(float64)
		if adam.Beta1 == 0 {
			adam.Beta1 = -1
		}
	}
	if eps, ok := args["eps"].(float64); ok {
		adam.Epsilon = eps
	}
	switch name {
	case "sgd":
		return func(z, m, v, g, _ *Node) (*Node, *Node, *Node) {
			return ingraph.SGD(z, g, Scalar(z.Graph(), z.DType(), lr)), m, v
		}, true
	case "adam", "adamw":
		return func(z, m, v, g, t *Node) (*Node, *Node, *Node) {
			return adam.Step(z, m, v, g, t, Scalar(z.Graph(), z.DType(), lr))
		}, true
	}
	return nil, false
}

func follow(t *testing.T, f optimFile, step stepper, want [][]float64) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	exec := MustNewExec(backend, func(in []*Node) []*Node {
		z, m, v, at, a, b := in[0], in[1], in[2], in[3], in[4], in[5]
		off := Sub(z, b)
		square := Square(off)
		loss := ReduceAllSum(Add(MulScalar(Mul(a, square), .5), MulScalar(Square(square), .025)))
		z, m, v = step(z, m, v, Gradient(loss, z)[0], at)
		return []*Node{z, m, v}
	})
	state := []any{f.Z0, make([]float64, len(f.Z0)), make([]float64, len(f.Z0))}
	next := 0
	for k := 1; k <= f.After[len(f.After)-1]; k++ {
		out, err := exec.Call(append(append([]any{}, state...), float64(k), f.A, f.B)...)
		if err != nil {
			t.Fatal(err)
		}
		state = []any{out[0], out[1], out[2]}
		if k != f.After[next] {
			continue
		}
		got := tensors.MustCopyFlatData[float64](out[0])
		for i := range got {
			if math.Abs(got[i]-want[next][i]) > tolerance*max(1, math.Abs(want[next][i])) {
				t.Fatalf("step %d, coordinate %d: got %v, want %v", k, i, got[i], want[next][i])
			}
		}
		next++
	}
}
