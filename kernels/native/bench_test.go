package native

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// BenchmarkGraphs times what networks do besides products, on a map of a megabyte and more.
func BenchmarkGraphs(b *testing.B) {
	rng := rand.New(rand.NewPCG(25, 26))
	in := []array{random(rng, dtypes.Float32, 16, 64, 64, 12), random(rng, dtypes.Float32, 12)}
	for _, c := range []struct {
		name string
		fn   func(s *steps, x, v compute.Value) compute.Value
	}{
		{"scale and rectify", func(s *steps, x, v compute.Value) compute.Value {
			wide := s.repeatedAlong(v, x, 3)
			y := s.binary(compute.OpTypeAdd, s.binary(compute.OpTypeMul, x, wide), wide)
			return s.do(func() (compute.Value, error) {
				zero, err := s.f.Constant([]float32{0})
				if err != nil {
					return nil, err
				}
				positive, err := s.f.GreaterThan(y, zero)
				if err != nil {
					return nil, err
				}
				return s.f.Where(positive, y, zero)
			})
		}},
		{"tanh", func(s *steps, x, _ compute.Value) compute.Value {
			return s.unary(compute.OpTypeTanh, x)
		}},
		{"transpose", func(s *steps, x, _ compute.Value) compute.Value {
			return s.do(func() (compute.Value, error) { return s.f.Transpose(x, 0, 3, 1, 2) })
		}},
		{"sum of channels", func(s *steps, x, _ compute.Value) compute.Value {
			return s.do(func() (compute.Value, error) { return s.f.ReduceSum(x, 0, 1, 2) })
		}},
		{"sum", func(s *steps, x, _ compute.Value) compute.Value {
			return s.do(func() (compute.Value, error) { return s.f.ReduceSum(x) })
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			engine := New()
			x, err := compileGraph(engine, in, func(f compute.Function, v []compute.Value) (
				[]compute.Value, error) {
				s := &steps{f: f.(*function)}
				y := c.fn(s, v[0], v[1])
				return []compute.Value{y}, s.err
			})
			if err != nil {
				b.Fatal(err)
			}
			var buffers []compute.Buffer
			for _, a := range in {
				buffer, err := engine.BufferFromFlatData(0, a.flat, a.shape)
				if err != nil {
					b.Fatal(err)
				}
				buffers = append(buffers, buffer)
			}
			b.SetBytes(int64(bytesOf(in[0].shape)))
			for b.Loop() {
				if _, err := x.Execute(buffers, nil, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// repeatedAlong repeats v along all axes of x but one.
func (s *steps) repeatedAlong(v, x compute.Value, axis int) compute.Value {
	return s.do(func() (compute.Value, error) {
		shape, err := s.f.Shape(x)
		if err != nil {
			return nil, err
		}
		return s.f.BroadcastInDim(v, shape, []int{axis})
	})
}
