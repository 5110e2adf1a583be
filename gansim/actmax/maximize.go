package actmax

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/optim/ingraph"
)

// Method is an optimiser of panel D under the label that the original scripts print. The labels drop
// the decimal point: Adam001 has rate 0.01.
type Method struct {
	Label   string
	Adam    bool // else plain SGD
	Rate    float64
	Hessian bool // optimise in the eigenbasis of the generator's metric; no scaling is applied
}

// Methods gives the labels that the paper's sweep ran for a generator (resnet_gradEvol_GAN_cmp.sh):
// two for DeePSim, twelve for BigGAN.
func Methods(generator string) []Method {
	if generator == "DeePSim" {
		return []Method{{"Adam01", true, .1, false}, {"Adam01Hess", true, .1, true}}
	}
	var ms []Method
	for _, adam := range []bool{true, false} {
		for _, r := range []struct {
			label string
			rate  float64
		}{{"001", .01}, {"0003", .003}, {"0001", .001}} {
			name := map[bool]string{true: "Adam", false: "SGD"}[adam] + r.label
			ms = append(ms, Method{name, adam, r.rate, false}, Method{name + "Hess", adam, r.rate, true})
		}
	}
	return ms
}

// Run is one maximisation.
type Run struct {
	Unit   gansim.Unit
	Method Method
	Start  []float32 // code, not rotated
	// Redraw gives a fresh code; it is called for a run whose score is exactly 0.
	Redraw func() []float32
}

// Outcome of a run.
type Outcome struct {
	Score    float64   // of the last step, before its update
	MaxScore float64   // over all steps
	MaxStep  int       // where, counted from 0
	Scores   []float64 // all steps
	Code     []float32 // of the last step, not rotated
}

// Maximizer runs gradient ascent of one generator on one layer.
type Maximizer struct {
	generator gansim.Generator
	program   *graphx.Program
	basis     *tensors.Tensor
	batch     int
}

// NewMaximizer compiles generator and network up to the layer. basis holds the eigenvectors of the
// generator's metric as columns, [d, d] row-major.
func NewMaximizer(backend compute.Backend, g gansim.Generator, s gansim.Scorer, layer string,
	basis []float32, batch int) (*Maximizer, error) {
	l, err := FindLayer(s, layer)
	if err != nil {
		return nil, err
	}
	d := g.CodeSize()
	if len(basis) != d*d {
		return nil, fmt.Errorf("actmax: basis of %s has %d values, want %d x %d", g.Name(), len(basis), d, d)
	}
	program, err := graphx.New(backend, []gansim.Params{g.Params(), s.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return ascend(in, func(z *Node) *Node {
				return s.Activations(nets[1], g.Decode(nets[0], z), l.Name)
			})
		})
	if err != nil {
		return nil, err
	}
	return &Maximizer{g, program, graphx.Tensor(basis, d, d), batch}, nil
}

// On is the same maximizer, compiled once for both, on a network of the same architecture with other
// weights.
func (x *Maximizer) On(s gansim.Scorer) (*Maximizer, error) {
	program, err := x.program.Bind(x.generator.Params(), s.Params())
	if err != nil {
		return nil, fmt.Errorf("actmax: %s: %w", s.Name(), err)
	}
	return &Maximizer{x.generator, program, x.basis, x.batch}, nil
}

// ascend is one step for a batch: w, two moments and fresh codes [n, d], basis [d, d], then per run
// whether w is replaced, whether it is in the eigenbasis, whether Adam is used and the learning rate
// (float32 [n]), channel, row, column (int32 [n]), and the step's number from 1. It gives new w and
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

// Maximize runs all, in padded batches. Runs are independent of each other.
func (x *Maximizer) Maximize(ctx context.Context, runs []Run, steps int) ([]Outcome, error) {
	out := make([]Outcome, len(runs))
	err := graphx.Padded(len(runs), x.batch, func(rows []int, valid int) error {
		some := make([]Run, len(rows))
		for i, r := range rows {
			some[i] = runs[r]
		}
		return x.ascent(ctx, some, out[rows[0]:rows[0]+valid], steps)
	})
	return out, err
}

func (x *Maximizer) ascent(ctx context.Context, runs []Run, out []Outcome, steps int) error {
	n, d := len(runs), x.generator.CodeSize()
	settings := x.settings(runs)
	fresh, replaced := make([]float32, n*d), make([]float32, n)
	for i, r := range runs { // the start enters as a replacement in code space
		copy(fresh[i*d:], x.rotate(r, r.Start))
		replaced[i] = 1
	}
	zero := func() *tensors.Tensor { return graphx.Tensor(make([]float32, n*d), n, d) }
	state := []*tensors.Tensor{zero(), zero(), zero()}
	for k := range steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("actmax: %s, step %d of %d: %w", x.generator.Name(), k, steps, err)
		}
		args := []any{state[0], state[1], state[2], graphx.Tensor(fresh, n, d), x.basis,
			append([]float32(nil), replaced...)}
		next, err := x.program.Call(append(append(args, settings...), float32(k+1))...)
		if err != nil {
			return err
		}
		graphx.Free(state...)
		scores, err := graphx.Floats(next[3])
		if err != nil {
			return err
		}
		clear(replaced)
		for i := range out {
			out[i].record(k, float64(scores[i]))
			if scores[i] == 0 {
				copy(fresh[i*d:], x.rotate(runs[i], runs[i].Redraw()))
				replaced[i] = 1
			}
		}
		if k == steps-1 {
			if err := codes(next[4], out, d); err != nil {
				return err
			}
		}
		graphx.Free(next[3:]...)
		state = next[:3]
	}
	graphx.Free(state...)
	return nil
}

// settings are the inputs that stay the same over a batch's steps.
func (x *Maximizer) settings(runs []Run) []any {
	flag := func(b bool) float32 {
		if b {
			return 1
		}
		return 0
	}
	var rotated, adam, lr []float32
	var units []gansim.Unit
	for _, r := range runs {
		rotated = append(rotated, flag(r.Method.Hessian))
		adam = append(adam, flag(r.Method.Adam))
		lr = append(lr, float32(r.Method.Rate))
		units = append(units, r.Unit)
	}
	channel, row, col := indices(units)
	return []any{rotated, adam, lr, channel, row, col}
}

// rotate expresses a code in the run's coordinates: w = z E in the eigenbasis, z itself otherwise.
func (x *Maximizer) rotate(r Run, z []float32) []float32 {
	if !r.Method.Hessian {
		return z
	}
	d := len(z)
	w := make([]float32, d)
	tensors.MustConstFlatData(x.basis, func(e []float32) {
		for j := range d {
			sum := 0.
			for i, v := range z {
				sum += float64(v) * float64(e[i*d+j])
			}
			w[j] = float32(sum)
		}
	})
	return w
}

func (o *Outcome) record(step int, score float64) {
	o.Scores = append(o.Scores, score)
	o.Score = score
	if step == 0 || score > o.MaxScore {
		o.MaxScore, o.MaxStep = score, step
	}
}

func codes(t *tensors.Tensor, out []Outcome, d int) error {
	z, err := graphx.Floats(t)
	if err != nil {
		return err
	}
	for i := range out {
		out[i].Code = append([]float32(nil), z[i*d:(i+1)*d]...)
	}
	return nil
}

// Redraws gives a run its own stream of fresh codes by a generator's recipe.
func Redraws(g gansim.Generator, recipe string, rng *rand.Rand) func() []float32 {
	return func() []float32 {
		c, err := g.Draw(recipe, rng, 1)
		if err != nil { // the recipe was used for the start
			return make([]float32, g.CodeSize())
		}
		return c.Z
	}
}
