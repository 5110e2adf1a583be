// Package oracle reads the reference numbers that our networks, operators and statistics are
// compared with. Weights and inputs are not stored but made from a formula of their names, so that
// no pretrained weights are needed; what the original programs computed from them is stored.
//
// A folder of fixtures holds ops.json (operators), <case>.json (networks), weights/<net>.json (how
// to fill a network) and the values in a .safetensors file beside each. Arrays are in the layout of
// PyTorch: images [batch, channel, row, column], kernels [out, in, row, column].
package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gansim.example/weights"
)

// Dir is the folder of fixtures: $GANSIM_ORACLE, or else gansim/testdata/oracle of the module that
// the working directory belongs to.
func Dir() (string, error) {
	if dir := os.Getenv("GANSIM_ORACLE"); dir != "" {
		return dir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	for {
		fixtures := filepath.Join(dir, "gansim", "testdata", "oracle")
		if info, err := os.Stat(fixtures); err == nil && info.IsDir() {
			return fixtures, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("oracle: no gansim/testdata/oracle above the working directory; " +
				"set GANSIM_ORACLE")
		}
		dir = parent
	}
}

// Read decodes a JSON file of the folder into v. Tests of files that have a shape of their own
// (fid, stats, resize, ...) use it with a struct of their own.
func Read(dir, name string, v any) error {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("oracle: %s: %w", name, err)
	}
	return nil
}

// record is an Expected as the JSON files have it, without values.
type record struct {
	Name, Tensor string // one of them is set
	Shape        []int
	Stride       int
	Count        int
	Stats        Stats
	F32          Loss
}

// expected finds the kept elements of a tensor.
func (r record) expected(f *weights.File) (Expected, error) {
	name := r.Name + r.Tensor
	t, ok := f.Tensor(name)
	if !ok {
		return Expected{}, fmt.Errorf("oracle: no values of %s", name)
	}
	v, err := t.Float64s()
	if err != nil {
		return Expected{}, fmt.Errorf("oracle: %w", err)
	}
	n, err := count(r.Shape)
	if err != nil {
		return Expected{}, fmt.Errorf("oracle: %s: %w", name, err)
	}
	if r.Stride < 1 || len(v) != r.Count || len(v) != (n+r.Stride-1)/r.Stride {
		return Expected{}, fmt.Errorf("oracle: %s: %d values of %v with stride %d, want %d",
			name, len(v), r.Shape, r.Stride, r.Count)
	}
	return Expected{Name: name, Shape: r.Shape, Stride: r.Stride, Stats: r.Stats, F32: r.F32,
		Values: v}, nil
}
