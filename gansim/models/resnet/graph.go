package resnet

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Activations runs images [n, h, w, 3] in [0, 1] to one activation: blocks (layer2.3) and stages
// (layer2, the same tensor as its last block) after their final ReLU, the pooled features avgpool,
// the logits fc, or any module inside.
func (n *Network) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return n.Taps(w, images, nn.Fixed{}, layer)[layer]
}

// Taps gives several activations of images.
func (c Config) Taps(w gansim.Weights, images *Node, norm nn.Normalizer,
	layers ...string) map[string]*Node {
	return nn.Activations(func(tap gansim.Tap) {
		c.Forward(w, c.Preprocess(images), norm, tap)
	}, layers...)
}

// Preprocess normalises images [n, h, w, 3] in [0, 1] and resizes them to the network's input.
func (c Config) Preprocess(images *Node) *Node {
	return nn.Preprocess(images, c.Mean, c.Std, c.Input)
}

// Forward runs normalised images x [n, h, w, 3] to logits [n, classes].
func (c Config) Forward(w gansim.Weights, x *Node, norm nn.Normalizer, tap gansim.Tap) *Node {
	n := net{w, norm, tap}
	x = n.rectify("relu", n.unit("conv1", "bn1", x, c.Stem.Size, c.Stem.Stride))
	if c.Stem.Pool {
		x = nn.MaxPool2D(x, nn.PoolOptions{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2},
			Padding: [2]int{1, 1}})
		tap("maxpool", "MaxPool2d", x)
	}
	c.blocks(func(b block) {
		x = n.bottleneck(x, b)
		tap(b.name, "Bottleneck", x)
		if b.last {
			tap(b.stage, "", x)
		}
	})
	x = nn.GlobalAvgPool(x)
	tap("avgpool", "AdaptiveAvgPool2d", x)
	x = nn.Dense(x, w("fc.weight"), w("fc.bias"))
	tap("fc", "Linear", x)
	return x
}

// net is a network while it is built.
type net struct {
	weights gansim.Weights
	norm    nn.Normalizer
	tap     gansim.Tap
}

func (n net) bottleneck(x *Node, b block) *Node {
	y := nn.ReLU(n.unit(b.name+".conv1", b.name+".bn1", x, 1, 1))
	y = nn.ReLU(n.unit(b.name+".conv2", b.name+".bn2", y, 3, b.stride))
	y = n.unit(b.name+".conv3", b.name+".bn3", y, 1, 1)
	if b.downsample {
		x = n.unit(b.name+".downsample.0", b.name+".downsample.1", x, 1, b.stride)
		n.tap(b.name+".downsample", "", x)
	}
	return n.rectify(b.name+".relu", Add(y, x)) // the module's last call
}

// unit is a convolution and its norm.
func (n net) unit(conv, bn string, x *Node, size, stride int) *Node {
	x = nn.Conv(x, n.weights(conv+".weight"), nn.Same(size, stride))
	n.tap(conv, "Conv2d", x)
	x = n.norm.Affine(n.weights, bn, x)
	n.tap(bn, "BatchNorm2d", x)
	return x
}

func (n net) rectify(name string, x *Node) *Node {
	x = nn.ReLU(x)
	n.tap(name, "ReLU", x)
	return x
}
