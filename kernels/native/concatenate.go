package native

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// Concatenate joins arrays along an axis.
func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	in, err := f.take("Concatenate", operands...)
	if err != nil {
		return nil, err
	}
	all := make([]shapes.Shape, len(in))
	for i, x := range in {
		all[i] = x.shape
	}
	shape, err := shapeinference.Concatenate(all, axis)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	if len(in) == 1 {
		return in[0], nil
	}
	rows := product(shape.Dimensions[:axis])
	row := shape.DType.Size() * product(shape.Dimensions[axis:])
	return f.working(compute.OpTypeConcatenate, shape, in, func(out []byte, in [][]byte) {
		split(rows, rowsPerPiece(row), func(from, to int) {
			at := from * row
			for i := from; i < to; i++ {
				for _, x := range in {
					n := len(x) / max(1, rows)
					at += copy(out[at:], x[i*n:(i+1)*n])
				}
			}
		})
	}, axis), nil
}
