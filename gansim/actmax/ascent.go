package actmax

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

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

// Begin starts the runs, of which the first valid ones count. End it.
func (x *Maximizer) Begin(runs []Run, valid int) *Ascent {
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
	return a
}

// End frees the device's memory.
func (a *Ascent) End() { graphx.Free(a.state...) }

// Step scores the codes, makes a step of each run and gives the scores before it. Afterwards runs
// that scored exactly zero get fresh codes; their moments and the number of steps stay.
func (a *Ascent) Step() ([]float64, error) {
	x, n, d := a.maximizer, len(a.runs), a.maximizer.generator.CodeSize()
	a.steps++
	args := []any{a.state[0], a.state[1], a.state[2], a.tensor(a.fresh, n, d), x.onDevice,
		a.tensor(a.replaced, n)}
	args = append(append(args, a.settings...), a.tensor([]float64{float64(a.steps)}))
	next, err := x.program.Call(args...)
	if err != nil {
		return nil, err
	}
	a.End()
	a.state = next
	scores, err := graphx.Float64s(next[3])
	if err != nil {
		return nil, err
	}
	clear(a.replaced)
	for i, s := range scores[:a.valid] {
		if NeedsRedraw(s) {
			copy(a.fresh[i*d:(i+1)*d], x.rotate(a.runs[i], a.runs[i].Redraw()))
			a.replaced[i] = 1
		}
	}
	return scores, nil
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
	var rotated, adam, lr []float64
	var units []gansim.Unit
	for _, r := range runs {
		rotated = append(rotated, flag[r.Method.Hessian])
		adam = append(adam, flag[r.Method.Adam])
		lr = append(lr, r.Method.Rate)
		units = append(units, r.Unit)
	}
	channel, row, col := indices(units)
	all := []any{}
	for _, v := range [][]float64{rotated, adam, lr} {
		all = append(all, graphx.TensorOf(x.precision, v, len(v)))
	}
	return append(all, channel, row, col)
}

// rotate expresses a code in the run's coordinates: w = z E in the eigenbasis, z itself otherwise.
func (x *Maximizer) rotate(r Run, z []float64) []float64 {
	if !r.Method.Hessian {
		return z
	}
	d := len(z)
	w := make([]float64, d)
	for j := range d {
		for i, v := range z {
			w[j] += v * x.basis[i*d+j]
		}
	}
	return w
}

// ascend is one step for a batch: w, two moments and fresh codes [n, d], basis [d, d], then per run
// whether w is replaced, whether it is in the eigenbasis, whether Adam is used and the learning rate
// ([n]), channel, row, column (int32 [n]), and the step's number from 1. It gives new w and
// moments, the scores before the step [n] and the codes [n, d].
func ascend(in []*Node, activations func(z *Node) *Node) []*Node {
	w, m, v, fresh, basis := in[0], in[1], in[2], in[3], in[4]
	replaced, rotated, adam, lr := in[5], in[6], in[7], in[8]
	choose := func(yes, a, b *Node) *Node { // rows of a where yes is 1, else of b
		return Where(GreaterThan(BroadcastToShape(ExpandAxes(yes, -1), a.Shape()), ZerosLike(a)), a, b)
	}
	w = choose(replaced, fresh, w)
	z := choose(rotated, Dot(w, Transpose(basis, 0, 1)).Product(), w)
	scores := pick(activations(z), in[9], in[10], in[11])
	gradient := Gradient(Neg(ReduceAllSum(scores)), w)[0]
	rates := BroadcastToShape(ExpandAxes(lr, -1), w.Shape())
	byAdam, newM, newV := ingraph.Adam{}.Step(w, m, v, gradient, in[12], rates)
	return []*Node{choose(adam, byAdam, ingraph.SGD(w, gradient, rates)), newM, newV, scores, z}
}
