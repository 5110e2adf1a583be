package parity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
)

// ops compares every operator and its gradients, in float64 and float32.
func ops(r *run) error {
	cases, err := oracle.LoadOps(r.dir)
	if err != nil {
		return err
	}
	groups := map[string][]oracle.OpCase{}
	for _, c := range cases {
		groups[c.Op] = append(groups[c.Op], c)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		op, ok := operators[name]
		if !ok {
			r.line(Line{Stage: name, Error: "no code for this operator"})
			continue
		}
		for _, d := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
			if err := op.repeat(r, groups[name], d); err != nil {
				r.line(Line{Stage: fmt.Sprintf("%s %s", name, d), Error: err.Error()})
			}
		}
		for _, c := range groups[name] {
			if err := opFolded(r, op, c); err != nil {
				r.line(Line{Stage: c.Name + "/folded", Error: err.Error()})
			}
		}
	}
	return nil
}

// repeat runs the cases of an operator, which share a program.
func (op operator) repeat(r *run, cases []oracle.OpCase, d dtypes.DType) error {
	var args []any
	for _, c := range cases {
		for _, name := range c.InputNames {
			args = append(args, op.layout(name, c).tensor(c.Inputs[name], d))
		}
		args = append(args, rawLayout.tensor(c.Cotangent, d))
	}
	p, err := graphx.New(r.backend, nil, op.graph(cases))
	if err != nil {
		return err
	}
	outs, err := p.Call(args...)
	if err != nil {
		return err
	}
	defer graphx.Free(outs...)
	at := 0
	for _, c := range cases {
		for _, name := range c.Outputs {
			if err := op.compare(r, c, name, outs[at]); err != nil {
				return fmt.Errorf("%s/%s: %w", c.Name, name, err)
			}
			at++
		}
	}
	return nil
}

// graph builds cases of the operator: the inputs and cotangent of each, then its output and
// gradients.
func (op operator) graph(cases []oracle.OpCase) graphx.Func {
	return func(_ []gansim.Weights, in []*Node) []*Node {
		var outs []*Node
		for _, c := range cases {
			named := opInputs{}
			for i, name := range c.InputNames {
				named[name] = in[i]
			}
			y, cotangent := op.build(c, named), in[len(c.InputNames)]
			in = in[len(c.InputNames)+1:]
			outs = append(outs, y)
			var wanted []*Node
			for _, name := range c.Outputs[1:] {
				wanted = append(wanted, named[gradientAt(name)])
			}
			outs = append(outs, Gradient(ReduceAllSum(Mul(y, cotangent)), wanted...)...)
		}
		return outs
	}
}

// gradientAt is the name of the input in "grad(NAME)".
func gradientAt(output string) string {
	return strings.TrimSuffix(strings.TrimPrefix(output, "grad("), ")")
}

// compare holds a result against the reference, by its float type's tolerance. Where only some
// elements were kept, the tensor's probe stands for the others.
func (op operator) compare(r *run, c oracle.OpCase, name string, got *tensors.Tensor) error {
	want, _ := c.Expected(name)
	at := rawLayout
	if name != "y" {
		at = op.layout(gradientAt(name), c)
	}
	full, err := at.published(got, want.Shape)
	if err != nil {
		return err
	}
	stage, tolerance := c.Name+"/"+name, want.F32.ToleranceF32()
	if got.DType() == dtypes.Float64 {
		tolerance = op.tolerance()
	} else {
		stage += " float32"
	}
	kept, err := want.Kept(full)
	if err != nil {
		return err
	}
	r.relative(stage, kept, want.Values, tolerance)
	if want.Stride > 1 && want.Stats.Probe != nil {
		probe := math.Abs(c.Probe(name, full)-*want.Stats.Probe) / want.Stats.L2
		r.absolute(stage+" probe", []float64{probe}, []float64{0}, tolerance)
	}
	return nil
}
