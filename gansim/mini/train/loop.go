package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// stepGraph builds one training step: the state and the step's inputs to the next state and the
// numbers to report.
type stepGraph func(nets []gansim.Weights, state, in []*graph.Node) (next, report []*graph.Node)

// phase is a stretch of training with one compiled step.
type phase struct {
	name    string
	steps   int
	reports []string        // names of the reported numbers
	frozen  []gansim.Params // networks that are used but not trained
	build   stepGraph
	// inputs draws a step's inputs; rng is seeded by seed, phase and step alone.
	inputs func(step int, rng *rand.Rand) []any
	// evaluate measures on held-out images, every so often and at the end; nil for none.
	evaluate func(state []*tensors.Tensor) (map[string]float64, error)
}

// Point is one line of a training curve: means over the steps since the last one.
type Point struct {
	Phase  string             `json:"phase"`
	Step   int                `json:"step"`
	Values map[string]float64 `json:"values"`
}

// run advances the state from step first (0 for a new phase) to the end of the phase.
func (r *runner) run(ctx context.Context, p phase, state []*tensors.Tensor, first int) (
	[]*tensors.Tensor, error) {
	n := len(state)
	program, err := graphx.New(r.backend, p.frozen,
		func(nets []gansim.Weights, in []*graph.Node) []*graph.Node {
			next, report := p.build(nets, in[:n], in[n:])
			return append(next, report...)
		})
	if err != nil {
		return nil, err
	}
	sums := make([]float64, len(p.reports))
	counted := 0
	saved := time.Now()
	for step := first; step < p.steps; step++ {
		if err := ctx.Err(); err != nil {
			return state, r.interrupted(p, state, step, err)
		}
		rng := rand.New(rand.NewPCG(r.seed^hash(p.name), uint64(step)))
		args := make([]any, 0, n+4)
		for _, s := range state {
			args = append(args, s)
		}
		inputs := p.inputs(step, rng)
		out, err := program.Call(append(args, inputs...)...)
		if err != nil {
			return state, fmt.Errorf("train: %s, step %d: %w", p.name, step, err)
		}
		release(state, inputs)
		state = out[:n]
		if err := p.add(sums, out[n:], step); err != nil {
			return state, err
		}
		counted++
		done := step+1 == p.steps
		if r.progress != nil {
			r.progress(p.name, step+1, p.steps)
		}
		if (step+1)%reportEvery == 0 || done {
			if err := r.report(p, step+1, sums, counted, state, done); err != nil {
				return state, err
			}
			clear(sums)
			counted = 0
		}
		if done || time.Since(saved) > saveEvery {
			if err := r.save(p.name, state, step+1); err != nil {
				return state, err
			}
			saved = time.Now()
		}
	}
	return state, nil
}

// release frees a step's tensors.
func release(state []*tensors.Tensor, inputs []any) {
	graphx.Free(state...)
	for _, in := range inputs {
		if t, ok := in.(*tensors.Tensor); ok {
			graphx.Free(t)
		}
	}
}

// add adds a step's reported numbers to their sums; one that is not a number ends the training.
func (p phase) add(sums []float64, reported []*tensors.Tensor, step int) error {
	for i, t := range reported {
		v := float64(tensors.ToScalar[float32](t))
		if math.IsNaN(v) {
			return fmt.Errorf("train: %s, step %d: %s is not a number", p.name, step, p.reports[i])
		}
		sums[i] += v
	}
	graphx.Free(reported...)
	return nil
}

const (
	reportEvery   = 100 // steps
	evaluateEvery = 1000
	saveEvery     = 2 * time.Minute
)

func (r *runner) report(p phase, step int, sums []float64, n int, state []*tensors.Tensor,
	done bool) error {
	pt := Point{Phase: p.name, Step: step, Values: map[string]float64{}}
	for i, name := range p.reports {
		pt.Values[name] = round(sums[i] / float64(n))
	}
	if p.evaluate != nil && (step%evaluateEvery == 0 || done) {
		found, err := p.evaluate(state)
		if err != nil {
			return fmt.Errorf("train: %s, step %d: %w", p.name, step, err)
		}
		for k, v := range found {
			pt.Values[k] = round(v)
		}
	}
	r.curve = append(r.curve, pt)
	if r.log != nil {
		r.log(pt)
	}
	return nil
}

// round keeps four significant digits, which is what a curve needs.
func round(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

func (r *runner) interrupted(p phase, state []*tensors.Tensor, step int, cause error) error {
	if err := r.save(p.name, state, step); err != nil {
		return err
	}
	return fmt.Errorf("train: %s stopped at step %d of %d: %w", p.name, step, p.steps, cause)
}

// hash is FNV-1a, so that phases draw from different streams.
func hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// runner is one network's training.
type runner struct {
	backend  compute.Backend
	seed     uint64
	dir      string // of the checkpoint
	network  string
	steps    []int // of each phase; empty means the recipe's
	curve    []Point
	progress func(phase string, done, total int)
	log      func(Point)
}

// length is the number of steps of a phase, of which the recipe has so many.
func (r *runner) length(phase, recipe int) int {
	if len(r.steps) > 0 {
		return r.steps[phase]
	}
	return recipe
}

// oneCycle is the learning rate of a run that warms up linearly over the first part and then falls
// along a cosine to nothing (Smith & Topin 2017).
func oneCycle(peak float64, step, steps int, warm float64) float32 {
	at := float64(step) / float64(steps)
	if at < warm {
		return float32(peak * (.04 + .96*at/warm))
	}
	return float32(peak * (.5 + .5*math.Cos(math.Pi*(at-warm)/(1-warm))))
}

func scalar(t *graph.Node, v float64) *graph.Node { return graph.Scalar(t.Graph(), t.DType(), v) }
