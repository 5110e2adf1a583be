package native

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// Reductions over axes, by default over all.

// ReduceSum sums.
func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceSum, x, axes)
}

// ReduceProduct multiplies.
func (f *function) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceProduct, x, axes)
}

// ReduceMax takes the largest value; NaN wins.
func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMax, x, axes)
}

// ReduceMin takes the smallest value; NaN wins.
func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMin, x, axes)
}

// ReduceBitwiseAnd combines by &.
func (f *function) ReduceBitwiseAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseAnd, x, axes)
}

// ReduceBitwiseOr combines by |.
func (f *function) ReduceBitwiseOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseOr, x, axes)
}

// ReduceBitwiseXor combines by ^.
func (f *function) ReduceBitwiseXor(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseXor, x, axes)
}

// ReduceLogicalAnd tells whether all hold.
func (f *function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalAnd, x, axes)
}

// ReduceLogicalOr tells whether any holds.
func (f *function) ReduceLogicalOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalOr, x, axes)
}

// ReduceLogicalXor tells whether an odd number holds.
func (f *function) ReduceLogicalXor(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalXor, x, axes)
}

// ArgMinMax gives the position of the first smallest or largest value along an axis; NaN counts as
// such.
func (f *function) ArgMinMax(v compute.Value, axis int, dtype dtypes.DType, isMin bool) (
	compute.Value, error) {
	in, err := f.take("ArgMinMax", v)
	if err != nil {
		return nil, err
	}
	x := in[0].shape
	if _, err := shapeinference.ArgMinMax(x, axis, dtype); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	if x.Dimensions[axis] == 0 {
		return nil, fmt.Errorf("native: ArgMinMax of %s along axis %d", x, axis)
	}
	by := compute.OpTypeReduceMax
	if isMin {
		by = compute.OpTypeReduceMin
	}
	s := &steps{f: f}
	best := s.do(func() (compute.Value, error) { return f.reduce(by, v, []int{axis}) })
	hit := s.binary(compute.OpTypeEqual, v, s.repeated(best, x, axis))
	if x.DType.IsFloat() {
		hit = s.binary(compute.OpTypeLogicalOr, hit, s.unary(compute.OpTypeIsNaN, v))
	}
	places := shapes.Make(dtypes.Int64, x.Dimensions...)
	at := s.do(func() (compute.Value, error) { return f.Iota(places, axis) })
	none := s.do(func() (compute.Value, error) { return f.Constant([]int64{int64(x.Dim(axis))}) })
	at = s.do(func() (compute.Value, error) { return f.Where(hit, at, none) })
	at = s.do(func() (compute.Value, error) {
		return f.reduce(compute.OpTypeReduceMin, at, []int{axis})
	})
	at = s.do(func() (compute.Value, error) { return f.ConvertDType(at, dtype) })
	return at, s.err
}

// CumSum sums up what comes before along an axis, or after.
func (f *function) CumSum(v compute.Value, axis int, o compute.CumSumOptions) (
	compute.Value, error) {
	in, err := f.take("CumSum", v)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.CumSum(in[0].shape, axis)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	combine := elementwise[shape.DType][compute.OpTypeAdd]
	count := shape.Dimensions[axis]
	inner := product(shape.Dimensions[axis+1:])
	line := inner * shape.DType.Size()
	return f.working(compute.OpTypeCumSum, shape, in, func(out []byte, in [][]byte) {
		for start := 0; start < len(out); start += count * line {
			row := func(b []byte, i int) []byte {
				if o.Reverse {
					i = count - 1 - i
				}
				return b[start+i*line : start+(i+1)*line]
			}
			sum := make([]byte, line)
			for i := range count {
				if o.Exclusive {
					copy(row(out, i), sum)
				}
				r := piecePart{reduction: reduction{combine: combine}, values: new(operands)}
				r.into(sum, row(in[0], i), inner)
				if !o.Exclusive {
					copy(row(out, i), sum)
				}
			}
		}
	}, axis, o), nil
}
