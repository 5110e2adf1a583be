package nn_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
	"gansim.example/kernels"
)

// Largest relative L2 differences allowed in float64. The looser one is for operators whose exp,
// tanh or pow come from another mathematical library than the reference's.
const (
	exactF64 = 1e-12
	looseF64 = 1e-10
)

// backends names the backends under test: pure Go, and what $GANSIM_TEST_BACKEND names, such as
// xla:cpu or xla:/path/to/plugin.so.
func backends() []string {
	names := []string{"go"}
	if other := os.Getenv("GANSIM_TEST_BACKEND"); other != "" {
		names = append(names, other)
	}
	return names
}

// open opens a backend, or skips the test where its plugin is not installed.
func open(t testing.TB, name string) compute.Backend {
	t.Helper()
	b, err := kernels.Open(name)
	var missing *kernels.PluginError
	if errors.As(err, &missing) {
		t.Skipf("%v (gansim setup --cpu installs a plugin for the processor)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// TestOperators compares every operator and its gradients with PyTorch, in float64 and float32. The
// cases of an operator share a program.
func TestOperators(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := oracle.LoadOps(dir)
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]oracle.OpCase{}
	for _, c := range cases {
		if _, ok := operators[c.Op]; !ok {
			t.Errorf("%s: operator %q is not in the table", c.Name, c.Op)
			continue
		}
		groups[c.Op] = append(groups[c.Op], c)
	}
	for _, name := range backends() {
		t.Run(name, func(t *testing.T) {
			backend := open(t, name)
			for _, op := range slices.Sorted(maps.Keys(groups)) {
				for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
					t.Run(fmt.Sprintf("%s/%s", op, dtype), func(t *testing.T) {
						operators[op].check(t, backend, groups[op], dtype)
					})
				}
			}
		})
	}
}

// check runs the cases of an operator.
func (op operator) check(t *testing.T, b compute.Backend, cases []oracle.OpCase, d dtypes.DType) {
	var args []any
	for _, c := range cases {
		for _, name := range c.InputNames {
			args = append(args, op.layout(name, c).tensor(c.Inputs[name], d))
		}
		args = append(args, layout{kind: nn.Raw}.tensor(c.Cotangent, d))
	}
	p, err := graphx.New(b, nil, op.graph(cases))
	if err != nil {
		t.Fatal(err)
	}
	outs, err := p.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for i, name := range c.Outputs {
			if err := op.compare(c, name, outs[i]); err != nil {
				t.Errorf("%s: %s: %v", c.Name, name, err)
			}
		}
		outs = outs[len(c.Outputs):]
	}
}

// compare holds a result against the reference, by its float type's tolerance.
func (op operator) compare(c oracle.OpCase, name string, got *tensors.Tensor) error {
	want, _ := c.Expected(name)
	at := layout{kind: nn.Raw}
	if name != "y" {
		at = op.layout(input(name), c)
	}
	full, err := at.published(got, want.Shape)
	if err != nil {
		return err
	}
	tolerance := want.F32.ToleranceF32()
	if got.DType() == dtypes.Float64 {
		tolerance = op.tolerance()
	}
	d, err := want.Difference(full)
	if err == nil && d.RelL2 > tolerance {
		err = fmt.Errorf("rel_l2 %.2g, want at most %.2g", d.RelL2, tolerance)
	}
	return err
}
