package parity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/optim/ingraph"
)

// optimTolerance is that of a state after a hundred steps in float64: rounding of pow and sqrt.
const optimTolerance = 1e-9

// optimFile is optim.json: f(z) = sum a/2 (z-b)^2 + (z-b)^4/40 from z0, by each optimiser.
type optimFile struct {
	A, B, Z0 []float64
	After    []int `json:"after_steps"`
	Runs     map[string]optimRun
}

type optimRun struct {
	Defaults ingraph.Settings // with the run's arguments
	Z        [][]float64
	F        []float64 `json:"f_before_step"`
	Schedule string
}

// optimisers repeats the runs of torch.optim. A run's name begins with that of its optimiser.
func optimisers(r *run) error {
	var f optimFile
	if err := r.read(&f); err != nil {
		return err
	}
	rules := ingraph.Rules()
	for _, name := range slices.Sorted(maps.Keys(f.Runs)) {
		class, _, _ := strings.Cut(name, "_")
		rule, ok := rules[class]
		if !ok {
			r.line(Line{Stage: name, Error: fmt.Sprintf("no optimiser %q", class)})
			continue
		}
		if err := f.follow(r, name, rule); err != nil {
			r.line(Line{Stage: name, Error: err.Error()})
		}
	}
	return nil
}

// follow runs an optimiser and compares where it is, and the function, at the steps of the file.
func (f optimFile) follow(r *run, name string, rule ingraph.Rule) error {
	want := f.Runs[name]
	rate, decay := want.Defaults.LR, 1.0
	if want.Schedule != "" {
		if _, err := fmt.Sscanf(want.Schedule, "lr *= %g after each step", &decay); err != nil {
			return fmt.Errorf("schedule %q: %w", want.Schedule, err)
		}
	}
	p, err := graphx.New(r.backend, nil, func(_ []gansim.Weights, in []*Node) []*Node {
		z, square := in[4], Square(Sub(in[4], in[1]))
		loss := ReduceAllSum(Add(MulScalar(Mul(in[0], square), .5), MulScalar(Square(square), .025)))
		z, slots := rule.Step(want.Defaults, ingraph.Update{X: z, Gradient: Gradient(loss, z)[0],
			Slots: in[5:], T: in[2], LR: in[3]})
		return append([]*Node{loss, z}, slots...)
	})
	if err != nil {
		return err
	}
	state := []any{f.Z0}
	for _, v := range rule.Slots(want.Defaults) {
		state = append(state, slices.Repeat([]float64{v}, len(f.Z0)))
	}
	for k := 1; k <= slices.Max(f.After); k++ {
		out, err := p.Call(append([]any{f.A, f.B, float64(k), rate}, state...)...)
		if err != nil {
			return err
		}
		for i := range state {
			state[i] = out[1+i]
		}
		rate *= decay
		at := slices.Index(f.After, k)
		if at < 0 {
			continue
		}
		for i, stage := range []struct {
			name string
			want []float64
		}{{"f", want.F[at : at+1]}, {"z", want.Z[at]}} {
			got, err := graphx.Float64s(out[i])
			if err != nil {
				return err
			}
			r.relative(fmt.Sprintf("%s %s[%d]", name, stage.name, k), got, stage.want, optimTolerance)
		}
	}
	return nil
}
