package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// Windows are taken apart: each of their places is a slice of the padded array, and slices are
// combined element by element, without a copy of any.

// windowBy are the elementwise operations of windows.
var windowBy = map[compute.ReduceOpType]compute.OpType{
	compute.ReduceOpSum:     compute.OpTypeAdd,
	compute.ReduceOpProduct: compute.OpTypeMul,
	compute.ReduceOpMax:     compute.OpTypeMax,
	compute.ReduceOpMin:     compute.OpTypeMin,
}

// ReduceWindow combines the values of each window.
func (f *function) ReduceWindow(v compute.Value, by compute.ReduceOpType,
	size, strides, inputDilations, dilations []int, paddings [][2]int) (compute.Value, error) {
	in, err := f.take("ReduceWindow", v)
	if err != nil {
		return nil, err
	}
	x := in[0]
	shape, err := shapeinference.ReduceWindow(x.shape, size, strides, inputDilations, dilations,
		paddings)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	op := windowBy[by]
	if elementwise[shape.DType][op] == nil {
		return nil, missing("ReduceWindow by %s of %s", by, shape.DType)
	}
	fill := f.constant(neutral(op, shape.DType), shapes.Make(shape.DType))
	s := &steps{f: f}
	for axis := range shape.Dimensions { // one after the other: windows are boxes
		n := option(size, axis, 1)
		w := windowAxis{axis: axis, count: shape.Dimensions[axis], size: n,
			stride: option(strides, axis, n), dilation: option(dilations, axis, 1)}
		pad := option(paddings, axis, [2]int{})
		x = f.padAxis(x, fill, axis, compute.PadAxis{Start: pad[0], End: pad[1],
			Interior: option(inputDilations, axis, 1) - 1})
		y := w.place(f, x, 0)
		for i := 1; i < w.size; i++ {
			y, _ = s.binary(op, y, w.place(f, x, i)).(*node)
		}
		if s.err != nil {
			return nil, s.err
		}
		x = y
	}
	return x, nil
}

// padAxis pads one axis.
func (f *function) padAxis(x, fill *node, axis int, pad compute.PadAxis) *node {
	pads := make([]compute.PadAxis, x.shape.Rank())
	pads[axis] = pad
	return f.padAll(x, fill, pads)
}

// padAll pads by what is known to be right.
func (f *function) padAll(x, fill *node, pads []compute.PadAxis) *node {
	dims := slices.Clone(x.dims())
	for i, p := range pads {
		dims[i] += p.Start + p.End + max(0, dims[i]-1)*p.Interior
	}
	return f.pad(x, fill, pads, shapes.Make(x.shape.DType, dims...))
}

// windowAxis is a window along one axis; there are count positions of it.
type windowAxis struct{ axis, count, size, stride, dilation int }

// place is what lies at place i of all windows.
func (w windowAxis) place(f *function, x *node, i int) *node {
	starts, steps := make([]int, x.shape.Rank()), slices.Repeat([]int{1}, x.shape.Rank())
	dims := slices.Clone(x.dims())
	starts[w.axis], dims[w.axis], steps[w.axis] = i*w.dilation, w.count, w.stride
	return f.slice(x, starts, dims, steps)
}

// SelectAndScatterMax adds each value of source to the first largest element of its window.
func (f *function) SelectAndScatterMax(x, source compute.Value, size, strides []int,
	paddings [][2]int) (compute.Value, error) {
	return f.selectAndScatter(compute.OpTypeMax, x, source, size, strides, paddings)
}

// SelectAndScatterMin adds each value of source to the first smallest element of its window.
func (f *function) SelectAndScatterMin(x, source compute.Value, size, strides []int,
	paddings [][2]int) (compute.Value, error) {
	return f.selectAndScatter(compute.OpTypeMin, x, source, size, strides, paddings)
}

func (f *function) selectAndScatter(op compute.OpType, v, source compute.Value,
	size, strides []int, paddings [][2]int) (compute.Value, error) {
	in, err := f.take("SelectAndScatter", v, source)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape
	_, err = shapeinference.SelectAndScatter(shape, in[1].shape, size, strides, paddings)
	switch {
	case err != nil:
		return nil, fmt.Errorf("native: %w", err)
	case elementwise[shape.DType][op] == nil:
		return nil, missing("SelectAndScatter of %s", shape.DType)
	}
	g := scatterWindows{f: f, shape: shape, out: in[1].dims(), op: op,
		zero: f.constant(neutral(compute.OpTypeAdd, shape.DType), shapes.Make(shape.DType))}
	for axis := range shape.Dimensions {
		n := option(size, axis, 1)
		g.size = append(g.size, n)
		g.strides = append(g.strides, option(strides, axis, n))
		g.pads = append(g.pads, option(paddings, axis, [2]int{}))
	}
	return g.build(in[0], in[1])
}

// scatterWindows is a SelectAndScatter on its way to elementwise operations.
type scatterWindows struct {
	f             *function
	shape         shapes.Shape
	out           []int // number of windows along each axis
	op            compute.OpType
	zero          *node
	size, strides []int
	pads          [][2]int
}

// build lets the places of all windows take what is left of source, in order, if they hold the
// largest value; what each place took goes back to where the place reads from.
func (g scatterWindows) build(x, source *node) (compute.Value, error) {
	f, s := g.f, &steps{f: g.f}
	fill := f.constant(neutral(g.op, g.shape.DType), shapes.Make(g.shape.DType))
	pads := make([]compute.PadAxis, len(g.pads))
	for i, p := range g.pads {
		pads[i] = compute.PadAxis{Start: p[0], End: p[1]}
	}
	padded := f.padAll(x, fill, pads)
	places := newOdometer(g.size, 0)
	var starts [][]int
	var taken []compute.Value
	for range product(g.size) {
		starts = append(starts, slices.Clone(places.index))
		taken = append(taken, f.slice(padded, starts[len(starts)-1], g.out, g.strides))
		places.next()
	}
	best := taken[0]
	for _, t := range taken[1:] {
		best = s.binary(g.op, best, t)
	}
	var sum, rest compute.Value = f.expand(g.zero, padded.dims()), source
	for i, t := range taken {
		hit := s.binary(compute.OpTypeEqual, t, best)
		took := s.do(func() (compute.Value, error) { return f.Where(hit, rest, g.zero) })
		rest = s.do(func() (compute.Value, error) { return f.Where(hit, g.zero, rest) })
		if s.err != nil {
			return nil, s.err
		}
		back := make([]compute.PadAxis, len(g.out))
		for axis, n := range g.out {
			reach := starts[i][axis] + (n-1)*g.strides[axis] + 1
			back[axis] = compute.PadAxis{Start: starts[i][axis],
				End: padded.dims()[axis] - reach, Interior: g.strides[axis] - 1}
		}
		sum = s.binary(compute.OpTypeAdd, sum, f.padAll(took.(*node), g.zero, back))
	}
	if s.err != nil {
		return nil, s.err
	}
	low := make([]int, len(pads))
	for i, p := range pads {
		low[i] = p.Start
	}
	return f.slice(sum.(*node), low, g.shape.Dimensions, slices.Repeat([]int{1}, len(low))), nil
}
