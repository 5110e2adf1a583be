package inception

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Activations runs images [n, h, w, 3] in [0, 1] to one activation: units (Conv2d_1a_3x3,
// Mixed_5b.branch_pool) after their rectifier, blocks (Mixed_6e), the pools maxpool1, maxpool2 and
// avgpool, the logits fc and logits_unbiased, or a convolution or norm inside a unit.
//
// The features that FID programs call 64, 192, 768 and 2048 are maxpool1, maxpool2, Mixed_6e and
// avgpool, averaged over space; the inception score takes the softmax of logits_unbiased.
func (n *Network) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return n.Taps(w, images, layer)[layer]
}

// Taps gives several activations of images.
func (c Config) Taps(w gansim.Weights, images *Node, layers ...string) map[string]*Node {
	return nn.Activations(func(tap gansim.Tap) { c.Forward(w, c.Preprocess(images), tap) }, layers...)
}

// Resized are images [n, h, w, 3] in [0, 1] at the network's size.
func (c Config) Resized(images *Node) *Node { return nn.Resize(images, c.Input, c.Input, c.Grid) }

// Preprocess turns images [n, h, w, 3] in [0, 1] into what [Config.Forward] reads.
func (c Config) Preprocess(images *Node) *Node {
	return nn.Affine(c.Resized(images), c.Gain, [3]float64{c.Offset, c.Offset, c.Offset})
}

// Forward runs preprocessed images x [n, h, w, 3] to logits [n, classes].
func (c Config) Forward(w gansim.Weights, x *Node, tap gansim.Tap) *Node {
	n := net{c, w, tap}
	for _, s := range c.Stem {
		x = n.unit("", s.Unit, x)
		if s.Pool != "" {
			x = n.pool(Reduce, x)
			tap(s.Pool, "MaxPool2d", x)
		}
	}
	for _, b := range c.Blocks {
		x = n.block(b, x)
	}
	x = nn.GlobalAvgPool(x) // [n, 2048]
	tap("avgpool", "AdaptiveAvgPool2d", x)
	unbiased := nn.Dense(x, w("fc.weight"), nil)
	tap("logits_unbiased", "", unbiased)
	x = Add(unbiased, Reshape(w("fc.bias"), 1, -1))
	tap("fc", "Linear", x)
	return x
}

// net is a network while it is built.
type net struct {
	Config
	weights gansim.Weights
	tap     gansim.Tap
}

func (n net) block(b Block, x *Node) *Node {
	var joined []*Node
	for _, r := range b.Branches {
		y := n.pool(r.Pool, x)
		for _, u := range r.Units {
			y = n.unit(b.Name+".", u, y)
		}
		for _, u := range r.Fork {
			joined = append(joined, n.unit(b.Name+".", u, y))
		}
		if r.Fork == nil {
			joined = append(joined, y)
		}
	}
	x = Concatenate(joined, 3)
	n.tap(b.Name, b.Class, x)
	return x
}

func (n net) unit(prefix string, u Unit, x *Node) *Node {
	name := prefix + u.Name
	p := u.Padding
	x = nn.Conv(x, n.weights(name+".conv.weight"), nn.ConvOptions{Stride: [2]int{u.Stride, u.Stride},
		Padding: [2][2]int{{p[0], p[0]}, {p[1], p[1]}}})
	n.tap(name+".conv", "Conv2d", x)
	x = nn.Fixed{}.Affine(n.weights, name+".bn", x)
	n.tap(name+".bn", "BatchNorm2d", x)
	x = nn.ReLU(x)
	n.tap(name, "BasicConv2d", x)
	return x
}

func (n net) pool(p Pool, x *Node) *Node {
	o := nn.PoolOptions{Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Padding: [2]int{1, 1},
		ExcludePadding: n.ExcludePadding}
	switch p {
	case Average:
		return nn.AvgPool2D(x, o)
	case Maximum:
		return nn.MaxPool2D(x, o)
	case Reduce:
		return nn.MaxPool2D(x, nn.Pool(3, 2))
	}
	return x
}
