package models

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// OutputOptions of [Outputs].
type OutputOptions struct {
	Batch    int                   // items at once; zero means 8
	Progress func(done, total int) // items; nil means quiet
}

// Outputs runs a network on many inputs in PyTorch's layout, codes [n, d] or images [n, 3, h, w], and
// gives its output, or the activation of a scorer's layer, in that layout too.
func Outputs(ctx context.Context, backend compute.Backend, net Network, layer string, values []float32,
	shape []int, o OutputOptions) (out []float32, dims []int, err error) {
	run, err := outputOf(net, layer)
	if err != nil {
		return nil, nil, err
	}
	if o.Batch == 0 {
		o.Batch = 8
	}
	n, size := shape[0], len(values)/shape[0]
	batch := min(o.Batch, n)
	p, err := graphx.New(backend, []gansim.Params{net.Params()},
		func(w []gansim.Weights, in []*Node) []*Node {
			x := in[0]
			if x.Rank() == 4 {
				x = TransposeAllAxes(x, 0, 2, 3, 1)
			}
			return []*Node{channelsFirst(run(w[0], x))}
		})
	if err != nil {
		return nil, nil, err
	}
	err = graphx.Padded(n, batch, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("models: %d of %d items done: %w", rows[0], n, err)
		}
		var in []float32
		for _, r := range rows {
			in = append(in, values[r*size:(r+1)*size]...)
		}
		results, err := p.Call(tensors.FromFlatDataAndDimensions(in, append([]int{batch}, shape[1:]...)...))
		if err != nil {
			return err
		}
		defer graphx.Free(results...)
		got, err := graphx.Floats(results[0])
		dims = append([]int{n}, results[0].Shape().Dimensions[1:]...)
		out = append(out, got[:valid*len(got)/batch]...)
		if o.Progress != nil {
			o.Progress(rows[0]+valid, n)
		}
		return err
	})
	return out, dims, err
}

// outputOf finds what to build: the network's output, or a layer of a scorer.
func outputOf(net Network, layer string) (func(w gansim.Weights, x *Node) *Node, error) {
	if layer == "" {
		return func(w gansim.Weights, x *Node) *Node { return Output(net, w, x) }, nil
	}
	s, ok := net.(gansim.Scorer)
	if !ok {
		return nil, fmt.Errorf("models: layers of %T cannot be read, only its output", net)
	}
	l, ok := gansim.FindLayer(s.Layers(), layer)
	if !ok {
		return nil, fmt.Errorf("models: %s has no layer %q; gansim weights show %s --layers lists them",
			s.Name(), layer, s.Name())
	}
	return func(w gansim.Weights, x *Node) *Node { return s.Activations(w, x, l.Name) }, nil
}

// channelsFirst puts channels before what they are channels of.
func channelsFirst(x *Node) *Node {
	switch x.Rank() {
	case 4:
		return TransposeAllAxes(x, 0, 3, 1, 2)
	case 3:
		return TransposeAllAxes(x, 0, 2, 1)
	}
	return x
}
