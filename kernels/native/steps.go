package native

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// steps builds an operation out of others; after the first error it does nothing.
type steps struct {
	f   *function
	err error
}

func (s *steps) do(build func() (compute.Value, error)) (v compute.Value) {
	if s.err == nil {
		v, s.err = build()
	}
	return v
}

func (s *steps) unary(op compute.OpType, x compute.Value) compute.Value {
	return s.do(func() (compute.Value, error) { return s.f.unary(op, x) })
}

func (s *steps) binary(op compute.OpType, x, y compute.Value) compute.Value {
	return s.do(func() (compute.Value, error) { return s.f.binary(op, x, y) })
}

// repeated repeats x, which lacks an axis, along that axis of shape.
func (s *steps) repeated(x compute.Value, shape shapes.Shape, axis int) compute.Value {
	return s.do(func() (compute.Value, error) {
		axes := identity(shape.Rank())
		return s.f.broadcast(x.(*node), shape.Dimensions, append(axes[:axis], axes[axis+1:]...)), nil
	})
}
