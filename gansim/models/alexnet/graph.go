package alexnet

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Activations runs images [n, h, w, 3] up to a layer and gives its rectified activation. The
// published hook on a convolution sees it rectified too (torchvision's ReLU works in place).
func (n *Network) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return n.Taps(w, images, layer)[layer]
}

// Taps runs images up to the last of the named layers and gives the activation of each.
func (c Config) Taps(w gansim.Weights, images *Node, layers ...string) map[string]*Node {
	found := map[string]*Node{}
	wanted := func(name string, x *Node) bool {
		for _, l := range layers {
			if l == name {
				found[name] = x
			}
		}
		return len(found) == len(layers)
	}
	x := nn.Preprocess(images, c.Mean, c.Std, c.Input)
	for _, v := range c.Convs {
		o := nn.ConvOptions{Stride: [2]int{v.Stride, v.Stride},
			Padding: [2][2]int{{v.Padding, v.Padding}, {v.Padding, v.Padding}}}
		x = nn.ReLU(nn.Bias(nn.Conv(x, w(v.Key+".weight"), o), w(v.Key+".bias")))
		if wanted(v.Layer, x) {
			return found
		}
		if v.Pool.Kernel[0] > 0 {
			x = nn.MaxPool2D(x, v.Pool)
		}
	}
	x = nn.AdaptiveAvgPool2D(x, c.Flat[1], c.Flat[2])
	x = Reshape(x, x.Shape().Dimensions[0], -1)
	for i, d := range c.Dense {
		x = nn.Dense(x, w(d.Key+".weight"), w(d.Key+".bias"))
		if i < len(c.Dense)-1 {
			x = nn.ReLU(x)
		}
		if wanted(d.Layer, x) {
			return found
		}
	}
	exceptions.Panicf("alexnet: no layer among %q", layers)
	return nil
}
