package ranktest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// SignedRank is the Wilcoxon signed-rank test of the paired samples x and y, of equal length: are
// the differences x - y symmetric about zero? Z is positive where x is higher. If all differences
// are zero, p is 1; but [Split] with a normal method goes on, as SciPy does, and gives one-sided p
// near 0.5. It takes O(n log n), the exact distribution O(n^3), for at most 999 differences.
//
// With midranks r of |x - y|, mean = sum(r)/2 and variance = sum(r^2)/4, which is
// n(n+1)(2n+1)/24 - sum(t^3-t)/48 with t the sizes of the ties (Lehmann, Nonparametrics, 1975,
// section 3.2); W+ and W- are sums of half-integers and exact.
func SignedRank(x, y []float64, opt Options) (Result, error) {
	if err := opt.fill(); err != nil {
		return Result{}, err
	}
	if len(x) != len(y) {
		return Result{}, fmt.Errorf("ranktest: signed-rank: %d values paired with %d",
			len(x), len(y))
	}
	d := make([]float64, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	if err := check(x, y, d); err != nil {
		return Result{}, err
	}
	s := rankSigns(d, opt.Zeros)
	r := s.result(opt)
	exact, err := s.exact(opt, &r)
	if err != nil {
		return Result{}, err
	}
	r.Z = s.null.z(s.plus+s.split, opt.Alternative, r.Method == NormalContinuity)
	r.conclude(exact)
	s.doubts(&r, exact != nil)
	return r, nil
}

// signs are the ranked differences of a signed-rank test.
type signs struct {
	n, zeros    int
	ranks       []float64 // of the non-zero differences
	plus, minus float64   // rank sums of the positive and negative differences
	split       float64   // what each sign gets of the zeros' ranks
	ties        float64   // tie term of the non-zero differences
	null        normal
}

func rankSigns(d []float64, rule Zeros) signs {
	s := signs{n: len(d)}
	size := make([]float64, 0, len(d)) // |d| of what is ranked
	sign := make([]float64, 0, len(d))
	for _, v := range d {
		if v == 0 {
			s.zeros++
			if rule == Wilcox {
				continue
			}
		}
		size, sign = append(size, math.Abs(v)), append(sign, v)
	}
	ranks, ties := midranks(size)
	squares, zeroSum := 0.0, 0.0
	for i, r := range ranks {
		switch v := sign[i]; {
		case v > 0:
			s.plus += r
		case v < 0:
			s.minus += r
		default:
			zeroSum += r
			if rule == Pratt {
				continue
			}
		}
		squares += r * r
		if sign[i] != 0 {
			s.ranks = append(s.ranks, r)
		}
	}
	s.ties = ties
	if rule != Wilcox {
		s.ties -= tieTerm(s.zeros)
	}
	if rule == Split {
		s.split = zeroSum / 2
	}
	s.null = normal{mean: (s.plus+s.minus)/2 + s.split, variance: squares / 4}
	return s
}

// result fills what does not depend on the method.
func (s signs) result(opt Options) Result {
	r := Result{
		Name: "Wilcoxon signed-rank test", Program: opt.Program, Alternative: opt.Alternative,
		Method: opt.Method, N: s.n, Zeros: s.zeros, TieTerm: s.ties,
		RankSum1: s.plus + s.split, RankSum2: s.minus + s.split, AUC: 0.5,
	}
	r.Statistic = r.RankSum1
	if opt.Program != MATLAB && opt.Alternative == TwoSided {
		r.Statistic = min(r.RankSum1, r.RankSum2)
	}
	if total := s.plus + s.minus; total > 0 {
		r.AUC = s.plus / total
		r.RankBiserial = (s.plus - s.minus) / total
	}
	return r
}

// exact settles r.Method and counts the null distribution if that is what the options ask.
func (s signs) exact(opt Options, r *Result) (*tails, error) {
	n := len(s.ranks)
	if opt.Method == Auto {
		r.Method = Normal
		if opt.Program == MATLAB && n <= 15 ||
			opt.Program != MATLAB && n <= 50 && s.zeros == 0 && s.ties == 0 {
			r.Method = Exact
		}
	}
	if r.Method != Exact {
		return nil, nil
	}
	if !signedExactFits(n) {
		return nil, fmt.Errorf("ranktest: signed-rank: %d differences are too many for method %q, "+
			"use %q", n, Exact, Normal)
	}
	t := signedTails(s.ranks, s.plus)
	return &t, nil
}

// doubts adds the warnings. With fewer than 6 differences a two-sided p cannot be below 2/2^5.
func (s signs) doubts(r *Result, exact bool) {
	n := len(s.ranks)
	if n == 0 {
		r.warn("constant: all %d differences are zero", s.n)
		if s.null.variance == 0 {
			r.Z, r.P, r.Log10P, r.EffectSize = 0, 1, 0, 0
		}
		return
	}
	if s.zeros > 0 {
		r.warn("zeros: %d of %d differences are zero", s.zeros, s.n)
	}
	if s.ties > 0 {
		r.warn("ties: differences share ranks, tie term %.0f", s.ties)
	}
	switch {
	case n < 6:
		r.warn("small n: %d non-zero differences cannot reach p = 0.05 on two sides", n)
	case !exact && n <= 15:
		r.warn("small n: normal approximation with %d non-zero differences", n)
	}
}

// RankSum is the Wilcoxon rank-sum (Mann-Whitney) test of the independent samples x and y: does x
// tend to be higher? Z and EffectSize are negative where x is lower. If all values are equal, p is
// 1. It takes O(N log N) with N = n1+n2; the exact distribution takes O(N^2 min(n1, n2)^2) and is
// refused from about 100 and 100 values on.
//
// With W the sum of the midranks of x, mean = n1(N+1)/2 and
// variance = n1 n2/12 ((N+1) - sum(t^3-t)/(N(N-1))) (Lehmann, Nonparametrics, 1975, section 1.4).
func RankSum(x, y []float64, opt Options) (Result, error) {
	if err := opt.fill(); err != nil {
		return Result{}, err
	}
	if err := check(x, y); err != nil {
		return Result{}, err
	}
	n1, n2 := float64(len(x)), float64(len(y))
	ranks, ties := midranks(slices.Concat(x, y))
	r := Result{
		Name: "Wilcoxon rank-sum test", Program: opt.Program, Alternative: opt.Alternative,
		Method: opt.Method, N: len(ranks), N1: len(x), N2: len(y), TieTerm: ties,
	}
	for i, rank := range ranks {
		if i < len(x) {
			r.RankSum1 += rank
		} else {
			r.RankSum2 += rank
		}
	}
	u1, u2 := r.RankSum1-n1*(n1+1)/2, r.RankSum2-n2*(n2+1)/2
	r.AUC, r.RankBiserial = u1/(n1*n2), (u1-u2)/(n1*n2)

	exact, err := rankSumExact(ranks, &r)
	if err != nil {
		return Result{}, err
	}
	continuity := r.Method == NormalContinuity ||
		r.Method == Exact && opt.Program != SciPyRankSums
	null := rankSumNull(n1, n2, ties, opt.Program)
	r.Z = null.z(r.RankSum1, opt.Alternative, continuity)
	switch opt.Program {
	case MATLAB:
		r.Statistic = r.RankSum1
	case SciPy:
		r.Name, r.Statistic = "Mann-Whitney U test", u1
	default:
		r.Statistic = r.Z
	}
	r.conclude(exact)
	rankSumDoubts(ranks, &r, exact != nil)
	return r, nil
}

func rankSumNull(n1, n2, ties float64, program Program) normal {
	n := n1 + n2
	spread := n + 1
	if program != SciPyRankSums {
		spread -= ties / (n * (n - 1))
	}
	return normal{mean: n1 * (n + 1) / 2, variance: n1 * n2 / 12 * spread}
}

// rankSumExact settles r.Method and counts the null distribution if that is what it says.
func rankSumExact(ranks []float64, r *Result) (*tails, error) {
	small, fits := min(r.N1, r.N2), rankSumExactFits(r.N, min(r.N1, r.N2))
	if r.Method == Auto {
		r.Method = NormalContinuity
		switch {
		case r.Program == SciPyRankSums:
			r.Method = Normal
		case r.Program == MATLAB && small < 10 && r.N < 20,
			r.Program == SciPy && small <= 8 && r.TieTerm == 0 && fits:
			r.Method = Exact
		}
	}
	if r.Method != Exact {
		return nil, nil
	}
	if !fits {
		return nil, fmt.Errorf("ranktest: rank-sum: %d and %d values are too many for method %q, "+
			"use %q", r.N1, r.N2, Exact, NormalContinuity)
	}
	if r.N1 <= r.N2 {
		t := rankSumTails(ranks, r.N1, r.RankSum1)
		return &t, nil
	}
	t := rankSumTails(ranks, r.N2, r.RankSum2)
	return &tails{atMost: t.atLeast, atLeast: t.atMost}, nil
}

// rankSumDoubts adds the warnings. With 3 and 3 values a two-sided p cannot be below 2/20.
func rankSumDoubts(ranks []float64, r *Result, exact bool) {
	if slices.Min(ranks) == slices.Max(ranks) {
		r.warn("constant: all %d values are equal", r.N)
		r.Z, r.P, r.Log10P, r.EffectSize = 0, 1, 0, 0
		return
	}
	if r.TieTerm > 0 {
		r.warn("ties: values share ranks, tie term %.0f", r.TieTerm)
	}
	switch small := min(r.N1, r.N2); {
	case small < 4:
		r.warn("small n: samples of %d and %d values", r.N1, r.N2)
	case !exact && small <= 8:
		r.warn("small n: normal approximation with samples of %d and %d values", r.N1, r.N2)
	}
}

// midranks returns the ranks 1..n of x, tied values sharing their mean rank, and the tie term.
func midranks(x []float64) (ranks []float64, ties float64) {
	type item struct {
		value float64
		at    int
	}
	sorted := make([]item, len(x))
	for i, v := range x {
		sorted[i] = item{v, i}
	}
	slices.SortFunc(sorted, func(a, b item) int { return cmp.Compare(a.value, b.value) })
	ranks = make([]float64, len(x))
	for from, to := 0, 0; from < len(sorted); from = to {
		for to = from + 1; to < len(sorted) && sorted[to].value == sorted[from].value; to++ {
		}
		for _, s := range sorted[from:to] {
			ranks[s.at] = float64(from+to+1) / 2
		}
		ties += tieTerm(to - from)
	}
	return ranks, ties
}

// tieTerm is t^3 - t for a group of t tied values.
func tieTerm(t int) float64 {
	return float64(t-1) * float64(t) * float64(t+1)
}
