package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/nn"
)

// TestFiniteDifferences checks gradients of layers that have no case in the reference set, in
// float64, against central differences along random directions.
func TestFiniteDifferences(t *testing.T) {
	for _, c := range []struct {
		name  string
		dims  [][]int // of the inputs
		build func(in []*Node) *Node
	}{
		{"batch norm in training", [][]int{{3, 4, 5, 6}, {6}, {6}}, func(in []*Node) *Node {
			w := graphx.View([]string{"bn.weight", "bn.bias"}, in[1:])
			return Tanh((&nn.Batch{Eps: 1e-5}).Affine(w, "bn", in[0]))
		}},
		{"upsampling between convolutions", [][]int{{2, 3, 4, 8}, {3, 3, 8, 8}, {3, 3, 8, 4}},
			func(in []*Node) *Node {
				x := nn.UpsampleNearest(Tanh(nn.Conv(in[0], in[1], nn.Same(3, 1))), 2)
				return Tanh(nn.Conv(x, in[2], nn.Same(3, 2)))
			}},
		{"wide convolution, then transposed", [][]int{{2, 6, 4, 12}, {3, 3, 12, 5}, {4, 4, 5, 3}},
			func(in []*Node) *Node {
				x := Tanh(nn.Conv(in[0], in[1], nn.Same(3, 2)))
				return Tanh(nn.ConvTranspose(x, in[2],
					nn.ConvTransposeOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}))
			}},
		{"gradient of a gradient", [][]int{{2, 4, 4, 12}, {3, 3, 12, 5}, {4, 4, 5, 3}, {5}, {3}, {3}},
			func(in []*Node) *Node {
				x := nn.LeakyReLU(nn.Bias(Tanh(nn.Conv(in[0], in[1], nn.Same(3, 1))), in[3]), .3)
				x = Tanh(nn.ConvTranspose(nn.MaxPool2D(x, nn.Pool(2, 2)), in[2],
					nn.ConvTransposeOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}))
				x = Tanh(nn.UpsampleNearest(nn.ScaleOffset(x, in[4], in[5]), 2))
				return Gradient(ReduceAllSum(x), in[0])[0]
			}},
		{"attention", [][]int{{2, 4, 4, 16}, {1, 1, 16, 2}, {1, 1, 16, 2}, {1, 1, 16, 8},
			{1, 1, 8, 16}, {1}}, func(in []*Node) *Node {
			return nn.SelfAttention(in[0],
				nn.Attention{Theta: in[1], Phi: in[2], G: in[3], Out: in[4], Gamma: in[5]})
		}},
		{"conditional scale and offset", [][]int{{2, 3, 4, 5}, {2, 5}, {2, 5}},
			func(in []*Node) *Node { return Tanh(nn.ScaleOffset(in[0], in[1], in[2])) }},
		{"preprocessing", [][]int{{2, 6, 6, 3}}, func(in []*Node) *Node {
			return Tanh(nn.Preprocess(in[0], [3]float64{.4, .5, .6}, [3]float64{.2, .3, .4}, 9))
		}},
	} {
		for _, name := range backends() {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				p, err := graphx.New(open(t, name), nil, func(_ []gansim.Weights, in []*Node) []*Node {
					y := c.build(in)
					weights := Sin(IotaFull(y.Graph(), y.Shape()))
					y = ReduceAllSum(Mul(y, weights))
					return append([]*Node{y}, Gradient(y, in...)...)
				})
				if err != nil {
					t.Fatal(err)
				}
				differences(t, p, c.dims)
			})
		}
	}
}

// differences compares the gradients that a program gives after its value with central differences.
func differences(t *testing.T, p *graphx.Program, dims [][]int) {
	const step, tolerance = 1e-5, 1e-7
	rng := rand.New(rand.NewPCG(7, 8))
	at := make([][]float64, len(dims))
	for i, d := range dims {
		at[i] = normal(rng, size(d))
	}
	call := func(moved int, by float64, direction []float64) []*tensors.Tensor {
		var args []any
		for i, d := range dims {
			v := slices.Clone(at[i])
			for j := range v {
				if i == moved {
					v[j] += by * direction[j]
				}
			}
			args = append(args, tensors.FromFlatDataAndDimensions(v, d...))
		}
		outs, err := p.Call(args...)
		if err != nil {
			t.Fatal(err)
		}
		return outs
	}
	values := func(x *tensors.Tensor) []float64 {
		v, err := graphx.Float64s(x)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	gradients := call(-1, 0, nil)[1:]
	for i, d := range dims {
		direction := normal(rng, size(d))
		got, scale := 0., 0.
		for j, g := range values(gradients[i]) {
			got += g * direction[j]
			scale += g * g
		}
		up, down := values(call(i, step, direction)[0]), values(call(i, -step, direction)[0])
		want := (up[0] - down[0]) / (2 * step)
		if math.Abs(got-want) > tolerance*math.Sqrt(scale*float64(size(d))) {
			t.Errorf("gradient at input %d along a direction is %v, want %v", i, got, want)
		}
	}
}

func normal(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

// TestExport checks that Export undoes Import.
func TestExport(t *testing.T) {
	for _, l := range []nn.Layer{
		{Name: "kernel", Kind: nn.Kernel, In: 4, Out: 6, Size: [2]int{3, 2}, Bias: true},
		{Name: "grouped", Kind: nn.Kernel, In: 4, Out: 6, Groups: 2, Size: [2]int{3, 2}},
		{Name: "transposed", Kind: nn.TransposedKernel, In: 4, Out: 6, Size: [2]int{3, 2}, Bias: true},
		{Name: "transposed groups", Kind: nn.TransposedKernel, In: 4, Out: 6, Groups: 2,
			Size: [2]int{4, 4}},
		{Name: "linear", Kind: nn.Linear, In: 24, Out: 30, FromCHW: [3]int{2, 3, 4},
			ToCHW: [3]int{5, 3, 2}, Bias: true},
	} {
		for _, p := range l.Published() {
			values := make([]float32, size(p.Shape))
			for i := range values {
				values[i] = float32(i)
			}
			shape, ours := l.Import(p.Name, p.Shape, values)
			if size(shape) != len(values) {
				t.Errorf("%s: shape %v from %v", p.Name, shape, p.Shape)
			}
			if back := l.Export(p.Name, p.Shape, ours); !slices.Equal(back, values) {
				t.Errorf("%s: Export does not undo Import", p.Name)
			}
		}
	}
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
