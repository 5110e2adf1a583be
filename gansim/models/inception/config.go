// Package inception is Inception-v3 (Szegedy et al. 2016) as tables of branches, in two published
// forms: torchvision's classifier, and the network of the Fréchet inception distance, which was
// ported from TensorFlow (pytorch-fid, torch-fidelity) and differs in its pools and classes.
package inception

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is one form of the network, with its preprocessing.
type Config struct {
	Name  string
	Input int // height and width that images are resized to; pixels
	// Grid of the resizing, which is bilinear and not antialiased.
	Grid nn.Grid
	// Gain and Offset turn resized images in [0, 1] into what the network reads, about [-1, 1].
	Gain, Offset float64
	Stem         []Stem
	Blocks       []Block
	Classes      int
	// ExcludePadding divides averages at the edges by the number of pixels inside the image.
	ExcludePadding bool
	// Auxiliary says that the checkpoint holds a second classifier, which only training uses.
	Auxiliary bool
}

// ImageNet is torchvision's network (inception_v3_google-0cc3c7bd, transform_input=True). Its
// preprocessing, normalising by ImageNet's mean and deviation and changing that back inside, is the
// same as 2*image - 1. The grid is that of the paper's scorer.
var ImageNet = Config{
	Name: "inception_v3", Input: 299, Grid: nn.Corners, Gain: 2, Offset: -1,
	Stem: stem, Blocks: blocks(Average), Classes: 1000, Auxiliary: true,
}

// FID is the network of the Fréchet inception distance (pt_inception-2015-12-05-6726825d) with the
// preprocessing of pytorch-fid (inception.py: InceptionV3 and fid_inception_v3).
var FID = Config{
	Name: "fid_inception", Input: 299, Grid: nn.HalfPixel, Gain: 2, Offset: -1,
	Stem: stem, Blocks: blocks(Maximum), Classes: 1008, ExcludePadding: true,
}

// Fidelity is [FID] with the preprocessing of torch-fidelity (feature_extractor_inceptionv3.py):
// the resizing of TensorFlow 1, then (x - 128)/128 of values to 255.
var Fidelity = fidelity()

func fidelity() Config {
	c := FID
	c.Grid, c.Gain = nn.TensorFlow1, 255./128
	return c
}

// Published are the networks by the name of their weight file.
func Published() map[string]Config {
	return map[string]Config{"inception_v3": ImageNet, "fid_inception": FID}
}

// Epsilon of batch normalisation in both forms.
const Epsilon = 1e-3

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table { return c.table(c.Auxiliary) }

// table leaves the tensors of the second classifier unread unless it is asked for them.
func (c Config) table(auxiliary bool) nn.Table {
	var t nn.Table
	in := 3
	for _, s := range c.Stem {
		t = append(t, s.layers("", in)...)
		in = s.Out
	}
	for _, b := range c.Blocks {
		switch {
		case b.Name == "Mixed_7a" && auxiliary:
			t = append(t, c.auxiliary(in)...)
		case b.Name == "Mixed_7a" && c.Auxiliary:
			t = append(t, nn.Layer{Name: "AuxLogits.*", Kind: nn.Ignored})
		}
		var layers nn.Table
		layers, in = b.layers(in)
		t = append(t, layers...)
	}
	return append(t, nn.Layer{Name: "fc", Kind: nn.Linear, In: in, Out: c.Classes, Bias: true})
}

// auxiliary is torchvision's AuxLogits.
func (c Config) auxiliary(in int) nn.Table {
	t := append(same("conv0", 128, 1, 1).layers("AuxLogits.", in),
		same("conv1", 768, 5, 5).layers("AuxLogits.", 128)...)
	return append(t, nn.Layer{Name: "AuxLogits.fc", Kind: nn.Linear, In: 768, Out: c.Classes,
		Bias: true})
}

// layers are the tensors of a unit whose module has the given prefix.
func (u Unit) layers(prefix string, in int) nn.Table {
	return nn.Table{
		{Name: prefix + u.Name + ".conv", Kind: nn.Kernel, In: in, Out: u.Out, Size: u.Size},
		{Name: prefix + u.Name + ".bn", Kind: nn.Norm, Out: u.Out, Eps: Epsilon},
	}
}

// layers are the tensors of a block; out is its number of channels.
func (b Block) layers(in int) (t nn.Table, out int) {
	for _, r := range b.Branches {
		width := in
		for _, u := range r.Units {
			t = append(t, u.layers(b.Name+".", width)...)
			width = u.Out
		}
		joined := 0
		for _, u := range r.Fork {
			t = append(t, u.layers(b.Name+".", width)...)
			joined += u.Out
		}
		if joined > 0 {
			width = joined
		}
		out += width
	}
	return t, out
}

// Network is Inception-v3 with its tensors.
type Network struct {
	Config
	nn.Net
}

var _ gansim.Scorer = (*Network)(nil)

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.table(false), Input: []int{c.Input, c.Input, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Forward(w, x, tap) }}
}

// Load reads a checkpoint. The second classifier is neither asked for nor kept.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	net, err := c.Plan().Open(src, o)
	return &Network{c, net}, err
}

// Name is the configuration's name.
func (n *Network) Name() string { return n.Config.Name }
