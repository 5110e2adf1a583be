package hessian_test

import (
	"bytes"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim/hessian"
	"gansim.example/weights"
)

// TestFile: a metric comes back from its file, where blocks are found from the eigenvectors alone, and
// small or negative eigenvalues can be raised.
func TestFile(t *testing.T) {
	m, err := hessian.NewMetric(mat.NewSymDense(3, []float64{4, 1, 0, 1, 2, .5, 0, .5, -1e-9}))
	if err != nil {
		t.Fatal(err)
	}
	ts, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, ts, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.ParseSafetensors(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	back, err := hessian.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Block(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := back.Block(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want.Values {
		if math.Abs(got.Values[i]-v) > 1e-6 {
			t.Errorf("block's eigenvalue %d is %v, want %v", i, got.Values[i], v)
		}
	}
	if n := back.Clamp(1e-6); n != 1 || back.Values[0] != 1e-6*back.Values[2] {
		t.Errorf("%d raised, values %v", n, back.Values)
	}
	if _, err := hessian.FromFile(&weights.File{}); err == nil {
		t.Error("an empty file was taken")
	}
}
