package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// Operations that only move data: none computes anything until some step reads it.

// view adds a layout of x with the given shape.
func (f *function) view(op compute.OpType, x *node, dims []int, read func(layout) layout,
	details ...any) *node {
	if slices.Equal(dims, x.dims()) && op == compute.OpTypeBroadcastInDim {
		return x
	}
	return f.add(node{kind: reading, op: op, shape: shapes.Make(x.shape.DType, dims...),
		inputs: []*node{x}, read: read}, details...)
}

// reshape gives x other axes.
func (f *function) reshape(x *node, dims ...int) *node {
	if slices.Equal(dims, x.dims()) {
		return x
	}
	if x.kind == reshaping {
		return f.reshape(x.inputs[0], dims...)
	}
	return f.add(node{kind: reshaping, op: compute.OpTypeReshape, inputs: []*node{x},
		shape: shapes.Make(x.shape.DType, dims...)})
}

// transpose puts axis permutation[i] of x at i.
func (f *function) transpose(x *node, permutation []int) *node {
	if slices.IsSorted(permutation) {
		return x
	}
	p := slices.Clone(permutation)
	dims := make([]int, len(p))
	for i, a := range p {
		dims[i] = x.dims()[a]
	}
	return f.view(compute.OpTypeTranspose, x, dims,
		func(l layout) layout { return l.transposed(p) }, p)
}

// broadcast repeats x to dims, its axis i being axis axes[i] there.
func (f *function) broadcast(x *node, dims, axes []int) *node {
	if product(dims) == x.shape.Size() && product(dims) != 0 {
		return f.reshape(x, dims...)
	}
	dims, axes = slices.Clone(dims), slices.Clone(axes)
	return f.view(compute.OpTypeBroadcastInDim, x, dims,
		func(l layout) layout { return l.broadcast(dims, axes) }, axes)
}

// expand repeats x to dims: a scalar, or an array of the same rank with axes of length 1.
func (f *function) expand(x *node, dims []int) *node {
	axes := make([]int, x.shape.Rank())
	for i := range axes {
		axes[i] = i
	}
	return f.broadcast(x, dims, axes)
}

// slice takes elements starts, starts+steps, ... of x.
func (f *function) slice(x *node, starts, dims, steps []int) *node {
	starts, dims, steps = slices.Clone(starts), slices.Clone(dims), slices.Clone(steps)
	if slices.Equal(dims, x.dims()) {
		return x
	}
	return f.view(compute.OpTypeSlice, x, dims,
		func(l layout) layout { return l.sliced(starts, dims, steps) }, starts, steps)
}

// Identity is x itself.
func (f *function) Identity(x compute.Value) (compute.Value, error) { return x, nil }

// OptimizationBarrier gives its operands: planning moves no work across what it stores anyway.
func (f *function) OptimizationBarrier(operands ...compute.Value) ([]compute.Value, error) {
	return slices.Clone(operands), nil
}

// SchedulingBarrier gives its first operand: steps have no effects that an order could change.
func (f *function) SchedulingBarrier(x compute.Value, _ ...compute.Value) (compute.Value, error) {
	return x, nil
}

// Reshape gives x other axes.
func (f *function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	in, err := f.take("Reshape", x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Reshape(in[0].shape, dims)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return f.reshape(in[0], shape.Dimensions...), nil
}

// Transpose permutes axes.
func (f *function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	in, err := f.take("Transpose", x)
	if err != nil {
		return nil, err
	}
	if _, err := shapeinference.Transpose(in[0].shape, permutation); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return f.transpose(in[0], permutation), nil
}

// BroadcastInDim repeats x along new axes and along those of length 1.
func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (
	compute.Value, error) {
	in, err := f.take("BroadcastInDim", x)
	if err == nil {
		err = supported(shape)
	}
	if err == nil {
		err = shapeinference.BroadcastInDim(in[0].shape, shape, axes, nil)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("native: %w", err)
	case in[0].shape.DType != shape.DType:
		return nil, fmt.Errorf("native: BroadcastInDim of %s to %s: types differ", in[0].shape, shape)
	case !slices.IsSorted(axes):
		return nil, fmt.Errorf("native: BroadcastInDim: axes %v are not in order", axes)
	}
	return f.broadcast(in[0], shape.Dimensions, axes), nil
}

// Slice takes a box of x, or every so many elements of one.
func (f *function) Slice(x compute.Value, starts, limits, steps []int) (compute.Value, error) {
	in, err := f.take("Slice", x)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		steps = slices.Repeat([]int{1}, len(starts))
	}
	shape, err := shapeinference.Slice(in[0].shape, starts, limits, steps)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return f.slice(in[0], starts, shape.Dimensions, steps), nil
}

// Reverse turns axes round.
func (f *function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	in, err := f.take("Reverse", x)
	if err != nil {
		return nil, err
	}
	for i, a := range axes {
		if a < 0 || a >= in[0].shape.Rank() || slices.Contains(axes[:i], a) {
			return nil, fmt.Errorf("native: Reverse of %s along %v", in[0].shape, axes)
		}
	}
	axes = slices.Clone(axes)
	return f.view(compute.OpTypeReverse, in[0], in[0].dims(),
		func(l layout) layout { return l.reversed(axes) }, axes), nil
}

// Iota counts along an axis.
func (f *function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	if err := supported(shape); err != nil {
		return nil, fmt.Errorf("native: Iota: %w", err)
	}
	if axis < 0 || axis >= shape.Rank() {
		return nil, fmt.Errorf("native: Iota of %s along axis %d", shape, axis)
	}
	count := make([]int64, shape.Dimensions[axis])
	for i := range count {
		count[i] = int64(i)
	}
	row, err := f.Constant(count, len(count))
	if err == nil {
		row, err = f.ConvertDType(row, shape.DType)
	}
	if err != nil {
		return nil, err
	}
	return f.broadcast(row.(*node), shape.Dimensions, []int{axis}), nil
}

// Bitcast sees the bits of x as another type.
func (f *function) Bitcast(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	in, err := f.take("Bitcast", x)
	if err != nil {
		return nil, err
	}
	from := in[0].shape
	if _, ok := elementwise[dtype]; !ok || dtype == dtypes.Bool || from.DType == dtypes.Bool {
		return nil, missing("Bitcast of %s to %s", from, dtype)
	}
	if dtype.Size() > from.DType.Size() && from.Rank() == 0 {
		return nil, fmt.Errorf("native: Bitcast of %s to %s", from, dtype)
	}
	shape, err := shapeinference.Bitcast(from, dtype)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	shape = shapes.Make(dtype, shape.Dimensions...)
	return f.add(node{kind: working, op: compute.OpTypeBitcast, shape: shape, inputs: in,
		work: func(out []byte, in [][]byte) { copy(out, in[0]) }}), nil
}
