package hessian

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"gansim.example/weights"
)

// Metric is a symmetric positive semi-definite matrix with its eigenvectors.
type Metric struct {
	Matrix  *mat.SymDense // nil where only the eigenvectors were kept
	Values  []float64     // eigenvalues, ascending
	Vectors []float64     // eigenvectors as columns, row-major [d, d]
}

// NewMetric finds the eigenvectors of a matrix, which it keeps.
func NewMetric(h *mat.SymDense) (*Metric, error) {
	var e mat.EigenSym
	if !e.Factorize(h, true) {
		return nil, errors.New("hessian: no eigenvalues found")
	}
	var v mat.Dense
	e.VectorsTo(&v)
	return &Metric{h, e.Values(nil), v.RawMatrix().Data}, nil
}

// Tensors are the metric as it is kept in files: eigenvalues [d], ascending, and eigenvectors [d, d] as
// columns.
func (m *Metric) Tensors() ([]weights.Tensor, error) {
	d := len(m.Values)
	values, err := weights.FromFloats("eigenvalues", weights.F64, []int{d}, m.Values)
	if err != nil {
		return nil, err
	}
	vectors, err := weights.FromFloats("eigenvectors", weights.F32, []int{d, d}, m.Vectors)
	return []weights.Tensor{values, vectors}, err
}

// FromFile reads what Tensors gave. Also read are the keys eigvals_avg and eigvects_avg (BigGAN) and
// eigv_avg and eigvect_avg (DeePSim) of the unpublished files of the original project.
func FromFile(f *weights.File) (*Metric, error) {
	for _, names := range [][2]string{{"eigenvalues", "eigenvectors"}, {"eigvals_avg", "eigvects_avg"},
		{"eigv_avg", "eigvect_avg"}} {
		values, ok := f.Tensor(names[0])
		vectors, also := f.Tensor(names[1])
		if !ok || !also {
			continue
		}
		if d := values.Shape; len(d) != 1 || len(vectors.Shape) != 2 || vectors.Shape[0] != d[0] ||
			vectors.Shape[1] != d[0] {
			return nil, fmt.Errorf("hessian: %s is %v, %s %v, want [d] and [d, d]", names[0], d, names[1],
				vectors.Shape)
		}
		m := &Metric{}
		var err error
		if m.Values, err = values.Float64s(); err != nil {
			return nil, err
		}
		m.Vectors, err = vectors.Float64s()
		return m, err
	}
	return nil, errors.New("hessian: no eigenvalues and eigenvectors in the file")
}

// Clamp raises eigenvalues to the given share of the largest and says how many it raised: averages of
// float32 have small negative ones, of which HessCMA has no powers.
func (m *Metric) Clamp(share float64) int {
	least, n := share*m.Values[len(m.Values)-1], 0
	for i, v := range m.Values {
		if v < least {
			m.Values[i] = least
			n++
		}
	}
	return n
}

// element is one of the matrix.
func (m *Metric) element(i, j int) float64 {
	if m.Matrix != nil {
		return m.Matrix.At(i, j)
	}
	d, sum := len(m.Values), 0.0
	for k, v := range m.Values {
		sum += v * m.Vectors[i*d+k] * m.Vectors[j*d+k]
	}
	return sum
}

// Block is the metric of the dimensions from up to, not with, to: BigGAN's noise or class alone.
func (m *Metric) Block(from, to int) (*Metric, error) {
	if d := len(m.Values); from < 0 || to > d || from >= to {
		return nil, fmt.Errorf("hessian: dimensions %d to %d of %d", from, to, d)
	}
	block := mat.NewSymDense(to-from, nil)
	for i := range to - from {
		for j := range i + 1 {
			block.SetSym(i, j, m.element(from+i, from+j))
		}
	}
	return NewMetric(block)
}

// Subspace is HessCMA's A = diag(s) E': the eigenvectors of the cutoff largest eigenvalues as rows,
// each scaled by s = eigenvalue^-exponent; [cutoff, d]. A search in these coordinates y is one for
// codes start + y A (core/utils/Optimizers.py, HessCMAES, of the original project). Eigenvalues have
// to be positive.
func (m *Metric) Subspace(cutoff int, exponent float64) (*mat.Dense, error) {
	d := len(m.Values)
	if cutoff < 1 || cutoff > d {
		return nil, fmt.Errorf("hessian: %d of %d eigenvectors", cutoff, d)
	}
	a := mat.NewDense(cutoff, d, nil)
	for k := range cutoff {
		value := m.Values[d-1-k]
		if value <= 0 {
			return nil, fmt.Errorf("hessian: eigenvalue %d is %g, want a positive one", k, value)
		}
		for i := range d {
			a.Set(k, i, math.Pow(value, -exponent)*m.Vectors[i*d+d-1-k])
		}
	}
	return a, nil
}
