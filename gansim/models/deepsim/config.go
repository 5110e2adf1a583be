// Package deepsim is the upconvolutional generator of Dosovitskiy & Brox (2016): dense layers, then
// transposed convolutions, leaky rectifiers of slope 0.3, no normalisation. Its layers are tables.
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
	Name   string
	Code   int // dimensions of the latent code
	Image  int // height and width of the image, pixels
	Dense  []Dense
	View   [3]int // channels, height, width of the map that the last dense layer fills
	Deconv []Deconv
	// The image is clamp(raw*Gain + Mean, 0, 1) in RGB; the published networks write BGR.
	Gain float64
	Mean [3]float64
	BGR  bool
}

// Dense is a fully connected layer.
type Dense struct {
	Key     string
	In, Out int
}

// Deconv is a transposed convolution, leaky but for the last one.
type Deconv struct {
	Key                            string
	In, Out, Size, Stride, Padding int
}

// Mini is the DeePSim of the miniature world: it inverts fc6 of the miniature AlexNet. Codes are
// fc6 activations divided by their rms, so that they have rms 1.
var Mini = Config{
	Name: "DeePSim", Code: 512, Image: 64,
	Dense: []Dense{{"defc7", 512, 512}, {"defc6", 512, 512}, {"defc5", 512, 1536}},
	View:  [3]int{96, 4, 4},
	Deconv: []Deconv{
		{"deconv5", 96, 96, 4, 2, 1},
		{"conv5_1", 96, 128, 3, 1, 1},
		{"deconv4", 128, 80, 4, 2, 1},
		{"conv4_1", 80, 80, 3, 1, 1},
		{"deconv3", 80, 48, 4, 2, 1},
		{"conv3_1", 48, 32, 3, 1, 1},
		{"deconv2", 32, 3, 4, 2, 1},
	},
	Gain: 1, Mean: [3]float64{.45, .45, .45},
}

// FC6 is the published generator that the paper calls DeePSim (upconvGAN_fc6).
var FC6 = Config{
	Name: "DeePSim", Code: 4096, Image: 256,
	Dense: []Dense{{"defc7", 4096, 4096}, {"defc6", 4096, 4096}, {"defc5", 4096, 4096}},
	View:  [3]int{256, 4, 4},
	Deconv: []Deconv{
		{"deconv5", 256, 256, 4, 2, 1},
		{"conv5_1", 256, 512, 3, 1, 1},
		{"deconv4", 512, 256, 4, 2, 1},
		{"conv4_1", 256, 256, 3, 1, 1},
		{"deconv3", 256, 128, 4, 2, 1},
		{"conv3_1", 128, 128, 3, 1, 1},
		{"deconv2", 128, 64, 4, 2, 1},
		{"deconv1", 64, 32, 4, 2, 1},
		{"deconv0", 32, 3, 4, 2, 1},
	},
	Gain: 1. / 255, Mean: [3]float64{123. / 255, 117. / 255, 104. / 255}, BGR: true,
}

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	var t nn.Table
	for i, d := range c.Dense {
		l := nn.Layer{Name: d.Key, Kind: nn.Linear, In: d.In, Out: d.Out, Bias: true}
		if i == len(c.Dense)-1 {
			l.ToCHW = c.View
		}
		t = append(t, l)
	}
	for _, d := range c.Deconv {
		t = append(t, nn.Layer{Name: d.Key, Kind: nn.TransposedKernel, In: d.In, Out: d.Out,
			Size: [2]int{d.Size, d.Size}, Bias: true})
	}
	return t
}

// Generator is a DeePSim with its tensors.
type Generator struct {
	Config
	nn.Net
}

var _ gansim.Generator = (*Generator)(nil)

// Load reads a checkpoint.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Generator, error) {
	net, err := nn.Open(c.Name, c.Table(), src, o, func(w gansim.Weights, z *Node, tap gansim.Tap) {
		c.Raw(w, z, tap)
	}, c.Code)
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
