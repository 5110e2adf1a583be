package alexnet

import (
	"fmt"
	"strconv"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Activations runs images [n, h, w, 3] in [0, 1] to one activation. A layer's readable name, such as
// conv5, is its rectified activation: the published hook on a convolution sees that too, since
// torchvision's ReLU works in place. The convolution itself is features.10.
func (n *Network) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return n.Taps(w, images, layer)[layer]
}

// Taps gives several activations of images.
func (c Config) Taps(w gansim.Weights, images *Node, layers ...string) map[string]*Node {
	return nn.Activations(func(tap gansim.Tap) { c.Forward(w, c.Preprocess(images), tap) }, layers...)
}

// Preprocess normalises images [n, h, w, 3] in [0, 1] and resizes them to the network's input.
func (c Config) Preprocess(images *Node) *Node {
	return nn.Preprocess(images, c.Mean, c.Std, c.Input)
}

// Forward runs normalised images x [n, h, w, 3] to logits [n, classes].
func (c Config) Forward(w gansim.Weights, x *Node, tap gansim.Tap) *Node {
	pools := 0
	for _, v := range c.Convs {
		o := nn.ConvOptions{Stride: [2]int{v.Stride, v.Stride},
			Padding: [2][2]int{{v.Padding, v.Padding}, {v.Padding, v.Padding}}}
		x = nn.Bias(nn.Conv(x, w(v.Key+".weight"), o), w(v.Key+".bias"))
		tap(v.Key, "Conv2d", x)
		x = rectify(v.Layer, v.Key, x, tap)
		if v.Pool.Kernel[0] > 0 {
			pools++
			x = nn.MaxPool2D(x, v.Pool)
			tap(after(v.Key, 2), "MaxPool2d", x)
			tap(fmt.Sprintf("pool%d", pools), "", x)
		}
	}
	x = nn.AdaptiveAvgPool2D(x, c.Flat[1], c.Flat[2])
	tap("avgpool", "AdaptiveAvgPool2d", x)
	x = Reshape(x, x.Shape().Dimensions[0], -1)
	for i, d := range c.Dense {
		x = nn.Dense(x, w(d.Key+".weight"), w(d.Key+".bias"))
		tap(d.Key, "Linear", x)
		if i == len(c.Dense)-1 {
			tap(d.Layer, "", x)
			break
		}
		x = rectify(d.Layer, d.Key, x, tap)
	}
	return x
}

func rectify(layer, key string, x *Node, tap gansim.Tap) *Node {
	x = nn.ReLU(x)
	tap(after(key, 1), "ReLU", x)
	tap(layer, "", x)
	tap(layer+"_relu", "", x)
	return x
}

// after is the name of the n-th module after one in its Sequential.
func after(key string, n int) string {
	parent, index, _ := strings.Cut(key, ".")
	i, err := strconv.Atoi(index)
	if err != nil {
		return key + "+" + strconv.Itoa(n)
	}
	return parent + "." + strconv.Itoa(i+n)
}
