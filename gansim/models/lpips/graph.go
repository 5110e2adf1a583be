package lpips

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Distance between images a and b [n, h, w, 3] in [0, 1], per pair, [n].
func (c Config) Distance(w gansim.Weights, a, b *Node) *Node {
	layers := c.Distances(w, a, b)
	sum := layers[0]
	for _, d := range layers[1:] {
		sum = Add(sum, d)
	}
	return sum
}

// Distances are the parts of [Config.Distance] by slice, each [n].
func (c Config) Distances(w gansim.Weights, a, b *Node) []*Node {
	a.AssertRank(4)
	as := c.Features(w, c.Preprocess(a), nn.NoTap)
	bs := c.Features(w, c.Preprocess(b), nn.NoTap)
	parts := make([]*Node, len(as))
	for i := range as {
		d := Square(Sub(nn.UnitNormalise(as[i], Epsilon), nn.UnitNormalise(bs[i], Epsilon)))
		d = nn.Conv(d, w(fmt.Sprintf("lin%d.model.1.weight", i)), nn.ConvOptions{}) // [n, h, w, 1]
		parts[i] = ReduceMean(d, 1, 2, 3)
	}
	return parts
}

// Preprocess turns images [n, h, w, 3] in [0, 1] into what [Config.Features] reads.
func (c Config) Preprocess(images *Node) *Node {
	gain, offset := 2., -1.
	if c.Unscaled {
		gain, offset = 1, 0
	}
	var mean, std [3]float64 // gain*image + offset = shift + scale*x
	for i := range mean {
		mean[i] = (shift[i] - offset) / gain
		std[i] = scale[i] / gain
	}
	return nn.Normalise(images, mean, std)
}

// Features runs preprocessed images x [n, h, w, 3] to the feature at the end of each slice, [n, h',
// w', c]; they have the names net.slice1, net.slice2, ….
func (c Config) Features(w gansim.Weights, x *Node, tap gansim.Tap) []*Node {
	var features []*Node
	for s, slice := range c.Slices {
		for _, m := range slice {
			x = m.forward(w, fmt.Sprintf("%s.%d", feature(s), m.Index), x)
		}
		tap(feature(s), "", x)
		features = append(features, x)
	}
	return features
}

func (m Module) forward(w gansim.Weights, name string, x *Node) *Node {
	switch m.Kind {
	case Pool:
		o := nn.Pool(m.Size, m.Stride)
		o.Ceil = m.Ceil
		return nn.MaxPool2D(x, o)
	case Fire:
		x = rectified(w, name+".squeeze", x, nn.Same(1, 1))
		return Concatenate([]*Node{rectified(w, name+".expand1x1", x, nn.Same(1, 1)),
			rectified(w, name+".expand3x3", x, nn.Same(3, 1))}, 3)
	}
	return rectified(w, name, x, nn.ConvOptions{Stride: [2]int{m.Stride, m.Stride},
		Padding: [2][2]int{{m.Padding, m.Padding}, {m.Padding, m.Padding}}})
}

func rectified(w gansim.Weights, name string, x *Node, o nn.ConvOptions) *Node {
	return nn.ReLU(nn.Bias(nn.Conv(x, w(name+".weight"), o), w(name+".bias")))
}
