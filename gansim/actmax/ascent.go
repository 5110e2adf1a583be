package actmax

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/floats"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/optim/ingraph"
)

// Ascent is a batch of runs that advance together, step by step. It is not safe for concurrent use.
type Ascent struct {
	maximizer *Maximizer
	runs      []Run
	valid     int // runs that count; the others fill the batch
	settings  []any
	state     []*tensors.Tensor // w, both moments, scores, codes
	fresh     []float64         // replace rows of w before the next step
	replaced  []float64         // 1 where
	steps     int
}

// Begin starts a full batch of runs, of which the first valid ones count. End it.
func (x *Maximizer) Begin(runs []Run, valid int) (*Ascent, error) {
	for _, r := range runs {
		if err := x.check(r); err != nil {
			return nil, err
		}
	}
	n, d := len(runs), x.generator.CodeSize()
	a := &Ascent{maximizer: x, runs: runs, valid: valid, fresh: make([]float64, n*d),
		replaced: make([]float64, n)}
	a.settings = x.settings(runs)
	for range 3 {
		a.state = append(a.state, a.tensor(make([]float64, n*d), n, d))
	}
	for i, r := range runs { // the start enters as a replacement
		copy(a.fresh[i*d:], x.rotate(r, r.Start))
		a.replaced[i] = 1
	}
	return a, nil
}

// check refuses a run that the program has no inputs for.
func (x *Maximizer) check(r Run) error {
	switch {
	case len(r.Start) != x.generator.CodeSize():
		return fmt.Errorf("actmax: start of %d dimensions, %s has %d", len(r.Start), x.generator.Name(),
			x.generator.CodeSize())
	case r.Method.Hessian && x.Basis == nil:
		return fmt.Errorf("actmax: %s needs a basis of %s", r.Method.Label, x.generator.Name())
	case x.Input == 0 && r.Placement.Kind != "" && r.Placement.Kind != Full:
		return fmt.Errorf("actmax: placement %q of a program without placements", r.Placement.Kind)
	}
	return r.Placement.check()
}

// End frees the device's memory.
func (a *Ascent) End() { graphx.Free(a.state...); free(a.settings) }

// free frees those inputs that are tensors.
func free(inputs []any) {
	for _, v := range inputs {
		if t, ok := v.(*tensors.Tensor); ok {
			graphx.Free(t)
		}
	}
}

// Step scores the codes, makes a step of each run and gives the scores before it. Afterwards runs
// that scored exactly zero get fresh codes, if they have a Redraw; their moments and the number of
// steps stay. After an error the ascent is only to be ended.
func (a *Ascent) Step() ([]float64, error) {
	x, n, d := a.maximizer, len(a.runs), a.maximizer.generator.CodeSize()
	a.steps++
	args := []any{a.state[0], a.state[1], a.state[2], a.tensor(a.fresh, n, d), a.tensor(a.replaced, n),
		a.tensor([]float64{float64(a.steps)})}
	next, err := x.program.Call(slices.Concat(args, a.settings, x.onDevice)...)
	if err != nil {
		return nil, err
	}
	graphx.Free(a.state...)
	a.state = next
	scores, err := graphx.Float64s(next[3])
	if err != nil {
		return nil, err
	}
	clear(a.replaced)
	for i, s := range scores[:a.valid] {
		if err := a.redraw(i, s); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// redraw replaces the code of run i if its score asks for it.
func (a *Ascent) redraw(i int, score float64) error {
	r, d := a.runs[i], a.maximizer.generator.CodeSize()
	if r.Redraw == nil || !NeedsRedraw(score) {
		return nil
	}
	z, err := r.Redraw()
	if err == nil && len(z) != d {
		err = fmt.Errorf("%d dimensions, want %d", len(z), d)
	}
	if err != nil {
		return fmt.Errorf("actmax: fresh code of %s for %s: %w", a.maximizer.generator.Name(), r.Unit, err)
	}
	copy(a.fresh[i*d:], a.maximizer.rotate(r, z))
	a.replaced[i] = 1
	return nil
}

// NeedsRedraw says whether a sample with this score gets a fresh code: only zero itself, of either
// sign, as the original script tests.
func NeedsRedraw(score float64) bool { return score == 0 }

// Codes are those that the last step scored, not rotated, [runs, d].
func (a *Ascent) Codes() ([]float64, error) { return graphx.Float64s(a.state[4]) }

// AscentState is what an optimiser holds after a step, [runs, d] each and rotated for runs in the
// eigenbasis.
type AscentState struct {
	W             []float64 // after the step
	WAfterRedraw  []float64
	First, Second []float64 // Adam's moments
	Redrawn       []bool    // by run
}

// State copies what the optimiser holds.
func (a *Ascent) State() (s AscentState, err error) {
	for i, to := range []*[]float64{&s.W, &s.First, &s.Second} {
		if *to, err = graphx.Float64s(a.state[i]); err != nil {
			return s, err
		}
	}
	d := a.maximizer.generator.CodeSize()
	s.WAfterRedraw = slices.Clone(s.W)
	for i, yes := range a.replaced {
		s.Redrawn = append(s.Redrawn, yes > 0)
		if yes > 0 {
			copy(s.WAfterRedraw[i*d:(i+1)*d], a.fresh[i*d:(i+1)*d])
		}
	}
	return s, nil
}

func (a *Ascent) tensor(v []float64, shape ...int) *tensors.Tensor {
	return graphx.TensorOf(a.maximizer.precision, v, shape...)
}

// settings are the inputs that stay the same over a batch's steps.
func (x *Maximizer) settings(runs []Run) []any {
	flag := map[bool]float64{true: 1}
	var rotated, adam, lr, rows, columns []float64
	var units []gansim.Unit
	for _, r := range runs {
		rotated = append(rotated, flag[r.Method.Hessian])
		adam = append(adam, flag[r.Method.Adam])
		lr = append(lr, r.Method.Rate)
		units = append(units, r.Unit)
		if x.Input > 0 {
			down, across := r.Placement.matrices(x.generator.ImageSize(), x.Input)
			rows, columns = append(rows, down...), append(columns, across...)
		}
	}
	channel, row, col := indices(units)
	var all []any
	for _, v := range [][]float64{rotated, adam, lr} {
		all = append(all, graphx.TensorOf(x.precision, v, len(v)))
	}
	all = append(all, channel, row, col)
	if x.Input > 0 {
		for _, v := range [][]float64{rows, columns} {
			all = append(all, graphx.TensorOf(x.precision, v, len(runs), x.Input, x.generator.ImageSize()))
		}
	}
	return all
}

// rotate expresses a code in the run's coordinates: w = z E in the eigenbasis, z itself otherwise.
func (x *Maximizer) rotate(r Run, z []float64) []float64 {
	if !r.Method.Hessian {
		return z
	}
	d := len(z)
	w := make([]float64, d)
	for i, v := range z {
		floats.AddScaled(w, v, x.Basis[i*d:(i+1)*d])
	}
	return w
}

// climb are the inputs of a step of a batch.
type climb struct {
	w, m, v, fresh *Node // and fresh codes to replace w by, [n, d]
	replaced       *Node // 1 where, [n]
	t              *Node // number of the step from 1
	rotated, adam  *Node // 1 for runs in the eigenbasis, for runs by Adam; [n]
	lr             *Node // learning rates, [n]
	unit           [3]*Node
	rows, columns  *Node // placements, [n, input, size]; nil without
	basis          *Node // [d, d]; nil without
}

// take names the inputs in the order of [Ascent.Step].
func take(c MaximizerConfig, in []*Node) climb {
	a := climb{w: in[0], m: in[1], v: in[2], fresh: in[3], replaced: in[4], t: in[5], rotated: in[6],
		adam: in[7], lr: in[8], unit: [3]*Node{in[9], in[10], in[11]}}
	in = in[12:]
	if c.Input > 0 {
		a.rows, a.columns, in = in[0], in[1], in[2:]
	}
	if c.Basis != nil {
		a.basis = in[0]
	}
	return a
}

// ascend is one step. It gives new w and moments, the scores before the step [n] and the codes
// [n, d].
func (a climb) ascend(activations func(z *Node) *Node) []*Node {
	choose := func(yes, a, b *Node) *Node { // rows of a where yes is 1, else of b
		return Where(GreaterThan(BroadcastToShape(ExpandAxes(yes, -1), a.Shape()), ZerosLike(a)), a, b)
	}
	w := choose(a.replaced, a.fresh, a.w)
	z := w
	if a.basis != nil {
		z = choose(a.rotated, Dot(w, Transpose(a.basis, 0, 1)).Product(), w)
	}
	scores := pick(activations(z), a.unit[0], a.unit[1], a.unit[2])
	gradient := Gradient(Neg(ReduceAllSum(scores)), w)[0]
	rates := BroadcastToShape(ExpandAxes(a.lr, -1), w.Shape())
	byAdam, m, v := ingraph.Adam{}.Step(w, a.m, a.v, gradient, a.t, rates)
	return []*Node{choose(a.adam, byAdam, ingraph.SGD(w, gradient, rates)), m, v, scores, z}
}
