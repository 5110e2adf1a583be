// Package deepsim is the family of upconvolutional generators of Dosovitskiy & Brox (2016): each
// inverts one layer of CaffeNet by dense layers or convolutions, then transposed convolutions, with
// leaky rectifiers of slope 0.3 and no normalisation. A generator is a table of layers.
package deepsim

import (
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Slope of every leaky rectifier.
const Slope = .3

// Config is the shape of a generator.
type Config struct {
	Name string
	Code int // dimensions of the latent code
	// Map is the shape of a code that is a map: channels, height, width. A code is that map flattened
	// in this order. Zero means that a code is a vector.
	Map   [3]int
	Image int // height and width of the image, pixels
	Stack []Layer
	View  [3]int // channels, height, width of the map that the last dense layer fills
	// Squash is the gain of a tanh after the last layer; zero means none.
	Squash float64
	// The image is clamp(raw*Gain + Mean, 0, 1) in RGB; the published networks write BGR.
	Gain float64
	Mean [3]float64
	BGR  bool
}

// Kind is what a layer does.
type Kind int

// The kinds of layers.
const (
	Dense  Kind = iota // fully connected
	Conv               // ordinary convolution
	Deconv             // transposed convolution
)

// String is the layer's class in PyTorch.
func (k Kind) String() string { return [...]string{"Linear", "Conv2d", "ConvTranspose2d"}[k] }

// Layer is a line of the table. All but the last are rectified.
type Layer struct {
	Kind                           Kind
	Key                            string
	In, Out, Size, Stride, Padding int
	Plain                          bool // has no rectifier behind it
}

// Mini is the DeePSim of the miniature world: it inverts fc6 of the miniature AlexNet. Codes are
// fc6 activations divided by their rms, so that they have rms 1.
var Mini = Config{
	Name: "DeePSim", Code: 512, Image: 64,
	Stack: []Layer{
		dense("defc7", 512, 512),
		dense("defc6", 512, 512),
		dense("defc5", 512, 1536),
		double("deconv5", 96, 96),
		deconv("conv5_1", 96, 128),
		double("deconv4", 128, 80),
		deconv("conv4_1", 80, 80),
		double("deconv3", 80, 48),
		deconv("conv3_1", 48, 32),
		double("deconv2", 32, 3),
	},
	View: [3]int{96, 4, 4},
	Gain: 1, Mean: [3]float64{.45, .45, .45},
}

func dense(key string, in, out int) Layer { return Layer{Kind: Dense, Key: key, In: in, Out: out} }

// double is a transposed convolution that doubles height and width.
func double(key string, in, out int) Layer { return Layer{Deconv, key, in, out, 4, 2, 1, false} }

// deconv is a transposed convolution that keeps height and width.
func deconv(key string, in, out int) Layer { return Layer{Deconv, key, in, out, 3, 1, 1, false} }

// conv3 is an ordinary 3x3 convolution of stride 1.
func conv3(key string, in, out, padding int) Layer {
	return Layer{Conv, key, in, out, 3, 1, padding, false}
}

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	var t nn.Table
	for i, l := range c.Stack {
		row := nn.Layer{Name: l.Key, In: l.In, Out: l.Out, Size: [2]int{l.Size, l.Size}, Bias: true}
		switch l.Kind {
		case Dense:
			row.Kind = nn.Linear
			if c.fills(i) {
				row.ToCHW = c.View
			}
		case Conv:
			row.Kind = nn.Kernel
		case Deconv:
			row.Kind = nn.TransposedKernel
		}
		t = append(t, row)
	}
	return t
}

// fills reports whether layer i is the last dense one.
func (c Config) fills(i int) bool {
	return c.Stack[i].Kind == Dense && (i+1 == len(c.Stack) || c.Stack[i+1].Kind != Dense)
}

// Generator is a DeePSim with its tensors.
type Generator struct {
	Config
	nn.Net
}

var _ gansim.Generator = (*Generator)(nil)

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.Code},
		Forward: func(w gansim.Weights, z *Node, tap gansim.Tap) { c.Raw(w, z, tap) }}
}

// Load reads a checkpoint.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Generator, error) {
	net, err := c.Plan().Open(src, o)
	return &Generator{c, net}, err
}

// Name is the configuration's name.
func (g *Generator) Name() string { return g.Config.Name }

// CodeSize is the number of latent dimensions.
func (g *Generator) CodeSize() int { return g.Code }

// ImageSize is the width of an image, pixels.
func (g *Generator) ImageSize() int { return g.Image }

// Draw draws n codes k*N(0, I); recipes are "std4" (panel A: k = 4), "std1" (starts of evolutions,
// inversions and maximisations) and "std0.5".
func (g *Generator) Draw(recipe string, rng *rand.Rand, n int) (gansim.Codes, error) {
	std, err := gansim.Recipe(g.Config.Name, recipe, []gansim.Named[float64]{
		{Name: "std4", Value: 4}, {Name: "std1", Value: 1}, {Name: "std0.5", Value: .5}})
	if err != nil {
		return gansim.Codes{}, err
	}
	codes := gansim.Codes{N: n, Dim: g.Code, Z: make([]float32, n*g.Code)}
	for i := range codes.Z {
		codes.Z[i] = float32(std * rng.NormFloat64())
	}
	return codes, nil
}
