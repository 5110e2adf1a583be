package ranktest

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Hazen returns the quantiles of x at each p in [0, 1], with linear interpolation at n p - 1/2:
// type 5 of Hyndman and Fan, American Statistician 50 (1996) 361, as MATLAB's prctile does.
func Hazen(x []float64, p ...float64) ([]float64, error) {
	return quantiles(x, p, func(n int, p float64) float64 { return float64(n)*p - 0.5 })
}

// quantiles interpolates the sorted x at the positions that at gives, counted from 0 and kept
// within the sample.
func quantiles(x, p []float64, at func(n int, p float64) float64) ([]float64, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(x))
	last := float64(len(x) - 1)
	q := make([]float64, len(p))
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("ranktest: quantile %v is outside [0, 1]", v)
		}
		q[i] = interpolate(sorted, min(max(at(len(x), v), 0), last))
	}
	return q, nil
}

// interpolate reads a sorted sample at a position in [0, len-1].
func interpolate(sorted []float64, at float64) float64 {
	whole, part := math.Modf(at)
	i := int(whole)
	if part == 0 {
		return sorted[i]
	}
	return min(sorted[i+1], sorted[i]+part*(sorted[i+1]-sorted[i]))
}

// MAD is the median of the absolute deviations from the median, without a factor.
func MAD(x []float64) (float64, error) {
	median, err := Quantiles(x, 0.5)
	if err != nil {
		return 0, err
	}
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = math.Abs(v - median[0])
	}
	mad, err := Quantiles(away, 0.5)
	if err != nil {
		return 0, err
	}
	return mad[0], nil
}

// Shape returns the skewness m3/m2^(3/2) and the excess kurtosis m4/m2^2 - 3, m being the central
// moments with n under the sum, as scipy.stats.skew and kurtosis by default. (gonum's Skew and
// ExKurtosis correct for bias.) A constant x is refused with [ErrConstant].
func Shape(x []float64) (skewness, kurtosis float64, err error) {
	if err := check(x); err != nil {
		return 0, 0, err
	}
	if slices.Min(x) == slices.Max(x) {
		return 0, 0, ErrConstant
	}
	m2 := stat.Moment(2, x, nil)
	return stat.Moment(3, x, nil) / math.Pow(m2, 1.5), stat.Moment(4, x, nil)/(m2*m2) - 3, nil
}

// MedianSENotch is the standard error of the median that McGill, Tukey and Larsen draw as the notch
// of a box plot (American Statistician 32 (1978) 12): 1.57 (Q3 - Q1)/sqrt(n).
func MedianSENotch(x []float64) (float64, error) {
	q, err := Quantiles(x, 0.25, 0.75)
	if err != nil {
		return 0, err
	}
	return 1.57 * (q[1] - q[0]) / math.Sqrt(float64(len(x))), nil
}

// MedianSEDensity is the asymptotic standard error of the median, 1/(2 sqrt(n) f(median)), with f
// the [Density] of x.
func MedianSEDensity(x []float64) (float64, error) {
	median, err := Quantiles(x, 0.5)
	if err != nil {
		return 0, err
	}
	f, err := Density(x, median, 0)
	if err != nil {
		return 0, err
	}
	return 1 / (2 * math.Sqrt(float64(len(x))) * f[0]), nil
}

// MeanInterval is Student's interval of the mean. The confidence is in (0, 1); zero means 0.95. It
// needs two values.
func MeanInterval(x []float64, confidence float64) (low, high float64, err error) {
	if confidence == 0 {
		confidence = 0.95
	}
	if !(confidence > 0 && confidence < 1) {
		return 0, 0, fmt.Errorf("ranktest: confidence %v is outside (0, 1)", confidence)
	}
	sem, err := SEM(x, 1)
	if err != nil {
		return 0, 0, err
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(len(x) - 1)}.Quantile((1 + confidence) / 2)
	mean := stat.Mean(x, nil)
	return mean - t*sem, mean + t*sem, nil
}
