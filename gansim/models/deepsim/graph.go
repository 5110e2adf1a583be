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
// rectifiers.
func (c Config) Raw(w gansim.Weights, z *Node, tap gansim.Tap) *Node {
	z.AssertDims(-1, c.Code)
	x := z
	for _, d := range c.Dense {
		x = nn.Dense(x, w(d.Key+".weight"), w(d.Key+".bias"))
		tap(d.Key, "Linear", x)
		x = nn.LeakyReLU(x, Slope)
	}
	x = Reshape(x, z.Shape().Dimensions[0], c.View[1], c.View[2], c.View[0])
	for i, d := range c.Deconv {
		x = nn.ConvTranspose(x, w(d.Key+".weight"), nn.ConvTransposeOptions{
			Stride: [2]int{d.Stride, d.Stride}, Padding: [2]int{d.Padding, d.Padding}})
		x = nn.Bias(x, w(d.Key+".bias"))
		tap(d.Key, "ConvTranspose2d", x)
		if i < len(c.Deconv)-1 {
			x = nn.LeakyReLU(x, Slope)
		}
	}
	if c.BGR {
		x = Reverse(x, 3)
	}
	return x
}
