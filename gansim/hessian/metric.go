package hessian

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Metric is a symmetric positive semi-definite matrix with its eigenvectors.
type Metric struct {
	Matrix  *mat.SymDense
	Values  []float64 // eigenvalues, ascending
	Vectors []float64 // eigenvectors as columns, row-major [d, d]
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

// Block is the metric of the dimensions from up to, not with, to: BigGAN's noise or class alone.
func (m *Metric) Block(from, to int) (*Metric, error) {
	if d := len(m.Values); from < 0 || to > d || from >= to {
		return nil, fmt.Errorf("hessian: dimensions %d to %d of %d", from, to, d)
	}
	block := mat.NewSymDense(to-from, nil)
	for i := range to - from {
		for j := range i + 1 {
			block.SetSym(i, j, m.Matrix.At(from+i, from+j))
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
