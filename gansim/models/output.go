package models

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// Output runs a network of any kind on inputs x [n, ...] of the shape that its plan states: codes of
// a generator to its images, images to a classifier's logits, to a detector's outputs by cell, or,
// compared with their mirror images, to a metric's distances.
func Output(net Network, w gansim.Weights, x *Node) *Node {
	switch n := net.(type) {
	case gansim.Generator:
		return n.Decode(w, x)
	case gansim.Scorer:
		layers := n.Layers()
		return n.Activations(w, x, layers[len(layers)-1].Name)
	case *yolov8.Network:
		distances, logits := n.Forward(w, x, nn.Fixed{}, nn.NoTap)
		return Concatenate([]*Node{distances, logits}, 2)
	case *yolov5.Network:
		return n.Forward(w, x, nn.NoTap)
	case *lpips.Network:
		return n.Distance(w, x, Reverse(x, 2))
	}
	panic(fmt.Errorf("models: no way to run %T", net))
}

// Run compiles a network, runs it once and copies its output.
func Run(backend compute.Backend, net Network, input []float32, shape ...int) ([]float32, error) {
	p, err := graphx.New(backend, []gansim.Params{net.Params()},
		func(w []gansim.Weights, in []*Node) []*Node { return []*Node{Output(net, w[0], in[0])} })
	if err != nil {
		return nil, err
	}
	out, err := p.Call(graphx.Tensor(input, shape...))
	if err != nil {
		return nil, err
	}
	defer graphx.Free(out...)
	return graphx.Floats(out[0])
}
