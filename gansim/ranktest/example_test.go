package ranktest_test

import (
	"encoding/json"
	"fmt"
	"log"
	"math"

	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/ranktest"
)

// Sample 1 is lower, so z is negative.
func ExampleRankSum() {
	x, y := []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}
	r, err := ranktest.RankSum(x, y, ranktest.Options{Method: ranktest.Normal})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("W = %g, z = %.5f, p = %.4f, r = %.3f, AUC = %g\n",
		r.Statistic, r.Z, r.P, r.EffectSize, r.AUC)
	exact, _ := ranktest.RankSum(x, y, ranktest.Options{})
	fmt.Printf("%s: p = %.5f\n", exact.Method, exact.P)
	// Output:
	// W = 15, z = -2.61116, p = 0.0090, r = -0.826, AUC = 0
	// exact: p = 0.00794
}

// One generator wins all 101 pairs.
func ExampleSignedRank() {
	x, y := make([]float64, 101), make([]float64, 101)
	for i := range x {
		x[i] = float64(i + 1)
	}
	r, err := ranktest.SignedRank(x, y, ranktest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("W+ = %g, z = %.5f, log10 p = %.3f\n", r.Statistic, r.Z, r.Log10P)
	// Output: W+ = 5151, z = 8.72486, log10 p = -17.574
}

func ExampleResult() {
	r, err := ranktest.SignedRank([]float64{3, 1, 4, 1, 5}, []float64{2, 1, 2, 4, 1},
		ranktest.Options{Program: ranktest.SciPy, Method: ranktest.Exact})
	if err != nil {
		log.Fatal(err)
	}
	r.Z, r.EffectSize = math.Round(r.Z*1e6)/1e6, math.Round(r.EffectSize*1e6)/1e6
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "name": "Wilcoxon signed-rank test",
	//   "program": "scipy",
	//   "alternative": "two-sided",
	//   "method": "exact",
	//   "n": 5,
	//   "statistic": 3,
	//   "z": 0.730297,
	//   "p": 0.625,
	//   "log10_p": -0.2041199826559248,
	//   "effect_size": 0.326599,
	//   "rank_biserial": 0.4,
	//   "auc": 0.7,
	//   "rank_sum_1": 7,
	//   "rank_sum_2": 3,
	//   "tie_term": 0,
	//   "zeros": 1,
	//   "warnings": [
	//     "zeros: 1 of 5 differences are zero",
	//     "small n: 4 non-zero differences cannot reach p = 0.05 on two sides"
	//   ]
	// }
}

// A tail far beyond the smallest float64.
func ExampleLog10Tail() {
	fmt.Printf("%.6g %.9g %.9g\n", ranktest.Log10Tail(1.96), ranktest.Log10Tail(40),
		ranktest.Log10Tail(1e4))
	// Output: -1.6021 -349.437006 -21714728.5
}

func ExampleBootstrap() {
	x := []float64{0.82, 0.91, 0.88, 0.95, 0.79, 0.9, 0.87, 0.93, 0.85, 0.89, 0.92}
	medians, err := ranktest.Bootstrap{Seed: 1, Resamples: 5000}.Medians(x)
	if err != nil {
		log.Fatal(err)
	}
	q, _ := ranktest.Quantiles(medians, 0.025, 0.5, 0.975)
	fmt.Printf("%.2f +- %.2f, 95%% %.2f\n", q[1], stat.StdDev(medians, nil), q)
	// Output: 0.89 +- 0.02, 95% [0.85 0.89 0.92]
}

func ExampleTukey() {
	b, err := ranktest.Tukey([]float64{-9, 0, 1, 2, 3, 4, 20})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Q1, b.Median, b.Q3, b.WhiskerLow, b.WhiskerHigh, b.Outliers)
	// Output: 0.5 2 3.5 0 4 [-9 20]
}

func ExampleDescribe() {
	s, err := ranktest.Describe([]float64{2, 4, 4, 4, 5, 5, 7, 9}, ranktest.Bootstrap{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("n = %d, mean %.1f +- %.3f, median %.1f\n", s.N, s.Mean, s.SEM, s.Median)
	// Output: n = 8, mean 5.0 +- 0.756, median 4.5
}

func ExampleWilson() {
	low, high, err := ranktest.Wilson(81, 263, 0.95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f to %.4f\n", low, high)
	// Output: 0.2553 to 0.3662
}
