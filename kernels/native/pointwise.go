package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// pointwise adds an elementwise operation on operands of one size, by a kernel for the type of the
// last operand.
func (f *function) pointwise(op compute.OpType, shape shapes.Shape, in ...*node) (*node, error) {
	operand := in[len(in)-1].shape.DType
	k := elementwise[operand][op]
	if k == nil {
		return nil, missing("%s of %s", op, operand)
	}
	shape = shapes.Make(shape.DType, shape.Dimensions...)
	wide := make([]*node, len(in))
	for i, x := range in {
		wide[i] = f.expand(x, shape.Dimensions)
	}
	return f.add(node{kind: pointwise, op: op, shape: shape, inputs: wide, kernel: k}), nil
}

// predicates are the unary operations that give booleans.
var predicates = []compute.OpType{compute.OpTypeIsNaN, compute.OpTypeIsFinite}

func (f *function) unary(op compute.OpType, x compute.Value) (compute.Value, error) {
	in, err := f.take(op.String(), x)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape
	if slices.Contains(predicates, op) {
		shape = shapes.Make(dtypes.Bool, shape.Dimensions...)
	} else if shape, err = shapeinference.UnaryOp(op, shape); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return value(f.pointwise(op, shape, in[0]))
}

func (f *function) binary(op compute.OpType, x, y compute.Value) (compute.Value, error) {
	in, err := f.take(op.String(), x, y)
	if err != nil {
		return nil, err
	}
	infer := shapeinference.BinaryOp
	if shapeinference.ComparisonOperations.Has(op) {
		infer = shapeinference.ComparisonOp
	}
	shape, err := infer(op, in[0].shape, in[1].shape)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return value(f.pointwise(op, shape, in...))
}

// value keeps a nil node from becoming a non-nil value.
func value(n *node, err error) (compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Where takes x where the condition holds and y elsewhere.
func (f *function) Where(condition, x, y compute.Value) (compute.Value, error) {
	in, err := f.take("Where", condition, x, y)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Where(in[0].shape, in[1].shape, in[2].shape)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return value(f.pointwise(compute.OpTypeWhere, shape, in...))
}

// Clamp limits x to [low, high], which are scalars or have the shape of x.
func (f *function) Clamp(low, x, high compute.Value) (compute.Value, error) {
	in, err := f.take("Clamp", low, x, high)
	if err != nil {
		return nil, err
	}
	for _, limit := range []*node{in[0], in[2]} {
		if !limit.shape.IsScalar() && !limit.shape.EqualDimensions(in[1].shape) {
			return nil, fmt.Errorf("native: Clamp of %s by %s", in[1].shape, limit.shape)
		}
	}
	if in[1].shape.IsScalar() && !(in[0].shape.IsScalar() && in[2].shape.IsScalar()) {
		return nil, fmt.Errorf("native: Clamp of a scalar by %s and %s", in[0].shape, in[2].shape)
	}
	y, err := f.binary(compute.OpTypeMax, x, low)
	if err != nil {
		return nil, err
	}
	return f.binary(compute.OpTypeMin, y, high)
}

// ConvertDType converts x to another type.
func (f *function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	in, err := f.take("ConvertDType", x)
	if err != nil {
		return nil, err
	}
	from := in[0].shape
	if from.DType == dtype {
		return x, nil
	}
	k := conversions[from.DType][dtype]
	if k == nil {
		return nil, missing("ConvertDType of %s to %s", from.DType, dtype)
	}
	return f.add(node{kind: pointwise, op: compute.OpTypeConvertDType, inputs: in,
		shape: shapes.Make(dtype, from.Dimensions...), kernel: k}), nil
}

// BatchNormForInference normalises x by fixed statistics of each feature.
func (f *function) BatchNormForInference(x, scale, offset, mean, variance compute.Value,
	epsilon float32, axis int) (compute.Value, error) {
	in, err := f.take("BatchNormForInference", x, scale, offset, mean, variance)
	if err != nil {
		return nil, err
	}
	shape := in[0].shape
	if axis < 0 || axis >= shape.Rank() {
		return nil, fmt.Errorf("native: BatchNormForInference of %s along axis %d", shape, axis)
	}
	features := shapes.Make(shape.DType, shape.Dimensions[axis])
	for _, s := range in[1:] {
		if !s.shape.Equal(features) {
			return nil, fmt.Errorf("native: BatchNormForInference of %s by %s", shape, s.shape)
		}
	}
	s := &steps{f: f}
	small := s.do(func() (compute.Value, error) { return f.Constant([]float64{float64(epsilon)}) })
	small = s.do(func() (compute.Value, error) { return f.ConvertDType(small, shape.DType) })
	wide := func(v compute.Value) compute.Value {
		return s.do(func() (compute.Value, error) {
			return f.broadcast(v.(*node), shape.Dimensions, []int{axis}), nil
		})
	}
	root := s.unary(compute.OpTypeSqrt, s.binary(compute.OpTypeAdd, variance, small))
	y := s.binary(compute.OpTypeSub, x, wide(mean))
	y = s.binary(compute.OpTypeMul, y, wide(s.binary(compute.OpTypeDiv, scale, root)))
	y = s.binary(compute.OpTypeAdd, y, wide(offset))
	return y, s.err
}
