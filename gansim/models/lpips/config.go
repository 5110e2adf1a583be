// Package lpips is the perceptual distance LPIPS, version 0.1 (Zhang et al. 2018; the program
// richzhang/PerceptualSimilarity, lpips.py and pretrained_networks.py): features of a classifier at
// several depths, of unit length in each pixel, whose squared differences are weighted by channel,
// summed and averaged over space. The classifiers' columns are tables.
package lpips

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is a distance.
type Config struct {
	Name string
	// Slices are the parts of the classifier's column at whose ends a feature is taken.
	Slices [][]Module
	// Unscaled reads images in [0, 1] as they are. The published program asks for 2*image - 1; the
	// paper's averaged metric leaves that out, which makes distances about four times smaller.
	Unscaled bool
}

// Published are the distances by name.
func Published() map[string]Config {
	return map[string]Config{"lpips_squeeze": SqueezeNet, "lpips_alex": AlexNet, "lpips_vgg": VGG16}
}

// Kind is what a module does.
type Kind int

// The kinds of modules.
const (
	Conv Kind = iota // convolution with bias, rectified
	Pool             // maximum
	Fire             // SqueezeNet's: few channels, then 1x1 and 3x3 side by side; rectified
)

// Module is a line of the table. Index is its place in torchvision's features; a rectifier takes the
// next one.
type Module struct {
	Index, In, Out        int // channels; neither for a pool
	Kind                  Kind
	Size, Stride, Padding int  // of a convolution or a pool
	Ceil                  bool // a pool that reads beyond the edge
	Squeeze               int  // inner channels of a Fire
}

// shift and scale normalise the RGB channels of what is read (the buffers scaling_layer.shift and
// scaling_layer.scale, which are the same in every published file).
var (
	shift = [3]float64{-.030, -.088, -.188}
	scale = [3]float64{.458, .448, .450}
)

// Epsilon is added to the length of a pixel's features.
const Epsilon = 1e-10

// SqueezeNet is LPIPS on SqueezeNet 1.1 (Iandola et al. 2016), the network of the averaged metric.
var SqueezeNet = Config{Name: "lpips_squeeze", Slices: [][]Module{
	{conv(0, 3, 64, 3, 2, 0)},
	{pool(2, 3, true), fire(3, 64, 16, 128), fire(4, 128, 16, 128)},
	{pool(5, 3, true), fire(6, 128, 32, 256), fire(7, 256, 32, 256)},
	{pool(8, 3, true), fire(9, 256, 48, 384)},
	{fire(10, 384, 48, 384)},
	{fire(11, 384, 64, 512)},
	{fire(12, 512, 64, 512)},
}}

// AlexNet is LPIPS on AlexNet.
var AlexNet = Config{Name: "lpips_alex", Slices: [][]Module{
	{conv(0, 3, 64, 11, 4, 2)},
	{pool(2, 3, false), conv(3, 64, 192, 5, 1, 2)},
	{pool(5, 3, false), conv(6, 192, 384, 3, 1, 1)},
	{conv(8, 384, 256, 3, 1, 1)},
	{conv(10, 256, 256, 3, 1, 1)},
}}

// VGG16 is LPIPS on VGG-16 (Simonyan & Zisserman 2015).
var VGG16 = Config{Name: "lpips_vgg", Slices: [][]Module{
	{conv(0, 3, 64, 3, 1, 1), conv(2, 64, 64, 3, 1, 1)},
	{pool(4, 2, false), conv(5, 64, 128, 3, 1, 1), conv(7, 128, 128, 3, 1, 1)},
	{pool(9, 2, false), conv(10, 128, 256, 3, 1, 1), conv(12, 256, 256, 3, 1, 1),
		conv(14, 256, 256, 3, 1, 1)},
	{pool(16, 2, false), conv(17, 256, 512, 3, 1, 1), conv(19, 512, 512, 3, 1, 1),
		conv(21, 512, 512, 3, 1, 1)},
	{pool(23, 2, false), conv(24, 512, 512, 3, 1, 1), conv(26, 512, 512, 3, 1, 1),
		conv(28, 512, 512, 3, 1, 1)},
}}

func conv(index, in, out, size, stride, padding int) Module {
	return Module{Index: index, Kind: Conv, In: in, Out: out, Size: size, Stride: stride,
		Padding: padding}
}

// pool has stride 2.
func pool(index, size int, ceil bool) Module {
	return Module{Index: index, Kind: Pool, Size: size, Stride: 2, Ceil: ceil}
}

func fire(index, in, squeeze, out int) Module {
	return Module{Index: index, Kind: Fire, In: in, Squeeze: squeeze, Out: out}
}

// feature is the name of a slice's feature, and the prefix of its tensors.
func feature(slice int) string { return fmt.Sprintf("net.slice%d", slice+1) }

// Table lists the tensors under the names of the program's state dict, less the constants.
func (c Config) Table() nn.Table {
	var t, weights nn.Table
	for s, slice := range c.Slices {
		for _, m := range slice {
			t = append(t, m.layers(fmt.Sprintf("%s.%d", feature(s), m.Index))...)
		}
		weights = append(weights, nn.Layer{Name: fmt.Sprintf("lin%d.model.1", s), Kind: nn.Kernel,
			In: slice[len(slice)-1].Out, Out: 1, Size: [2]int{1, 1}})
	}
	return append(t, weights...)
}

// layers are the tensors of a module.
func (m Module) layers(name string) nn.Table {
	kernel := func(name string, in, out, size int) nn.Layer {
		return nn.Layer{Name: name, Kind: nn.Kernel, In: in, Out: out, Size: [2]int{size, size},
			Bias: true}
	}
	switch m.Kind {
	case Conv:
		return nn.Table{kernel(name, m.In, m.Out, m.Size)}
	case Fire:
		return nn.Table{kernel(name+".squeeze", m.In, m.Squeeze, 1),
			kernel(name+".expand1x1", m.Squeeze, m.Out/2, 1),
			kernel(name+".expand3x3", m.Squeeze, m.Out/2, 3)}
	}
	return nil
}

// Network is a distance with its tensors.
type Network struct {
	Config
	nn.Net
}

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{64, 64, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Features(w, x, tap) }}
}

// Load reads the program's state dict, or what it is put together from; see
// [Config.Join].
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	net, err := c.Plan().Open(c.Join(src), o)
	return &Network{c, net}, err
}

// Join looks tensors up in the program's state dict, or in the files that it reads:
// torchvision's classifier (features.N.… for net.sliceK.N.…) and the package's own weights/v0.1
// (linK.model.1.weight, of which lins.K.model.1.weight is a second name). The first file that has a
// tensor gives it.
func (c Config) Join(files ...nn.Source) nn.Source {
	from := map[string]func() ([]int, []float32, error){}
	var unknown []string
	ours := c.names()
	for _, f := range files {
		for _, theirs := range f.Names {
			name, ok := ours[theirs]
			switch {
			case !ok && !unused(theirs):
				unknown = append(unknown, theirs)
			case ok && from[name] == nil:
				from[name] = func() ([]int, []float32, error) { return f.Read(theirs) }
			}
		}
	}
	return nn.Source{Names: append(slices.Sorted(maps.Keys(from)), unknown...),
		Read: func(name string) ([]int, []float32, error) { return from[name]() }}
}

// names maps every spelling of a tensor's name to the table's.
func (c Config) names() map[string]string {
	names := map[string]string{}
	for _, p := range c.Table().Published() {
		names[p.Name], names[secondName(p.Name)] = p.Name, p.Name
	}
	return names
}

// unused reports whether a tensor is a constant of the program, or of the part of torchvision's
// classifier behind its features.
func unused(name string) bool {
	return strings.HasPrefix(name, "scaling_layer.") || strings.HasPrefix(name, "classifier.")
}

func secondName(name string) string {
	if rest, ok := strings.CutPrefix(name, "net.slice"); ok {
		_, rest, _ = strings.Cut(rest, ".")
		return "features." + rest
	}
	if rest, ok := strings.CutPrefix(name, "lin"); ok {
		return "lins." + rest
	}
	return name
}
