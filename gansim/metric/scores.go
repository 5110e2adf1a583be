package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// KID returns the kernel inception distance (Bińkowski et al. 2018): the unbiased estimate of the
// squared maximum mean discrepancy under the kernel (x·y/Dim + 1)³, over all rows of both sets, at
// least two each. It has no bias in n and may come out negative. Work grows with the square of the
// rows: pass some thousand. torch-fidelity averages over random subsets of 1000 rows instead.
func KID(a, b Features) (float64, error) {
	for _, f := range []Features{a, b} {
		if err := f.check(0); err != nil {
			return 0, err
		}
		if f.N < 2 {
			return 0, fmt.Errorf("metric: %d images, want at least 2 for KID", f.N)
		}
	}
	if a.Dim != b.Dim {
		return 0, fmt.Errorf("metric: sets have %d and %d features", a.Dim, b.Dim)
	}
	n, m := float64(a.N), float64(b.N)
	within := kernelSum(a, a, true)/(n*(n-1)) + kernelSum(b, b, true)/(m*(m-1))
	return within - 2*kernelSum(a, b, false)/(n*m), nil
}

// kernelSum sums the cubic kernel over all pairs of rows, without i = j where asked.
func kernelSum(a, b Features, offDiagonal bool) float64 {
	var sum float64
	products(a, b, func(i, j int, dot float64) {
		if v := dot/float64(a.Dim) + 1; !offDiagonal || i != j {
			sum += v * v * v
		}
	})
	return sum
}

// products calls fn with the product of each row of a with each of b, block by block.
func products(a, b Features, fn func(i, j int, dot float64)) {
	for i := 0; i < a.N; i += blockRows {
		x := widen(a, i)
		for j := 0; j < b.N; j += blockRows {
			var dots mat.Dense
			dots.Mul(x, widen(b, j).T())
			for r := range dots.RawMatrix().Rows {
				for c, dot := range dots.RawRowView(r) {
					fn(i+r, j+c, dot)
				}
			}
		}
	}
}

// widen returns up to blockRows rows from from on as float64.
func widen(f Features, from int) *mat.Dense {
	rows := min(blockRows, f.N-from)
	x := mat.NewDense(rows, f.Dim, nil)
	for i, v := range f.X[from*f.Dim : (from+rows)*f.Dim] {
		x.RawMatrix().Data[i] = float64(v)
	}
	return x
}

// InceptionScore returns the mean and the standard deviation over splits of
// exp(mean KL(p(y|x) || p(y))) (Salimans et al. 2016), from logits [N, classes] before the softmax.
// Splits are chunks in the given order, rows i·N/splits to (i+1)·N/splits, as in torch-fidelity
// without shuffling; zero means 10. The deviation divides by splits; pytorch-gan-metrics and
// the published tables divide by splits-1.
func InceptionScore(logits Features, splits int) (mean, std float64, err error) {
	if splits == 0 {
		splits = 10
	}
	if err := logits.check(0); err != nil {
		return 0, 0, err
	}
	if splits < 0 || logits.N < splits {
		return 0, 0, fmt.Errorf("metric: %d images in %d splits", logits.N, splits)
	}
	scores := make([]float64, splits)
	for i := range scores {
		scores[i] = inceptionScore(logits, i*logits.N/splits, (i+1)*logits.N/splits)
	}
	mean, variance := stat.PopMeanVariance(scores, nil)
	return mean, math.Sqrt(variance), nil
}

// inceptionScore is exp of the entropy of the mean prediction less the mean entropy.
func inceptionScore(logits Features, from, to int) float64 {
	n := float64(to - from)
	marginal, row := make([]float64, logits.Dim), make([]float64, logits.Dim)
	var kl float64
	for i := from; i < to; i++ {
		for j, v := range logits.At(i) {
			row[j] = float64(v)
		}
		norm := floats.LogSumExp(row)
		for j, v := range row {
			p := math.Exp(v - norm)
			marginal[j] += p / n
			kl += p * (v - norm) / n
		}
	}
	for _, p := range marginal {
		if p > 0 {
			kl -= p * math.Log(p)
		}
	}
	return math.Exp(kl)
}
