// Package gansim is the vocabulary of the toolkit: latent codes go into a [Generator], images come
// out, a [Scorer] reads the images. It holds types and interfaces only; implementations live in the
// packages below it (models, nn, metric, invert, actmax) and never import each other sideways.
//
// Everywhere: images are RGB, channels last, values in [0, 1]; batches come first.
package gansim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Images is a batch of RGB images on the host, channels last.
type Images struct {
	N, Height, Width int
	Pix              []float32 // [N, Height, Width, 3], values in [0, 1]
}

// NewImages returns n black images.
func NewImages(n, height, width int) Images {
	return Images{N: n, Height: height, Width: width, Pix: make([]float32, n*height*width*3)}
}

// At returns the pixels of image i, [Height, Width, 3]; the memory is shared with the batch.
func (m Images) At(i int) []float32 {
	size := m.Height * m.Width * 3
	return m.Pix[i*size : (i+1)*size]
}

// Slice returns images from to to (exclusive); the memory is shared with the batch.
func (m Images) Slice(from, to int) Images {
	size := m.Height * m.Width * 3
	return Images{N: to - from, Height: m.Height, Width: m.Width, Pix: m.Pix[from*size : to*size]}
}

// Codes is a batch of latent codes on the host.
type Codes struct {
	N, Dim int
	Z      []float32 // [N, Dim]
}

// At returns code i; the memory is shared with the batch.
func (c Codes) At(i int) []float32 { return c.Z[i*c.Dim : (i+1)*c.Dim] }

// Params holds a network's tensors on the host, in a fixed order and under the names of the published
// checkpoint. Convolution kernels are stored [height, width, in, out], dense weights [in, out]:
// the loader permutes them once.
type Params struct {
	Names   []string
	Tensors []*tensors.Tensor
	Hash    string // SHA-256 of the file that they came from, hexadecimal
}

// Weights gives a graph function the tensor of a name. It panics with an error if there is none.
type Weights func(name string) *graph.Node

// Distance says how far images are from others: a metric of a generator's images, or what an
// inversion makes small.
type Distance struct {
	Name   string
	Params Params // tensors that Graph asks for
	// Graph is a graph function: two batches [n, h, w, 3] in [0, 1] to the distance of each pair, [n].
	Graph func(w Weights, images, reference *graph.Node) *graph.Node
}

// Generator turns latent codes into images.
type Generator interface {
	// Name is the label used in rows and figures, such as "DeePSim".
	Name() string
	// CodeSize is the number of dimensions of a latent code.
	CodeSize() int
	// ImageSize is the height and width of its images, pixels.
	ImageSize() int
	// Params are the tensors that Decode asks for.
	Params() Params
	// Decode is a graph function: z [batch, CodeSize] to images [batch, size, size, 3] in [0, 1].
	Decode(w Weights, z *graph.Node) *graph.Node
	// Draw draws n codes by a named recipe; unknown recipes give an error that lists the known ones.
	Draw(recipe string, rng *rand.Rand, n int) (Codes, error)
}

// Scorer is a network whose layers' activations are read.
type Scorer interface {
	// Name is the network's name, such as "resnet50_linf8".
	Name() string
	// Params are the tensors that Activations asks for.
	Params() Params
	// Layers lists the taps in order of execution.
	Layers() []Layer
	// Activations is a graph function: images [batch, h, w, 3] in [0, 1] to the activation of one
	// layer, [batch, h', w', channels] or [batch, channels]. Preprocessing is the network's own.
	Activations(w Weights, images *graph.Node, layer string) *graph.Node
}

// Layer is one activation of a network.
type Layer struct {
	Name                    string // of the module in the checkpoint, such as "layer2.3.conv1"
	Class                   string // of the module in PyTorch; empty for a container or a second name
	Height, Width, Channels int    // Height and Width are 0 for a dense layer
}

// Tap is shown a network's activations in order of execution: the module's name and class (see
// [Layer]) and its output.
type Tap func(name, class string, x *graph.Node)

// Center is the row and column of the unit in the middle of the map (integer division).
func (l Layer) Center() (row, col int) { return l.Height / 2, l.Width / 2 }

// Unit names one unit of a network. Row and Col are -1 for a dense layer.
type Unit struct {
	Net, Layer        string
	Channel, Row, Col int
}

// String is the unit in the spelling of the command line: net/layer/channel[/row/col].
func (u Unit) String() string {
	if u.Row < 0 {
		return fmt.Sprintf("%s/%s/%d", u.Net, u.Layer, u.Channel)
	}
	return fmt.Sprintf("%s/%s/%d/%d/%d", u.Net, u.Layer, u.Channel, u.Row, u.Col)
}

// Named is a value with the name that it is chosen by.
type Named[T any] struct {
	Name  string
	Value T
}

// Recipe finds a generator's recipe for codes by name, also as the research code spells it (trunc07 for
// trunc0.7, 4std for std4); an unknown name is an error that lists the known ones.
func Recipe[T any](generator, name string, recipes []Named[T]) (T, error) {
	var known []string
	for _, r := range recipes {
		if recipeKey(r.Name) == recipeKey(name) {
			return r.Value, nil
		}
		known = append(known, r.Name)
	}
	var none T
	return none, fmt.Errorf("%s: no recipe %q, want one of %s", generator, name,
		strings.Join(known, ", "))
}
