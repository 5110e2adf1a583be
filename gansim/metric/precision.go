package metric

import (
	"fmt"
	"math"
	"slices"
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
	return Coverage{Precision: covered(a, b, k), Recall: covered(b, a, k)}, nil
}

// covered is the share of points of b within the manifold of a.
func covered(a, b Features, k int) float64 {
	radii := make([]float64, a.N)
	distances := make([]float64, a.N)
	for i := range radii {
		for j := range distances {
			distances[j] = squaredDistance(a.At(i), a.At(j))
		}
		slices.Sort(distances)
		radii[i] = distances[k] // the smallest is the point itself
	}
	inside := 0
	for i := range b.N {
		for j, r := range radii {
			if squaredDistance(b.At(i), a.At(j)) <= r {
				inside++
				break
			}
		}
	}
	return float64(inside) / float64(b.N)
}

func squaredDistance(x, y []float32) float64 {
	sum := 0.
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum = math.FMA(d, d, sum)
	}
	return sum
}
