package actmax

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// Method is an optimiser of panel D under the label that the original scripts print. The labels drop
// the decimal point: Adam001 has rate 0.01.
type Method struct {
	Label   string
	Adam    bool // else plain SGD
	Rate    float64
	Hessian bool // optimise in the eigenbasis of the generator's metric; no scaling is applied
}

// Labels are all published optimisers: two rules, their learning rates, each with and without the basis.
func Labels() []Method {
	var ms []Method
	for _, m := range []Method{{"Adam01", true, .1, false}, {"Adam001", true, .01, false},
		{"Adam0003", true, .003, false}, {"Adam0001", true, .001, false}, {"SGD001", false, .01, false},
		{"SGD0003", false, .003, false}, {"SGD0001", false, .001, false}} {
		ms = append(ms, m, Method{m.Label + "Hess", m.Adam, m.Rate, true})
	}
	return ms
}

// Methods gives the labels that the paper's sweep ran for a generator (resnet_gradEvol_GAN_cmp.sh):
// Adam01 and Adam01Hess for DeePSim, the other twelve for BigGAN.
func Methods(generator string) []Method {
	if generator == "DeePSim" {
		return Labels()[:2]
	}
	return Labels()[2:]
}

// FindMethod finds an optimiser by its label, in any case; an unknown one is an error that lists the
// known.
func FindMethod(label string) (Method, error) {
	var known []string
	for _, m := range Labels() {
		if strings.EqualFold(m.Label, label) {
			return m, nil
		}
		known = append(known, m.Label)
	}
	return Method{}, fmt.Errorf("actmax: no optimiser %q, known are %s", label, strings.Join(known, ", "))
}

// Run is one maximisation.
type Run struct {
	Unit   gansim.Unit
	Method Method
	Start  []float64 // code, not rotated
	// Redraw gives a fresh code; it is called for a run whose score is exactly 0. Nil means that such a
	// run keeps its code.
	Redraw func() ([]float64, error)
	// Placement of the images; only a maximizer with an Input takes other kinds than Full.
	Placement Placement
}

// Outcome of a run.
type Outcome struct {
	Score    float64   // of the last step, before its update
	MaxScore float64   // over all steps
	MaxStep  int       // where, counted from 0
	Scores   []float64 // all steps
	Code     []float64 // of the last step, not rotated
}

// MaximizerConfig is what a maximizer is compiled for. Everything else is an input at run time, run by
// run: unit, placement, method with its learning rate, and the number of steps.
type MaximizerConfig struct {
	Layer string // of the network, in either spelling
	// Basis holds the eigenvectors of the generator's metric as columns, [d, d] row-major. Nil means
	// that no run asks for it.
	Basis []float64
	Batch int // runs computed together, of any units
	// Input is the height and width of the network's input, in pixels, where runs choose their
	// placements. Zero means that all images are shown in full.
	Input int
}

// Maximizer runs gradient ascent of one generator on one layer, in float64 if a tensor of either
// network is, else in float32. A batch may hold runs of different units.
type Maximizer struct {
	MaximizerConfig
	generator gansim.Generator
	program   *graphx.Program
	precision dtypes.DType
	onDevice  []any // basis, if there is one
}

// NewMaximizer compiles generator and network up to the layer.
func NewMaximizer(backend compute.Backend, g gansim.Generator, s gansim.Scorer,
	c MaximizerConfig) (*Maximizer, error) {
	l, err := FindLayer(s, c.Layer)
	if err != nil {
		return nil, err
	}
	d := g.CodeSize()
	if c.Basis != nil && len(c.Basis) != d*d {
		return nil, fmt.Errorf("actmax: basis of %s has %d values, want %d x %d", g.Name(), len(c.Basis), d, d)
	}
	if c.Batch < 1 {
		return nil, fmt.Errorf("actmax: batches of %d runs, want at least 1", c.Batch)
	}
	program, err := graphx.New(backend, []gansim.Params{g.Params(), s.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			a := take(c, in)
			return a.ascend(func(z *Node) *Node {
				images := g.Decode(nets[0], z)
				if c.Input > 0 {
					images = placeEach(images, a.rows, a.columns)
				}
				return s.Activations(nets[1], images, l.Name)
			})
		})
	if err != nil {
		return nil, err
	}
	x := &Maximizer{MaximizerConfig: c, generator: g, program: program,
		precision: graphx.Precision(g.Params(), s.Params())}
	if c.Basis != nil {
		basis := graphx.TensorOf(x.precision, c.Basis, d, d)
		own, err := graphx.OnDevice(backend, basis) // now: at first use, two calls would race for it
		graphx.Free(basis)
		if err != nil {
			return nil, fmt.Errorf("actmax: basis of %s: %w", g.Name(), err)
		}
		x.onDevice = []any{own}
	}
	return x, nil
}

// Bytes is what the maximizer's networks take on the device.
func (x *Maximizer) Bytes() int64 { return x.program.Bytes() + int64(16*len(x.Basis)) }

// Close frees the device's memory; the maximizer is not to be used afterwards.
func (x *Maximizer) Close() { x.program.Close(); free(x.onDevice) }

// On is the same maximizer, compiled once for both, on a network of the same architecture with other
// weights.
func (x *Maximizer) On(s gansim.Scorer) (*Maximizer, error) {
	program, err := x.program.Bind(x.generator.Params(), s.Params())
	if err != nil {
		return nil, fmt.Errorf("actmax: %s: %w", s.Name(), err)
	}
	other := *x
	other.program = program
	return &other, nil
}

// Maximize runs all, in padded batches. Runs are independent of each other.
func (x *Maximizer) Maximize(ctx context.Context, runs []Run, steps int) ([]Outcome, error) {
	out := make([]Outcome, len(runs))
	err := graphx.Padded(len(runs), x.Batch, func(rows []int, valid int) error {
		some := make([]Run, len(rows))
		for i, r := range rows {
			some[i] = runs[r]
		}
		return x.ascent(ctx, some, out[rows[0]:rows[0]+valid], steps)
	})
	return out, err
}

func (x *Maximizer) ascent(ctx context.Context, runs []Run, out []Outcome, steps int) error {
	a, err := x.Begin(runs, len(out))
	if err != nil {
		return err
	}
	defer a.End()
	for k := range steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("actmax: %s, step %d of %d: %w", x.generator.Name(), k, steps, err)
		}
		scores, err := a.Step()
		if err != nil {
			return err
		}
		for i := range out {
			out[i].record(k, scores[i])
		}
	}
	z, err := a.Codes()
	if err != nil {
		return err
	}
	d := x.generator.CodeSize()
	for i := range out {
		out[i].Code = slices.Clone(z[i*d : (i+1)*d])
	}
	return nil
}

func (o *Outcome) record(step int, score float64) {
	o.Scores = append(o.Scores, score)
	o.Score = score
	if step == 0 || score > o.MaxScore {
		o.MaxScore, o.MaxStep = score, step
	}
}

// Redraws gives a run its own stream of fresh codes by a generator's recipe.
func Redraws(g gansim.Generator, recipe string, rng *rand.Rand) func() ([]float64, error) {
	return func() ([]float64, error) {
		c, err := g.Draw(recipe, rng, 1)
		if err != nil {
			return nil, err
		}
		return Widen(c.Z), nil
	}
}

// Widen gives a generator's code in float64.
func Widen(z []float32) []float64 {
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = float64(v)
	}
	return out
}
