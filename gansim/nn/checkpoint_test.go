package nn_test

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// memory is a checkpoint that is not a file.
type memory map[string]oracle.Tensor

func (m memory) source() nn.Source {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return nn.Source{Names: names, Read: func(name string) ([]int, []float32, error) {
		values := make([]float32, len(m[name].Data))
		for i, v := range m[name].Data {
			values[i] = float32(v)
		}
		return m[name].Shape, values, nil
	}}
}

func tensor(shape []int, values ...float64) oracle.Tensor {
	if values == nil {
		values = make([]float64, size(shape))
	}
	return oracle.Tensor{Shape: shape, Data: values}
}

// TestCheckpointNames: which names are taken for a table's tensors, and what is said of others.
func TestCheckpointNames(t *testing.T) {
	pair := nn.Table{
		{Name: "a", Kind: nn.Linear, In: 2, Out: 1, Bias: true},
		{Name: "n", Kind: nn.Norm, Out: 1},
		{Name: "extra.*", Kind: nn.Ignored},
	}
	good := func(change func(m memory)) memory {
		one := []int{1}
		m := memory{"a.weight": tensor([]int{1, 2}), "a.bias": tensor(one), "n.weight": tensor(one),
			"n.bias": tensor(one), "n.running_mean": tensor(one), "n.running_var": tensor(one)}
		change(m)
		return m
	}
	for _, c := range []struct {
		name string
		m    memory
		want []string // parts of the error; nil for none
	}{
		{"as published", good(func(memory) {}), nil},
		{"counter and extras", good(func(m memory) {
			m["n.num_batches_tracked"], m["extra.b.weight"] = tensor(nil, 3), tensor([]int{9})
		}), nil},
		{"several devices", good(func(m memory) {
			for _, name := range []string{"a.weight", "a.bias", "n.running_var"} {
				m["module."+name] = m[name]
				delete(m, name)
			}
			m["module.extra.x"] = tensor([]int{1})
		}), nil},
		{"from Caffe", good(func(m memory) {
			m["a.1.weight"] = m["a.weight"]
			delete(m, "a.weight")
		}), nil},
		{"twice", good(func(m memory) { m["a.1.weight"] = m["a.weight"] }),
			[]string{"a.1.weight and a.weight are one tensor"}},
		{"all at once", good(func(m memory) {
			delete(m, "a.bias")
			delete(m, "n.bias")
			m["b.bias"], m["a.weight"] = tensor([]int{1}), tensor([]int{2, 1})
			m["n.running_var"] = tensor([]int{1}, math.Inf(-1))
		}), []string{"missing a.bias [1], n.bias [1]", "unknown b.bias",
			"a.weight has shape [2 1], want [1 2]", "n.running_var has 0 NaN, 1 Inf"}},
		{"another network", memory{"b1": tensor(nil, 1), "b2": tensor(nil, 1), "b3": tensor(nil, 1),
			"b4": tensor(nil, 1), "b5": tensor(nil, 1), "b6": tensor(nil, 1), "b7": tensor(nil, 1),
			"b8": tensor(nil, 1), "b9": tensor(nil, 1), "c": tensor(nil, 1), "d": tensor(nil, 1),
			"e": tensor(nil, 1)},
			[]string{"missing a.weight [1 2], a.bias [1], n.weight", "b9, c and 2 more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps, err := pair.Load(c.m.source(), nn.LoadOptions{})
			var mismatch *nn.MismatchError
			if c.want == nil {
				want := []string{"a.weight", "a.bias", "n.scale", "n.offset"}
				if err != nil || !slices.Equal(ps.Names, want) {
					t.Fatalf("got %v, %v, want %v", ps.Names, err, want)
				}
			} else if !errors.As(err, &mismatch) {
				t.Fatalf("got %v, want a MismatchError", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want %q in it", err, part)
				}
			}
		})
	}
}

// TestCheckpointFiles: files that a reader accepts and a model must not.
func TestCheckpointFiles(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	conv := func(out, in int) nn.Table {
		return nn.Table{{Name: "conv1", Kind: nn.Kernel, In: in, Out: out, Size: [2]int{3, 3}}}
	}
	for _, c := range []struct {
		file string
		want []string
	}{
		{"nan_weights", []string{"conv1.weight", "1 NaN, 1 Inf"}},
		{"wrong_shape", []string{"[3 2 3 3]", "[2 3 3 3]"}},
		{"wrong_dtype", []string{"conv1.weight", "I8"}},
		{"wrong_keys", []string{"missing conv1.weight", "unknown conv1.weigth, extra.bias"}},
	} {
		f, err := weights.OpenSafetensors(filepath.Join(dir, "formats", c.file+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = conv(2, 3).Load(nn.FromFile(f), nn.LoadOptions{})
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v, want %q in it", c.file, err, part)
			}
		}
	}
}

// TestSpectralForms: what is divided by what in checkpoints of several ages.
func TestSpectralForms(t *testing.T) {
	table := nn.Table{{Name: "l", Kind: nn.Linear, In: 2, Out: 2, Spectral: true}}
	two, square := []int{2}, []int{2, 2}
	orig := tensor(square, 3, 0, 0, 4)
	u, v := tensor(two, 0, 1), tensor(two, .6, .8) // u.W.v = 3.2; by iteration v = u and sigma = 4
	for _, c := range []struct {
		name string
		m    memory
		want []float64 // [in, out]
	}{
		{"with v", memory{"l.weight_orig": orig, "l.weight_u": u, "l.weight_v": v},
			[]float64{.9375, 0, 0, 1.25}},
		{"with the weight, without v",
			memory{"l.weight_orig": orig, "l.weight_u": u, "l.weight": tensor(square, 1, 2, 3, 4)},
			[]float64{1, 3, 2, 4}},
		{"the weight alone", memory{"l.weight": tensor(square, 1, 2, 3, 4)}, []float64{1, 3, 2, 4}},
		{"without either", memory{"l.weight_orig": orig, "l.weight_u": u}, []float64{.75, 0, 0, 1}},
	} {
		ps, err := table.Load(c.m.source(), nn.LoadOptions{Float64: true})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := nn.Values(ps, "l.weight")
		for i, want := range c.want {
			if err != nil || math.Abs(got[i]-want) > 1e-7 {
				t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
				break
			}
		}
	}
	_, err := table.Load(memory{"l.weight_orig": orig}.source(), nn.LoadOptions{})
	if err == nil || !strings.Contains(err.Error(), "missing l.weight_u [2]") {
		t.Errorf("got %v, want weight_u missing", err)
	}
}

func TestTruncation(t *testing.T) {
	for _, c := range []struct {
		truncation   float64
		interpolate  bool
		row          int
		weight, next float64
	}{
		{.7, false, 35, 1, 0},
		{.05, false, 2, .5, .5},
		{.513, false, 25, .65, .35},
		{.513, true, 25, .35, .65},
		{.14, false, 7, 0, 1},
		{.14, true, 7, 1, 0},
		{1, false, 50, 1, 0},
	} {
		row, weight, next := nn.TruncationRows(c.truncation, 51, c.interpolate)
		if row != c.row || math.Abs(weight-c.weight) > 1e-14 || math.Abs(next-c.next) > 1e-14 {
			t.Errorf("%v: got %d %v %v, want %d %v %v", c.truncation, row, weight, next, c.row,
				c.weight, c.next)
		}
	}
	for _, bad := range []float64{-.1, 1.01, math.NaN()} {
		if _, err := (nn.Table{}).Load(nn.Source{}, nn.LoadOptions{Truncation: bad}); err == nil {
			t.Errorf("truncation %v: no error", bad)
		}
	}
}
