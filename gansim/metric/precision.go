package metric

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Neighbours is the number of neighbours that Kynkaanniemi et al. (2019) use for [PrecisionRecall].
const Neighbours = 3

// Coverage says how two sets of features overlap, both in [0, 1].
type Coverage struct {
	Precision float64 `json:"precision"` // share of b within the manifold of a
	Recall    float64 `json:"recall"`    // share of a within the manifold of b
}

// PrecisionRecall is the improved precision and recall of samples b for reals a (Kynkaanniemi et al.,
// NeurIPS 2019): a set's manifold is the union of balls around its points, each as wide as the
// distance to its k-th nearest neighbour in the set. It fails if the dimensions differ, if a set has
// no more than k points, or if k is not positive.
func PrecisionRecall(a, b Features, k int) (Coverage, error) {
	if a.Dim != b.Dim || k < 1 || a.N <= k || b.N <= k {
		return Coverage{}, fmt.Errorf("metric: precision and recall of %d x %d and %d x %d features with "+
			"%d neighbours: want equal dimensions, and more points than neighbours", a.N, a.Dim, b.N, b.Dim, k)
	}
	na, nb := norms(a), norms(b)
	ra, rb := radii(a, na, k), radii(b, nb, k)
	inA, inB := make([]bool, b.N), make([]bool, a.N)
	distances(a, b, na, nb, func(i, j int, d float64) {
		inA[j] = inA[j] || d <= ra[i]
		inB[i] = inB[i] || d <= rb[j]
	})
	return Coverage{Precision: share(inA), Recall: share(inB)}, nil
}

// radii are the squared distances of points to their k-th nearest neighbours.
func radii(f Features, n []float64, k int) []float64 {
	near := make([][]float64, f.N) // the k+1 nearest, ascending: the first is the point itself
	distances(f, f, n, n, func(i, _ int, d float64) {
		v := near[i]
		if len(v) > k && d >= v[k] {
			return
		}
		at, _ := slices.BinarySearch(v, d)
		near[i] = slices.Insert(v, at, d)[:min(len(v)+1, k+1)]
	})
	out := make([]float64, f.N)
	for i, v := range near {
		out[i] = v[k]
	}
	return out
}

// distances calls fn with the squared distance of each row of a to each of b, by their
// products: |x|² + |y|² - 2 x·y, not below 0.
func distances(a, b Features, na, nb []float64, fn func(i, j int, d float64)) {
	products(a, b, func(i, j int, dot float64) { fn(i, j, max(0, na[i]+nb[j]-2*dot)) })
}

// norms are the rows' products with themselves, summed as those with others are: equal rows have the
// distance 0.
func norms(f Features) []float64 {
	out := make([]float64, 0, f.N)
	for i := 0; i < f.N; i += blockRows {
		x := widen(f, i)
		var dots mat.Dense
		dots.Mul(x, x.T())
		for r := range dots.RawMatrix().Rows {
			out = append(out, dots.At(r, r))
		}
	}
	return out
}

// share is the part of values that are true.
func share(values []bool) float64 {
	n := 0
	for _, v := range values {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(values))
}
