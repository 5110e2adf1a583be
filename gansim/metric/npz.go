package metric

import (
	"fmt"
	"io"
	"os"

	"gonum.org/v1/gonum/mat"

	"gansim.example/weights"
)

// OpenStatistics reads moments from an .npz file with the arrays mu [Dim] and sigma [Dim, Dim], as
// pytorch-fid writes it (save_fid_stats). The number of images is read from n where it is there, as
// [WriteStatistics] has it; else it is 0, unknown.
func OpenStatistics(path string) (*Moments, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("metric: %w", err)
	}
	m, err := parseStatistics(b)
	if err != nil {
		return nil, fmt.Errorf("metric: %s: %w", path, err)
	}
	return m, nil
}

func parseStatistics(b []byte) (*Moments, error) {
	f, err := weights.ParseNPZ(b)
	if err != nil {
		return nil, err
	}
	read := func(name string, rank int) ([]float64, []int, error) {
		t, ok := f.Tensor(name)
		if !ok || len(t.Shape) != rank {
			return nil, nil, fmt.Errorf("no array %q of %d dimensions, want mu [d] and sigma [d, d]", name, rank)
		}
		v, err := t.Float64s()
		return v, t.Shape, err
	}
	mu, shape, err := read("mu", 1)
	if err != nil {
		return nil, err
	}
	d := shape[0]
	sigma, shape, err := read("sigma", 2)
	if err != nil {
		return nil, err
	}
	if d == 0 || shape[0] != d || shape[1] != d {
		return nil, fmt.Errorf("mu is [%d], sigma %v, want [d] and [d, d]", d, shape)
	}
	m := &Moments{Dim: d, Mean: mu, Cov: mat.NewSymDense(d, nil)}
	for i := range d {
		for j := i; j < d; j++ {
			m.Cov.SetSym(i, j, (sigma[i*d+j]+sigma[j*d+i])/2)
		}
	}
	if n, ok := f.Tensor("n"); ok {
		v, err := n.Float64s()
		if err != nil {
			return nil, err
		}
		if len(v) != 1 || v[0] < 2 || v[0] != float64(int(v[0])) {
			return nil, fmt.Errorf("n is %v, want one whole number from 2 up", v)
		}
		m.N = int(v[0])
	}
	return m, m.check()
}

// WriteStatistics writes moments as [OpenStatistics] reads them; pytorch-fid and clean-fid read them
// too. Equal moments give equal bytes.
func WriteStatistics(w io.Writer, m *Moments) error {
	if err := m.check(); err != nil {
		return err
	}
	sigma := make([]float64, m.Dim*m.Dim)
	for i := range m.Dim {
		for j := range m.Dim {
			sigma[i*m.Dim+j] = m.Cov.At(i, j)
		}
	}
	var ts []weights.Tensor
	for _, a := range []struct {
		name  string
		shape []int
		v     []float64
	}{{"mu", []int{m.Dim}, m.Mean}, {"sigma", []int{m.Dim, m.Dim}, sigma},
		{"n", []int{}, []float64{float64(m.N)}}} {
		if a.name == "n" && m.N == 0 {
			continue
		}
		t, err := weights.FromFloats(a.name, weights.F64, a.shape, a.v)
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	_, err := weights.WriteNPZ(w, ts)
	return err
}
