package parity

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// layout is how package nn stores an array of the reference program.
type layout struct {
	kind   nn.Kind // of a weight; nn.Raw for other arrays
	from   [3]int  // the map that a matrix reads flattened
	groups int
}

// rawLayout is that of arrays which are no weights: maps have channels last.
var rawLayout = layout{kind: nn.Raw}

// layout is that of an input of a case.
func (op operator) layout(name string, c oracle.OpCase) layout {
	kind, ok := op.kinds[name]
	if !ok {
		return rawLayout
	}
	l := layout{kind: kind, groups: c.Args.Int("groups")}
	if c.Op == "conv_relu_flatten_linear_log_softmax" && name == "v" {
		x, w := c.Inputs["x"].Shape, c.Inputs["w"].Shape
		l.from = [3]int{w[0], x[2], x[3]}
	}
	return l
}

// order gives, for each element of an array in our layout, its flat index in the published one, and
// our shape. Maps have channels second in the reference and last here.
func (l layout) order(published []int) (index []int, ours []int) {
	if l.kind == nn.Raw {
		return channelsLastOrder(published)
	}
	flat := make([]float32, elements(published)) // whole numbers below 2^24 are exact
	for i := range flat {
		flat[i] = float32(i)
	}
	layer := nn.Layer{Kind: l.kind, FromCHW: l.from, Groups: l.groups}
	ours, flat = layer.Import("w.weight", published, flat)
	for _, v := range flat {
		index = append(index, int(v))
	}
	return index, ours
}

func channelsLastOrder(published []int) (index, ours []int) {
	n := elements(published)
	channels, rest := 1, 1
	ours = slices.Clone(published)
	if len(published) > 2 {
		channels, rest = published[1], elements(published[2:])
		ours = append(append(published[:1:1], published[2:]...), channels)
	}
	for i := range n {
		item, at, c := i/(channels*rest), i/channels%rest, i%channels
		index = append(index, (item*channels+c)*rest+at)
	}
	return index, ours
}

// elements is the number of elements of a shape.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// tensor makes a tensor in our layout.
func (l layout) tensor(t oracle.Tensor, d dtypes.DType) *tensors.Tensor {
	index, shape := l.order(t.Shape)
	values := make([]float64, len(index))
	for i, from := range index {
		values[i] = t.Data[from]
	}
	return graphx.TensorOf(d, values, shape...)
}

// published reads a tensor in our layout back to the order of the reference.
func (l layout) published(t *tensors.Tensor, shape []int) ([]float64, error) {
	values, err := graphx.Float64s(t)
	if err != nil {
		return nil, err
	}
	index, _ := l.order(shape)
	out := make([]float64, len(index))
	for i, to := range index {
		out[to] = values[i]
	}
	return out, nil
}
