package nn_test

import (
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// inputs gives an operator its inputs by the names of the case; a missing one is nil.
type inputs map[string]*Node

// operator expresses an operator of the reference set by this package.
type operator struct {
	build func(c oracle.OpCase, in inputs) *Node
	kinds map[string]nn.Kind // inputs that are weights of a layer; others of rank 3 or 4 are maps
	loose bool               // has exp, tanh or pow
}

func (op operator) tolerance() float64 {
	if op.loose {
		return looseF64
	}
	return exactF64
}

// operators covers every operator of ops.json. None is left out. Spectral norm is folded when
// weights are read, so it is here as a formula on the graph; [TestSpectralNorm] checks the folding.
var operators = map[string]operator{
	"conv2d":           {build: conv, kinds: map[string]nn.Kind{"w": nn.Kernel}},
	"conv_transpose2d": {build: convTranspose, kinds: map[string]nn.Kind{"w": nn.TransposedKernel}},
	"max_pool2d": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.MaxPool2D(in["x"], pool(c.Args))
	}},
	"relu_max_pool2d": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.MaxPool2D(nn.ReLU(in["x"]), pool(c.Args))
	}},
	"max_pool2d_three_times": {build: func(c oracle.OpCase, in inputs) *Node {
		maps := []*Node{in["x"]}
		for i := range 3 {
			maps = append(maps, nn.MaxPool2D(maps[i], pool(c.Args)))
		}
		return Concatenate(maps, 3)
	}},
	"avg_pool2d": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.AvgPool2D(in["x"], pool(c.Args))
	}},
	"adaptive_avg_pool2d": {build: func(c oracle.OpCase, in inputs) *Node {
		size := c.Args.Ints("output")
		return nn.AdaptiveAvgPool2D(in["x"], size[0], size[1])
	}},
	"local_response_norm": {build: localResponseNorm, loose: true},
	"batch_norm_eval":     {build: batchNorm},
	"conditional_batch_norm": {build: conditionalBatchNorm,
		kinds: map[string]nn.Kind{"w_scale": nn.Linear, "w_offset": nn.Linear}},
	"upsample_nearest": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.UpsampleNearest(in["x"], c.Args.Int("factor"))
	}},
	"resize_bilinear": {build: func(c oracle.OpCase, in inputs) *Node {
		size := c.Args.Ints("output")
		return nn.ResizeBilinear(in["x"], size[0], size[1], c.Args.Bool("align_corners"))
	}},
	"self_attention": {build: selfAttention, loose: true, kinds: map[string]nn.Kind{
		"w_theta": nn.Kernel, "w_phi": nn.Kernel, "w_g": nn.Kernel, "w_o": nn.Kernel}},
	"spectral_norm_conv": {build: spectralConv, kinds: map[string]nn.Kind{
		"weight_orig": nn.Kernel}},
	"spectral_norm_linear": {build: spectralLinear, kinds: map[string]nn.Kind{
		"weight_orig": nn.Linear}},
	"relu": {build: pointwise(nn.ReLU)},
	"leaky_relu": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.LeakyReLU(in["x"], c.Args.Float("slope"))
	}},
	"silu":    {build: pointwise(nn.SiLU), loose: true},
	"tanh":    {build: pointwise(Tanh), loose: true},
	"sigmoid": {build: pointwise(Sigmoid), loose: true},
	"abs":     {build: pointwise(nn.Magnitude)},
	"clamp": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.ClampTo(in["x"], c.Args.Float("min"), c.Args.Float("max"))
	}},
	"softmax":     {build: overChannels(Softmax), loose: true},
	"log_softmax": {build: overChannels(LogSoftmax), loose: true},
	"dfl": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.DFL(in["x"], c.Args.Int("bins"))
	}, loose: true},
	"linear": {build: func(_ oracle.OpCase, in inputs) *Node {
		return nn.Dense(in["x"], in["w"], in["b"])
	}, kinds: map[string]nn.Kind{"w": nn.Linear}},
	"unit_normalise": {build: func(c oracle.OpCase, in inputs) *Node {
		return nn.UnitNormalise(in["x"], c.Args.Float("eps"))
	}},
	"mse_per_item": {build: func(_ oracle.OpCase, in inputs) *Node {
		return nn.MSE(in["x"], in["target"])
	}},
	"conv_relu_flatten_linear_log_softmax": {build: chain, loose: true,
		kinds: map[string]nn.Kind{"w": nn.Kernel, "v": nn.Linear}},
}

func pointwise(f func(*Node) *Node) func(oracle.OpCase, inputs) *Node {
	return func(_ oracle.OpCase, in inputs) *Node { return f(in["x"]) }
}

// overChannels applies f along channels, which are axis 1 in the reference and the last one here.
func overChannels(f func(*Node, ...int) *Node) func(oracle.OpCase, inputs) *Node {
	return func(_ oracle.OpCase, in inputs) *Node { return f(in["x"], -1) }
}

func biased(y, b *Node) *Node {
	if b == nil {
		return y
	}
	return nn.Bias(y, b)
}

func pair(v []int) [2]int { return [2]int{v[0], v[1]} }

func conv(c oracle.OpCase, in inputs) *Node {
	p := c.Args.Ints("padding_top_bottom_left_right")
	return biased(nn.Conv(in["x"], in["w"], nn.ConvOptions{
		Stride: pair(c.Args.Ints("stride")), Dilation: pair(c.Args.Ints("dilation")),
		Padding: [2][2]int{{p[0], p[1]}, {p[2], p[3]}}, Groups: c.Args.Int("groups"),
	}), in["b"])
}

func convTranspose(c oracle.OpCase, in inputs) *Node {
	return biased(nn.ConvTranspose(in["x"], in["w"], nn.ConvTransposeOptions{
		Stride: pair(c.Args.Ints("stride")), Padding: pair(c.Args.Ints("padding")),
		OutputPadding: pair(c.Args.Ints("output_padding")), Groups: c.Args.Int("groups"),
	}), in["b"])
}

func pool(a oracle.Args) nn.PoolOptions {
	return nn.PoolOptions{
		Kernel: pair(a.Ints("kernel")), Stride: pair(a.Ints("stride")), Padding: pair(a.Ints("padding")),
		Ceil:           a.Bool("ceil_mode"),
		ExcludePadding: a.Has("count_include_pad") && !a.Bool("count_include_pad"),
	}
}

func localResponseNorm(c oracle.OpCase, in inputs) *Node {
	a := c.Args
	return nn.LocalResponseNorm(in["x"], nn.LRNOptions{Size: a.Int("size"), Alpha: a.Float("alpha"),
		Beta: a.Float("beta"), K: a.Float("k"), Divide: a.Bool("alpha_divided_by_size")})
}

func inverseStd(c oracle.OpCase, in inputs) *Node {
	return Inverse(Sqrt(AddScalar(in["var"], c.Args.Float("eps"))))
}

func batchNorm(c oracle.OpCase, in inputs) *Node {
	scale := Mul(in["weight"], inverseStd(c, in))
	return nn.ScaleOffset(in["x"], scale, Sub(in["bias"], Mul(in["mean"], scale)))
}

func conditionalBatchNorm(c oracle.OpCase, in inputs) *Node {
	gain := AddScalar(nn.Dense(in["cond"], in["w_scale"], nil), 1)
	scale := Mul(gain, Reshape(inverseStd(c, in), 1, -1))
	offset := nn.Dense(in["cond"], in["w_offset"], nil)
	return nn.ScaleOffset(in["x"], scale, Sub(offset, Mul(Reshape(in["mean"], 1, -1), scale)))
}

func selfAttention(_ oracle.OpCase, in inputs) *Node {
	return nn.SelfAttention(in["x"], nn.Attention{Theta: in["w_theta"], Phi: in["w_phi"],
		G: in["w_g"], Out: in["w_o"], Gamma: in["gamma"]})
}

// spectral divides a weight by u.W.v. The flattened v is in the order of the published weight.
func spectral(w, u, v *Node) *Node {
	return Div(w, ReduceAllSum(Mul(w, Mul(v, u))))
}

func spectralConv(c oracle.OpCase, in inputs) *Node {
	w := in["weight_orig"]
	d := w.Shape().Dimensions
	v := TransposeAllAxes(Reshape(in["weight_v"], 1, d[2], d[0], d[1]), 2, 3, 1, 0)
	w = spectral(w, Reshape(in["weight_u"], 1, 1, 1, -1), v)
	p := c.Args.Int("padding")
	return nn.Conv(in["x"], w, nn.ConvOptions{Padding: [2][2]int{{p, p}, {p, p}}})
}

func spectralLinear(_ oracle.OpCase, in inputs) *Node {
	w := spectral(in["weight_orig"], Reshape(in["weight_u"], 1, -1), Reshape(in["weight_v"], -1, 1))
	return nn.Dense(in["x"], w, nil)
}

func chain(c oracle.OpCase, in inputs) *Node {
	y := nn.ReLU(nn.Conv(in["x"], in["w"], nn.Same(3, 1)))
	y = Reshape(y, y.Shape().Dimensions[0], -1)
	return LogSoftmax(nn.Dense(y, in["v"], nil), -1)
}

// layout is how this package stores an array of the reference program.
type layout struct {
	kind   nn.Kind // of a weight; nn.Raw for other arrays
	from   [3]int  // the map that a matrix reads flattened
	groups int
}

// layout is that of an input of a case.
func (op operator) layout(name string, c oracle.OpCase) layout {
	kind, ok := op.kinds[name]
	if !ok {
		return layout{kind: nn.Raw}
	}
	l := layout{kind: kind, groups: c.Args.Int("groups")}
	if c.Op == "conv_relu_flatten_linear_log_softmax" && name == "v" {
		x, w := c.Inputs["x"].Shape, c.Inputs["w"].Shape
		l.from = [3]int{w[0], x[2], x[3]}
	}
	return l
}

// order gives, for each element of an array in our layout, its flat index in the published one, and
// our shape. Maps have channels second in the reference and last here.
func (l layout) order(published []int) (index []int, ours []int) {
	if l.kind == nn.Raw {
		return channelsLast(published)
	}
	flat := make([]float32, size(published)) // whole numbers below 2^24 are exact
	for i := range flat {
		flat[i] = float32(i)
	}
	layer := nn.Layer{Kind: l.kind, FromCHW: l.from, Groups: l.groups}
	ours, flat = layer.Import("w.weight", published, flat)
	for _, v := range flat {
		index = append(index, int(v))
	}
	return index, ours
}

func channelsLast(published []int) (index, ours []int) {
	n := size(published)
	channels, rest := 1, 1
	ours = slices.Clone(published)
	if len(published) > 2 {
		channels, rest = published[1], size(published[2:])
		ours = append(append(published[:1:1], published[2:]...), channels)
	}
	for i := range n {
		item, at, c := i/(channels*rest), i/channels%rest, i%channels
		index = append(index, (item*channels+c)*rest+at)
	}
	return index, ours
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// tensor makes a tensor in our layout.
func (l layout) tensor(t oracle.Tensor, dtype dtypes.DType) *tensors.Tensor {
	index, shape := l.order(t.Shape)
	wide, narrow := make([]float64, len(index)), make([]float32, len(index))
	for i, from := range index {
		wide[i], narrow[i] = t.Data[from], float32(t.Data[from])
	}
	if dtype == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(wide, shape...)
	}
	return tensors.FromFlatDataAndDimensions(narrow, shape...)
}

// published reads a tensor in our layout back to the order of the reference.
func (l layout) published(t *tensors.Tensor, shape []int) ([]float64, error) {
	values, err := floats(t)
	if err != nil {
		return nil, err
	}
	index, _ := l.order(shape)
	out := make([]float64, len(index))
	for i, to := range index {
		out[to] = values[i]
	}
	return out, nil
}

func floats(t *tensors.Tensor) ([]float64, error) {
	if t.DType() == dtypes.Float64 {
		return tensors.CopyFlatData[float64](t)
	}
	narrow, err := graphx.Floats(t)
	wide := make([]float64, len(narrow))
	for i, v := range narrow {
		wide[i] = float64(v)
	}
	return wide, err
}

// graph builds cases of the operator: the inputs and cotangent of each, then its output and
// gradients.
func (op operator) graph(cases []oracle.OpCase) graphx.Func {
	return func(_ []gansim.Weights, in []*Node) []*Node {
		var outs []*Node
		for _, c := range cases {
			named := inputs{}
			for i, name := range c.InputNames {
				named[name] = in[i]
			}
			y, cotangent := op.build(c, named), in[len(c.InputNames)]
			in = in[len(c.InputNames)+1:]
			outs = append(outs, y)
			var wanted []*Node
			for _, name := range c.Outputs[1:] {
				wanted = append(wanted, named[input(name)])
			}
			outs = append(outs, Gradient(ReduceAllSum(Mul(y, cotangent)), wanted...)...)
		}
		return outs
	}
}

// input is the name of the input in "grad(NAME)".
func input(output string) string {
	return strings.TrimSuffix(strings.TrimPrefix(output, "grad("), ")")
}
