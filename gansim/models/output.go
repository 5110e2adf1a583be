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
	case Chain:
		images := n.Generator.Decode(part(w, "generator."), x)
		layers := n.Scorer.Layers()
		return n.Scorer.Activations(part(w, "scorer."), images, layers[len(layers)-1].Name)
	}
	panic(fmt.Errorf("models: no way to run %T", net))
}

// Chain is a scorer that reads a generator's images: codes [n, dimensions] to the scorer's last layer.
type Chain struct {
	Generator gansim.Generator
	Scorer    gansim.Scorer
}

// Layers are the scorer's.
func (c Chain) Layers() []gansim.Layer { return c.Scorer.Layers() }

// Params are those of both networks, their names after "generator." and "scorer.".
func (c Chain) Params() gansim.Params {
	var all gansim.Params
	add := func(prefix string, p gansim.Params) {
		for _, name := range p.Names {
			all.Names = append(all.Names, prefix+name)
		}
		all.Tensors = append(all.Tensors, p.Tensors...)
	}
	add("generator.", c.Generator.Params())
	add("scorer.", c.Scorer.Params())
	return all
}

// part gives the tensors of one network of several.
func part(w gansim.Weights, prefix string) gansim.Weights {
	return func(name string) *Node { return w(prefix + name) }
}

// Run compiles a network, runs it once and copies its output.
func Run(backend compute.Backend, net Network, input []float32, shape ...int) ([]float32, error) {
	var out []float32
	job, err := job(backend, net, false, input, shape, &out)
	if err == nil {
		err = job()
	}
	return out, err
}

// NewJob prepares a run of a network, or with gradient the gradient of the sum of its squared outputs
// at the input. Each call of the job runs it to the end; the first one compiles.
func NewJob(backend compute.Backend, net Network, gradient bool, input []float32, shape ...int) (
	func() error, error) {
	return job(backend, net, gradient, input, shape, new([]float32))
}

func job(backend compute.Backend, net Network, gradient bool, input []float32, shape []int,
	result *[]float32) (func() error, error) {
	p, err := graphx.New(backend, []gansim.Params{net.Params()},
		func(w []gansim.Weights, in []*Node) []*Node {
			y := Output(net, w[0], in[0])
			if gradient {
				y = Gradient(ReduceAllSum(Square(y)), in[0])[0]
			}
			return []*Node{y}
		})
	if err != nil {
		return nil, err
	}
	x := graphx.Tensor(input, shape...)
	return func() error {
		out, err := p.Call(x)
		if err != nil {
			return err
		}
		defer graphx.Free(out...)
		*result, err = graphx.Floats(out[0])
		return err
	}, nil
}
