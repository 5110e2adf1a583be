// Package biggan is BigGAN-deep (Brock, Donahue & Simonyan 2019) as the package
// pytorch-pretrained-biggan spells it: residual blocks with conditional batch norm and one
// self-attention, as a table of blocks.
package biggan

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Config is the shape of a generator. A code is [noise ; class embedding].
type Config struct {
	Name         string
	Noise, Class int // dimensions of the code's two halves
	Classes      int
	Image        int // height and width of the image, pixels
	Channels     int // ch, the unit of the blocks' widths
	Blocks       []Block
	Rows         int     // of the tables of running statistics
	RGB          int     // outputs of the last convolution, of which three are used
	Eps          float64 // of batch normalisation
	Truncation   float64 // picks the row of statistics; the paper renders everything at 0.7
	RandomStd    float64 // of all dimensions in the recipe "random"
}

// Block is a residual block, or the self-attention.
type Block struct {
	Up        bool
	In, Out   int // multiples of Channels
	Attention bool
}

// Mini is the BigGAN of the miniature world.
var Mini = Config{
	Name: "BigGAN", Noise: 32, Class: 32, Classes: 12, Image: 64, Channels: 24,
	Blocks: []Block{
		{In: 8, Out: 8},
		{Up: true, In: 8, Out: 8},
		{Up: true, In: 8, Out: 4},
		{In: 4, Out: 4, Attention: true},
		{Up: true, In: 4, Out: 2},
		{Up: true, In: 2, Out: 1},
	},
	Rows: 51, RGB: 3, Eps: 1e-4, Truncation: .7, RandomStd: .98,
}

// CodeSize is the number of latent dimensions.
func (c Config) CodeSize() int { return c.Noise + c.Class }

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	first := c.Blocks[0].In * c.Channels
	t := nn.Table{
		{Name: "embeddings.weight", Kind: nn.Raw, Shape: []int{c.Class, c.Classes}},
		{Name: "generator.gen_z", Kind: nn.Linear, In: c.CodeSize(), Out: 16 * first, Bias: true,
			Spectral: true},
	}
	for i, b := range c.Blocks {
		name := fmt.Sprintf("generator.layers.%d", i)
		if b.Attention {
			t = append(t, c.attention(name, b.In*c.Channels)...)
			continue
		}
		in, out := b.In*c.Channels, b.Out*c.Channels
		mid := in / 4
		widths, sizes := [5]int{in, mid, mid, mid, out}, [4]int{1, 3, 3, 1}
		for j := range 4 {
			t = append(t, c.norm(fmt.Sprintf("%s.bn_%d", name, j), widths[j])...)
		}
		for j := range 4 {
			t = append(t, kernel(fmt.Sprintf("%s.conv_%d", name, j), widths[j], widths[j+1], sizes[j], true))
		}
	}
	last := c.Blocks[len(c.Blocks)-1].Out * c.Channels
	return append(t,
		nn.Layer{Name: "generator.bn", Kind: nn.RowNormAffine, Out: last, Eps: c.Eps,
			Shape: []int{c.Rows, last}},
		kernel("generator.conv_to_rgb", last, c.RGB, 3, true))
}

func kernel(name string, in, out, size int, bias bool) nn.Layer {
	return nn.Layer{Name: name, Kind: nn.Kernel, In: in, Out: out, Size: [2]int{size, size},
		Bias: bias, Spectral: true}
}

// norm is a conditional batch norm: a table of statistics, scale and offset linear in the code.
func (c Config) norm(name string, n int) nn.Table {
	linear := func(part string) nn.Layer {
		return nn.Layer{Name: name + part, Kind: nn.Linear, In: c.CodeSize(), Out: n, Spectral: true}
	}
	return nn.Table{
		{Name: name, Kind: nn.RowNorm, Out: n, Eps: c.Eps, Shape: []int{c.Rows, n}},
		linear(".scale"), linear(".offset"),
	}
}

func (c Config) attention(name string, n int) nn.Table {
	return nn.Table{
		{Name: name + ".gamma", Kind: nn.Raw, Shape: []int{1}},
		kernel(name+".snconv1x1_theta", n, n/8, 1, false),
		kernel(name+".snconv1x1_phi", n, n/8, 1, false),
		kernel(name+".snconv1x1_g", n, n/2, 1, false),
		kernel(name+".snconv1x1_o_conv", n/2, n, 1, false),
	}
}

// Generator is a BigGAN with its tensors.
type Generator struct {
	Config
	nn.Net
	embeddings []float64 // [Class, Classes]
}

var _ gansim.Generator = (*Generator)(nil)

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.CodeSize()},
		Forward: func(w gansim.Weights, z *Node, tap gansim.Tap) { c.Forward(w, z, nn.Fixed{}, len(c.Blocks), tap) }}
}

// Load reads a checkpoint; spectral norm is folded with its stored vectors.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Generator, error) {
	if o.Truncation == 0 {
		o.Truncation = c.Truncation
	}
	net, err := c.Plan().Open(src, o)
	if err != nil {
		return nil, err
	}
	embeddings, err := nn.Values(net.Params(), "embeddings.weight")
	return &Generator{c, net, embeddings}, err
}

// Name is the configuration's name.
func (g *Generator) Name() string { return g.Config.Name }

// ImageSize is the width of an image, pixels.
func (g *Generator) ImageSize() int { return g.Image }

// draw is a recipe for codes: noise of a standard deviation, truncated at two of them or not, and a
// class half that is an embedding, zero, or noise too.
type draw struct {
	std       float64
	truncated bool
	class     classHalf
}

type classHalf int

const (
	embedding classHalf = iota
	zero
	random
)

// Draw draws n codes. Recipes: "trunc0.7" (0.7 x truncated normal noise and a random class: the
// paper's BigGAN set), "random" (noise in all dimensions: BigGAN-RND), "std0.7" (0.7 x normal noise
// and a random class: starts of gradient runs), "std1" (the same with 1.0), "norm0.7" and "norm1.2"
// (normal noise of that size in all dimensions) and "evolve" (0.7 x truncated normal noise, class half
// zero: starts of CMA-ES).
func (g *Generator) Draw(recipe string, rng *rand.Rand, n int) (gansim.Codes, error) {
	d, err := gansim.Recipe(g.Config.Name, recipe, []gansim.Named[draw]{
		{Name: "trunc0.7", Value: draw{.7, true, embedding}},
		{Name: "random", Value: draw{g.RandomStd, false, random}},
		{Name: "std0.7", Value: draw{.7, false, embedding}},
		{Name: "std1", Value: draw{1, false, embedding}},
		{Name: "norm0.7", Value: draw{.7, false, random}},
		{Name: "norm1.2", Value: draw{1.2, false, random}},
		{Name: "evolve", Value: draw{.7, true, zero}},
	})
	if err != nil {
		return gansim.Codes{}, err
	}
	codes := gansim.Codes{N: n, Dim: g.CodeSize(), Z: make([]float32, n*g.CodeSize())}
	for i := range n {
		g.fill(codes.At(i), d, rng)
	}
	return codes, nil
}

// ClassOf is the class whose embedding a code ends in, -1 if it is none's.
func (g *Generator) ClassOf(code []float32) int {
	for y := range g.Classes {
		same := true
		for j, v := range code[g.Noise:] {
			same = same && v == float32(g.embeddings[j*g.Classes+y])
		}
		if same {
			return y
		}
	}
	return -1
}

func (g *Generator) fill(code []float32, d draw, rng *rand.Rand) {
	for j := range code {
		v := rng.NormFloat64()
		for d.truncated && (v < -2 || v > 2) {
			v = rng.NormFloat64()
		}
		code[j] = float32(d.std * v)
	}
	class := code[g.Noise:]
	switch d.class {
	case embedding:
		y := rng.IntN(g.Classes)
		for j := range class {
			class[j] = float32(g.embeddings[j*g.Classes+y])
		}
	case zero:
		clear(class)
	}
}
