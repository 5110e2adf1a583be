// Package ranktest compares two samples by ranks and describes one: the Wilcoxon signed-rank and
// rank-sum (Mann-Whitney) tests, effect sizes, p-values that never underflow as log10, the
// bootstrap, Tukey's box, quantiles, kernel densities and corrections for several tests. Means and
// variances are gonum/stat's; here is what gonum lacks.
//
// [SignedRank] serves paired data (panel C), [RankSum] two independent samples (panel D). The zero
// [Options] follow MATLAB's signrank and ranksum; [SciPy] and [SciPyRankSums] follow Python:
//
//	Program        test         continuity  exact when               statistic
//	MATLAB         signed-rank  no          n <= 15 without zeros    W+
//	MATLAB         rank-sum     0.5         min(n1,n2) < 10, N < 20  W, rank sum of sample 1
//	SciPy          signed-rank  no          n <= 50, no tie or zero  min(W+, W-); one-sided W+
//	SciPy          rank-sum     0.5         min(n1,n2) <= 8, no tie  U of sample 1
//	SciPyRankSums  rank-sum     no          never                    z without tie correction
//
// Sources: Wilcoxon, Biometrics Bulletin 1 (1945) 80; Mann and Whitney, Ann. Math. Stat. 18 (1947)
// 50; Pratt, JASA 54 (1959) 655. SciPy's column is that of scipy 1.12; MATLAB's is the documented
// rule of signrank and ranksum, and has not been run against MATLAB itself. MATLAB also calls two
// differences tied when they agree to rounding; here, as in SciPy, ties are exact equality.
//
// All samples are float64, are never changed, and must be finite ([ErrNotFinite]) and not empty
// ([ErrEmpty]). Everything is safe for concurrent use. Statistical doubts are [Result].Warnings.
package ranktest

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

var (
	// ErrEmpty says that a sample holds no value.
	ErrEmpty = errors.New("ranktest: empty sample")
	// ErrNotFinite says that a sample holds NaN or an infinity.
	ErrNotFinite = errors.New("ranktest: NaN or infinite value")
	// ErrConstant says that all values are equal where some spread is needed.
	ErrConstant = errors.New("ranktest: all values are equal")
)

// Program names the software whose conventions a test follows; see the table of the package.
type Program string

// The programs; the empty string means MATLAB.
const (
	MATLAB        Program = "matlab"
	SciPy         Program = "scipy"          // scipy.stats.wilcoxon and mannwhitneyu
	SciPyRankSums Program = "scipy-ranksums" // scipy.stats.ranksums; signed-rank as SciPy
)

// Alternative is the hypothesis held against "no difference".
type Alternative string

// The alternatives; the empty string means TwoSided.
const (
	TwoSided Alternative = "two-sided"
	Greater  Alternative = "greater" // sample 1 tends to be higher
	Less     Alternative = "less"    // sample 1 tends to be lower
)

// Method is how the p-value is found.
type Method string

// The methods; the empty string means Auto.
const (
	Auto             Method = "auto"              // exact or normal, continuity: the program's rule
	Exact            Method = "exact"             // count arrangements, ties kept as they are
	Normal           Method = "normal"            // normal approximation without continuity
	NormalContinuity Method = "normal-continuity" // statistic drawn 0.5 towards its mean
)

// Zeros is what a signed-rank test does with differences of exactly zero.
type Zeros string

// The rules for zeros; the empty string means Wilcox.
const (
	Wilcox Zeros = "wilcox" // drop them, then rank
	Pratt  Zeros = "pratt"  // rank them, then drop their ranks
	Split  Zeros = "zsplit" // rank them, give half of their ranks to each sign
)

// Options choose a variant of a test. The zero value is MATLAB's two-sided default.
type Options struct {
	Program     Program     // zero means MATLAB
	Alternative Alternative // zero means TwoSided
	Method      Method      // zero means Auto
	Zeros       Zeros       // zero means Wilcox; only signed-rank reads it
}

// fill replaces empty names by their defaults and refuses unknown ones.
func (o *Options) fill() error {
	return errors.Join(
		choose("program", &o.Program, MATLAB, SciPy, SciPyRankSums),
		choose("alternative", &o.Alternative, TwoSided, Greater, Less),
		choose("method", &o.Method, Auto, Exact, Normal, NormalContinuity),
		choose("rule for zeros", &o.Zeros, Wilcox, Pratt, Split),
	)
}

func choose[T ~string](what string, name *T, known ...T) error {
	if *name == "" {
		*name = known[0]
	}
	if !slices.Contains(known, *name) {
		return fmt.Errorf("ranktest: unknown %s %q, known are %q", what, *name, known)
	}
	return nil
}

// Warning is a statistical doubt about a result; it begins with "ties:", "zeros:", "small n:" or
// "constant:". It is an error by type, for callers that collect errors, and a string in JSON.
type Warning string

// Error returns the text of the warning.
func (w Warning) Error() string { return string(w) }

// Result is the outcome of a test. All numbers are finite, so that it always marshals to JSON.
type Result struct {
	Name        string      `json:"name"`        // the test's name
	Program     Program     `json:"program"`     // whose conventions were followed
	Alternative Alternative `json:"alternative"` // side of P
	Method      Method      `json:"method"`      // Exact, Normal or NormalContinuity; never Auto
	N           int         `json:"n"`           // pairs (zeros included), or values of both samples
	N1          int         `json:"n1,omitempty"`
	N2          int         `json:"n2,omitempty"` // N1, N2: sizes of the samples, rank-sum only

	Statistic float64 `json:"statistic"` // as the program prints it
	// Z is the standardised statistic, negative where sample 1 is lower, tie-corrected but for
	// SciPyRankSums. Beside an exact p it has the continuity correction that Auto would use.
	Z      float64 `json:"z"`
	P      float64 `json:"p"`       // in [0, 1]; underflows to 0 beyond |Z| of about 38
	Log10P float64 `json:"log10_p"` // at most 0; right where P underflows

	EffectSize   float64 `json:"effect_size"`   // r = Z/sqrt(N), Rosenthal's
	RankBiserial float64 `json:"rank_biserial"` // in [-1, 1]: 2 AUC - 1
	// AUC is in [0, 1]. Rank-sum: the chance that a value of sample 1 exceeds one of sample 2, ties
	// counting half. Signed-rank: the positive share of the rank sum of the non-zero differences.
	AUC float64 `json:"auc"`
	// RankSum1 and RankSum2 are the rank sums of sample 1 and 2, or W+ and W- of the signed-rank
	// test. The Mann-Whitney U of sample 1 is RankSum1 - N1(N1+1)/2.
	RankSum1 float64 `json:"rank_sum_1"`
	RankSum2 float64 `json:"rank_sum_2"`
	TieTerm  float64 `json:"tie_term"` // sum of t^3 - t over groups of t tied values, zeros excepted
	Zeros    int     `json:"zeros"`    // signed-rank: differences of exactly zero

	Warnings []Warning `json:"warnings,omitempty"`
}

func (r *Result) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, Warning(fmt.Sprintf(format, args...)))
}

// normal is the approximate null distribution of a rank statistic.
type normal struct{ mean, variance float64 }

// z standardises w. The continuity correction goes towards the mean, or away from the alternative.
func (d normal) z(w float64, side Alternative, continuity bool) float64 {
	if d.variance <= 0 {
		return 0
	}
	shift := w - d.mean
	if continuity {
		switch {
		case side == Greater || side == TwoSided && shift > 0:
			shift -= 0.5
		case side == Less || side == TwoSided && shift < 0:
			shift += 0.5
		}
	}
	return shift / math.Sqrt(d.variance)
}

// conclude fills P and Log10P from the normal tail of r.Z, or from the exact tails where given.
func (r *Result) conclude(exact *tails) {
	switch {
	case exact != nil:
		r.P = exact.p(r.Alternative)
		r.Log10P = math.Log10(r.P)
	case r.Alternative == TwoSided:
		r.P = min(1, math.Erfc(math.Abs(r.Z)/math.Sqrt2))
		r.Log10P = min(0, math.Log10(2)+Log10Tail(math.Abs(r.Z)))
	case r.Alternative == Greater:
		r.P, r.Log10P = NormalTail(r.Z), Log10Tail(r.Z)
	default:
		r.P, r.Log10P = NormalTail(-r.Z), Log10Tail(-r.Z)
	}
	r.EffectSize = r.Z / math.Sqrt(float64(r.N))
}

// check refuses empty and non-finite samples.
func check(samples ...[]float64) error {
	for _, x := range samples {
		if len(x) == 0 {
			return ErrEmpty
		}
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: value %d is %v", ErrNotFinite, i, v)
			}
		}
	}
	return nil
}
