package native

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// randomGraph adds operations at random to values; each draws its operands from all values so far.
type randomGraph struct {
	rng    *rand.Rand
	f      compute.Function
	values []compute.Value
}

func (g *randomGraph) dims(v compute.Value) []int {
	s, err := g.f.Shape(v)
	if err != nil {
		panic(err)
	}
	return s.Dimensions
}

func (g *randomGraph) pick() compute.Value { return g.values[g.rng.IntN(len(g.values))] }

// partner is a value that can be combined with v, of its shape or with axes of length 1, or a
// scalar made from v.
func (g *randomGraph) partner(v compute.Value) (compute.Value, error) {
	d := g.dims(v)
	var fit []compute.Value
	for _, w := range g.values {
		if e := g.dims(w); slices.EqualFunc(d, e, func(a, b int) bool { return a == b || b == 1 }) {
			fit = append(fit, w)
		}
	}
	if g.rng.IntN(6) == 0 {
		return g.f.ReduceMax(v)
	}
	return fit[g.rng.IntN(len(fit))], nil
}

// step adds one operation.
func (g *randomGraph) step() error {
	x := g.pick()
	d := g.dims(x)
	axis := func() int { return g.rng.IntN(len(d)) }
	y, err := g.partner(x)
	if err != nil {
		return err
	}
	var v compute.Value
	switch n := g.rng.IntN(18); {
	case n < 3:
		ops := []func(a, b compute.Value) (compute.Value, error){g.f.Add, g.f.Mul, g.f.Sub, g.f.Max,
			g.f.Min}
		v, err = ops[g.rng.IntN(len(ops))](x, y)
	case n < 5:
		ops := []func(a compute.Value) (compute.Value, error){g.f.Neg, g.f.Abs, g.f.Tanh,
			g.f.Logistic, g.f.Sign, g.f.Floor}
		v, err = ops[g.rng.IntN(len(ops))](x)
	case n < 7:
		ops := []func(a, b compute.Value) (compute.Value, error){g.f.GreaterThan, g.f.Equal,
			g.f.LessOrEqual}
		v, err = ops[g.rng.IntN(len(ops))](x, y)
		if err == nil {
			var zero compute.Value
			if zero, err = g.f.Constant([]float32{0}); err == nil {
				v, err = g.f.Where(v, x, zero)
			}
		}
	case n < 8:
		var b compute.Value
		if b, err = g.f.IsFinite(x); err == nil {
			v, err = g.f.ConvertDType(b, dtypes.Float32)
		}
	case len(d) == 0:
		v, err = g.f.BroadcastInDim(x, shapes.Make(dtypes.Float32, 2, 1, 3), nil)
	case n < 10:
		v, err = g.f.Transpose(x, g.rng.Perm(len(d))...)
	case n < 11:
		flat := slices.Clone(d)
		for len(flat) > 1 && g.rng.IntN(2) == 0 {
			flat = append(flat[:len(flat)-2], flat[len(flat)-2]*flat[len(flat)-1])
		}
		if g.rng.IntN(2) == 0 && len(flat) < 5 {
			flat = slices.Insert(flat, g.rng.IntN(len(flat)+1), 1)
		}
		v, err = g.f.Reshape(x, flat...)
	case n < 12:
		starts, limits, steps := make([]int, len(d)), slices.Clone(d), make([]int, len(d))
		for i := range d {
			steps[i] = 1 + g.rng.IntN(2)
			starts[i] = g.rng.IntN(d[i])
		}
		v, err = g.f.Slice(x, starts, limits, steps)
	case n < 13:
		v, err = g.f.Reverse(x, axis())
	case n < 14:
		wide, at := slices.Insert(slices.Clone(d), axis(), 2), []int{}
		for i, j := 0, 0; i < len(d); i, j = i+1, j+1 {
			if wide[j] != d[i] {
				j++
			}
			at = append(at, j)
		}
		if product(wide) < 4000 && len(wide) < 6 {
			v, err = g.f.BroadcastInDim(x, shapes.Make(dtypes.Float32, wide...), at)
		}
	case n < 15:
		pads := make([]compute.PadAxis, len(d))
		pads[axis()] = compute.PadAxis{Start: g.rng.IntN(2), End: g.rng.IntN(2), Interior: g.rng.IntN(2)}
		var fill compute.Value
		if fill, err = g.f.Constant([]float32{float32(g.rng.IntN(2))}); err == nil {
			v, err = g.f.Pad(x, fill, pads...)
		}
	case n < 16 && product(d) < 2000:
		v, err = g.f.Concatenate(axis(), x, x)
	case n < 17:
		v, err = g.f.ReduceSum(x, axis())
	default:
		a := axis()
		v, err = g.f.DotGeneral(x, []int{a}, nil, x, []int{a}, nil, compute.DotGeneralConfig{})
		if err == nil && product(g.dims(v)) > 4000 {
			v = nil
		}
	}
	if err == nil && v != nil && len(g.dims(v)) < 7 {
		if v, err = g.f.Tanh(v); err == nil { // keeps values small
			g.values = append(g.values, v)
		}
	}
	return err
}

// graphOf builds the random graph of a seed; some of the values are outputs.
func graphOf(seed uint64, steps int) build {
	return func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		g := &randomGraph{rng: rand.New(rand.NewPCG(seed, 1)), f: f, values: slices.Clone(in)}
		for range steps {
			if err := g.step(); err != nil {
				return nil, err
			}
		}
		out := []compute.Value{g.values[len(g.values)-1]}
		for range 4 {
			out = append(out, g.pick())
		}
		return out, nil
	}
}

func inputsOf(seed uint64) []array {
	rng := rand.New(rand.NewPCG(seed, 2))
	return []array{random(rng, dtypes.Float32, 3, 4, 5), random(rng, dtypes.Float32, 3, 1, 5),
		random(rng, dtypes.Float32, 4, 5), random(rng, dtypes.Float32)}
}

// TestRandomGraphs compares graphs of all kinds of operations. Steps like Floor and comparisons
// make jumps out of rounding errors, so a few values may be far apart.
func TestRandomGraphs(t *testing.T) {
	const graphs, steps = 300, 25
	differ := 0
	for seed := range uint64(graphs) {
		in := inputsOf(seed)
		if raceDetector {
			if _, err := run(New(), in, graphOf(seed, steps)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			continue
		}
		want, err := run(reference(t), in, graphOf(seed, steps))
		if err != nil {
			t.Fatalf("seed %d: reference: %v", seed, err)
		}
		got, err := run(New(), in, graphOf(seed, steps))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range want {
			if !got[i].shape.Equal(want[i].shape) {
				t.Fatalf("seed %d: output %d is %s, want %s", seed, i, got[i].shape, want[i].shape)
			}
			w := want[i].flat.([]float32)
			for j, v := range got[i].flat.([]float32) {
				if d := v - w[j]; d > 1e-4 || d < -1e-4 || (v != v) != (w[j] != w[j]) {
					differ++
					t.Logf("seed %d: output %d %s: value %d is %v, want %v", seed, i, got[i].shape, j, v,
						w[j])
					break
				}
			}
		}
	}
	if differ > graphs/50 {
		t.Errorf("%d outputs differ", differ)
	}
}
