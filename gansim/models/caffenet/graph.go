package caffenet

import (
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Activations runs images [n, h, w, 3] in [0, 1] to one activation. As in the published program,
// conv1 to conv5 and fc6 to fc8 are those before their rectifiers; relu5, or conv5_relu, is
// behind it.
func (n *Network) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return n.Taps(w, images, layer)[layer]
}

// Taps gives several activations of images.
func (c Config) Taps(w gansim.Weights, images *Node, layers ...string) map[string]*Node {
	return nn.Activations(func(tap gansim.Tap) { c.Forward(w, c.Preprocess(images), tap) }, layers...)
}

// Preprocess scales images [n, h, w, 3] in [0, 1] to 255, takes the mean away, resizes them with
// align_corners and puts blue first.
func (c Config) Preprocess(images *Node) *Node {
	x := nn.Affine(images, 255, [3]float64{-c.Mean[0], -c.Mean[1], -c.Mean[2]})
	return Reverse(nn.ResizeBilinear(x, c.Input, c.Input, true), 3)
}

// Forward runs preprocessed images x [n, h, w, 3] to logits [n, classes].
func (c Config) Forward(w gansim.Weights, x *Node, tap gansim.Tap) *Node {
	for _, v := range c.Convs {
		p := [2]int{v.Padding, v.Padding}
		x = nn.Conv(x, w(v.Key+".weight"), nn.ConvOptions{Stride: [2]int{v.Stride, v.Stride},
			Padding: [2][2]int{p, p}, Groups: v.Groups})
		x = nn.Bias(x, w(v.Key+".bias"))
		tap(v.Key, "Conv2d", x)
		x = rectify(v.Key, x, tap)
		if v.Pool != "" {
			x = nn.MaxPool2D(x, c.Pool)
			tap(v.Pool, "MaxPool2d", x)
		}
		if v.Norm != "" {
			x = nn.LocalResponseNorm(x, c.Norm)
			tap(v.Norm, "LocalResponseNorm", x)
		}
	}
	x = Reshape(x, x.Shape().Dimensions[0], -1)
	for i, d := range c.Dense {
		x = nn.Dense(x, w(d.Key+".weight"), w(d.Key+".bias"))
		tap(d.Key, "Linear", x)
		if i < len(c.Dense)-1 {
			x = rectify(d.Key, x, tap)
		}
	}
	return x
}

// rectify names the result of layer conv5 relu5, as Caffe does, and conv5_relu.
func rectify(key string, x *Node, tap gansim.Tap) *Node {
	x = nn.ReLU(x)
	tap("relu"+strings.TrimLeft(key, "convf"), "ReLU", x)
	tap(key+"_relu", "", x)
	return x
}
