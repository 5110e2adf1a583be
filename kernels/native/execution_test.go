package native

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// network is a graph with products, convolutions, loops and reductions that are large enough to be
// cut in pieces.
func network(f compute.Function, in []compute.Value) ([]compute.Value, error) {
	s := &steps{f: f.(*function)}
	y := s.do(func() (compute.Value, error) {
		return f.ConvGeneral(in[0], in[1], imageAxes(), nil, [][2]int{{1, 1}, {1, 1}}, nil, nil, 1, 1)
	})
	z := s.unary(compute.OpTypeTanh, s.binary(compute.OpTypeMul, y, y))
	z = s.binary(compute.OpTypeAdd, z, y)
	rows := s.do(func() (compute.Value, error) { return f.Reshape(z, 8*32*32, 24) })
	product := s.do(func() (compute.Value, error) {
		return f.DotGeneral(rows, []int{0}, nil, rows, []int{0}, nil, compute.DotGeneralConfig{})
	})
	total := s.do(func() (compute.Value, error) { return f.ReduceSum(z) })
	columns := s.do(func() (compute.Value, error) { return f.ReduceSum(rows, 0) })
	turned := s.do(func() (compute.Value, error) { return f.Transpose(rows, 1, 0) })
	return []compute.Value{z, product, total, columns, turned}, s.err
}

func networkInputs() []array {
	rng := rand.New(rand.NewPCG(23, 24))
	in := []array{random(rng, dtypes.Float32, 8, 32, 32, 12), random(rng, dtypes.Float32, 3, 3, 12, 24)}
	for _, a := range in {
		for i, v := range a.flat.([]float32) {
			a.flat.([]float32)[i] = v/3 + 1e-3 // with rounding errors
		}
	}
	return in
}

func bytesOfAll(arrays []array) []byte {
	var all []byte
	for _, a := range arrays {
		all = append(all, dtypes.UnsafeByteSliceFromAny(a.flat)...)
	}
	return all
}

// TestSameBytes: the results do not depend on the number of processors, nor on what else runs.
func TestSameBytes(t *testing.T) {
	b, in := New(), networkInputs()
	x, err := compileGraph(b, in, network)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, n := range []int{1, 2, 3, 8} {
		old := runtime.GOMAXPROCS(n)
		out, err := execute(b, x, in)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = bytesOfAll(out)
		} else if !bytes.Equal(bytesOfAll(out), want) {
			t.Errorf("%d processors give other results than one", n)
		}
	}
	other, err := compileGraph(b, inputsOf(3), graphOf(3, 40))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if i%3 == 2 {
				if _, err := execute(b, other, inputsOf(3)); err != nil {
					t.Error(err)
				}
				return
			}
			if out, err := execute(b, x, in); err != nil || !bytes.Equal(bytesOfAll(out), want) {
				t.Errorf("at the same time as others: %v, or other results", err)
			}
		})
	}
	all.Wait()
}

// TestInputsStay: executions leave inputs as they are, but finalize those that are donated.
func TestInputsStay(t *testing.T) {
	b := New()
	in := []array{{shapes.Make(dtypes.Float32, 3), []float32{1, 2, 3}}}
	x, err := compileGraph(b, in, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
		y, err := f.Neg(v[0])
		return []compute.Value{y, v[0], y}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	buffer, err := b.BufferFromFlatData(0, in[0].flat, in[0].shape)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x.Execute([]compute.Buffer{buffer}, []bool{false}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := out[0].Finalize(); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{1, 2, 3}, {-1, -2, -3}} {
		got := make([]float32, 3)
		if err := out[i+1].ToFlatData(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("output %d: %v, %v, want %v", i+1, got, err, want)
		}
	}
	if _, err := x.Execute([]compute.Buffer{buffer}, []bool{true}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Execute([]compute.Buffer{buffer}, nil, 0); !errors.Is(err, errFinalized) {
		t.Errorf("a donated buffer: %v, want %v", err, errFinalized)
	}
}

// TestRefusals: what the engine lacks gives errors that say so.
func TestRefusals(t *testing.T) {
	f := New().Builder("test").Main()
	x, err := f.Parameter("x", shapes.Make(dtypes.Float32, 2, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := f.Parameter("whole", shapes.Make(dtypes.Int32, 2, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, fn := range map[string]func() error{
		"half precision": func() error {
			_, err := f.Parameter("y", shapes.Make(dtypes.Float16, 2), nil)
			return err
		},
		"a closure": func() error { _, err := f.Closure(); return err },
		"an FFT":    func() error { _, err := f.FFT(x, compute.FFTForward, []int{3}); return err },
		"a sort":    func() error { _, err := f.Sort(nil, 0, true, x); return err },
		"softmax":   func() error { _, err := f.FusedSoftmax(x, 1); return err },
	} {
		if err := fn(); !compute.IsNotImplemented(err) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	for name, fn := range map[string]func() error{
		"types":   func() error { _, err := f.Add(x, whole); return err },
		"axes":    func() error { _, err := f.ReduceSum(x, 2); return err },
		"shape":   func() error { _, err := f.Reshape(x, 4); return err },
		"operand": func() error { _, err := f.Neg(nil); return err },
		"other graph": func() error {
			y, err := New().Builder("other").Main().Constant([]float32{1})
			if err == nil {
				_, err = f.Neg(y)
			}
			return err
		},
	} {
		if err := fn(); err == nil || compute.IsNotImplemented(err) {
			t.Errorf("%s: %v, want an error", name, err)
		}
	}
}

// TestArena: arrays that are needed at different times share memory.
func TestArena(t *testing.T) {
	const n, depth = 1 << 16, 12
	in := []array{{shapes.Make(dtypes.Float32, n), make([]float32, n)}}
	x, err := compileGraph(New(), in, func(f compute.Function, v []compute.Value) (
		[]compute.Value, error) {
		y := v[0]
		for i := range depth {
			fill, err := f.Constant([]float32{float32(i)})
			if err == nil {
				y, err = f.Pad(y, fill, compute.PadAxis{Start: 1})
			}
			if err == nil {
				y, err = f.Tanh(y)
			}
			if err != nil {
				return nil, err
			}
		}
		return []compute.Value{y}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := x.(*executable).arena; got > 3*4*(n+depth) {
		t.Errorf("arena of %d bytes for arrays of %d", got, 4*n)
	}
}
