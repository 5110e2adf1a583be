// Package caffenet is the reference CaffeNet of Caffe (Jia et al. 2014), the network whose layers the
// DeePSim generators invert: AlexNet with pooling before normalisation and three grouped
// convolutions, as tables.
package caffenet

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is the shape of a network.
type Config struct {
	Name  string
	Input int        // height and width that images are resized to; pixels
	Mean  [3]float64 // RGB, of pixels in [0, 255]
	Convs []Conv
	Pool  nn.PoolOptions // of all poolings
	Norm  nn.LRNOptions  // of all normalisations
	Flat  [3]int         // channels, height and width of the map before the first dense layer
	Dense []Dense
}

// Conv is a convolution with bias and ReLU.
type Conv struct {
	Key                                    string
	In, Out, Size, Stride, Padding, Groups int
	Pool, Norm                             string // names of what follows; empty for none
}

// Dense is a fully connected layer, rectified but for the last.
type Dense struct {
	Key     string
	In, Out int
}

// ImageNet is the published network (bvlc_reference_caffenet, deploy.prototxt).
var ImageNet = Config{
	Name: "caffenet", Input: 227, Mean: [3]float64{123, 117, 104},
	Convs: []Conv{
		{"conv1", 3, 96, 11, 4, 0, 1, "pool1", "norm1"},
		{"conv2", 96, 256, 5, 1, 2, 2, "pool2", "norm2"},
		{"conv3", 256, 384, 3, 1, 1, 1, "", ""},
		{"conv4", 384, 384, 3, 1, 1, 2, "", ""},
		{"conv5", 384, 256, 3, 1, 1, 2, "pool5", ""},
	},
	Pool: nn.PoolOptions{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Ceil: true},
	Norm: nn.LRNOptions{Size: 5, Alpha: 1e-4, Beta: .75, K: 1, Divide: true},
	Flat: [3]int{256, 6, 6},
	Dense: []Dense{
		{"fc6", 9216, 4096},
		{"fc7", 4096, 4096},
		{"fc8", 4096, 1000},
	},
}

// Published are the published networks by the name of their weight file.
func Published() map[string]Config { return map[string]Config{"caffenet": ImageNet} }

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	var t nn.Table
	for _, v := range c.Convs {
		t = append(t, nn.Layer{Name: v.Key, Kind: nn.Kernel, In: v.In, Out: v.Out,
			Groups: v.Groups, Size: [2]int{v.Size, v.Size}, Bias: true})
	}
	for i, d := range c.Dense {
		l := nn.Layer{Name: d.Key, Kind: nn.Linear, In: d.In, Out: d.Out, Bias: true}
		if i == 0 {
			l.FromCHW = c.Flat
		}
		t = append(t, l)
	}
	return t
}

// Network is CaffeNet with its tensors.
type Network struct {
	Config
	nn.Net
}

var _ gansim.Scorer = (*Network)(nil)

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.Input, c.Input, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Forward(w, x, tap) }}
}

// Load reads a checkpoint.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	net, err := c.Plan().Open(src, o)
	return &Network{c, net}, err
}

// Name is the configuration's name.
func (n *Network) Name() string { return n.Config.Name }
