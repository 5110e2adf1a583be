package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Dense is x [n, in] times w [in, out], plus b [out] unless nil.
func Dense(x, w, b *Node) *Node {
	y := Dot(x, w).Product()
	if b == nil {
		return y
	}
	return Add(y, Reshape(b, 1, -1))
}

// Bias adds b [c] to the channels of x [n, h, w, c].
func Bias(x, b *Node) *Node {
	if onGo(x) {
		return goBias(x, b)
	}
	return Add(x, Reshape(b, 1, 1, 1, -1))
}

// ScaleOffset is batch normalisation with fixed statistics: x*scale + offset per channel, x
// [n, h, w, c]. Scale and offset are [c], or [n, c] for conditional normalisation.
func ScaleOffset(x, scale, offset *Node) *Node {
	if onGo(x) {
		return goScaleOffset(x, scale, offset)
	}
	return Add(Mul(x, perChannel(scale)), perChannel(offset))
}

func perChannel(v *Node) *Node {
	n := 1
	if v.Rank() == 2 {
		n = v.Shape().Dimensions[0]
	}
	return Reshape(v, n, 1, 1, -1)
}

// Moments are mean and biased variance of each channel of x [n, h, w, c] over batch and space.
func Moments(x *Node) (mean, variance *Node) {
	mean = ReduceMean(x, 0, 1, 2)
	variance = ReduceMean(Square(Sub(x, Reshape(mean, 1, 1, 1, -1))), 0, 1, 2)
	return mean, variance
}

// ReLU is max(x, 0) with gradient 0 at 0.
func ReLU(x *Node) *Node { return LeakyReLU(x, 0) }

// LeakyReLU is x above zero and slope*x elsewhere; its gradient at 0 is slope.
func LeakyReLU(x *Node, slope float64) *Node {
	if onGo(x) {
		return goRectify(x, slope)
	}
	below := ZerosLike(x)
	if slope != 0 {
		below = MulScalar(x, slope)
	}
	return Where(GreaterThan(x, ZerosLike(x)), x, below)
}

// SiLU is x * sigmoid(x).
func SiLU(x *Node) *Node { return Mul(x, Sigmoid(x)) }

// Magnitude is |x| with gradient 0 at 0.
func Magnitude(x *Node) *Node { return Mul(x, StopGradient(Sign(x))) }

// ClampTo limits x to [lo, hi]. The gradient is 1 inside, 0 beyond and at the bounds, as in PyTorch
// 2.15 (older versions let it pass at the bounds).
func ClampTo(x *Node, lo, hi float64) *Node {
	low, high := Scalar(x.Graph(), x.DType(), lo), Scalar(x.Graph(), x.DType(), hi)
	inside := LogicalAnd(GreaterThan(x, low), LessThan(x, high))
	return Where(inside, x, StopGradient(Min(Max(x, low), high)))
}

// Attention are the kernels of BigGAN's self-attention, each [1, 1, in, out], and its gain, [1].
type Attention struct{ Theta, Phi, G, Out, Gamma *Node }

// SelfAttention is BigGAN's attention over positions (Zhang et al. 2019, as in the package
// pytorch-pretrained-biggan): keys and values are max-pooled by 2, no scaling by the square root of
// the width. x is [n, h, w, c].
func SelfAttention(x *Node, a Attention) *Node {
	d := x.Shape().Dimensions
	flat := func(y *Node) *Node {
		s := y.Shape().Dimensions
		return Reshape(y, s[0], s[1]*s[2], s[3])
	}
	theta := flat(Conv(x, a.Theta, ConvOptions{}))
	phi := flat(MaxPool2D(Conv(x, a.Phi, ConvOptions{}), Pool(2, 2)))
	g := flat(MaxPool2D(Conv(x, a.G, ConvOptions{}), Pool(2, 2)))
	scores := Softmax(Einsum("npc,nqc->npq", theta, phi), -1)
	mixed := Einsum("npq,nqc->npc", scores, g)
	y := Conv(Reshape(mixed, d[0], d[1], d[2], -1), a.Out, ConvOptions{})
	return Add(x, Mul(Reshape(a.Gamma, 1, 1, 1, 1), y))
}

// Preprocess normalises images [n, h, w, 3] in [0, 1] by channel, then resizes them to size x size
// with align_corners (the original scorer's order: CNN_scorers.py, TorchScorer).
func Preprocess(images *Node, mean, std [3]float64, size int) *Node {
	return ResizeBilinear(Normalise(images, mean, std), size, size, true)
}

// Normalise is (x - mean)/std per RGB channel, x [n, h, w, 3].
func Normalise(x *Node, mean, std [3]float64) *Node {
	inverse := [3]float64{1 / std[0], 1 / std[1], 1 / std[2]}
	return Mul(Sub(x, colour(x, mean)), colour(x, inverse))
}

// Affine is x*gain + offset per RGB channel, x [n, h, w, 3].
func Affine(x *Node, gain float64, offset [3]float64) *Node {
	if gain != 1 {
		x = MulScalar(x, gain)
	}
	return Add(x, colour(x, offset))
}

// colour is a value per RGB channel, to be added to or multiplied with images x [n, h, w, 3].
func colour(x *Node, values [3]float64) *Node {
	if !onGo(x) {
		return Constant(x, values[:], 1, 1, 1, 3)
	}
	d := x.Shape().Dimensions
	table := make([]float64, 0, d[1]*d[2]*3)
	for range d[1] * d[2] {
		table = append(table, values[:]...)
	}
	return BroadcastPrefix(Constant(x, table, d[1], d[2], 3), d[0])
}
