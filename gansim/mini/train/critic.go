package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// critic is a discriminator: convolutions with spectral norm (Miyato et al. 2018) and a projection
// of the condition (Miyato & Koyama 2018). It is used in training only.
type critic struct {
	first     []nn.Layer // alternatives for the first convolution, one per resolution
	firstGain []float64  // of their normalised weights
	trunk     []nn.Layer // stride-2 convolutions of width 4
	last      *nn.Layer  // 3x3 behind the minibatch deviation channel; nil for none
	linear    nn.Layer
	condition nn.Layer // [features, condition]
	slope     float64
	gain      float64 // of the summed features
}

func convLayer(name string, in, out, size int) nn.Layer {
	return nn.Layer{Name: name, Kind: nn.Kernel, In: in, Out: out, Size: [2]int{size, size}, Bias: true}
}

// ganCritic judges BigGAN: widths 32, 64, 128, 192. At 32 pixels its first layer is 3x3, at 64 it is
// 6x6 at stride 2, which starts as average pooling by 2 and then the 3x3 layer.
func ganCritic(classes int) critic {
	last := convLayer("last", 193, 192, 3)
	return critic{
		first:     []nn.Layer{convLayer("in32", 3, 32, 3), convLayer("in64", 3, 32, 6)},
		firstGain: []float64{1, .5},
		trunk: []nn.Layer{convLayer("c1", 32, 64, 4), convLayer("c2", 64, 128, 4),
			convLayer("c3", 128, 192, 4)},
		last:      &last,
		linear:    nn.Layer{Name: "linear", Kind: nn.Linear, In: 192, Out: 1, Bias: true},
		condition: nn.Layer{Name: "condition", Kind: nn.Linear, In: classes, Out: 192},
		slope:     .1, gain: .25,
	}
}

// codeCritic judges DeePSim's images given their codes.
func codeCritic(code int) critic {
	return critic{
		first:     []nn.Layer{convLayer("c0", 3, 32, 4)},
		firstGain: []float64{1},
		trunk: []nn.Layer{convLayer("c1", 32, 64, 4), convLayer("c2", 64, 128, 4),
			convLayer("c3", 128, 128, 4)},
		linear:    nn.Layer{Name: "linear", Kind: nn.Linear, In: 128, Out: 1, Bias: true},
		condition: nn.Layer{Name: "condition", Kind: nn.Linear, In: code, Out: 128},
		slope:     .2, gain: .125,
	}
}

// layers lists those in use with first layer number stage.
func (c critic) layers(stage int) nn.Table {
	t := append(nn.Table{c.first[stage]}, c.trunk...)
	if c.last != nil {
		t = append(t, *c.last)
	}
	return append(t, c.linear, c.condition)
}

// vectors lists the left vectors of spectral norm's power iteration, one per layer.
func (c critic) vectors(stage int) layout {
	var l layout
	for _, layer := range c.layers(stage) {
		shape := []int{layer.Out}
		l = append(l, entry{layer.Name + ".u", shape, layer, shape})
	}
	return l
}

// normalised divides each weight by its largest singular value as one step of power iteration finds
// it, and gives the vectors for the next step.
func (c critic) normalised(stage int, w, u gansim.Weights) (gansim.Weights, []*Node) {
	table := map[string]*Node{}
	var next []*Node
	for _, layer := range c.layers(stage) {
		name := layer.Name + ".weight"
		weight := w(name)
		matrix := Reshape(weight, -1, layer.Out)
		fixed := StopGradient(matrix)
		left := length1(Dot(fixed, u(layer.Name+".u")).Product())
		right := length1(Dot(Transpose(fixed, 0, 1), left).Product())
		sigma := ReduceAllSum(Mul(StopGradient(left), Dot(matrix, StopGradient(right)).Product()))
		table[name] = Div(weight, sigma)
		next = append(next, right)
	}
	return func(name string) *Node {
		if n, ok := table[name]; ok {
			return n
		}
		return w(name)
	}, next
}

func length1(v *Node) *Node {
	return Div(v, AddScalar(Sqrt(ReduceAllSum(Square(v))), 1e-12))
}

// group is the number of consecutive images that a GAN's critic compares: they are of one class, so
// that it sees a generator that draws one pose for all of them.
const group = 4

// score judges images x [n, s, s, 3] under condition [n, k]; w are normalised weights.
func (c critic) score(stage int, w gansim.Weights, x, condition *Node) *Node {
	return c.judge(w, c.maps(stage, w, x), condition)
}

// conv is a convolution of the critic.
func (c critic) conv(w gansim.Weights, x *Node, l nn.Layer, stride int, gain float64) *Node {
	pad := (l.Size[0] - stride + 1) / 2
	y := nn.Conv(x, MulScalar(w(l.Name+".weight"), gain), nn.ConvOptions{Stride: [2]int{stride, stride},
		Padding: [2][2]int{{pad, pad}, {pad, pad}}})
	return nn.LeakyReLU(nn.Bias(y, w(l.Name+".bias")), c.slope)
}

// maps is the trunk's output, [n, 4, 4, width].
func (c critic) maps(stage int, w gansim.Weights, x *Node) *Node {
	stride := 1
	if c.first[stage].Size[0]%2 == 0 {
		stride = 2
	}
	h := c.conv(w, x, c.first[stage], stride, c.firstGain[stage])
	for _, l := range c.trunk {
		h = c.conv(w, h, l, 2, 1)
	}
	return h
}

// judge gives the scores [n] of the trunk's maps.
func (c critic) judge(w gansim.Weights, h, condition *Node) *Node {
	if c.last != nil {
		h = c.conv(w, Concatenate([]*Node{h, deviation(h)}, 3), *c.last, 1, 1)
	}
	features := MulScalar(ReduceSum(h, 1, 2), c.gain)
	y := nn.Dense(features, w("linear.weight"), w("linear.bias"))
	projected := nn.Dense(condition, w("condition.weight"), nil)
	return Add(Reshape(y, -1), ReduceSum(Mul(projected, features), 1))
}

// deviation is the minibatch standard deviation (Karras et al. 2018) over groups, as one
// more channel.
func deviation(x *Node) *Node {
	d := x.Shape().Dimensions
	y := grouped(x)
	centred := Sub(y, ReduceAndKeep(y, ReduceMean, 1))
	std := ReduceMean(Sqrt(AddScalar(ReduceMean(Square(centred), 1), 1e-6)), 1, 2, 3)
	return Reshape(BroadcastToDims(Reshape(std, d[0]/group, 1, 1, 1, 1), d[0]/group, group, d[1], d[2], 1),
		d[0], d[1], d[2], 1)
}

// grouped has the groups of x [n, h, w, c] as first axis.
func grouped(x *Node) *Node {
	d := x.Shape().Dimensions
	return Reshape(x, d[0]/group, group, d[1], d[2], d[3])
}

// spread is the mean distance of images from the next one of their group, in the trunk's maps.
func spread(maps *Node) *Node {
	y := grouped(maps)
	next := Concatenate([]*Node{Slice(y, AxisRange(), AxisRange(1, group)),
		Slice(y, AxisRange(), AxisRange(0, 1))}, 1)
	return ReduceAllMean(Abs(Sub(y, next)))
}

// grow makes the weights of stage 1 from those of stage 0: each tap of the 3x3 kernel is repeated
// 2x2 and divided by 4, which is average pooling followed by the old layer. The largest singular
// value of that kernel is half the old one's: firstGain makes up for it behind spectral norm.
func (c critic) grow(old map[string][]float32) map[string][]float32 {
	from, to := c.first[0], c.first[1]
	k, n := from.Size[0], from.In*from.Out
	w := make([]float32, to.Size[0]*to.Size[1]*n)
	for y := range 2 * k {
		for x := range 2 * k {
			for i := range n {
				w[(y*2*k+x)*n+i] = old[from.Name+".weight"][((y/2)*k+x/2)*n+i] / 4
			}
		}
	}
	grown := map[string][]float32{to.Name + ".weight": w, to.Name + ".bias": old[from.Name+".bias"]}
	for name, v := range old {
		if name != from.Name+".weight" && name != from.Name+".bias" {
			grown[name] = v
		}
	}
	return grown
}

// hinge is the critic's loss (Lim & Ye 2017).
func hinge(real, fake *Node) *Node {
	part := func(x *Node) *Node { return ReduceAllMean(nn.ReLU(AddScalar(x, 1))) }
	return Add(part(Neg(real)), part(fake))
}

// named cuts a flat vector into tensors by name.
func (l layout) named(flat []float32) map[string][]float32 {
	m := map[string][]float32{}
	l.values(flat, func(e entry, v []float32) { m[e.name] = v })
	return m
}

// joined is the inverse of named.
func (l layout) joined(m map[string][]float32) ([]float32, error) {
	var flat []float32
	for _, e := range l {
		if len(m[e.name]) != count(e.shape) {
			return nil, fmt.Errorf("train: tensor %q has %d values, want %v", e.name, len(m[e.name]), e.shape)
		}
		flat = append(flat, m[e.name]...)
	}
	return flat, nil
}
