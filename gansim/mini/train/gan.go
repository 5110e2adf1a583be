package train

import (
	"context"
	"math/rand/v2"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/optim/ingraph"
)

// gan is BigGAN's training: first at 32 pixels without its last block, then grown to 64.
type gan struct {
	biggan.Config
	params layout
	critic critic
	data   world.Renders // objects only
	rows   [][]int       // of data, by class
	steps  [2]int
	batch  int
}

func newGAN(d *data) gan {
	c := biggan.Mini
	g := gan{Config: c, params: trainable(c.Table()), critic: ganCritic(c.Classes),
		data: objects(d.train), rows: make([][]int, c.Classes), steps: [2]int{3000, 1500}, batch: 32}
	for i, class := range g.data.Labels {
		g.rows[class] = append(g.rows[class], i)
	}
	return g
}

// varietyWeight is that of the generator's loss for groups that vary less than those of renders (a
// mode-seeking loss: Mao et al. 2019, bounded).
const varietyWeight = 1

// objects keeps the renders of objects: BigGAN has no class for textures.
func objects(r world.Renders) world.Renders {
	out := world.Renders{Size: r.Size}
	bytes := r.Size * r.Size * 3
	for i := range r.N {
		if r.Labels[i] < world.NumObjects {
			out.Pix = append(out.Pix, r.Pix[i*bytes:(i+1)*bytes]...)
			out.Labels = append(out.Labels, r.Labels[i])
			out.N++
		}
	}
	return out
}

// State of the GAN's phases: generator and its moments, its moving average, critic and its moments,
// vectors of spectral norm.
const (
	genParams = iota
	genM
	genV
	genAverage
	criticParams
	criticM
	criticV
	criticU
)

func (g gan) phase(stage int) phase {
	name := []string{"biggan, 32 pixels", "biggan, 64 pixels"}[stage]
	return phase{
		name: name, steps: g.steps[stage],
		reports: []string{"critic", "generator", "real", "fake", "variety"},
		build: func(_ []gansim.Weights, state, in []*Node) (next, report []*Node) {
			return g.step(stage, state, in)
		},
		inputs: func(step int, rng *rand.Rand) []any {
			rows := make([]int, g.batch)
			for i, class := range g.classes(rng) {
				rows[i] = g.rows[class][rng.IntN(len(g.rows[class]))]
			}
			average := min(.999, float64(step+1)/float64(step+21))
			if stage == 1 {
				average = .999
			}
			classes := func() *tensors.Tensor {
				return tensors.FromFlatDataAndDimensions(g.classes(rng), g.batch)
			}
			size := g.Image >> (1 - stage)
			return []any{batch(g.data, rows, nil), labels(g.data, rows),
				normals(rng, g.batch, g.Noise), classes(), normals(rng, g.batch, g.Noise), classes(),
				uniform(rng, -1./255, 1./255, g.batch, size, size, 3),
				float32(step + 1), float32(average)}
		},
	}
}

// classes draws the classes of a batch, one for each group.
func (g gan) classes(rng *rand.Rand) []int32 {
	out := make([]int32, g.batch)
	for i := range out {
		if i%group == 0 {
			out[i] = int32(rng.IntN(g.Classes))
		} else {
			out[i] = out[i-1]
		}
	}
	return out
}

// step trains the critic once, then the generator once.
func (g gan) step(stage int, state, in []*Node) (next, report []*Node) {
	pixels, label, z1, y1, z2, y2, noise, t, average :=
		in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8]
	real := AddScalar(MulScalar(unit(pixels), 2), -1)
	if stage == 0 {
		real = nn.AvgPool2D(real, nn.Pool(2, 2))
	}
	real = Add(real, noise)
	leaves := g.params.leaves(state[genParams])
	w := g.params.view(leaves)

	criticLayout := trainable(g.critic.layers(stage))
	criticLeaves := criticLayout.leaves(state[criticParams])
	u := g.critic.vectors(stage)
	dw, nextU := g.critic.normalised(stage, criticLayout.view(criticLeaves),
		u.view(u.leaves(state[criticU])))
	fake := StopGradient(g.images(stage, w, z1, y1))
	maps := g.critic.maps(stage, dw, Concatenate([]*Node{real, fake}, 0))
	scores := g.critic.judge(dw, maps, OneHot(Concatenate([]*Node{label, y1}, 0), g.Classes, f32))
	varied := StopGradient(spread(Slice(maps, AxisRange(0, g.batch))))
	onReal := Slice(scores, AxisRange(0, g.batch))
	onFake := Slice(scores, AxisRange(g.batch, 2*g.batch))
	criticLoss := hinge(onReal, onFake)
	adam := ingraph.Adam{Beta1: -1, Beta2: .99}
	dp, dm, dv := adam.Step(state[criticParams], state[criticM], state[criticV],
		flatten(Gradient(criticLoss, criticLeaves...)), t, scalar(t, 5e-4))

	newCritic := criticLayout.view(criticLayout.leaves(dp))
	dw, nextU = g.critic.normalised(stage, newCritic, u.view(nextU))
	maps = g.critic.maps(stage, dw, g.images(stage, w, z2, y2))
	loss := Neg(ReduceAllMean(g.critic.judge(dw, maps, OneHot(y2, g.Classes, f32))))
	variety := Div(spread(maps), varied)
	loss = Add(loss, MulScalar(nn.ReLU(OneMinus(variety)), varietyWeight))
	gp, gm, gv := adam.Step(state[genParams], state[genM], state[genV],
		flatten(Gradient(loss, leaves...)), t, scalar(t, 3e-4))
	ema := Add(Mul(state[genAverage], average), Mul(gp, OneMinus(average)))
	return []*Node{gp, gm, gv, ema, dp, dm, dv, flatten(nextU)},
		[]*Node{criticLoss, loss, ReduceAllMean(onReal), ReduceAllMean(onFake), variety}
}

// images decodes noise and classes in training mode, to [-1, 1].
func (g gan) images(stage int, w gansim.Weights, z, y *Node) *Node {
	code := Concatenate([]*Node{z, g.embed(w, y)}, 1)
	return g.Forward(w, code, &nn.Batch{Eps: g.Eps}, len(g.Blocks)-1+stage, nn.NoTap)
}

// embed looks the classes' embeddings up, [n, Class].
func (g gan) embed(w gansim.Weights, y *Node) *Node {
	return Dot(OneHot(y, g.Classes, f32), Transpose(w("embeddings.weight"), 0, 1)).Product()
}

// initial is the state before the first phase.
func (g gan) initial(seed uint64) []*tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := g.params.initialise(rng, func(e entry, v []float32, rng *rand.Rand) {
		std := 1.
		switch {
		case e.name == "embeddings.weight":
		case strings.Contains(e.name, ".bn_"):
			std = .02
		default:
			orthogonal(e, v, rng)
			return
		}
		for i := range v {
			v[i] = float32(std * rng.NormFloat64())
		}
	})
	n := len(p)
	return append([]*tensors.Tensor{graphx.Tensor(p, n), zeros(n), zeros(n), graphx.Tensor(p, n)},
		g.critic.initial(0, rng)...)
}

// initial gives the critic's params, moments and vectors.
func (c critic) initial(stage int, rng *rand.Rand) []*tensors.Tensor {
	p := trainable(c.layers(stage)).initialise(rng, heNormal(.2))
	return c.state(stage, p, rng)
}

func (c critic) state(stage int, p []float32, rng *rand.Rand) []*tensors.Tensor {
	n := len(p)
	u := make([]float32, c.vectors(stage).size())
	for i := range u {
		u[i] = float32(rng.NormFloat64())
	}
	c.vectors(stage).values(u, func(_ entry, v []float32) {
		wide := make([]float64, len(v))
		for i := range v {
			wide[i] = float64(v[i])
		}
		normalise(wide)
		for i := range v {
			v[i] = float32(wide[i])
		}
	})
	return []*tensors.Tensor{graphx.Tensor(p, n), zeros(n), zeros(n), graphx.Tensor(u, len(u))}
}

// grow turns the state at 32 pixels into the one at 64: the last block starts as the identity, the
// critic as average pooling in front of its old self.
func (g gan) grow(state []*tensors.Tensor, seed uint64) ([]*tensors.Tensor, error) {
	rng := rand.New(rand.NewPCG(seed, 2))
	var next []*tensors.Tensor
	for _, i := range []int{genParams, genM, genV, genAverage} {
		if i == genM || i == genV {
			next = append(next, zeros(g.params.size()))
			continue
		}
		p, err := graphx.Floats(state[i])
		if err != nil {
			return nil, err
		}
		last := "generator.layers." + string(rune('0'+len(g.Blocks)-1)) + ".conv_3."
		g.params.values(p, func(e entry, v []float32) {
			if strings.HasPrefix(e.name, last) {
				clear(v)
			}
		})
		next = append(next, graphx.Tensor(p, len(p)))
	}
	old, err := graphx.Floats(state[criticParams])
	if err != nil {
		return nil, err
	}
	grown := g.critic.grow(trainable(g.critic.layers(0)).named(old))
	p, err := trainable(g.critic.layers(1)).joined(grown)
	if err != nil {
		return nil, err
	}
	return append(next, g.critic.state(1, p, rng)...), nil
}

// train runs both phases from wherever a checkpoint left off.
func (g gan) train(ctx context.Context, r *runner, c resumed) ([]*tensors.Tensor, error) {
	state, first := c.state, c.step
	if state == nil {
		state = g.initial(r.seed)
	}
	if c.phase != g.phase(1).name {
		var err error
		if state, err = r.run(ctx, g.phase(0), state, first); err != nil {
			return nil, err
		}
		if state, err = g.grow(state, r.seed); err != nil {
			return nil, err
		}
		first = 0
	}
	return r.run(ctx, g.phase(1), state, first)
}

// tables gives the running statistics for the checkpoint: row k holds the means over batches of
// codes whose noise is scaled by k/50, through the averaged generator.
func (g gan) tables(r *runner, state []*tensors.Tensor) (map[string][]float32, error) {
	const batches, size = 8, 48
	var names []string
	program, err := graphx.New(r.backend, nil, func(_ []gansim.Weights, in []*Node) []*Node {
		w := g.params.view(g.params.leaves(in[0]))
		norm := &nn.Batch{Eps: g.Eps}
		g.Forward(w, Concatenate([]*Node{in[1], g.embed(w, in[2])}, 1), norm, len(g.Blocks), nn.NoTap)
		names = norm.Names
		return append(norm.Means, norm.Vars...)
	})
	if err != nil {
		return nil, err
	}
	tables := map[string][]float32{}
	for row := range g.Rows {
		rng := rand.New(rand.NewPCG(r.seed, 3))
		sums := map[string][]float64{}
		for range batches {
			z := make([]float32, size*g.Noise)
			y := make([]int32, size)
			for i := range z {
				z[i] = float32(rng.NormFloat64() * float64(row) / float64(g.Rows-1))
			}
			for i := range y {
				y[i] = int32(i % g.Classes)
			}
			out, err := program.Call(state[genAverage], graphx.Tensor(z, size, g.Noise),
				tensors.FromFlatDataAndDimensions(y, size))
			if err != nil {
				return nil, err
			}
			for i, t := range out {
				v, err := graphx.Floats(t)
				if err != nil {
					return nil, err
				}
				name := names[i%len(names)] + []string{".running_means", ".running_vars"}[i/len(names)]
				sum := sums[name]
				if sum == nil {
					sum = make([]float64, len(v))
					sums[name] = sum
				}
				for j, x := range v {
					sum[j] += float64(x) / batches
				}
			}
		}
		for name, sum := range sums {
			for _, x := range sum {
				tables[name] = append(tables[name], float32(x))
			}
		}
	}
	return tables, nil
}
