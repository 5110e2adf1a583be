package nn_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"

	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// Largest relative L2 differences allowed in float64. The looser one is for operators whose exp,
// tanh or pow come from another mathematical library than the reference's.
const (
	exactF64 = 1e-12
	looseF64 = 1e-10
)

// backends lists the backends under test: pure Go, and what $GANSIM_TEST_BACKEND names.
func backends(t testing.TB) map[string]compute.Backend {
	t.Helper()
	found := map[string]compute.Backend{}
	for _, name := range []string{"go:ops_sequential", os.Getenv("GANSIM_TEST_BACKEND")} {
		if name == "" {
			continue
		}
		b, err := compute.NewWithConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Finalize)
		found[b.Name()] = b
	}
	return found
}

// TestOperators compares every operator and its gradients with PyTorch, in float64 and float32.
func TestOperators(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := oracle.LoadOps(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, backend := range backends(t) {
		for _, c := range cases {
			op, ok := operators[c.Op]
			if !ok {
				t.Errorf("%s: operator %q is not in the table", c.Name, c.Op)
				continue
			}
			for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, c.Name, dtype), func(t *testing.T) {
					op.check(t, backend, c, dtype)
				})
			}
		}
	}
}

// check runs an operator and compares its output and gradients.
func (op operator) check(t *testing.T, backend compute.Backend, c oracle.OpCase, dtype dtypes.DType) {
	args := make([]any, 0, len(c.InputNames)+1)
	for _, name := range c.InputNames {
		args = append(args, op.layout(name, c).tensor(c.Inputs[name], dtype))
	}
	result := layout{kind: nn.Raw}
	args = append(args, result.tensor(c.Cotangent, dtype))
	p, err := graphx.New(backend, nil, op.graph(c))
	if err != nil {
		t.Fatal(err)
	}
	outs, err := p.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range c.Outputs {
		want, _ := c.Expected(name)
		at := result
		if input, ok := strings.CutPrefix(name, "grad("); ok {
			at = op.layout(strings.TrimSuffix(input, ")"), c)
		}
		got, err := at.published(outs[i], want.Shape)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := want.F32.ToleranceF32()
		if dtype == dtypes.Float64 {
			tolerance = op.tolerance()
		}
		d, err := want.Difference(got)
		if err != nil {
			t.Fatal(err)
		}
		if d.RelL2 > tolerance { t.Log(got, want.Values)
			t.Errorf("%s: rel_l2 %.2g, want at most %.2g", name, d.RelL2, tolerance)
		}
	}
}
