package parity

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// opInputs gives an operator its inputs by the names of the case; a missing one is nil.
type opInputs map[string]*Node

// operator expresses an operator of the reference set by this package.
type operator struct {
	build func(c oracle.OpCase, in opInputs) *Node
	kinds map[string]nn.Kind // inputs that are weights of a layer; others of rank 3 or 4 are maps
	loose bool               // has exp, tanh or pow
}

// Largest relative L2 differences allowed in float64. The looser one is for operators whose exp,
// tanh or pow come from another mathematical library than the reference's.
const (
	opExact = 1e-12
	opLoose = 1e-10
)

func (op operator) tolerance() float64 {
	if op.loose {
		return opLoose
	}
	return opExact
}

// operators covers every operator of ops.json. None is left out. Spectral norm is folded when
// weights are read, so it is here as a formula on the graph; opFolded checks the folding.
var operators = map[string]operator{
	"conv2d":           {build: opConv, kinds: map[string]nn.Kind{"w": nn.Kernel}},
	"conv_transpose2d": {build: opConvTranspose, kinds: map[string]nn.Kind{"w": nn.TransposedKernel}},
	"max_pool2d": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.MaxPool2D(in["x"], opPool(c.Args))
	}},
	"relu_max_pool2d": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.MaxPool2D(nn.ReLU(in["x"]), opPool(c.Args))
	}},
	"max_pool2d_three_times": {build: func(c oracle.OpCase, in opInputs) *Node {
		maps := []*Node{in["x"]}
		for i := range 3 {
			maps = append(maps, nn.MaxPool2D(maps[i], opPool(c.Args)))
		}
		return Concatenate(maps, 3)
	}},
	"avg_pool2d": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.AvgPool2D(in["x"], opPool(c.Args))
	}},
	"adaptive_avg_pool2d": {build: func(c oracle.OpCase, in opInputs) *Node {
		size := c.Args.Ints("output")
		return nn.AdaptiveAvgPool2D(in["x"], size[0], size[1])
	}},
	"local_response_norm": {build: opLRN, loose: true},
	"batch_norm_eval":     {build: opBatchNorm},
	"conditional_batch_norm": {build: opConditionalBatchNorm,
		kinds: map[string]nn.Kind{"w_scale": nn.Linear, "w_offset": nn.Linear}},
	"upsample_nearest": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.UpsampleNearest(in["x"], c.Args.Int("factor"))
	}},
	"resize_bilinear": {build: func(c oracle.OpCase, in opInputs) *Node {
		size := c.Args.Ints("output")
		return nn.ResizeBilinear(in["x"], size[0], size[1], c.Args.Bool("align_corners"))
	}},
	"self_attention": {build: opAttention, loose: true, kinds: map[string]nn.Kind{
		"w_theta": nn.Kernel, "w_phi": nn.Kernel, "w_g": nn.Kernel, "w_o": nn.Kernel}},
	"spectral_norm_conv": {build: opSpectralConv, kinds: map[string]nn.Kind{
		"weight_orig": nn.Kernel}},
	"spectral_norm_linear": {build: opSpectralLinear, kinds: map[string]nn.Kind{
		"weight_orig": nn.Linear}},
	"relu": {build: opPointwise(nn.ReLU)},
	"leaky_relu": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.LeakyReLU(in["x"], c.Args.Float("slope"))
	}},
	"silu":    {build: opPointwise(nn.SiLU), loose: true},
	"tanh":    {build: opPointwise(Tanh), loose: true},
	"sigmoid": {build: opPointwise(Sigmoid), loose: true},
	"abs":     {build: opPointwise(nn.Magnitude)},
	"clamp": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.ClampTo(in["x"], c.Args.Float("min"), c.Args.Float("max"))
	}},
	"softmax":     {build: opOverChannels(Softmax), loose: true},
	"log_softmax": {build: opOverChannels(LogSoftmax), loose: true},
	"dfl": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.DFL(in["x"], c.Args.Int("bins"))
	}, loose: true},
	"linear": {build: func(_ oracle.OpCase, in opInputs) *Node {
		return nn.Dense(in["x"], in["w"], in["b"])
	}, kinds: map[string]nn.Kind{"w": nn.Linear}},
	"unit_normalise": {build: func(c oracle.OpCase, in opInputs) *Node {
		return nn.UnitNormalise(in["x"], c.Args.Float("eps"))
	}},
	"mse_per_item": {build: func(_ oracle.OpCase, in opInputs) *Node {
		return nn.MSE(in["x"], in["target"])
	}},
	"conv_relu_flatten_linear_log_softmax": {build: opChain, loose: true,
		kinds: map[string]nn.Kind{"w": nn.Kernel, "v": nn.Linear}},
}

func opPointwise(f func(*Node) *Node) func(oracle.OpCase, opInputs) *Node {
	return func(_ oracle.OpCase, in opInputs) *Node { return f(in["x"]) }
}

// opOverChannels applies f along channels, which are axis 1 in the reference and the last one here.
func opOverChannels(f func(*Node, ...int) *Node) func(oracle.OpCase, opInputs) *Node {
	return func(_ oracle.OpCase, in opInputs) *Node { return f(in["x"], -1) }
}

func opBiased(y, b *Node) *Node {
	if b == nil {
		return y
	}
	return nn.Bias(y, b)
}

func opPair(v []int) [2]int { return [2]int{v[0], v[1]} }

func opConv(c oracle.OpCase, in opInputs) *Node {
	p := c.Args.Ints("padding_top_bottom_left_right")
	return opBiased(nn.Conv(in["x"], in["w"], nn.ConvOptions{
		Stride: opPair(c.Args.Ints("stride")), Dilation: opPair(c.Args.Ints("dilation")),
		Padding: [2][2]int{{p[0], p[1]}, {p[2], p[3]}}, Groups: c.Args.Int("groups"),
	}), in["b"])
}

func opConvTranspose(c oracle.OpCase, in opInputs) *Node {
	return opBiased(nn.ConvTranspose(in["x"], in["w"], nn.ConvTransposeOptions{
		Stride: opPair(c.Args.Ints("stride")), Padding: opPair(c.Args.Ints("padding")),
		OutputPadding: opPair(c.Args.Ints("output_padding")), Groups: c.Args.Int("groups"),
	}), in["b"])
}

func opPool(a oracle.Args) nn.PoolOptions {
	return nn.PoolOptions{
		Kernel: opPair(a.Ints("kernel")), Stride: opPair(a.Ints("stride")), Padding: opPair(a.Ints("padding")),
		Ceil:           a.Bool("ceil_mode"),
		ExcludePadding: a.Has("count_include_pad") && !a.Bool("count_include_pad"),
	}
}

func opLRN(c oracle.OpCase, in opInputs) *Node {
	a := c.Args
	return nn.LocalResponseNorm(in["x"], nn.LRNOptions{Size: a.Int("size"), Alpha: a.Float("alpha"),
		Beta: a.Float("beta"), K: a.Float("k"), Divide: a.Bool("alpha_divided_by_size")})
}

func opInverseStd(c oracle.OpCase, in opInputs) *Node {
	return Inverse(Sqrt(AddScalar(in["var"], c.Args.Float("eps"))))
}

func opBatchNorm(c oracle.OpCase, in opInputs) *Node {
	scale := Mul(in["weight"], opInverseStd(c, in))
	return nn.ScaleOffset(in["x"], scale, Sub(in["bias"], Mul(in["mean"], scale)))
}

func opConditionalBatchNorm(c oracle.OpCase, in opInputs) *Node {
	gain := AddScalar(nn.Dense(in["cond"], in["w_scale"], nil), 1)
	scale := Mul(gain, Reshape(opInverseStd(c, in), 1, -1))
	offset := nn.Dense(in["cond"], in["w_offset"], nil)
	return nn.ScaleOffset(in["x"], scale, Sub(offset, Mul(Reshape(in["mean"], 1, -1), scale)))
}

func opAttention(_ oracle.OpCase, in opInputs) *Node {
	return nn.SelfAttention(in["x"], nn.Attention{Theta: in["w_theta"], Phi: in["w_phi"],
		G: in["w_g"], Out: in["w_o"], Gamma: in["gamma"]})
}

// opSpectral divides a weight by u.W.v. The flattened v is in the order of the published weight.
func opSpectral(w, u, v *Node) *Node {
	return Div(w, ReduceAllSum(Mul(w, Mul(v, u))))
}

func opSpectralConv(c oracle.OpCase, in opInputs) *Node {
	w := in["weight_orig"]
	d := w.Shape().Dimensions
	v := TransposeAllAxes(Reshape(in["weight_v"], 1, d[2], d[0], d[1]), 2, 3, 1, 0)
	w = opSpectral(w, Reshape(in["weight_u"], 1, 1, 1, -1), v)
	p := c.Args.Int("padding")
	return nn.Conv(in["x"], w, nn.ConvOptions{Padding: [2][2]int{{p, p}, {p, p}}})
}

func opSpectralLinear(_ oracle.OpCase, in opInputs) *Node {
	w := opSpectral(in["weight_orig"], Reshape(in["weight_u"], 1, -1), Reshape(in["weight_v"], -1, 1))
	return nn.Dense(in["x"], w, nil)
}

func opChain(c oracle.OpCase, in opInputs) *Node {
	y := nn.ReLU(nn.Conv(in["x"], in["w"], nn.Same(3, 1)))
	y = Reshape(y, y.Shape().Dimensions[0], -1)
	return LogSoftmax(nn.Dense(y, in["v"], nil), -1)
}
