package biggan

import (
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Decode turns codes z [n, CodeSize] into images [n, Image, Image, 3], RGB in [0, 1]. Unlike Forward
// it computes only those three outputs of the last convolution that are colours; its tensors were
// divided by the sigma of the whole.
func (c Config) Decode(w gansim.Weights, z *Node) *Node {
	y := c.Forward(coloursOnly(w), z, nn.Fixed{}, len(c.Blocks), nn.NoTap)
	return nn.ClampTo(MulScalar(AddScalar(y, 1), .5), 0, 1)
}

// coloursOnly keeps three outputs of the last convolution.
func coloursOnly(w gansim.Weights) gansim.Weights {
	return func(name string) *Node {
		x := w(name)
		if strings.HasPrefix(name, "generator.conv_to_rgb.") && x.Shape().Dim(-1) > 3 {
			x = SliceAxis(x, -1, AxisRange(0, 3))
		}
		return x
	}
}

// Forward runs the first blocks and the last convolution, to tanh in [-1, 1]. With fewer than all
// blocks it is the generator before it grew: the last norm and convolution read the first channels,
// exactly those that the next block's sliced shortcut keeps, so that growing preserves the image.
func (c Config) Forward(w gansim.Weights, z *Node, norm nn.Normalizer, blocks int,
	tap gansim.Tap) *Node {
	z.AssertDims(-1, c.CodeSize())
	x := nn.Dense(z, w("generator.gen_z.weight"), w("generator.gen_z.bias"))
	tap("generator.gen_z", "Linear", x)
	x = Reshape(x, z.Shape().Dimensions[0], 4, 4, c.Blocks[0].In*c.Channels)
	for i, b := range c.Blocks[:blocks] {
		name := fmt.Sprintf("generator.layers.%d", i)
		if b.Attention {
			x = nn.SelfAttention(x, nn.Attention{
				Theta: w(name + ".snconv1x1_theta.weight"), Phi: w(name + ".snconv1x1_phi.weight"),
				G: w(name + ".snconv1x1_g.weight"), Out: w(name + ".snconv1x1_o_conv.weight"),
				Gamma: w(name + ".gamma")})
			tap(name, "SelfAttn", x)
			continue
		}
		x = residual(w, name, b, x, z, norm, tap)
		tap(name, "GenBlock", x)
	}
	x = firstChannels(x, c.Blocks[len(c.Blocks)-1].Out*c.Channels)
	x = last(w, x, norm)
	tap("generator.bn", "BigGANBatchNorm", x)
	x = nn.ReLU(x)
	x = nn.Bias(nn.Conv(x, w("generator.conv_to_rgb.weight"), nn.Same(3, 1)),
		w("generator.conv_to_rgb.bias"))
	tap("generator.conv_to_rgb", "Conv2d", x)
	return Tanh(firstChannels(x, 3))
}

// residual is GenBlock: the nearest upsampling sits between the first norm's ReLU and the 3x3
// convolution, and the shortcut drops its upper channels.
func residual(w gansim.Weights, name string, b Block, x, z *Node, norm nn.Normalizer,
	tap gansim.Tap) *Node {
	h := x
	for j, size := range []int{1, 3, 3, 1} {
		bn := fmt.Sprintf("%s.bn_%d", name, j)
		h = conditional(w, bn, h, z, norm)
		tap(bn, "BigGANBatchNorm", h)
		h = nn.ReLU(h)
		conv := fmt.Sprintf("%s.conv_%d", name, j)
		if j == 1 && b.Up {
			h = nn.UpsampleConv(h, w(conv+".weight"))
		} else {
			h = nn.Conv(h, w(conv+".weight"), nn.Same(size, 1))
		}
		h = nn.Bias(h, w(conv+".bias"))
		tap(conv, "Conv2d", h)
	}
	if b.In != b.Out {
		x = firstChannels(x, x.Shape().Dimensions[3]/2)
	}
	if b.Up {
		x = nn.UpsampleNearest(x, 2)
	}
	return Add(h, x)
}

// conditional is batch norm with scale 1 + W.z and offset V.z, as one scale and one offset.
func conditional(w gansim.Weights, name string, x, z *Node, norm nn.Normalizer) *Node {
	mean, inverse := norm.Statistics(w, name, x)
	scale := Mul(AddScalar(nn.Dense(z, w(name+".scale.weight"), nil), 1), Reshape(inverse, 1, -1))
	offset := Sub(nn.Dense(z, w(name+".offset.weight"), nil), Mul(scale, Reshape(mean, 1, -1)))
	return nn.ScaleOffset(x, scale, offset)
}

func last(w gansim.Weights, x *Node, norm nn.Normalizer) *Node {
	mean, inverse := norm.Statistics(w, "generator.bn", x)
	scale := Mul(inverse, w("generator.bn.weight"))
	return nn.ScaleOffset(x, scale, Sub(w("generator.bn.bias"), Mul(mean, scale)))
}

func firstChannels(x *Node, n int) *Node {
	if x.Shape().Dimensions[3] == n {
		return x
	}
	return Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(0, n))
}
