package graphx

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
)

// Float64s copies a float32 or float64 tensor to the host.
func Float64s(t *tensors.Tensor) ([]float64, error) {
	if t.DType() == dtypes.Float64 {
		v, err := tensors.CopyFlatData[float64](t)
		if err != nil {
			return nil, fmt.Errorf("graph: %w", err)
		}
		return v, nil
	}
	narrow, err := Floats(t)
	wide := make([]float64, len(narrow))
	for i, v := range narrow {
		wide[i] = float64(v)
	}
	return wide, err
}

// TensorOf makes a float32 or float64 tensor with the given shape; the values are copied.
func TensorOf(d dtypes.DType, values []float64, shape ...int) *tensors.Tensor {
	if d == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(values, shape...)
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return Tensor(narrow, shape...)
}

// Precision is the type that networks compute in: float64 if a tensor of theirs is, else float32.
func Precision(nets ...gansim.Params) dtypes.DType {
	for _, n := range nets {
		for _, t := range n.Tensors {
			if t.DType() == dtypes.Float64 {
				return dtypes.Float64
			}
		}
	}
	return dtypes.Float32
}
