package train

import (
	"context"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/optim/ingraph"
)

// inverter is DeePSim's training: it inverts fc6 of AlexNet under a pixel, a feature and an
// adversarial loss (Dosovitskiy & Brox 2016).
type inverter struct {
	deepsim.Config
	alexnet alexnet.Config
	encoder gansim.Params
	params  layout
	critic  critic
	data    *data
	steps   int
	batch   int
	// scale divides fc6 so that codes have rms 1; features are the mean squares of relu(conv2) and
	// relu(conv5); pixel is the variance of the renders.
	scale, pixel float64
	features     [2]float64
}

const (
	featureWeight     = .5
	adversarialWeight = .03
	adversarialFrom   = .5 // of all steps
	deepsimPeak       = 1e-3

	measuredRenders  = 2048 // for the scales of codes, features and pixels
	heldCorrelations = 128  // held-out renders for the correlation
)

var inverterTaps = []string{"conv2", "conv5", "fc6"}

func newInverter(r *runner, d *data, encoder gansim.Params) (inverter, error) {
	c := deepsim.Mini
	v := inverter{Config: c, alexnet: alexnet.Mini, encoder: encoder, params: trainable(c.Table()),
		critic: codeCritic(c.Code), data: d, steps: 2600, batch: 32}
	return v, v.measure(r)
}

// measure finds the scales of codes, features and pixels on some renders.
func (v *inverter) measure(r *runner) error {
	program, err := graphx.New(r.backend, []gansim.Params{v.encoder},
		func(nets []gansim.Weights, in []*Node) []*Node {
			images := unit(in[0])
			taps := v.alexnet.Taps(nets[0], images, inverterTaps...)
			var out []*Node
			for _, name := range inverterTaps {
				out = append(out, ReduceAllMean(Square(taps[name])))
			}
			centred := Sub(images, ReduceAndKeep(images, ReduceMean, 0, 1, 2))
			return append(out, ReduceAllMean(Square(centred)))
		})
	if err != nil {
		return err
	}
	const size = 128
	const batches = measuredRenders / size
	var sums [4]float64
	for b := range batches {
		rows := make([]int, size)
		for i := range rows {
			rows[i] = b*size + i
		}
		out, err := program.Call(batch(v.data.train, rows, nil))
		if err != nil {
			return err
		}
		for i := range sums {
			sums[i] += float64(tensors.ToScalar[float32](out[i])) / batches
		}
	}
	v.features, v.scale, v.pixel = [2]float64{sums[0], sums[1]}, math.Sqrt(sums[2]), sums[3]
	return nil
}

func (v inverter) phase() phase {
	return phase{
		name: "deepsim", steps: v.steps, frozen: []gansim.Params{v.encoder},
		reports: []string{"pixel", "feature", "adversarial", "critic"},
		build: func(nets []gansim.Weights, state, in []*Node) (next, report []*Node) {
			return v.step(nets[0], state, in)
		},
		inputs: func(step int, rng *rand.Rand) []any {
			rows, flip := pick(rng, v.batch, v.data.train.N)
			at := float64(step) / float64(v.steps)
			rate := deepsimPeak * min(1, float64(step+1)/50) * (.02 + .98*(.5+.5*math.Cos(math.Pi*at)))
			adversarial, since := float32(0), 1
			if at >= adversarialFrom {
				adversarial = 1
				since = step - int(adversarialFrom*float64(v.steps)) + 1
			}
			return []any{batch(v.data.train, rows, flip), float32(rate), float32(step + 1),
				adversarial, float32(since)}
		},
	}
}

// step: inputs are pixels, learning rate, step number, whether the critic takes part (0 or 1) and
// since how many steps.
func (v inverter) step(encoder gansim.Weights, state, in []*Node) (next, report []*Node) {
	images, lr, t, on, since := unit(in[0]), in[1], in[2], in[3], in[4]
	wanted := v.alexnet.Taps(encoder, images, inverterTaps...)
	code := DivScalar(wanted["fc6"], v.scale)
	leaves := v.params.leaves(state[0])
	made := v.Unclamped(v.params.view(leaves), code)
	pixel := DivScalar(ReduceAllMean(Square(Sub(images, made))), v.pixel)
	got := v.alexnet.Taps(encoder, made, inverterTaps[:2]...)
	feature := ScalarZero(pixel.Graph(), f32)
	for i, name := range inverterTaps[:2] {
		off := ReduceAllMean(Square(Sub(wanted[name], got[name])))
		feature = Add(feature, DivScalar(off, 2*v.features[i]))
	}
	criticLayout := trainable(v.critic.layers(0))
	criticLeaves := criticLayout.leaves(state[3])
	u := v.critic.vectors(0)
	dw, nextU := v.critic.normalised(0, criticLayout.view(criticLeaves), u.view(u.leaves(state[6])))
	judge := func(x *Node) *Node {
		return v.critic.score(0, dw, MulScalar(AddScalar(x, -.45), 4), code)
	}
	adversarial := Neg(ReduceAllMean(judge(made)))
	loss := Add(pixel, MulScalar(feature, featureWeight))
	loss = Add(loss, Mul(on, MulScalar(adversarial, adversarialWeight)))
	p, m, mv := ingraph.Adam{}.Step(state[0], state[1], state[2],
		flatten(Gradient(loss, leaves...)), t, lr)

	criticLoss := hinge(judge(images), judge(StopGradient(made)))
	adam := ingraph.Adam{Beta1: .5, Beta2: .99}
	cp, cm, cv := adam.Step(state[3], state[4], state[5],
		flatten(Gradient(criticLoss, criticLeaves...)), since, scalar(t, 2e-4))
	keep := func(new, old *Node) *Node { return Add(Mul(on, new), Mul(OneMinus(on), old)) }
	return []*Node{p, m, mv, keep(cp, state[3]), keep(cm, state[4]), keep(cv, state[5]),
		keep(flatten(nextU), state[6])}, []*Node{pixel, feature, adversarial, criticLoss}
}

func (v inverter) initial(seed uint64) []*tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := v.params.initialise(rng, heNormal(deepsim.Slope))
	last := v.Stack[len(v.Stack)-1].Key
	v.params.values(p, func(e entry, values []float32) {
		if e.layer.Name == last {
			for i := range values {
				values[i] *= .1
			}
		}
	})
	n := len(p)
	return append([]*tensors.Tensor{graphx.Tensor(p, n), zeros(n), zeros(n)},
		v.critic.initial(0, rng)...)
}

// train runs the phase; held-out renders are measured by their median Pearson r.
func (v inverter) train(ctx context.Context, r *runner, c resumed) ([]*tensors.Tensor, error) {
	state := c.state
	if state == nil {
		state = v.initial(r.seed)
	}
	p := v.phase()
	program, err := graphx.New(r.backend, []gansim.Params{v.encoder},
		func(nets []gansim.Weights, in []*Node) []*Node {
			code := DivScalar(v.alexnet.Taps(nets[0], unit(in[1]), "fc6")["fc6"], v.scale)
			return []*Node{v.Decode(v.params.view(v.params.leaves(in[0])), code)}
		})
	if err != nil {
		return nil, err
	}
	p.evaluate = func(state []*tensors.Tensor) (map[string]float64, error) {
		return v.feedForward(program, state)
	}
	return r.run(ctx, p, state, c.step)
}

// feedForward is the median correlation of held-out renders with their reconstruction from fc6.
func (v inverter) feedForward(program *graphx.Program, state []*tensors.Tensor) (
	map[string]float64, error) {
	rows := make([]int, heldCorrelations)
	for i := range rows {
		rows[i] = i
	}
	held := v.data.held.Slice(0, len(rows))
	want := held.Images()
	made := gansim.NewImages(want.N, want.Height, want.Width)
	var err error
	made.Pix, err = program.Rows(want.N, len(want.At(0)), state[0], batch(held, rows, nil))
	return map[string]float64{"held-out median r": medianCorrelation(want, made)}, err
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
