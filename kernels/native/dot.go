package native

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"gansim.example/kernels/native/kern"
)

// DotGeneral multiplies x and y and sums over the contracted axes; batch axes stay aligned. With
// types of its own for sums and for the result, operands and result are converted.
func (f *function) DotGeneral(x compute.Value, xContracted, xBatch []int, y compute.Value,
	yContracted, yBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	in, err := f.take("DotGeneral", x, y)
	if err != nil {
		return nil, err
	}
	sums := cmp.Or(config.AccumulatorDType, in[0].shape.DType)
	if result := cmp.Or(config.OutputDType, in[0].shape.DType); result != in[0].shape.DType ||
		sums != in[0].shape.DType {
		s := &steps{f: f}
		x = s.do(func() (compute.Value, error) { return f.ConvertDType(x, sums) })
		y = s.do(func() (compute.Value, error) { return f.ConvertDType(y, sums) })
		z := s.do(func() (compute.Value, error) {
			return f.DotGeneral(x, xContracted, xBatch, y, yContracted, yBatch,
				compute.DotGeneralConfig{})
		})
		z = s.do(func() (compute.Value, error) { return f.ConvertDType(z, result) })
		return z, s.err
	}
	a, b := in[0], in[1]
	dtype := a.shape.DType
	shape, err := shapeinference.DotGeneral(a.shape, xContracted, xBatch, b.shape, yContracted,
		yBatch, config)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	g := matrices{}
	a, g.transA, g.batch, g.m, g.k = f.matrix(a, xBatch, xContracted, false)
	b, g.transB, _, g.n, _ = f.matrix(b, yBatch, yContracted, true)
	var run func(out []byte, in [][]byte)
	switch dtype {
	case dtypes.Float32:
		run = func(out []byte, in [][]byte) { multiply[float32](out, in, g) }
	case dtypes.Float64:
		run = func(out []byte, in [][]byte) { multiply[float64](out, in, g) }
	default:
		return f.slowProduct(a, b, g, shape)
	}
	return f.working(compute.OpTypeDotGeneral, shape, []*node{a, b}, run, g), nil
}

// matrices are the sizes of a product as kern.MatMul takes them.
type matrices struct {
	batch, m, n, k int
	transA, transB bool
}

func multiply[T float](out []byte, in [][]byte, g matrices) {
	if g.k == 0 {
		clear(out)
		return
	}
	if len(out) > 0 {
		kern.MatMul(as[T](out), as[T](in[0]), as[T](in[1]), g.batch, g.m, g.n, g.k, g.transA, g.transB)
	}
}

// matrix sees an operand as matrices [batch, rows, k], or transposed as [batch, k, rows], moving
// data only if it lies in neither order. For the right operand it is the other way round.
func (f *function) matrix(x *node, batch, contracted []int, right bool) (
	y *node, trans bool, batches, rows, k int) {
	var free []int
	batches, rows, k = 1, 1, 1
	for i, d := range x.dims() {
		switch {
		case slices.Contains(batch, i):
			batches *= d
		case slices.Contains(contracted, i):
			k *= d
		default:
			free = append(free, i)
			rows *= d
		}
	}
	usual, other := slices.Concat(batch, free, contracted), slices.Concat(batch, contracted, free)
	if right {
		usual, other = other, usual
	}
	_, l := x.source(nil)
	if !l.transposed(usual).dense() && l.transposed(other).dense() {
		return f.transpose(x, other), true, batches, rows, k
	}
	return f.transpose(x, usual), false, batches, rows, k
}

// slowProduct multiplies integers: all pairs, then a sum.
func (f *function) slowProduct(a, b *node, g matrices, shape shapes.Shape) (compute.Value, error) {
	if g.transA {
		a = f.transpose(f.reshape(a, g.batch, g.k, g.m), []int{0, 2, 1})
	}
	if !g.transB {
		b = f.transpose(f.reshape(b, g.batch, g.k, g.n), []int{0, 2, 1})
	}
	wide := []int{g.batch, g.m, g.n, g.k}
	s := &steps{f: f}
	y := s.binary(compute.OpTypeMul, f.expand(f.reshape(a, g.batch, g.m, 1, g.k), wide),
		f.expand(f.reshape(b, g.batch, 1, g.n, g.k), wide))
	y = s.do(func() (compute.Value, error) { return f.ReduceSum(y, 3) })
	y = s.do(func() (compute.Value, error) { return f.Reshape(y, shape.Dimensions...) })
	return y, s.err
}
