package native

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

func TestDotGeneral(t *testing.T) {
	if raceDetector {
		t.Skip("the reference's products do not pass the race detector")
	}
	rng := rand.New(rand.NewPCG(13, 14))
	for i, c := range []struct{ a, b, ka, kb, na, nb []int }{ // shapes, contracted, batch
		{[]int{5, 7}, []int{7, 3}, []int{1}, []int{0}, nil, nil},
		{[]int{7, 5}, []int{7, 3}, []int{0}, []int{0}, nil, nil},
		{[]int{5, 7}, []int{3, 7}, []int{1}, []int{1}, nil, nil},
		{[]int{7, 5}, []int{3, 7}, []int{0}, []int{1}, nil, nil},
		{[]int{2, 5, 7}, []int{2, 7, 3}, []int{2}, []int{1}, []int{0}, []int{0}},
		{[]int{5, 2, 7}, []int{7, 3, 2}, []int{2}, []int{0}, []int{1}, []int{2}},
		{[]int{4, 5, 6, 2}, []int{6, 3, 5, 2}, []int{1, 2}, []int{2, 0}, []int{3}, []int{3}},
		{[]int{5}, []int{5}, []int{0}, []int{0}, nil, nil},
		{[]int{5}, []int{3}, nil, nil, nil, nil},
		{[]int{130, 70}, []int{70, 90}, []int{1}, []int{0}, nil, nil},
	} {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64, dtypes.Int32} {
			in := []array{random(rng, dtype, c.a...), random(rng, dtype, c.b...)}
			t.Run(fmt.Sprint(i, dtype), func(t *testing.T) {
				agree(t, in, sums, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					y, err := f.DotGeneral(v[0], c.ka, c.na, v[1], c.kb, c.nb,
						compute.DotGeneralConfig{})
					return []compute.Value{y}, err
				})
			})
		}
	}
}

func imageAxes() compute.ConvolveAxesConfig {
	return compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	}
}

func TestConvGeneral(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	channelsFirst := compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{2, 3}, InputChannels: 1,
		KernelSpatial: []int{2, 3}, KernelInputChannels: 1, KernelOutputChannels: 0,
		OutputBatch: 0, OutputSpatial: []int{2, 3}, OutputChannels: 1,
	}
	adjoint := compute.ConvolveAxesConfig{ // the gradient at a kernel
		InputBatch: 3, InputSpatial: []int{1, 2}, InputChannels: 0,
		KernelSpatial: []int{1, 2}, KernelInputChannels: 0, KernelOutputChannels: 3,
		OutputBatch: 2, OutputSpatial: []int{0, 1}, OutputChannels: 3,
	}
	line := compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1}, InputChannels: 2,
		KernelSpatial: []int{0}, KernelInputChannels: 1, KernelOutputChannels: 2,
		OutputBatch: 0, OutputSpatial: []int{1}, OutputChannels: 2,
	}
	for i, c := range []struct {
		axes          compute.ConvolveAxesConfig
		x, w          []int
		strides       []int
		pads          [][2]int
		dilate, apart []int // input, kernel
		groups        int
	}{
		{imageAxes(), []int{2, 6, 7, 3}, []int{3, 3, 3, 4}, nil, nil, nil, nil, 1},
		{imageAxes(), []int{2, 6, 7, 4}, []int{3, 2, 2, 6}, []int{2, 1}, [][2]int{{1, 1}, {0, 2}}, nil,
			nil, 2},
		{imageAxes(), []int{2, 5, 4, 3}, []int{4, 4, 3, 2}, nil, [][2]int{{2, 2}, {2, 2}},
			[]int{2, 2}, nil, 1},
		{imageAxes(), []int{1, 9, 9, 2}, []int{3, 3, 2, 2}, nil, [][2]int{{1, 0}, {1, 2}}, nil,
			[]int{2, 3}, 1},
		{channelsFirst, []int{2, 3, 6, 5}, []int{4, 3, 3, 3}, []int{1, 2}, [][2]int{{1, 1}, {1, 1}},
			nil, nil, 1},
		{adjoint, []int{2, 8, 7, 3}, []int{2, 8, 7, 4}, nil, [][2]int{{1, 1}, {1, 1}}, nil, nil, 1},
		{adjoint, []int{2, 9, 9, 3}, []int{2, 4, 4, 5}, nil, [][2]int{{1, 0}, {1, 1}}, nil,
			[]int{2, 2}, 1},
		{adjoint, []int{2, 5, 5, 3}, []int{2, 10, 10, 2}, nil, [][2]int{{2, 2}, {2, 2}},
			[]int{2, 2}, nil, 1},
		{line, []int{2, 9, 3}, []int{4, 3, 5}, []int{2}, [][2]int{{1, 2}}, nil, nil, 1},
	} {
		for _, dtype := range floats {
			in := []array{random(rng, dtype, c.x...), random(rng, dtype, c.w...)}
			t.Run(fmt.Sprint(i, dtype), func(t *testing.T) {
				agree(t, in, sums, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					y, err := f.ConvGeneral(v[0], v[1], c.axes, c.strides, c.pads, c.dilate, c.apart,
						c.groups, 1)
					return []compute.Value{y}, err
				})
			})
		}
	}
}

func TestWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for i, c := range []struct {
		size, strides []int
		pads          [][2]int
	}{
		{[]int{1, 2, 2, 1}, []int{1, 2, 2, 1}, nil},
		{[]int{1, 3, 3, 1}, []int{1, 2, 2, 1}, [][2]int{{}, {1, 1}, {0, 1}, {}}},
		{[]int{1, 1, 1, 3}, []int{1, 1, 1, 1}, [][2]int{{}, {}, {}, {1, 1}}},
	} {
		for _, dtype := range floats {
			in := []array{random(rng, dtype, 2, 6, 7, 3)}
			for _, by := range []compute.ReduceOpType{compute.ReduceOpMax, compute.ReduceOpMin,
				compute.ReduceOpSum} {
				t.Run(fmt.Sprint(i, dtype, by), func(t *testing.T) {
					agree(t, in, sums, func(f compute.Function, v []compute.Value) (
						[]compute.Value, error) {
						y, err := f.ReduceWindow(v[0], by, c.size, c.strides, nil, nil, c.pads)
						return []compute.Value{y}, err
					})
				})
			}
			t.Run(fmt.Sprint(i, dtype, "scatter"), func(t *testing.T) {
				agree(t, in, sums, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					y, err := f.ReduceWindow(v[0], compute.ReduceOpMax, c.size, c.strides, nil, nil,
						c.pads)
					if err != nil {
						return nil, err
					}
					z, err := f.SelectAndScatterMax(v[0], y, c.size, c.strides, c.pads)
					return []compute.Value{z}, err
				})
			})
		}
	}
}

func TestIndexed(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	x := random(rng, dtypes.Float32, 5, 6, 3)
	rows := array{shapes.Make(dtypes.Int32, 4, 1), []int32{3, 0, 4, 3}}
	pairs := array{shapes.Make(dtypes.Int64, 2, 3), []int64{0, 4, 2, 5, 1, 1}} // columns are places
	updates := random(rng, dtypes.Float32, 4, 6, 3)
	few := random(rng, dtypes.Float32, 3, 2)
	for _, c := range []struct {
		name string
		in   []array
		fn   build
	}{
		{"rows", []array{x, rows}, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
			y, err := f.Gather(v[0], v[1], 1, []int{1, 2}, []int{0}, []int{0}, []int{1, 6, 3}, false)
			return []compute.Value{y}, err
		}},
		{"boxes", []array{x, pairs}, func(f compute.Function, v []compute.Value) (
			[]compute.Value, error) {
			y, err := f.Gather(v[0], v[1], 0, []int{1, 2}, []int{0}, []int{0, 1}, []int{1, 1, 2}, false)
			return []compute.Value{y}, err
		}},
		{"scatter rows", []array{x, rows, updates}, func(f compute.Function, v []compute.Value) (
			[]compute.Value, error) {
			y, err := f.ScatterSum(v[0], v[1], v[2], 1, []int{1, 2}, []int{0}, []int{0}, false, false)
			if err != nil {
				return nil, err
			}
			z, err := f.ScatterMax(v[0], v[1], v[2], 1, []int{1, 2}, []int{0}, []int{0}, false, false)
			return []compute.Value{y, z}, err
		}},
		{"scatter boxes", []array{x, pairs, few}, func(f compute.Function, v []compute.Value) (
			[]compute.Value, error) {
			y, err := f.ScatterSum(v[0], v[1], v[2], 0, []int{1}, []int{0, 1}, []int{0, 1}, false, false)
			return []compute.Value{y}, err
		}},
		{"largest", []array{x}, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
			a, err := f.ArgMinMax(v[0], 1, dtypes.Int32, false)
			if err != nil {
				return nil, err
			}
			b, err := f.ArgMinMax(v[0], 2, dtypes.Int64, true)
			return []compute.Value{a, b}, err
		}},
		{"sums", []array{x}, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
			a, err := f.CumSum(v[0], 1, compute.CumSumOptions{Exclusive: true})
			if err != nil {
				return nil, err
			}
			b, err := f.CumSum(v[0], 2, compute.CumSumOptions{Reverse: true})
			return []compute.Value{a, b}, err
		}},
	} {
		t.Run(c.name, func(t *testing.T) { agree(t, c.in, sums, c.fn) })
	}
}

// TestDynamic compares dynamic slices, which the reference lacks, with static ones.
func TestDynamic(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	start := func(v int32) array { return array{shapes.Make(dtypes.Int32), []int32{v}} }
	in := []array{random(rng, dtypes.Float32, 5, 6, 3), random(rng, dtypes.Float32, 2, 3, 2), start(2),
		start(5), start(-1)} // the last two are moved inside
	out, err := run(New(), in, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
		updated, err := f.DynamicUpdateSlice(v[0], v[1], v[2:])
		if err != nil {
			return nil, err
		}
		again, err := f.DynamicSlice(updated, v[2:], []int{2, 3, 2})
		if err != nil {
			return nil, err
		}
		static, err := f.Slice(updated, []int{2, 3, 0}, []int{4, 6, 2}, nil)
		if err != nil {
			return nil, err
		}
		kept, err := f.Slice(updated, []int{4, 0, 0}, []int{5, 6, 3}, nil)
		if err != nil {
			return nil, err
		}
		before, err := f.Slice(v[0], []int{4, 0, 0}, []int{5, 6, 3}, nil)
		return []compute.Value{again, static, kept, before}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "slice", out[0], in[1], exact)
	same(t, "update", out[1], in[1], exact)
	same(t, "rest", out[2], out[3], exact)
}
