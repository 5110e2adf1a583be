package parity

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// tiny is the small generator that some cases describe whole, in float64. It has a leaky ReLU after
// all layers but the last, then tanh, whose range becomes [0, 1].
type tiny struct {
	Layers []tinyLayer
	Base   [3]int // channels, height and width that the last linear layer is viewed as
	Note   string `json:"layers_note"`

	params        gansim.Params
	name          string
	slope         float64 // of the leaky ReLU
	padding, size int     // of transposed convolutions; of images
}

var _ gansim.Generator = (*tiny)(nil)

// tinyLayer is a row of the table: kind, name, channels in and out and, for convolutions, kernel,
// stride and padding.
type tinyLayer struct {
	Kind, Name                       string
	In, Out, Kernel, Stride, Padding int
}

// UnmarshalJSON reads a row such as ["C", "conv3", 10, 10, 3, 1, 1].
func (l *tinyLayer) UnmarshalJSON(b []byte) error {
	row := []any{&l.Kind, &l.Name, &l.In, &l.Out, &l.Kernel, &l.Stride, &l.Padding}
	return json.Unmarshal(b, &row)
}

// openTiny builds the generator of a case, whose first weights are its own.
func openTiny(dir string, c *oracle.Case) (*tiny, error) {
	g := &tiny{name: c.Weights[0]}
	if err := json.Unmarshal(c.Extra, g); err != nil {
		return nil, err
	}
	if err := scanAfter(g.Note, "LeakyReLU(", &g.slope); err != nil {
		return nil, err
	}
	if err := scanAfter(g.Note, "T: transposed convolution in, out, k, stride, pad ", &g.padding); err != nil {
		return nil, err
	}
	g.size = g.Base[1]
	for _, l := range g.Layers {
		switch l.Kind {
		case "C":
			g.size = (g.size+2*l.Padding-l.Kernel)/l.Stride + 1
		case "T":
			g.size = (g.size-1)*l.Stride - 2*g.padding + l.Kernel
		}
	}
	src, err := source(dir, g.name)
	if err != nil {
		return nil, err
	}
	g.params, err = g.table().Load(src, nn.LoadOptions{Float64: true})
	return g, err
}

// scanAfter reads a value behind a mark in a text.
func scanAfter(text, mark string, to any) error {
	for i := range text {
		if i+len(mark) <= len(text) && text[i:i+len(mark)] == mark {
			_, err := fmt.Sscan(text[i+len(mark):], to)
			return err
		}
	}
	return fmt.Errorf("no %q in %q", mark, text)
}

func (g *tiny) table() nn.Table {
	kinds := map[string]nn.Kind{"L": nn.Linear, "C": nn.Kernel, "T": nn.TransposedKernel}
	var t nn.Table
	for i, l := range g.Layers {
		layer := nn.Layer{Name: l.Name, Kind: kinds[l.Kind], In: l.In, Out: l.Out, Bias: true,
			Size: [2]int{l.Kernel, l.Kernel}}
		if g.flat(i) {
			layer.ToCHW = g.Base
		}
		t = append(t, layer)
	}
	return t
}

// flat says whether layer i is the last linear one, whose output is viewed as a map.
func (g *tiny) flat(i int) bool {
	return g.Layers[i].Kind == "L" && i+1 < len(g.Layers) && g.Layers[i+1].Kind != "L"
}

// Name is that of the weights.
func (g *tiny) Name() string { return g.name }

// CodeSize is the inputs of the first layer.
func (g *tiny) CodeSize() int { return g.Layers[0].In }

// ImageSize is what the layers make of the base.
func (g *tiny) ImageSize() int { return g.size }

// Params are the formula weights.
func (g *tiny) Params() gansim.Params { return g.params }

// Draw has no recipes: codes are inputs of the cases.
func (g *tiny) Draw(recipe string, _ *rand.Rand, _ int) (gansim.Codes, error) {
	return gansim.Codes{}, fmt.Errorf("%s: no recipe %q", g.name, recipe)
}

// Decode runs the table.
func (g *tiny) Decode(w gansim.Weights, x *Node) *Node {
	for i, l := range g.Layers {
		kernel, bias := w(l.Name+".weight"), w(l.Name+".bias")
		switch l.Kind {
		case "L":
			x = nn.Dense(x, kernel, bias)
			if g.flat(i) {
				x = Reshape(x, -1, g.Base[1], g.Base[2], g.Base[0])
			}
		case "C":
			p := [2]int{l.Padding, l.Padding}
			x = nn.Bias(nn.Conv(x, kernel, nn.ConvOptions{Stride: [2]int{l.Stride, l.Stride},
				Padding: [2][2]int{p, p}}), bias)
		case "T":
			x = nn.Bias(nn.ConvTranspose(x, kernel, nn.ConvTransposeOptions{
				Stride: [2]int{l.Stride, l.Stride}, Padding: [2]int{g.padding, g.padding}}), bias)
		default:
			exceptions.Panicf("parity: %s: layer of kind %q", g.name, l.Kind)
		}
		if i < len(g.Layers)-1 {
			x = nn.LeakyReLU(x, g.slope)
		}
	}
	return MulScalar(AddScalar(Tanh(x), 1), .5)
}
