// Package resnet is ResNet with bottleneck blocks (He et al. 2016; stride on the 3x3 convolution, as
// torchvision's v1.5), as tables of stages. The L-infinity robust twin has the same table.
package resnet

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is the shape of a network.
type Config struct {
	Name      string
	Input     int        // height and width that images are resized to; pixels
	Mean, Std [3]float64 // normalise the RGB channels of images in [0, 1]
	Stem      Stem
	Stages    []Stage
	Classes   int
}

// Stem is the first convolution, and whether a 3x3 max pool of stride 2 follows it.
type Stem struct {
	Out, Size, Stride int
	Pool              bool
}

// Stage is a row of bottlenecks; the first has the stride.
type Stage struct{ Blocks, Mid, Out, Stride int }

// Epsilon of batch normalisation in torchvision.
const Epsilon = 1e-5

// Mini is the ResNet of the miniature world: 64x64 images, 16 labels; its pooled features serve FID.
var Mini = Config{
	Name: "resnet50", Input: 64,
	Mean: [3]float64{.45, .45, .45}, Std: [3]float64{.25, .25, .25},
	Stem:    Stem{Out: 24, Size: 3, Stride: 2},
	Stages:  []Stage{{2, 16, 64, 1}, {2, 32, 128, 2}, {2, 48, 192, 2}, {2, 64, 256, 2}},
	Classes: 16,
}

// ImageNet is torchvision's ResNet-50, images resized to 227 as the paper's scorer does.
var ImageNet = Config{
	Name: "resnet50", Input: 227,
	Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225},
	Stem:    Stem{Out: 64, Size: 7, Stride: 2, Pool: true},
	Stages:  []Stage{{3, 64, 256, 1}, {4, 128, 512, 2}, {6, 256, 1024, 2}, {3, 512, 2048, 2}},
	Classes: 1000,
}

// Robust is the twin of a network that was trained against perturbations of pixels of up to 8/255
// (L-infinity).
func Robust(c Config) Config { return named(c, c.Name+"_linf8") }

func named(c Config, name string) Config {
	c.Name = name
	return c
}

// Published are the published networks by the name of their weight file: torchvision's, and the
// robust ones of MadryLab (L-infinity 8/255 and 4/255, L2 of length 3).
func Published() map[string]Config {
	all := map[string]Config{}
	for _, name := range []string{"resnet50", "resnet50_linf8", "resnet50_linf4", "resnet50_l2_3"} {
		all[name] = named(ImageNet, name)
	}
	return all
}

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	t := nn.Table{conv("conv1", 3, c.Stem.Out, c.Stem.Size), norm("bn1", c.Stem.Out)}
	c.blocks(func(b block) {
		t = append(t, conv(b.name+".conv1", b.in, b.mid, 1), norm(b.name+".bn1", b.mid),
			conv(b.name+".conv2", b.mid, b.mid, 3), norm(b.name+".bn2", b.mid),
			conv(b.name+".conv3", b.mid, b.out, 1), norm(b.name+".bn3", b.out))
		if b.downsample {
			t = append(t, conv(b.name+".downsample.0", b.in, b.out, 1),
				norm(b.name+".downsample.1", b.out))
		}
	})
	last := c.Stages[len(c.Stages)-1].Out
	return append(t, nn.Layer{Name: "fc", Kind: nn.Linear, In: last, Out: c.Classes, Bias: true})
}

func conv(name string, in, out, size int) nn.Layer {
	return nn.Layer{Name: name, Kind: nn.Kernel, In: in, Out: out, Size: [2]int{size, size}}
}

func norm(name string, n int) nn.Layer {
	return nn.Layer{Name: name, Kind: nn.Norm, Out: n, Eps: Epsilon}
}

// block is one bottleneck.
type block struct {
	name, stage          string
	in, mid, out, stride int
	downsample, last     bool // last of its stage
}

// blocks calls fn for each bottleneck in order.
func (c Config) blocks(fn func(block)) {
	in := c.Stem.Out
	for s, st := range c.Stages {
		for i := range st.Blocks {
			b := block{stage: fmt.Sprintf("layer%d", s+1), in: in, mid: st.Mid, out: st.Out,
				stride: 1, last: i == st.Blocks-1}
			b.name = fmt.Sprintf("%s.%d", b.stage, i)
			if i == 0 {
				b.stride = st.Stride
			}
			b.downsample = b.stride != 1 || b.in != b.out
			fn(b)
			in = st.Out
		}
	}
}

// Network is a ResNet with its tensors.
type Network struct {
	Config
	nn.Net
}

var _ gansim.Scorer = (*Network)(nil)

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.Input, c.Input, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Forward(w, x, nn.Fixed{}, tap) }}
}

// Load reads a checkpoint.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	net, err := c.Plan().Open(src, o)
	return &Network{c, net}, err
}

// Name is the configuration's name.
func (n *Network) Name() string { return n.Config.Name }
