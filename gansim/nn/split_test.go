package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/kernels"
)

// TestPhases compares convolutions of dilated inputs by phases, side by side and stacked, and their
// gradients, with the operator itself, which [TestOperators] compares with PyTorch.
func TestPhases(t *testing.T) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	two := [2]int{2, 2}
	for _, c := range []struct {
		name          string
		image, kernel [2]int
		dilation      [2]int
		padding       [2][2]int
	}{
		{"k4 s2 p1", [2]int{4, 5}, [2]int{4, 4}, two, [2][2]int{{2, 2}, {2, 2}}},
		{"k3 s2", [2]int{5, 4}, [2]int{3, 3}, two, [2][2]int{{1, 2}, {2, 1}}},
		{"k1 s2: phases without taps", [2]int{3, 3}, [2]int{1, 1}, two, [2][2]int{}},
		{"k2 s3", [2]int{3, 4}, two, [2]int{3, 3}, [2][2]int{{1, 3}, {2, 0}}},
		{"one axis", [2]int{4, 4}, [2]int{3, 3}, [2]int{1, 2}, [2][2]int{{1, 1}, {1, 1}}},
		{"negative padding", [2]int{5, 6}, [2]int{3, 4}, two, [2][2]int{{-1, 0}, {1, -2}}},
		{"k11 s4", [2]int{5, 6}, [2]int{11, 11}, [2]int{4, 4}, [2][2]int{{8, 9}, {8, 8}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			win := window{stride: ones([2]int{}), kernelDilation: ones([2]int{}),
				inputDilation: c.dilation, padding: c.padding, groups: 1}
			forms := []func(x, w *Node) *Node{
				func(x, w *Node) *Node { return convGeneral(x, w, imageAxes(), win) },
				func(x, w *Node) *Node { return convPhases(x, w, imageAxes(), win) },
				func(x, w *Node) *Node { return convStacked(x, w, imageAxes(), win) },
			}
			outs, err := MustNewExec(backend, func(x, w *Node) []*Node {
				var all []*Node
				for _, form := range forms {
					y := form(x, w)
					all = append(append(all, y), Gradient(ReduceAllSum(Square(y)), x, w)...)
				}
				return all
			}).Call(noise(2, c.image[0], c.image[1], 3), noise(c.kernel[0], c.kernel[1], 3, 4))
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"y", "gradient at x", "gradient at w"} {
				want := tensors.MustCopyFlatData[float64](outs[i])
				for form := 3; form < len(outs); form += 3 {
					got := tensors.MustCopyFlatData[float64](outs[i+form])
					if len(got) != len(want) {
						t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
					}
					for k := range want {
						if math.Abs(got[k]-want[k]) > 1e-11 {
							t.Fatalf("%s, form %d: %v at %d, want %v", name, form/3, got[k], k, want[k])
						}
					}
				}
			}
		})
	}
}

func noise(dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(1, uint64(len(dims))))
	values := make([]float64, size(dims))
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// TestUpsampleConv compares it, and its gradients, with its two parts.
func TestUpsampleConv(t *testing.T) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	outs, err := MustNewExec(backend, func(x, w *Node) []*Node {
		var all []*Node
		for _, y := range []*Node{Conv(UpsampleNearest(x, 2), w, Same(3, 1)), UpsampleConv(x, w)} {
			all = append(append(all, y), Gradient(ReduceAllSum(Square(y)), x, w)...)
		}
		return all
	}).Call(noise(2, 4, 5, 3), noise(3, 3, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"y", "gradient at x", "gradient at w"} {
		want := tensors.MustCopyFlatData[float64](outs[i])
		got := tensors.MustCopyFlatData[float64](outs[i+3])
		for k := range want {
			if math.Abs(got[k]-want[k]) > 1e-11 {
				t.Fatalf("%s: %v at %d, want %v", name, got[k], k, want[k])
			}
		}
	}
}
