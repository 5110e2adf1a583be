package ranktest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Quantiles returns the quantiles of x at each p in [0, 1], with linear interpolation at (n-1)p:
// type 7 of Hyndman and Fan, American Statistician 50 (1996) 361, as numpy and R do by default.
// (gonum's LinInterp is type 4.) The median is Quantiles(x, 0.5).
func Quantiles(x []float64, p ...float64) ([]float64, error) {
	return quantiles(x, p, func(n int, p float64) float64 { return float64(n-1) * p })
}

// Box is Tukey's box plot (Exploratory Data Analysis, 1977) of a sample.
type Box struct {
	Q1     float64 `json:"q1"` // quartiles of type 7
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
	// WhiskerLow and WhiskerHigh are the most extreme data within 1.5 (Q3 - Q1) of the box.
	WhiskerLow  float64   `json:"whisker_low"`
	WhiskerHigh float64   `json:"whisker_high"`
	Outliers    []float64 `json:"outliers,omitempty"` // the data beyond the whiskers, ascending
}

// Tukey returns the box of x.
func Tukey(x []float64) (Box, error) {
	if err := check(x); err != nil {
		return Box{}, err
	}
	sorted := slices.Sorted(slices.Values(x))
	at := func(p float64) float64 { return interpolate(sorted, float64(len(sorted)-1)*p) }
	b := Box{Q1: at(0.25), Median: at(0.5), Q3: at(0.75)}
	low, high := b.Q1-1.5*(b.Q3-b.Q1), b.Q3+1.5*(b.Q3-b.Q1)
	first, _ := slices.BinarySearch(sorted, low)
	end := first
	for end < len(sorted) && sorted[end] <= high {
		end++
	}
	b.WhiskerLow, b.WhiskerHigh = sorted[first], sorted[end-1]
	b.Outliers = slices.Concat(sorted[:first], sorted[end:])
	return b, nil
}

// SEM is the standard error of the mean, sd/sqrt(n), with n-ddof under the sd: 1 for the sample (as
// MATLAB and pandas), 0 as numpy's std. It needs 0 <= ddof < n.
func SEM(x []float64, ddof int) (float64, error) {
	if err := check(x); err != nil {
		return 0, err
	}
	if ddof < 0 || ddof >= len(x) {
		return 0, fmt.Errorf("ranktest: ddof %d with %d values", ddof, len(x))
	}
	n := float64(len(x))
	return stat.PopStdDev(x, nil) * math.Sqrt(n/(n-float64(ddof))) / math.Sqrt(n), nil
}

// MedianSE is the standard error that the median has under normal data, sqrt(pi/2) SEM(x, 1) =
// 1.2533 sd/sqrt(n). For other data use a [Bootstrap]. It needs two values.
func MedianSE(x []float64) (float64, error) {
	sem, err := SEM(x, 1)
	return math.Sqrt(math.Pi/2) * sem, err
}

// Bootstrap resamples with replacement (Efron, Ann. Statist. 7 (1979) 1). The standard error of a
// median is stat.StdDev of Medians; an interval is Quantiles of them.
type Bootstrap struct {
	Resamples int    // zero means 1000
	Seed      uint64 // of the PCG generator of math/rand/v2
	// Index, if not nil, replaces the generator: the index in [0, n) of draw k, where k counts from 0
	// over all resamples (resample*n + position).
	Index func(k, n int) int
}

// Medians returns the median of each resample of x; O(n) per resample.
func (b Bootstrap) Medians(x []float64) ([]float64, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	n := len(x)
	return b.each(n, func(count []int) float64 {
		seen, lower := 0, math.NaN()
		for _, i := range order {
			seen += count[i]
			if math.IsNaN(lower) && seen > (n-1)/2 {
				lower = x[i]
			}
			if seen > n/2 {
				return (lower + x[i]) / 2
			}
		}
		return lower
	})
}

// Means returns the mean of each resample of x.
func (b Bootstrap) Means(x []float64) ([]float64, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	return b.each(len(x), func(count []int) float64 {
		sum := 0.0
		for i, c := range count {
			sum += float64(c) * x[i]
		}
		return sum / float64(len(x))
	})
}

// each calls f with how often each of n values was drawn, once per resample.
func (b Bootstrap) each(n int, f func(count []int) float64) ([]float64, error) {
	if b.Resamples == 0 {
		b.Resamples = 1000
	}
	if b.Resamples < 2 {
		return nil, fmt.Errorf("ranktest: bootstrap: %d resamples, need at least 2", b.Resamples)
	}
	if b.Index == nil {
		rng := rand.New(rand.NewPCG(b.Seed, 0))
		b.Index = func(_, n int) int { return rng.IntN(n) }
	}
	values, count := make([]float64, b.Resamples), make([]int, n)
	for i := range values {
		clear(count)
		for k := range n {
			at := b.Index(i*n+k, n)
			if at < 0 || at >= n {
				return nil, fmt.Errorf("ranktest: bootstrap: index %d of %d values", at, n)
			}
			count[at]++
		}
		values[i] = f(count)
	}
	return values, nil
}

// Summary describes one sample by the numbers that panels print side by side.
type Summary struct {
	N              int     `json:"n"`
	Mean           float64 `json:"mean"`
	SD             float64 `json:"sd"`               // n-1 under the root
	SEM            float64 `json:"sem"`              // SD/sqrt(n)
	MedianSE       float64 `json:"median_se"`        // bootstrap
	MedianSENormal float64 `json:"median_se_normal"` // normal theory, see MedianSE
	Min            float64 `json:"min"`
	Max            float64 `json:"max"`
	Box
}

// Describe summarises x, which needs two values; b finds the standard error of the median.
func Describe(x []float64, b Bootstrap) (Summary, error) {
	normal, err := MedianSE(x)
	if err != nil {
		return Summary{}, err
	}
	medians, err := b.Medians(x)
	if err != nil {
		return Summary{}, err
	}
	box, err := Tukey(x)
	if err != nil {
		return Summary{}, err
	}
	mean, sd := stat.MeanStdDev(x, nil)
	return Summary{
		N: len(x), Mean: mean, SD: sd, SEM: stat.StdErr(sd, float64(len(x))),
		MedianSE: stat.StdDev(medians, nil), MedianSENormal: normal,
		Min: slices.Min(x), Max: slices.Max(x), Box: box,
	}, nil
}

// Wilson is the score interval of a proportion, successes of n trials (Wilson, JASA 22 (1927) 209),
// without continuity. The confidence is in (0, 1); zero means 0.95.
func Wilson(successes, n int, confidence float64) (low, high float64, err error) {
	if confidence == 0 {
		confidence = 0.95
	}
	switch {
	case n <= 0:
		return 0, 0, ErrEmpty
	case successes < 0 || successes > n:
		return 0, 0, fmt.Errorf("ranktest: %d successes of %d trials", successes, n)
	case !(confidence > 0 && confidence < 1):
		return 0, 0, fmt.Errorf("ranktest: confidence %v is outside (0, 1)", confidence)
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	p, m := float64(successes)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	low, high = max(0, centre-half), min(1, centre+half)
	if successes == 0 {
		low = 0
	}
	if successes == n {
		high = 1
	}
	return low, high, nil
}

// Density is the Gaussian kernel density of x at the points of grid; it integrates to 1 over the
// line. The bandwidth is factor times the sample's sd; a zero factor means [Scott], the default of
// scipy.stats.gaussian_kde. A constant x is refused with [ErrConstant]. It takes
// O(len(x) len(grid)).
func Density(x, grid []float64, factor float64) ([]float64, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	if factor == 0 {
		factor = Scott(len(x))
	}
	if !(factor > 0) || math.IsInf(factor, 0) {
		return nil, fmt.Errorf("ranktest: density: factor %v is not positive and finite", factor)
	}
	if slices.Min(x) == slices.Max(x) {
		return nil, ErrConstant
	}
	h := factor * stat.StdDev(x, nil)
	scale := 1 / (float64(len(x)) * h * math.Sqrt(2*math.Pi))
	density := make([]float64, len(grid))
	for i, at := range grid {
		if math.IsNaN(at) {
			return nil, fmt.Errorf("%w: grid point %d is %v", ErrNotFinite, i, at)
		}
		sum := 0.0
		for _, v := range x {
			u := (at - v) / h
			sum += math.Exp(-u * u / 2)
		}
		density[i] = sum * scale
	}
	return density, nil
}

// Scott is the factor n^(-1/5) for [Density] (Multivariate Density Estimation, 1992).
func Scott(n int) float64 { return math.Pow(float64(n), -0.2) }

// Silverman is the factor (3n/4)^(-1/5) for [Density] (Density Estimation, 1986, eq. 4.14).
func Silverman(n int) float64 { return math.Pow(0.75*float64(n), -0.2) }
