// Package metric measures how far one set of images is from another through the features that a
// network gives for them: the Fréchet inception distance with an interval, the kernel distance and
// the inception score.
//
// Features come as float32 rows, one per image. Everything after that is float64:
//
//	var acc metric.Accumulator
//	for batch := range batches {
//		err := acc.Add(metric.Features{N: n, Dim: 2048, X: batch})
//	}
//	m, err := acc.Moments()
//	value, err := metric.FID(m, reference)
//
// The package knows nothing of networks, files or generators. Where a set of images is named, as in
// [Matrix], the name is the caller's.
package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Features is a batch of feature vectors on the host, one row per image.
type Features struct {
	N, Dim int
	X      []float32 // [N, Dim]
}

// At returns the features of image i; the memory is shared with the batch.
func (f Features) At(i int) []float32 { return f.X[i*f.Dim : (i+1)*f.Dim] }

// check refuses a wrong length and values that are not finite. The first row is image first.
func (f Features) check(first int) error {
	if f.N < 0 || f.Dim <= 0 || len(f.X) != f.N*f.Dim {
		return fmt.Errorf("metric: %d values are not %d rows of %d features", len(f.X), f.N, f.Dim)
	}
	for i, v := range f.X {
		if w := float64(v); math.IsNaN(w) || math.IsInf(w, 0) {
			return &NotFiniteError{Image: first + i/f.Dim, Feature: i % f.Dim, Value: w}
		}
	}
	return nil
}

// NotFiniteError reports a feature that is NaN or infinite.
type NotFiniteError struct {
	Image   int     // index of the image in the order of adding, from 0
	Feature int     // index of the feature
	Value   float64 // NaN or an infinity
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("metric: image %d: feature %d is %v", e.Image, e.Feature, e.Value)
}

// Moments are the mean and the covariance of a set of feature vectors.
type Moments struct {
	N    int           // number of images; 0 where a file does not say
	Dim  int           // number of features
	Mean []float64     // [Dim]
	Cov  *mat.SymDense // [Dim, Dim], unbiased: divided by N-1
	// Rows are features kept for the exact distance of small sets and for intervals: all N rows, or
	// every 2nd, 4th, ... of a large set, or none.
	Rows Features
}

// check refuses moments that a distance cannot be taken of.
func (m *Moments) check() error {
	if m == nil || m.Cov == nil || m.Cov.IsEmpty() {
		return fmt.Errorf("metric: moments are empty")
	}
	if d := m.Cov.SymmetricDim(); d != m.Dim || len(m.Mean) != m.Dim {
		return fmt.Errorf("metric: %d features, mean has %d, covariance %d", m.Dim, len(m.Mean), d)
	}
	if m.Rows.N > 0 && m.Rows.Dim != m.Dim {
		return fmt.Errorf("metric: kept rows have %d features, want %d", m.Rows.Dim, m.Dim)
	}
	for i, v := range m.Mean {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("metric: mean of feature %d is %v", i, v)
		}
		for j := i; j < m.Dim; j++ {
			if v := m.Cov.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metric: covariance of features %d and %d is %v", i, j, v)
			}
		}
	}
	return nil
}

// MomentsOf returns the moments of a set that is in memory as a whole, N >= 2.
func MomentsOf(f Features) (*Moments, error) {
	var acc Accumulator
	if err := acc.Add(f); err != nil {
		return nil, err
	}
	return acc.Moments()
}
