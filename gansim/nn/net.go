package nn

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
)

// Plan is how a network is built, without its tensors.
type Plan struct {
	Name  string
	Table Table
	// Forward builds the network on x, showing each activation to tap.
	Forward func(w gansim.Weights, x *Node, tap gansim.Tap)
	// Input is the shape of what Forward reads, without the batch.
	Input []int
}

// Net is what loaded networks share: their tensors, and the list of their activations.
type Net struct {
	params  gansim.Params
	input   []int
	layers  func() []gansim.Layer
	forward func(w gansim.Weights, x *Node, tap gansim.Tap)
}

// Open reads the tensors of a network from a checkpoint.
func (p Plan) Open(src Source, o LoadOptions) (Net, error) {
	ps, err := p.Table.Load(src, o)
	if err != nil {
		return Net{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	return Net{ps, p.Input, sync.OnceValue(p.Layers), p.Forward}, nil
}

// Params are the network's tensors.
func (n Net) Params() gansim.Params { return n.params }

// Layers lists the network's activations in order of execution.
func (n Net) Layers() []gansim.Layer { return n.layers() }

// InputSize is the height and width of the images that the network itself reads, or the size of its
// codes.
func (n Net) InputSize() int { return n.input[0] }

// Inner is a graph function: one activation for x in what the network itself reads, past all
// preprocessing of images.
func (n Net) Inner(w gansim.Weights, x *Node, layer string) *Node {
	return Activations(func(tap gansim.Tap) { n.forward(w, x, tap) }, layer)[layer]
}

// Layers lists the activations of a network by building it, without tensors, for one input.
func (p Plan) Layers() []gansim.Layer {
	backend, err := gobackend.New("")
	if err != nil {
		exceptions.Panicf("nn: %v", err)
	}
	defer backend.Finalize()
	graph := NewGraph(backend, p.Name)
	shape := p.Table.shapes()
	known := map[string]*Node{}
	parameter := func(name string, shape ...int) *Node {
		return Parameter(graph, name, shapes.Make(dtypes.Float32, shape...))
	}
	weights := func(name string) *Node {
		if known[name] == nil {
			if shape[name] == nil {
				exceptions.Panicf("nn: the table has no tensor %q", name)
			}
			known[name] = parameter(name, shape[name]...)
		}
		return known[name]
	}
	var layers []gansim.Layer
	x := parameter("the input", append([]int{1}, p.Input...)...)
	p.Forward(weights, x, func(name, class string, y *Node) {
		d := y.Shape().Dimensions
		l := gansim.Layer{Name: name, Class: class, Channels: d[len(d)-1]}
		if len(d) == 4 {
			l.Height, l.Width = d[1], d[2]
		}
		layers = append(layers, l)
	})
	return layers
}

// NoTap looks at nothing.
func NoTap(string, string, *Node) {}

// Activations builds a network and gives the named activations; it panics with an error if one is
// missing. What only later activations need is dropped when the graph is compiled.
func Activations(forward func(tap gansim.Tap), names ...string) map[string]*Node {
	found := map[string]*Node{}
	for _, name := range names {
		found[name] = nil
	}
	forward(func(name, _ string, x *Node) {
		if _, wanted := found[name]; wanted {
			found[name] = x
		}
	})
	for _, name := range names {
		if found[name] == nil {
			exceptions.Panicf("nn: the network has no layer %q", name)
		}
	}
	return found
}
