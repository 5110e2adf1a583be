package native

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
)

// build adds operations to a graph.
type build func(f compute.Function, in []compute.Value) ([]compute.Value, error)

// array is a value on the host.
type array struct {
	shape shapes.Shape
	flat  any
}

// run builds and executes a graph.
func run(b compute.Backend, in []array, fn build) ([]array, error) {
	x, err := compileGraph(b, in, fn)
	if err != nil {
		return nil, err
	}
	defer x.Finalize()
	return execute(b, x, in)
}

func compileGraph(b compute.Backend, in []array, fn build) (compute.Executable, error) {
	builder := b.Builder("test")
	f := builder.Main()
	var values []compute.Value
	for i, a := range in {
		v, err := f.Parameter(fmt.Sprint("p", i), a.shape, nil)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	out, err := fn(f, values)
	if err != nil {
		return nil, err
	}
	if err := f.Return(out, nil); err != nil {
		return nil, err
	}
	return builder.Compile()
}

func execute(b compute.Backend, x compute.Executable, in []array) ([]array, error) {
	var buffers []compute.Buffer
	for _, a := range in {
		buffer, err := b.BufferFromFlatData(0, a.flat, a.shape)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, buffer)
	}
	results, err := x.Execute(buffers, nil, 0)
	if err != nil {
		return nil, err
	}
	var out []array
	for _, r := range results {
		s, err := r.Shape()
		if err != nil {
			return nil, err
		}
		flat := dtypes.MakeAnySlice(s.DType, s.Size())
		if err := r.ToFlatData(flat); err != nil {
			return nil, err
		}
		out = append(out, array{s, flat})
	}
	return out, nil
}

// reference is GoMLX's own Go backend.
func reference(t testing.TB) compute.Backend {
	t.Helper()
	b, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// agree compares our results with those of the reference.
func agree(t *testing.T, in []array, tolerance float64, fn build) {
	t.Helper()
	want, err := run(reference(t), in, fn)
	if err != nil {
		t.Fatalf("reference: %v", err)
	}
	got, err := run(New(), in, fn)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		same(t, fmt.Sprint("output ", i), got[i], want[i], tolerance)
	}
}

// same compares arrays; the tolerance is relative, for values below 1 absolute.
func same(t *testing.T, name string, got, want array, tolerance float64) {
	t.Helper()
	if !got.shape.Equal(want.shape) {
		t.Errorf("%s: shape %s, want %s", name, got.shape, want.shape)
		return
	}
	g, w := reflect.ValueOf(got.flat), reflect.ValueOf(want.flat)
	for i := range w.Len() {
		a, b := number64(g.Index(i)), number64(w.Index(i))
		if d := math.Abs(a - b); a == b || math.IsNaN(a) && math.IsNaN(b) ||
			d <= tolerance*max(1, math.Abs(b)) {
			continue
		}
		t.Errorf("%s %s: value %d is %v, want %v", name, want.shape, i, a, b)
		return
	}
}

func number64(v reflect.Value) float64 {
	switch {
	case v.CanFloat():
		return v.Float()
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	}
	if v.Bool() {
		return 1
	}
	return 0
}

// random makes an array of small numbers; floats are multiples of 1/16, so that sums and products
// of few are exact.
func random(rng *rand.Rand, dtype dtypes.DType, dims ...int) array {
	s := shapes.Make(dtype, dims...)
	flat := reflect.ValueOf(dtypes.MakeAnySlice(dtype, s.Size()))
	for i := range flat.Len() {
		v := flat.Index(i)
		switch n := rng.IntN(129) - 64; {
		case v.CanFloat():
			v.SetFloat(float64(n) / 16)
		case v.CanInt():
			v.SetInt(int64(n / 8))
		case v.CanUint():
			v.SetUint(uint64(n + 64))
		default:
			v.SetBool(n > 0)
		}
	}
	return array{s, flat.Interface()}
}

// method calls an operation by its name.
func method(f compute.Function, name string, args ...any) ([]compute.Value, error) {
	m := reflect.ValueOf(f).MethodByName(name)
	var in []reflect.Value
	for i, a := range args {
		v := reflect.ValueOf(a)
		if a == nil {
			v = reflect.Zero(m.Type().In(i))
		}
		in = append(in, v)
	}
	out := m.Call(in)
	if err, _ := out[1].Interface().(error); err != nil {
		return nil, err
	}
	return []compute.Value{out[0].Interface()}, nil
}
