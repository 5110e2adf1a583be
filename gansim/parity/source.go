package parity

import (
	"slices"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// formulaSource gives the tensors of a network with formula weights, made when they are asked for.
func formulaSource(dir, net string) (nn.Source, error) {
	file, err := oracle.LoadWeights(dir, net)
	if err != nil {
		return nil, err
	}
	return func(name string) ([]int, []float32, bool) {
		i := slices.IndexFunc(file.Tensors, func(f oracle.Fill) bool { return f.Key == name })
		if i < 0 {
			return nil, nil, false
		}
		v, err := file.Tensors[i].Float32s(file.Salt)
		if err != nil {
			return nil, nil, false
		}
		return file.Tensors[i].Shape, v, true
	}, nil
}
