package ranktest

import "math"

// NormalTail is P(Z > z) for a standard normal Z, right to about 1e-15 relative until it underflows
// near z = 38. (gonum's UnitNormal.Survival takes 1 - CDF and loses digits from z = 2 on.)
func NormalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// Log10Tail is log10 of P(Z > z) for a standard normal Z. It does not underflow: below z = 30 it
// takes erfc, above it the asymptotic expansion of the tail,
//
//	P(Z > z) = exp(-z^2/2) / (z sqrt(2 pi)) (1 - 1/z^2 + 3/z^4 - 15/z^6 + ...)
//
// (Abramowitz and Stegun, 1964, 26.2.12), whose eighth term is below 1e-17 there. It is right to
// about 1e-15 relative for z up to 1e100; of NaN it is NaN.
func Log10Tail(z float64) float64 {
	switch {
	case z < 0:
		return math.Log1p(-math.Erfc(-z/math.Sqrt2)/2) / math.Ln10
	case z < 30:
		return math.Log10(math.Erfc(z/math.Sqrt2) / 2)
	}
	sum, term := 0.0, 1.0
	for k := 1.0; k <= 7; k++ {
		term *= -(2*k - 1) / (z * z)
		sum += term
	}
	return (-z*z/2 - math.Log(z*math.Sqrt(2*math.Pi)) + math.Log1p(sum)) / math.Ln10
}

// tails are P(W <= w) and P(W >= w) of a discrete statistic; both hold P(W = w).
type tails struct{ atMost, atLeast float64 }

// p doubles the smaller tail for two sides, as MATLAB and SciPy do.
func (t tails) p(side Alternative) float64 {
	switch side {
	case Greater:
		return t.atLeast
	case Less:
		return t.atMost
	}
	return min(1, 2*min(t.atMost, t.atLeast))
}

// exactSteps bounds the additions for an exact distribution, about a second on one core. Within it
// all counts stay below 1e308.
const exactSteps = 1_000_000_000

// signedExactFits reports whether the exact distribution of n signed ranks can be counted; 2^n is
// then finite too.
func signedExactFits(n int) bool { return n < 1000 }

// rankSumExactFits does so for m of n ranks; sums of doubled ranks go up to 2mn.
func rankSumExactFits(n, m int) bool {
	return float64(n)*float64(m)*float64(m)*2*float64(n) <= exactSteps
}

// signedTails counts the 2^n choices of signs over their positive rank sum: the shift algorithm of
// Streitberg and Roehmel, Statistical Software Newsletter 12 (1986) 10. Ranks are doubled to be
// whole, so midranks (ties) are counted as they are. Sums of counts lose no digits: nothing is
// subtracted.
func signedTails(ranks []float64, w float64) tails {
	total := 0
	for _, r := range ranks {
		total += int(2 * r)
	}
	count := make([]float64, total+1) // [sum of doubled ranks]
	count[0] = 1
	top := 0
	for _, r := range ranks {
		step := int(2 * r)
		top += step
		for s := top; s >= step; s-- {
			count[s] += count[s-step]
		}
	}
	return tailsOf(count, int(2*w))
}

// rankSumTails counts the choices of m of the ranks over their sum, by the same algorithm in two
// dimensions.
func rankSumTails(ranks []float64, m int, w float64) tails {
	width := 2*m*len(ranks) + 1
	count := make([][]float64, m+1) // [chosen][sum of doubled ranks]
	for j := range count {
		count[j] = make([]float64, width)
	}
	count[0][0] = 1
	for i, r := range ranks {
		step := int(2 * r)
		for j := min(m, i+1); j >= 1; j-- {
			from, to := count[j-1][:width-step], count[j][step:]
			for s, c := range from {
				to[s] += c
			}
		}
	}
	return tailsOf(count[m], int(2*w))
}

func tailsOf(count []float64, w int) tails {
	below, at, above := 0.0, count[w], 0.0
	for s, c := range count {
		switch {
		case s < w:
			below += c
		case s > w:
			above += c
		}
	}
	total := below + at + above
	return tails{atMost: (below + at) / total, atLeast: (at + above) / total}
}
