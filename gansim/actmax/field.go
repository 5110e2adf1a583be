package actmax

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/floats"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// Inner is a network whose activations can also be read for what it reads itself, past the
// preprocessing of images.
type Inner interface {
	gansim.Scorer
	// InputSize is the height and width of what Inner reads, pixels.
	InputSize() int
	// Inner is a graph function: x [batch, h, w, 3] to the activation of a layer.
	Inner(w gansim.Weights, x *Node, layer string) *Node
}

// FieldConfig describes how a receptive field is estimated.
type FieldConfig struct {
	Size int // height and width of the input, pixels; zero means the network's own
	Reps int // inputs of noise; zero means 30, as in the original script
	// Noise gives an input [Size, Size, 3]. Nil means numbers in [-1, 1) from Seed.
	Noise func() []float64
	Seed  uint64
}

// Field is how much the mean over a layer's channels at one position changes with each input pixel.
type Field struct {
	Size    int
	Map     []float64 // [Size, Size], mean over colours and inputs of the gradient's size
	Counted int       // inputs that count: the layer answered to them
}

// insensible is the answer up to which an input does not count (torch.isclose's tolerance to 0).
const insensible = 1e-8

// NewField estimates the receptive field of a unit's position by gradients at noise
// (core/utils/grad_RF_estim.py of the original project). It computes in the type of the network's
// tensors.
func NewField(ctx context.Context, backend compute.Backend, n Inner, u gansim.Unit,
	c FieldConfig) (Field, error) {
	if c.Size == 0 {
		c.Size = n.InputSize()
	}
	if u.Row < 0 || c.Size <= 0 {
		return Field{}, fmt.Errorf("actmax: receptive field of %v in %d pixels; a dense layer sees "+
			"the whole input", u, c.Size)
	}
	program, err := graphx.New(backend, []gansim.Params{n.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			y := n.Inner(nets[0], in[0], u.Layer)
			answer := ReduceAllMean(Slice(y, AxisRange(), AxisElem(u.Row), AxisElem(u.Col)))
			size := Abs(Gradient(answer, in[0])[0])
			return []*Node{answer, ReduceMean(size, -1)}
		})
	if err != nil {
		return Field{}, err
	}
	defer program.Close()
	if c.Reps == 0 {
		c.Reps = 30
	}
	if c.Noise == nil {
		c.Noise = uniform(rand.New(rand.NewPCG(c.Seed, 2)), c.Size*c.Size*3)
	}
	f := Field{Size: c.Size, Map: make([]float64, c.Size*c.Size)}
	for i := range c.Reps {
		if err := ctx.Err(); err != nil {
			return Field{}, fmt.Errorf("actmax: receptive field of %v, input %d of %d: %w", u, i, c.Reps, err)
		}
		x := graphx.TensorOf(graphx.Precision(n.Params()), c.Noise(), 1, c.Size, c.Size, 3)
		out, err := program.Call(x)
		if err != nil {
			return Field{}, err
		}
		err = f.add(out)
		graphx.Free(out...)
		if err != nil {
			return Field{}, err
		}
	}
	if f.Counted == 0 {
		return Field{}, fmt.Errorf("actmax: receptive field of %v: no answer to any input", u)
	}
	for i := range f.Map {
		f.Map[i] /= float64(f.Counted)
	}
	return f, nil
}

// add counts the answer to one input and its gradient's size.
func (f *Field) add(out []*tensors.Tensor) error {
	answer, err := graphx.Float64s(out[0])
	if err != nil || math.Abs(answer[0]) <= insensible {
		return err
	}
	size, err := graphx.Float64s(out[1])
	if err != nil {
		return err
	}
	f.Counted++
	floats.Add(f.Map, size)
	return nil
}

func uniform(rng *rand.Rand, n int) func() []float64 {
	return func() []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = 2*rng.Float64() - 1
		}
		return x
	}
}

// Box is a window of pixels: columns X[0] up to, not with, X[1], and rows Y.
type Box struct{ X, Y [2]int }

// Size is the width and height.
func (b Box) Size() (width, height int) { return b.X[1] - b.X[0], b.Y[1] - b.Y[0] }

// WholeBox is all of an input, the receptive field of dense layers.
func WholeBox(size int) Box { return Box{[2]int{0, size}, [2]int{0, size}} }

// UnitBox is the box of a unit's receptive field: the square one by gradients, and the whole input for
// a dense layer. Units of one position share it whatever their channel.
func UnitBox(ctx context.Context, backend compute.Backend, n Inner, u gansim.Unit,
	c FieldConfig) (Box, error) {
	if u.Row < 0 {
		return WholeBox(n.InputSize()), nil
	}
	f, err := NewField(ctx, backend, n, u, c)
	if err != nil {
		return Box{}, err
	}
	box, _, _, err := FindBox(f.Map, f.Size)
	return box, err
}

// Limits say which pixels belong to a box.
const (
	absoluteLimit = 1e-8
	relativeLimit = 0.01 // of the largest
)

// FindBox bounds the pixels of a map [height, width] above the threshold, 1 % of the largest or
// 1e-8; square is that box with its short side lengthened, half of it rounded down before and the
// rest behind, and moved back inside the map.
func FindBox(m []float64, width int) (square, bounds Box, threshold float64, err error) {
	threshold = absoluteLimit
	for _, v := range m {
		threshold = max(threshold, relativeLimit*v)
	}
	none := [2]int{math.MaxInt, 0}
	bounds = Box{none, none}
	for i, v := range m {
		if v > threshold {
			x, y := i%width, i/width
			bounds.X = [2]int{min(bounds.X[0], x), max(bounds.X[1], x+1)}
			bounds.Y = [2]int{min(bounds.Y[0], y), max(bounds.Y[1], y+1)}
		}
	}
	if bounds.X == none {
		return square, bounds, threshold, errors.New("actmax: no pixel of the receptive field's map counts")
	}
	square = bounds
	w, h := bounds.Size()
	if w > h {
		square.Y = lengthen(bounds.Y, w-h, len(m)/width)
	} else if h > w {
		square.X = lengthen(bounds.X, h-w, width)
	}
	return square, bounds, threshold, nil
}

// lengthen adds to a side within size pixels.
func lengthen(side [2]int, by, size int) [2]int {
	lo, hi := side[0]-by/2, side[1]+by-by/2
	over := max(0, hi-size)
	lo, hi = lo-over, hi-over
	under := max(0, -lo)
	return [2]int{lo + under, hi + under}
}
