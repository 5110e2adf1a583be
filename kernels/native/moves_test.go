package native

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// TestMoves compares operations that move data, and chains of them.
func TestMoves(t *testing.T) {
	type values = []compute.Value
	// chain applies steps one after the other to the first input.
	chain := func(steps ...func(f compute.Function, x compute.Value) (compute.Value, error)) build {
		return func(f compute.Function, in values) (values, error) {
			x := in[0]
			for _, s := range steps {
				var err error
				if x, err = s(f, x); err != nil {
					return nil, err
				}
			}
			return values{x}, nil
		}
	}
	type step = func(f compute.Function, x compute.Value) (compute.Value, error)
	transpose := func(p ...int) step {
		return func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Transpose(x, p...)
		}
	}
	reshape := func(d ...int) step {
		return func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Reshape(x, d...)
		}
	}
	slice := func(starts, limits, steps []int) step {
		return func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Slice(x, starts, limits, steps)
		}
	}
	reverse := func(axes ...int) step {
		return func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Reverse(x, axes...)
		}
	}
	broadcast := func(dims, axes []int) step {
		return func(f compute.Function, x compute.Value) (compute.Value, error) {
			s, err := f.Shape(x)
			if err != nil {
				return nil, err
			}
			return f.BroadcastInDim(x, shapes.Make(s.DType, dims...), axes)
		}
	}
	// double computes something, so that a loop reads what is moved.
	double := func(f compute.Function, x compute.Value) (compute.Value, error) {
		wide, err := f.ConvertDType(x, dtypes.Float64)
		if err != nil {
			return nil, err
		}
		return f.Add(wide, wide)
	}
	for _, c := range []struct {
		name string
		dims []int
		fn   build
	}{
		{"transpose", []int{3, 4, 5}, chain(transpose(2, 0, 1))},
		{"tiles", []int{70, 33}, chain(transpose(1, 0))},
		{"tiles of images", []int{2, 19, 21, 18}, chain(transpose(0, 3, 1, 2))},
		{"large", []int{200, 300}, chain(transpose(1, 0), double)},
		{"twice", []int{6, 5, 4}, chain(transpose(2, 0, 1), transpose(1, 2, 0))},
		{"slice", []int{6, 7, 5}, chain(slice([]int{1, 2, 0}, []int{6, 7, 4}, []int{2, 1, 3}))},
		{"slice of rows", []int{6, 7}, chain(slice([]int{2, 0}, []int{5, 7}, nil))},
		{"slice of slice", []int{9, 8}, chain(slice([]int{1, 0}, []int{9, 8}, []int{2, 1}),
			slice([]int{0, 1}, []int{3, 7}, []int{2, 2}), double)},
		{"reverse", []int{4, 5, 3}, chain(reverse(0, 2))},
		{"reverse of slice", []int{4, 9}, chain(slice([]int{0, 2}, []int{4, 9}, []int{1, 3}),
			reverse(1), transpose(1, 0))},
		{"broadcast", []int{3, 1, 2}, chain(broadcast([]int{4, 3, 5, 2}, []int{1, 2, 3}))},
		{"scalar", []int{}, chain(broadcast([]int{4, 3}, nil))},
		{"reshaped transpose", []int{4, 6}, chain(transpose(1, 0), reshape(4, 6))},
		{"reshaped twice", []int{4, 6}, chain(transpose(1, 0), reshape(4, 6), transpose(1, 0),
			reshape(3, 8), transpose(1, 0))},
		{"reshaped twice, doubled", []int{4, 6}, chain(transpose(1, 0), reshape(4, 6),
			transpose(1, 0), reshape(3, 8), double)},
		{"upsampled", []int{2, 3, 4, 5}, chain(reshape(2, 3, 1, 4, 1, 5),
			broadcast([]int{2, 3, 2, 4, 2, 5}, []int{0, 1, 2, 3, 4, 5}), reshape(2, 6, 8, 5), double)},
		{"upsampled, sliced", []int{2, 3, 4, 5}, chain(reshape(2, 3, 1, 4, 1, 5),
			broadcast([]int{2, 3, 2, 4, 2, 5}, []int{0, 1, 2, 3, 4, 5}), reshape(2, 6, 8, 5),
			slice([]int{0, 1, 1, 0}, []int{2, 5, 8, 5}, []int{1, 2, 1, 2}))},
		{"empty", []int{0, 4}, chain(transpose(1, 0), double)},
	} {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64, dtypes.Int32,
			dtypes.Bool, dtypes.Int16} {
			t.Run(fmt.Sprint(c.name, dtype), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				agree(t, []array{random(rng, dtype, c.dims...)}, exact, c.fn)
			})
		}
	}
}

func TestPad(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for i, pads := range [][]compute.PadAxis{
		{{Start: 1, End: 2}}, {{}, {Start: 1, End: 2}, {Start: 2}}, {{}, {}, {Start: 1, End: 1}},
		{{Interior: 1}, {}, {Interior: 2}}, {{Start: 1, Interior: 1}, {End: 1, Interior: 3}},
		{{}, {Start: 1, End: 1, Interior: 1}, {}}, {{}, {End: 3}, {Start: 1, Interior: 1}},
	} {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Int64, dtypes.Uint8} {
			in := []array{random(rng, dtype, 3, 4, 2), random(rng, dtype)}
			t.Run(fmt.Sprint(i, dtype), func(t *testing.T) {
				agree(t, in, exact, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					y, err := f.Pad(v[0], v[1], pads...)
					return []compute.Value{y}, err
				})
			})
		}
	}
}

// TestPadCrops compares negative paddings with slices.
func TestPadCrops(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 11))
	in := []array{random(rng, dtypes.Float32, 6, 7), random(rng, dtypes.Float32)}
	out, err := run(New(), in, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
		a, err := f.Pad(v[0], v[1], compute.PadAxis{Start: -1, End: 2},
			compute.PadAxis{Start: -1, End: -1, Interior: 1})
		if err != nil {
			return nil, err
		}
		b, err := f.Pad(v[0], v[1], compute.PadAxis{End: 2}, compute.PadAxis{Interior: 1})
		if err != nil {
			return nil, err
		}
		b, err = f.Slice(b, []int{1, 1}, []int{8, 12}, nil)
		return []compute.Value{a, b}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "cropped", out[0], out[1], exact)
}

func TestConcatenate(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for axis := range 3 {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Bool} {
			var in []array
			for i := range 3 {
				dims := []int{3, 4, 5}
				dims[axis] = i + 1
				in = append(in, random(rng, dtype, dims...))
			}
			agree(t, in, exact, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
				y, err := f.Concatenate(axis, v...)
				return []compute.Value{y}, err
			})
		}
	}
}

func TestIota(t *testing.T) {
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Int32, dtypes.Uint8} {
		for axis := range 2 {
			agree(t, nil, exact, func(f compute.Function, _ []compute.Value) ([]compute.Value, error) {
				y, err := f.Iota(shapes.Make(dtype, 3, 4), axis)
				return []compute.Value{y}, err
			})
		}
	}
}
