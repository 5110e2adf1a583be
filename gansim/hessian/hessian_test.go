package hessian_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/hessian"
	"gansim.example/kernels"
)

// quadratic is a generator whose Jacobian is known: pixel j is z0^2 for the first third, 3*z1 for the
// second, 0 for the rest.
type quadratic struct{}

func (quadratic) Name() string   { return "quadratic" }
func (quadratic) CodeSize() int  { return 2 }
func (quadratic) ImageSize() int { return 1 }
func (quadratic) Params() gansim.Params {
	return gansim.Params{Names: []string{"one"},
		Tensors: []*tensors.Tensor{tensors.FromScalar(float32(1))}}
}
func (quadratic) Decode(_ gansim.Weights, z *Node) *Node {
	z0, z1 := Slice(z, AxisRange(), AxisRange(0, 1)), Slice(z, AxisRange(), AxisRange(1, 2))
	return Reshape(Concatenate([]*Node{Square(z0), MulScalar(z1, 3), ZerosLike(z0)}, 1), -1, 1, 1, 3)
}
func (quadratic) Draw(string, *rand.Rand, int) (gansim.Codes, error) { return gansim.Codes{}, nil }

// TestAverage: with 3 pixels, H = (2/3) diag(4 z0^2, 9), averaged over the codes.
func TestAverage(t *testing.T) {
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	codes := gansim.Codes{N: 2, Dim: 2, Z: []float32{1, 5, 3, -2}}
	calls := 0
	m, err := hessian.Average(t.Context(), b, quadratic{}, codes, func(done, total int) { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{2. / 3 * 9, 2. / 3 * 4 * (1 + 9) / 2} // ascending
	for i, v := range m.Values {
		if math.Abs(v-want[i]) > 1e-3*want[i] {
			t.Errorf("eigenvalue %d is %v, want %v", i, v, want[i])
		}
	}
	// column 1 belongs to the larger eigenvalue: the first axis
	if math.Abs(math.Abs(m.Vectors[1])-1) > 1e-6 || math.Abs(m.Vectors[3]) > 1e-3 {
		t.Errorf("eigenvectors %v, want the axes swapped", m.Vectors)
	}
	if calls != 2 {
		t.Errorf("progress told %d times, want 2", calls)
	}
}
