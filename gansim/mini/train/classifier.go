package train

import (
	"context"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/optim/ingraph"
)

const f32 = dtypes.Float32

// classifier describes the training of a network on the labels.
type classifier struct {
	params, stats layout
	// logits runs images in [0, 1]; loss adds what else the network is trained on, or is nil.
	logits func(w gansim.Weights, images *Node, norm nn.Normalizer) (logits, extra *Node)
	steps  int
	peak   float64 // learning rate
	decay  float64
	smooth float64 // of labels
	// epsilon of adversarial training (projected gradient, two steps); zero means none.
	epsilon float64
}

const classifierBatch = 64

// gistSize is the width of the small image that the gist head reads from fc6.
const gistSize = 16

// alexNet is trained with a "gist" head: sixteen labels alone let fc6 forget colour, background and
// place, and DeePSim could then not invert it. The head reads a small image from fc6 and is thrown
// away.
func alexNet() classifier {
	c := alexnet.Mini
	fc6 := c.Dense[0]
	table := append(c.Table(), nn.Layer{Name: "gist", Kind: nn.Linear, In: fc6.Out,
		Out: gistSize * gistSize * 3, Bias: true})
	return classifier{
		params: trainable(table), steps: 2250, peak: 2e-3, decay: 5e-4, smooth: .05,
		logits: func(w gansim.Weights, images *Node, _ nn.Normalizer) (logits, extra *Node) {
			taps := c.Taps(w, images, "fc6", "fc8")
			gist := nn.Dense(taps["fc6"], w("gist.weight"), w("gist.bias"))
			k := c.Input / gistSize
			small := nn.AvgPool2D(images, nn.Pool(k, k))
			want := DivScalar(AddScalar(Reshape(small, -1, gistSize*gistSize*3), -.45), .21)
			return taps["fc8"], MulScalar(ReduceAllMean(Square(Sub(gist, want))), 2)
		},
	}
}

func resNet(c resnet.Config) classifier {
	return classifier{
		params: trainable(c.Table()), stats: statistics(c.Table()),
		steps: 2000, peak: 3e-3, decay: 5e-4, smooth: .05,
		logits: func(w gansim.Weights, images *Node, norm nn.Normalizer) (logits, extra *Node) {
			return c.Taps(w, images, norm, "fc")["fc"], nil
		},
	}
}

// robust starts from the plain network's tensors and learns on images moved by up to 8/255 against
// it (Madry et al. 2018).
func robust(c resnet.Config) classifier {
	k := resNet(c)
	k.steps, k.peak, k.smooth, k.epsilon = 1000, 2e-3, 0, 8./255
	return k
}

// phase is the classifier's training; state: params, two moments, running statistics.
func (c classifier) phase(name string, d *data) phase {
	return phase{
		name: name, steps: c.steps, reports: []string{"loss", "extra"},
		build: func(_ []gansim.Weights, state, in []*Node) (next, report []*Node) {
			return c.step(state, in)
		},
		inputs: func(step int, rng *rand.Rand) []any {
			rows, flip := pick(rng, classifierBatch, d.train.N)
			return []any{batch(d.train, rows, flip), labels(d.train, rows),
				oneCycle(c.peak, step, c.steps, .15), float32(step + 1),
				uniform(rng, -1, 1, classifierBatch, d.train.Size, d.train.Size, 3)}
		},
	}
}

// step: inputs are pixels, labels, learning rate, step number, noise in [-1, 1].
func (c classifier) step(state, in []*Node) (next, report []*Node) {
	images, label, lr, t, noise := unit(in[0]), in[1], in[2], in[3], in[4]
	leaves := c.params.leaves(state[0])
	w := c.params.view(leaves)
	if c.epsilon > 0 {
		images = c.attack(w, c.running(state[3]), images, label, noise, 2)
	}
	norm := &nn.Batch{Eps: resnet.Epsilon}
	logits, extra := c.logits(w, images, norm)
	loss := crossEntropy(logits, label, c.smooth)
	total := loss
	if extra == nil {
		extra = ScalarZero(loss.Graph(), f32)
	} else {
		total = Add(loss, extra)
	}
	gradient := flatten(Gradient(total, leaves...))
	p, m, v := ingraph.Adam{Decay: c.decay}.Step(state[0], state[1], state[2], gradient, t, lr)
	next = []*Node{p, m, v}
	if len(c.stats) > 0 {
		next = append(next, follow(c.stats, state[3], norm))
	}
	return next, []*Node{loss, extra}
}

// follow moves the running statistics a tenth of the way to the batch's (torch's momentum 0.1, with
// the unbiased variance).
func follow(stats layout, flat *Node, norm *nn.Batch) *Node {
	byName := map[string]*Node{}
	for i, name := range norm.Names {
		byName[name+".running_mean"] = norm.Means[i]
		byName[name+".running_var"] = norm.Vars[i]
	}
	nodes := make([]*Node, len(stats))
	for i, e := range stats {
		nodes[i] = byName[e.name]
	}
	return Add(MulScalar(flat, .9), MulScalar(StopGradient(flatten(nodes)), .1))
}

// running normalises by the running statistics of training.
type running struct {
	stats gansim.Weights
	eps   float64
}

func (c classifier) running(flat *Node) nn.Normalizer {
	if len(c.stats) == 0 {
		return nil
	}
	return running{c.stats.view(c.stats.leaves(flat)), resnet.Epsilon}
}

// Affine applies running statistics, weight and bias.
func (r running) Affine(w gansim.Weights, name string, x *Node) *Node {
	mean, inverse := r.Statistics(w, name, x)
	scale := Mul(inverse, w(name+".weight"))
	return nn.ScaleOffset(x, scale, Sub(w(name+".bias"), Mul(mean, scale)))
}

// Statistics are the running ones.
func (r running) Statistics(_ gansim.Weights, name string, _ *Node) (mean, inverse *Node) {
	variance := r.stats(name + ".running_var")
	return r.stats(name + ".running_mean"), Inverse(Sqrt(AddScalar(variance, r.eps)))
}

// attack is projected gradient ascent on the loss within epsilon of the images, from a random start.
func (c classifier) attack(w gansim.Weights, norm nn.Normalizer, images, label, noise *Node,
	steps int) *Node {
	size := c.epsilon * 2.5 / float64(steps)
	moved := MulScalar(noise, c.epsilon)
	for range steps {
		moved = Identity(StopGradient(moved)) // a node of its own: none flows to a stopped one
		logits, _ := c.logits(w, nn.ClampTo(Add(images, moved), 0, 1), norm)
		g := Gradient(crossEntropy(logits, label, 0), moved)[0]
		moved = nn.ClampTo(Add(moved, MulScalar(Sign(g), size)), -c.epsilon, c.epsilon)
	}
	return StopGradient(nn.ClampTo(Add(images, moved), 0, 1))
}

// crossEntropy is the mean over the batch; labels are smoothed evenly over all classes.
func crossEntropy(logits, label *Node, smooth float64) *Node {
	classes := logits.Shape().Dimensions[1]
	target := AddScalar(MulScalar(OneHot(label, classes, f32), 1-smooth), smooth/float64(classes))
	return Neg(DivScalar(ReduceAllSum(Mul(target, LogSoftmax(logits, -1))),
		float64(logits.Shape().Dimensions[0])))
}

// accuracy on held-out renders, plain or under attack of so many steps.
func (c classifier) accuracy(r *runner, held world.Renders, state []*tensors.Tensor, steps int) (
	float64, error) {
	program, err := graphx.New(r.backend, nil, func(_ []gansim.Weights, in []*Node) []*Node {
		w := c.params.view(c.params.leaves(in[0]))
		images, label, flat := unit(in[1]), in[2], in[len(in)-1]
		norm := c.running(flat)
		if steps > 0 {
			images = c.attack(w, norm, images, label, in[3], steps)
		}
		logits, _ := c.logits(w, images, norm)
		hit := Equal(ArgMax(logits, -1, dtypes.Int32), label)
		return []*Node{ReduceAllMean(ConvertDType(hit, f32))}
	})
	if err != nil {
		return 0, err
	}
	const size = 128
	sum, n := 0., 0
	rng := rand.New(rand.NewPCG(r.seed, 1))
	for from := 0; from+size <= held.N; from += size {
		rows := make([]int, size)
		for i := range rows {
			rows[i] = from + i
		}
		out, err := program.Call(state[0], batch(held, rows, nil), labels(held, rows),
			uniform(rng, -1, 1, size, held.Size, held.Size, 3), state[len(state)-1])
		if err != nil {
			return 0, err
		}
		sum += float64(tensors.ToScalar[float32](out[0]))
		n++
	}
	return sum / float64(n), nil
}

// start makes the state of a classifier: params (from another network's if given), moments, stats.
func (c classifier) start(seed uint64, from []*tensors.Tensor) []*tensors.Tensor {
	if from != nil {
		return []*tensors.Tensor{from[0], zeros(c.params.size()), zeros(c.params.size()), from[3]}
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	p := c.params.initialise(rng, heNormal(0))
	c.params.values(p, func(e entry, v []float32) {
		if strings.HasPrefix(e.name, "gist.") {
			for i := range v {
				v[i] *= .1
			}
		}
	})
	state := []*tensors.Tensor{graphx.Tensor(p, len(p)), zeros(len(p)), zeros(len(p))}
	if len(c.stats) > 0 {
		s := c.stats.initialise(rng, nil)
		state = append(state, graphx.Tensor(s, len(s)))
	}
	return state
}

func zeros(n int) *tensors.Tensor { return graphx.Tensor(make([]float32, n), n) }

// train runs the classifier's phase with accuracy on held-out renders.
func (c classifier) train(ctx context.Context, r *runner, d *data, state []*tensors.Tensor,
	first int) ([]*tensors.Tensor, error) {
	p := c.phase(r.network, d)
	p.evaluate = func(state []*tensors.Tensor) (map[string]float64, error) {
		acc, err := c.accuracy(r, d.held, state, 0)
		return map[string]float64{"held-out accuracy": acc}, err
	}
	return r.run(ctx, p, state, first)
}
