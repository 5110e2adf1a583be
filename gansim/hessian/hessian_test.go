package hessian_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/nn"
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
	p, err := hessian.New(b, quadratic{}, nn.PixelMSE(), 3)
	if err != nil {
		t.Fatal(err)
	}
	codes, calls := [][]float64{{1, 5}, {3, -2}}, 0
	m, err := p.Average(t.Context(), codes, func(done, total int) { calls++ })
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

	one, err := p.Times(t.Context(), codes[1], [][]float64{{1, 1}})
	if err != nil || math.Abs(one[0][0]-24) > 1e-4 || math.Abs(one[0][1]-6) > 1e-4 {
		t.Errorf("product %v, want [24 6] (%v)", one, err)
	}
	if _, err := p.Times(t.Context(), codes[0][:1], nil); err == nil {
		t.Error("a code of one dimension was taken")
	}
}

// TestMetric: a block's eigenvalues, and the scaled subspace.
func TestMetric(t *testing.T) {
	m, err := hessian.NewMetric(mat.NewSymDense(3, []float64{4, 0, 0, 0, 2, 1, 0, 1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	block, err := m.Block(1, 3)
	if err != nil || math.Abs(block.Values[0]-1) > 1e-12 || math.Abs(block.Values[1]-3) > 1e-12 {
		t.Errorf("block %v (%v), want eigenvalues 1, 3", block, err)
	}
	a, err := m.Subspace(1, .5)
	if err != nil || math.Abs(math.Abs(a.At(0, 0))-.5) > 1e-12 || math.Abs(a.At(0, 1)) > 1e-12 {
		t.Errorf("subspace %v (%v), want half of the first axis", a, err)
	}
	if _, err := m.Block(2, 2); err == nil {
		t.Error("an empty block was taken")
	}
	if _, err := m.Subspace(4, 1); err == nil {
		t.Error("4 of 3 eigenvectors were taken")
	}
	flat, err := hessian.NewMetric(mat.NewSymDense(2, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flat.Subspace(1, 1); err == nil {
		t.Error("an eigenvalue 0 was taken")
	}
}
