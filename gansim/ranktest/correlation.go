package ranktest

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Pearson is the correlation of the paired samples x and y, in [-1, 1]: gonum's stat.Correlation
// behind the checks of this package. A constant sample is refused with [ErrConstant].
func Pearson(x, y []float64) (float64, error) {
	if len(x) != len(y) {
		return 0, fmt.Errorf("ranktest: pearson: %d values paired with %d",
			len(x), len(y))
	}
	if err := check(x, y); err != nil {
		return 0, err
	}
	if slices.Min(x) == slices.Max(x) || slices.Min(y) == slices.Max(y) {
		return 0, ErrConstant
	}
	return max(-1, min(1, stat.Correlation(x, y, nil))), nil
}

// Spearman is [Pearson] of the midranks.
func Spearman(x, y []float64) (float64, error) {
	if err := check(x, y); err != nil {
		return 0, err
	}
	x, _ = midranks(x)
	y, _ = midranks(y)
	return Pearson(x, y)
}

// CorrelationP is the two-sided p of a correlation r of n > 2 pairs against none, by Student's t
// with n-2 degrees of freedom; exact for [Pearson] of normal data, the usual approximation for
// [Spearman].
func CorrelationP(r float64, n int) (float64, error) {
	if n <= 2 || !(math.Abs(r) <= 1) {
		return 0, fmt.Errorf("ranktest: p of correlation %v of %d pairs", r, n)
	}
	df := float64(n - 2)
	return StudentP(r*math.Sqrt(df/((1-r)*(1+r))), df), nil
}

// StudentP is the two-sided p of a statistic t with df > 0 degrees of freedom.
func StudentP(t, df float64) float64 {
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}
