package parity

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/weights"
)

// refusal is the time within which a hostile file has to be refused.
const refusal = time.Second

// formatFile is a line of the index of checkpoint files.
type formatFile struct {
	File, Expect, Level, Canary, Container string
	Optional                               bool // a clear error is right too
	Stripped                               []string
	Tensors                                map[string]struct {
		Shape  []int
		DType  string
		Values []any
	}
	Summary map[string]struct {
		Shape []int
		Sum   float64
		First []float64
	}
}

// formats reads the checkpoint files, good and hostile, one line each.
func formats(r *run) error {
	var index struct{ Files []formatFile }
	if err := oracle.Read(r.dir, filepath.Join("formats", "index.json"), &index); err != nil {
		return err
	}
	canary, err := os.MkdirTemp("", "gansim-parity-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(canary)
	if err := os.Setenv("GANSIM_CANARY_DIR", canary); err != nil {
		return err
	}
	defer os.Unsetenv("GANSIM_CANARY_DIR")
	for _, f := range index.Files {
		wrong := f.wrong(filepath.Join(r.dir, "formats", f.File))
		if f.Canary != "" && (exists(filepath.Join(canary, f.Canary)) || exists(filepath.Join("/tmp", f.Canary))) {
			wrong = "something in the file was executed"
		}
		r.exact(f.File, wrong == "", wrong)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// wrong reads a file and says what is not as the index has it.
func (f formatFile) wrong(path string) string {
	begin := time.Now()
	got, err := weights.Open(path)
	if took := time.Since(begin); took > refusal {
		return fmt.Sprintf("took %v", took)
	}
	switch {
	case f.Level == "model":
		return "" // the reader may take it: its tensors are not those of a network
	case err != nil && (f.Expect == "error" || f.Optional):
		return ""
	case err != nil:
		return err.Error()
	case f.Expect == "error":
		return fmt.Sprintf("was accepted, with %d tensors", len(got.Tensors))
	}
	return f.compare(got)
}

func (f formatFile) compare(got *weights.File) string {
	if c := got.Metadata["container"]; c != f.Container {
		return fmt.Sprintf("found in %q, want %q", c, f.Container)
	}
	if len(got.Tensors) != len(f.Tensors)+len(f.Summary) {
		return fmt.Sprintf("%d tensors, want %d", len(got.Tensors), len(f.Tensors)+len(f.Summary))
	}
	for name, want := range f.Summary {
		t, ok := got.Tensor(name)
		if !ok || !slices.Equal(t.Shape, want.Shape) {
			return fmt.Sprintf("%s is %v, want %v", name, t.Shape, want.Shape)
		}
		v, sum := valuesOf(t), 0.
		for i, x := range v {
			if i < len(want.First) && x != want.First[i] {
				return fmt.Sprintf("%s: element %d is %v, want %v", name, i, x, want.First[i])
			}
			sum += x
		}
		if math.Abs(sum-want.Sum) > 1e-9*float64(1+len(v)) {
			return fmt.Sprintf("%s: sum is %v, want %v", name, sum, want.Sum)
		}
	}
	for name, want := range f.Tensors {
		t, ok := got.Tensor(name)
		if !ok || !slices.Equal(t.Shape, want.Shape) || spelled(t.DType) != strings.Replace(want.DType, ">f4", "float32", 1) {
			return fmt.Sprintf("%s is %s %v, want %s %v", name, spelled(t.DType), t.Shape, want.DType, want.Shape)
		}
		for i, x := range valuesOf(t) {
			if w := number(want.Values[i]); x != w && !(math.IsNaN(x) && math.IsNaN(w)) {
				return fmt.Sprintf("%s: element %d is %v, want %v", name, i, x, w)
			}
		}
	}
	return f.compareStripped(got)
}

// compareStripped compares the names without what programs put before and into them.
func (f formatFile) compareStripped(got *weights.File) string {
	if f.Stripped == nil {
		return ""
	}
	plain, err := got.Under("module.model.", "module.").Rename(func(name string) (string, bool) {
		return strings.ReplaceAll(name, ".1.", "."), true
	})
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, t := range plain.Tensors {
		names = append(names, t.Name)
	}
	if want := slices.Sorted(slices.Values(f.Stripped)); !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		return fmt.Sprintf("names %q, want %q", names, want)
	}
	return ""
}

// spelled is a type as PyTorch and NumPy call it.
func spelled(d weights.DType) string {
	return map[weights.DType]string{weights.F64: "float64", weights.F32: "float32", weights.F16: "float16",
		weights.BF16: "bfloat16", weights.I64: "int64", weights.I32: "int32", weights.I16: "int16",
		weights.I8: "int8", weights.U8: "uint8", weights.Bool: "bool"}[d]
}

// valuesOf are a tensor's, whatever its type.
func valuesOf(t weights.Tensor) []float64 {
	if v, err := t.Float64s(); err == nil {
		return v
	}
	if t.DType == weights.Bool {
		return float64s(t.Data)
	}
	v, err := t.Int64s()
	if err != nil {
		return nil
	}
	return float64s(v)
}

// number reads a number of the index, which spells out what JSON lacks.
func number(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case bool:
		if x {
			return 1
		}
		return 0
	case string:
		return map[string]float64{"NaN": math.NaN(), "Inf": math.Inf(1), "-Inf": math.Inf(-1)}[x]
	}
	return math.NaN()
}
