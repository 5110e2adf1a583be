package deepsim

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Decode turns z [n, Code] into images [n, Image, Image, 3], RGB in [0, 1]. The clamp has no
// gradient where it clips.
func (c Config) Decode(w gansim.Weights, z *Node) *Node {
	return nn.ClampTo(c.Unclamped(w, z), 0, 1)
}

// Unclamped is Decode without its last step, for training.
func (c Config) Unclamped(w gansim.Weights, z *Node) *Node {
	return nn.Affine(c.Raw(w, z, nn.NoTap), c.Gain, c.Mean)
}

// Raw is the network's output, [n, Image, Image, 3] in RGB order. Activations are those before the
// rectifiers, units of dense layers in the published order.
func (c Config) Raw(w gansim.Weights, z *Node, tap gansim.Tap) *Node {
	z.AssertDims(-1, c.Code)
	batch, x := z.Shape().Dimensions[0], z
	if m := c.Map; m[0] > 0 {
		x = TransposeAllAxes(Reshape(z, batch, m[0], m[1], m[2]), 0, 2, 3, 1)
	}
	for i, l := range c.Stack {
		x = l.apply(w, x)
		shown := x
		if c.fills(i) {
			x = Reshape(x, batch, c.View[1], c.View[2], c.View[0])
			shown = Reshape(TransposeAllAxes(x, 0, 3, 1, 2), batch, -1)
		}
		tap(l.Key, l.Kind.String(), shown)
		if i < len(c.Stack)-1 && !l.Plain {
			x = nn.LeakyReLU(x, Slope)
		}
	}
	if c.Squash != 0 {
		x = MulScalar(Tanh(x), c.Squash)
	}
	if c.BGR {
		x = Reverse(x, 3)
	}
	return x
}

// apply runs the layer without its rectifier.
func (l Layer) apply(w gansim.Weights, x *Node) *Node {
	weight, bias := w(l.Key+".weight"), w(l.Key+".bias")
	stride, padding := [2]int{l.Stride, l.Stride}, [2]int{l.Padding, l.Padding}
	switch l.Kind {
	case Dense:
		return nn.Dense(x, weight, bias)
	case Conv:
		x = nn.Conv(x, weight, nn.ConvOptions{Stride: stride, Padding: [2][2]int{padding, padding}})
	case Deconv:
		x = nn.ConvTranspose(x, weight, nn.ConvTransposeOptions{Stride: stride, Padding: padding})
	}
	return nn.Bias(x, bias)
}
