package parity

import (
	"errors"
	"fmt"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// truncation compares which rows of BigGAN's tables are mixed, and a mean that comes of it.
func truncation(r *run) error {
	const ulp = 1e-15 // sums of two float64 products of numbers below one
	var f struct {
		Rows []struct {
			Truncation float64
			Row        int
			Weight     float64 `json:"weight_row"`
			Next       float64 `json:"weight_next_row"`
			Mean       float64 `json:"running_mean_channel0_of_generator.bn"`
		}
	}
	if err := r.read(&f); err != nil {
		return err
	}
	table, src, err := lastNorm(r.dir)
	if err != nil {
		return err
	}
	for _, want := range f.Rows {
		stage := fmt.Sprintf("truncation %g", want.Truncation)
		row, weight, next := nn.TruncationRows(want.Truncation, table[0].Shape[0], false)
		r.exact(stage+" row", row == want.Row, fmt.Sprintf("got %d, want %d", row, want.Row))
		r.absolute(stage+" weights", []float64{weight, next}, []float64{want.Weight, want.Next}, 0)
		ps, err := table.Load(src, nn.LoadOptions{Truncation: want.Truncation, Float64: true})
		if err != nil {
			return err
		}
		mean, err := nn.Values(ps, table[0].Name+".mean")
		if err != nil {
			return err
		}
		r.absolute(stage+" mean", mean[:1], []float64{want.Mean}, ulp)
	}
	return nil
}

// lastNorm is BigGAN-deep-256's last norm with its statistics.
func lastNorm(dir string) (nn.Table, nn.Source, error) {
	const name = "generator.bn"
	file, err := oracle.LoadWeights(dir, "biggan_deep_256")
	if err != nil {
		return nil, nn.Source{}, err
	}
	fills := map[string]oracle.Fill{}
	src := nn.Source{Read: func(name string) ([]int, []float32, error) {
		v, err := fills[name].Float32s(file.Salt)
		return fills[name].Shape, v, err
	}}
	for _, t := range file.Tensors {
		if t.Key == name+".running_means" || t.Key == name+".running_vars" {
			fills[t.Key] = t
			src.Names = append(src.Names, t.Key)
		}
	}
	shape := fills[name+".running_means"].Shape
	if len(shape) != 2 {
		return nil, src, errors.New("biggan_deep_256 has no table of means")
	}
	return nn.Table{{Name: name, Kind: nn.RowNorm, Out: shape[1], Shape: shape}}, src, nil
}
