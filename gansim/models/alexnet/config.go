// Package alexnet is AlexNet as torchvision spells it: a column of convolutions and a column of
// dense layers, both tables, so that the published network and the miniature differ in data only.
package alexnet

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is the shape of a network.
type Config struct {
	Name  string
	Input int // height and width that images are resized to; pixels
	// Mean and Std normalise the RGB channels of images in [0, 1].
	Mean, Std [3]float64
	Convs     []Conv
	Flat      [3]int // channels, height and width of the map before the first dense layer
	Dense     []Dense
}

// Conv is a convolution with bias and ReLU, and the pooling behind it.
type Conv struct {
	Layer, Key                     string // the layer's name, and the checkpoint's
	In, Out, Size, Stride, Padding int
	Pool                           nn.PoolOptions // zero for none
}

// Dense is a fully connected layer, rectified but for the last.
type Dense struct {
	Layer, Key string
	In, Out    int
}

// Mini is the AlexNet of the miniature world: 64x64 images, 16 labels.
var Mini = Config{
	Name: "alexnet", Input: 64,
	Mean: [3]float64{.45, .45, .45}, Std: [3]float64{.25, .25, .25},
	Convs: []Conv{
		{"conv1", "features.0", 3, 32, 5, 2, 2, nn.Pool(2, 2)},
		{"conv2", "features.3", 32, 96, 3, 1, 1, nn.Pool(2, 2)},
		{"conv3", "features.6", 96, 128, 3, 1, 1, nn.PoolOptions{}},
		{"conv4", "features.8", 128, 128, 3, 1, 1, nn.PoolOptions{}},
		{"conv5", "features.10", 128, 128, 3, 1, 1, nn.Pool(2, 2)},
	},
	Flat: [3]int{128, 4, 4},
	Dense: []Dense{
		{"fc6", "classifier.1", 2048, 512},
		{"fc7", "classifier.4", 512, 256},
		{"fc8", "classifier.6", 256, 16},
	},
}

// ImageNet is torchvision's AlexNet (alexnet-owt-7be5be79), images resized to 227 as the paper's
// scorer does.
var ImageNet = Config{
	Name: "alexnet", Input: 227,
	Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225},
	Convs: []Conv{
		{"conv1", "features.0", 3, 64, 11, 4, 2, nn.Pool(3, 2)},
		{"conv2", "features.3", 64, 192, 5, 1, 2, nn.Pool(3, 2)},
		{"conv3", "features.6", 192, 384, 3, 1, 1, nn.PoolOptions{}},
		{"conv4", "features.8", 384, 256, 3, 1, 1, nn.PoolOptions{}},
		{"conv5", "features.10", 256, 256, 3, 1, 1, nn.Pool(3, 2)},
	},
	Flat: [3]int{256, 6, 6},
	Dense: []Dense{
		{"fc6", "classifier.1", 9216, 4096},
		{"fc7", "classifier.4", 4096, 4096},
		{"fc8", "classifier.6", 4096, 1000},
	},
}

// Published are the published networks by the name of their weight file.
func Published() map[string]Config { return map[string]Config{"alexnet": ImageNet} }

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	var t nn.Table
	for _, v := range c.Convs {
		t = append(t, nn.Layer{Name: v.Key, Kind: nn.Kernel, In: v.In, Out: v.Out,
			Size: [2]int{v.Size, v.Size}, Bias: true})
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

// Network is AlexNet with its tensors.
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
