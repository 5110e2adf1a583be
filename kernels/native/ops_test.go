package native

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Errors allowed against the reference, relative: its float32 functions go by float64, and its sums
// run in another order.
const (
	exact     = 0
	functions = 2e-6
	sums      = 1e-5
)

var (
	floats   = []dtypes.DType{dtypes.Float32, dtypes.Float64}
	integers = []dtypes.DType{dtypes.Int8, dtypes.Int16, dtypes.Int32, dtypes.Int64, dtypes.Uint8,
		dtypes.Uint16, dtypes.Uint32, dtypes.Uint64}
	numbers = append(append([]dtypes.DType{}, floats...), integers...)
	bools   = []dtypes.DType{dtypes.Bool}
)

func TestElementwise(t *testing.T) {
	for _, c := range []struct {
		ops       []string
		types     []dtypes.DType
		operands  int
		tolerance float64
	}{
		{[]string{"Add", "Sub", "Mul", "Max", "Min", "Equal", "NotEqual", "LessThan", "LessOrEqual",
			"GreaterThan", "GreaterOrEqual"}, numbers, 2, exact},
		{[]string{"Div"}, floats, 2, exact},
		{[]string{"Rem", "Pow"}, floats, 2, functions},
		{[]string{"BitwiseAnd", "BitwiseOr", "BitwiseXor"}, integers, 2, exact},
		{[]string{"LogicalAnd", "LogicalOr", "LogicalXor"}, bools, 2, exact},
		{[]string{"LogicalNot"}, bools, 1, exact},
		{[]string{"Abs", "Sign"}, numbers, 1, exact},
		{[]string{"Neg", "Ceil", "Floor", "Round", "IsFinite", "IsNaN", "Sqrt", "Rsqrt"}, floats, 1,
			functions},
		{[]string{"Exp", "Expm1", "Log", "Log1p", "Logistic", "Erf", "Sin", "Cos", "Tanh"}, floats, 1,
			functions},
		{[]string{"BitwiseNot", "BitCount", "Clz"}, integers, 1, exact},
	} {
		for _, op := range c.ops {
			for _, dtype := range c.types {
				t.Run(op+"/"+dtype.String(), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(1, 2))
					for _, dims := range [][]int{{}, {3}, {2, 0}, {5, 7, 3}, {3000}} {
						var in []array
						for range c.operands {
							in = append(in, random(rng, dtype, dims...))
						}
						agree(t, in, c.tolerance, func(f compute.Function, v []compute.Value) (
							[]compute.Value, error) {
							args := []any{v[0]}
							if c.operands == 2 {
								args = append(args, v[1])
							}
							return method(f, op, args...)
						})
					}
				})
			}
		}
	}
}

// TestSpecialValues compares where vectors and rests treat infinite values, NaN and signed zeros.
func TestSpecialValues(t *testing.T) {
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)),
		float32(math.Inf(-1)), float32(math.NaN()), 1e-40, 100, -100, 88.5, -87.5, -103.5}
	var x, y []float32
	for _, a := range special {
		for _, b := range special {
			x, y = append(x, a), append(y, b)
		}
	}
	s := shapes.Make(dtypes.Float32, len(x))
	for _, op := range []string{"Max", "Min", "Add", "Equal", "LessThan", "GreaterOrEqual", "Mul"} {
		t.Run(op, func(t *testing.T) {
			agree(t, []array{{s, x}, {s, y}}, exact, func(f compute.Function, v []compute.Value) (
				[]compute.Value, error) {
				return method(f, op, v[0], v[1])
			})
		})
	}
	for _, op := range []string{"Exp", "Tanh", "Logistic", "Sqrt", "Abs", "IsNaN", "IsFinite"} {
		t.Run(op, func(t *testing.T) {
			agree(t, []array{{s, y}}, functions, func(f compute.Function, v []compute.Value) (
				[]compute.Value, error) {
				return method(f, op, v[0])
			})
		})
	}
	for _, op := range []string{"ReduceMax", "ReduceMin"} {
		t.Run(op, func(t *testing.T) {
			for _, n := range []int{0, 4, 6} { // without any, with infinite values, with NaN
				agree(t, []array{{shapes.Make(dtypes.Float32, 30), append(special[:n+1:n+1],
					make([]float32, 29-n)...)}}, exact, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					return method(f, op, v[0], 0)
				})
			}
		})
	}
}

// TestFunctions compares float32 functions with float64 ones over their range.
func TestFunctions(t *testing.T) {
	const n = 100_001
	x := make([]float32, n)
	for i := range x {
		x[i] = -100 + 200*float32(i)/n
	}
	in := []array{{shapes.Make(dtypes.Float32, n), x}}
	for name, want := range map[string]func(float64) float64{
		"Exp": math.Exp, "Tanh": math.Tanh,
		"Logistic": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	} {
		out, err := run(New(), in, func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
			return method(f, name, v[0])
		})
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.
		for i, got := range out[0].flat.([]float32) {
			w := want(float64(x[i]))
			if math.Abs(w) < 1.2e-38 || w > math.MaxFloat32 {
				continue
			}
			worst = max(worst, math.Abs(float64(got)-w)/math.Abs(w))
		}
		if worst > 3e-7 {
			t.Errorf("%s: relative error %.2g", name, worst)
		}
	}
}

func TestConvert(t *testing.T) {
	all := append(append([]dtypes.DType{}, numbers...), dtypes.Bool)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, from := range all {
		for _, to := range all {
			in := random(rng, from, 37)
			if v, ok := in.flat.([]float32); ok {
				for i := range v {
					v[i] = float32(math.Abs(float64(v[i])))
				}
			}
			if v, ok := in.flat.([]float64); ok {
				for i := range v {
					v[i] = math.Abs(v[i])
				}
			}
			t.Run(fmt.Sprint(from, to), func(t *testing.T) {
				agree(t, []array{in}, exact, func(f compute.Function, v []compute.Value) (
					[]compute.Value, error) {
					return method(f, "ConvertDType", v[0], to)
				})
			})
		}
	}
}

func TestReductions(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, op := range []string{"ReduceSum", "ReduceMax", "ReduceMin", "ReduceProduct"} {
		for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.Float64, dtypes.Int32, dtypes.Uint8} {
			for _, c := range []struct{ dims, axes []int }{
				{[]int{7}, nil}, {[]int{3, 40, 5}, nil}, {[]int{3, 40, 5}, []int{1}},
				{[]int{3, 40, 5}, []int{0, 2}}, {[]int{30, 41}, []int{0}}, {[]int{30, 41}, []int{1}},
				{[]int{2, 3, 4, 5}, []int{1, 2}}, {[]int{2, 30, 4, 5}, []int{3, 1}},
				{[]int{9000}, []int{0}}, {[]int{50, 3000}, []int{0}}, {[]int{2, 3, 2}, []int{0, 2}},
			} {
				if op == "ReduceProduct" && product(c.dims) > 1000 {
					continue
				}
				t.Run(fmt.Sprint(op, dtype, c), func(t *testing.T) {
					agree(t, []array{random(rng, dtype, c.dims...)}, sums,
						func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
							args := []any{v[0]}
							for _, a := range c.axes {
								args = append(args, a)
							}
							return method(f, op, args...)
						})
				})
			}
		}
	}
	for _, op := range []string{"ReduceLogicalAnd", "ReduceLogicalOr", "ReduceLogicalXor"} {
		agree(t, []array{random(rng, dtypes.Bool, 4, 50)}, exact, func(f compute.Function,
			v []compute.Value) ([]compute.Value, error) {
			return method(f, op, v[0], 1)
		})
	}
}

// TestSumIsAccurate sums many numbers that float32 cannot add one after the other.
func TestSumIsAccurate(t *testing.T) {
	const n = 1 << 22
	x := make([]float32, n)
	want := 0.
	for i := range x {
		x[i] = 0.1 + float32(i%7)/100
		want += float64(x[i])
	}
	for _, dims := range [][]int{{n}, {n / 4, 4}, {n / 2048, 2048}} {
		out, err := run(New(), []array{{shapes.Make(dtypes.Float32, dims...), x}},
			func(f compute.Function, v []compute.Value) ([]compute.Value, error) {
				y, err := f.ReduceSum(v[0], 0)
				if err == nil {
					y, err = f.ReduceSum(y)
				}
				return []compute.Value{y}, err
			})
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(out[0].flat.([]float32)[0]); math.Abs(got-want) > 1e-6*want {
			t.Errorf("%v: sum %v, want %v", dims, got, want)
		}
	}
}
