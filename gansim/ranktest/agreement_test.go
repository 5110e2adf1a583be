package ranktest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

func TestSignedRankOracle(t *testing.T) {
	o := openOracle(t)
	for _, s := range o.SignedRank {
		x, y := o.pair(t, s.Label)
		for _, c := range s.Cases {
			t.Run(s.Label+" "+c.String(), func(t *testing.T) {
				if c.Error != "" {
					t.Skip("the reference refuses: ", c.Error)
				}
				r, err := SignedRank(x, y, c.options())
				if err != nil {
					t.Fatal(err)
				}
				near(t, "statistic", r.Statistic, float64(c.Statistic))
				if math.IsNaN(float64(c.P)) { // no difference: scipy has no answer, we say 1
					nearP(t, "p without differences", r.P, 1)
					return
				}
				nearP(t, "p", r.P, float64(c.P))
				if c.ZeroMethod == Wilcox && c.Alternative == TwoSided {
					near(t, "W+", r.RankSum1, float64(s.RPlus))
					near(t, "W-", r.RankSum2, float64(s.RMinus))
					near(t, "rank biserial", r.RankBiserial, float64(s.RankBiserial))
					near(t, "zeros", float64(r.Zeros), float64(s.Zeros))
				}
				if c.Log10P != nil {
					near(t, "log10 p", r.Log10P, float64(*c.Log10P))
					near(t, "|z|", math.Abs(r.Z), math.Abs(float64(c.Z)))
					near(t, "signed z", r.Z, float64(c.ZSigned))
					near(t, "r", r.EffectSize, float64(c.R))
					if kept := float64(r.N - r.Zeros); kept > 0 {
						near(t, "r of non-zero", r.Z/math.Sqrt(kept), float64(c.RNonzero))
					}
				} else if c.Method != "exact" {
					near(t, "z", r.Z, float64(c.Z))
				}
			})
		}
	}
}

func TestRankSumOracle(t *testing.T) {
	o := openOracle(t)
	for _, s := range o.RankSum {
		x, y := o.pair(t, s.Label)
		for _, c := range s.Cases {
			t.Run(s.Label+" "+c.String(), func(t *testing.T) {
				r, err := RankSum(x, y, c.options())
				if err != nil {
					t.Fatal(err)
				}
				near(t, "U", r.Statistic, float64(c.U))
				nearP(t, "p", r.P, float64(c.P))
			})
		}
		t.Run(s.Label, func(t *testing.T) {
			plain, err := RankSum(x, y, Options{Program: SciPyRankSums})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "ranksums z", plain.Statistic, float64(s.RankSums.Z))
			nearP(t, "ranksums p", plain.P, float64(s.RankSums.P))
			near(t, "ranksums log10 p", plain.Log10P, float64(s.RankSums.Log10P))
			near(t, "ranksums r", plain.EffectSize, float64(s.RankSums.R))
			r, _ := RankSum(x, y, Options{Method: Normal})
			near(t, "W", r.Statistic, float64(s.W))
			near(t, "U", r.RankSum1-float64(r.N1*(r.N1+1))/2, float64(s.U))
			near(t, "tie term", r.TieTerm, float64(s.TieTerm))
			near(t, "z", r.Z, float64(s.Z))
			near(t, "log10 p", r.Log10P, float64(s.Log10P))
			near(t, "r", r.EffectSize, float64(s.R))
			near(t, "rank biserial", r.RankBiserial, float64(s.RankBiserial))
			near(t, "AUC", r.AUC, float64(s.CommonLanguage))
			r, _ = RankSum(x, y, Options{Method: NormalContinuity})
			near(t, "z with continuity", r.Z, float64(s.ZContinuity))
			near(t, "log10 p with continuity", r.Log10P, float64(s.Log10PCont))
		})
	}
}

func TestSummaryOracle(t *testing.T) {
	o := openOracle(t)
	for name, s := range o.Summary {
		t.Run(name, func(t *testing.T) {
			x := o.sample(t, name)
			d, err := Describe(x, Bootstrap{Resamples: 2})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "mean", d.Mean, float64(s.Mean))
			near(t, "sd", d.SD, float64(s.SD))
			near(t, "sem", d.SEM, float64(s.SEM))
			sem0, _ := SEM(x, 0)
			near(t, "sd, ddof 0", sem0*math.Sqrt(float64(s.N)), float64(s.SD0))
			near(t, "median", d.Median, float64(s.Median))
			near(t, "q1", d.Q1, float64(s.Q1))
			near(t, "q3", d.Q3, float64(s.Q3))
			near(t, "iqr", d.Q3-d.Q1, float64(s.IQR))
			near(t, "min", d.Min, float64(s.Min))
			near(t, "max", d.Max, float64(s.Max))
			near(t, "normal se", d.MedianSENormal, float64(s.SENormal))
			root := math.Sqrt(float64(s.N))
			near(t, "notch", 1.57*(d.Q3-d.Q1)/root, float64(s.SENotch))
			f, _ := Density(x, []float64{d.Median}, 0)
			near(t, "density se", 1/(2*root*f[0]), float64(s.SEDensity))
			away := make([]float64, len(x))
			for i, v := range x {
				away[i] = math.Abs(v - d.Median)
			}
			mad, _ := Quantiles(away, 0.5)
			near(t, "mad", mad[0], float64(s.MAD))
			p := make([]float64, len(s.Percentiles.Q))
			floats.ScaleTo(p, 0.01, s.Percentiles.Q)
			q, err := Quantiles(x, p...)
			if err != nil {
				t.Fatal(err)
			}
			nearAll(t, "percentile", q, s.Percentiles.Linear)
		})
	}
}

func TestDensityOracle(t *testing.T) {
	o := openOracle(t)
	for label, k := range o.KDE {
		t.Run(label, func(t *testing.T) {
			name, rule, _ := strings.Cut(label, "/")
			x, factor := o.sample(t, name), k.Factor
			near(t, "bandwidth", factor*stat.StdDev(x, nil), float64(k.BandwidthSD))
			if rule == "scott" {
				factor = 0
			}
			got, err := Density(x, k.Grid, factor)
			if err != nil {
				t.Fatal(err)
			}
			nearAll(t, "density", got, k.Density)
		})
	}
}

func TestBootstrapOracle(t *testing.T) {
	o := openOracle(t)
	for name, c := range o.Bootstrap {
		x := o.sample(t, name)
		b := Bootstrap{Resamples: c.B, Index: func(k, n int) int {
			return int((o.u("boot/"+name, k) + 1) * 0.5 * float64(n))
		}}
		for k, want := range c.FirstIndices {
			near(t, "index", float64(b.Index(k, len(x))), float64(want))
		}
		compare := func(what string, got []float64, err error, of float64, want resampled) {
			t.Run(name+" "+what, func(t *testing.T) {
				if err != nil {
					t.Fatal(err)
				}
				nearAll(t, "first", got, want.First5)
				mean, sd := stat.MeanStdDev(got, nil)
				near(t, "mean", mean, float64(want.Mean))
				near(t, "se", sd, float64(want.SE))
				q, _ := Quantiles(got, 0.025, 0.975)
				nearAll(t, "interval", q, want.CI95)
				nearAll(t, "basic interval", []float64{2*of - q[1], 2*of - q[0]}, want.CIBasic)
			})
		}
		medians, err := b.Medians(x)
		median, _ := Quantiles(x, 0.5)
		compare("median", medians, err, median[0], c.Median)
		means, err := b.Means(x)
		compare("mean", means, err, stat.Mean(x, nil), c.Mean)
	}
}

func TestPearsonOracle(t *testing.T) {
	o := openOracle(t)
	for label, c := range o.Pearson {
		x, y := o.pair(t, strings.TrimPrefix(label, "spearman "))
		want := c.R
		if want == nil { // Spearman's rho is Pearson's r of the midranks
			x, _ = midranks(x)
			y, _ = midranks(y)
			want = c.Rho
		}
		r, err := Pearson(x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, label, r, float64(*want))
	}
}

func TestPearsonImagesOracle(t *testing.T) {
	o := openOracle(t)
	p := o.PearsonImages
	other := strings.TrimSuffix(strings.TrimPrefix(p.B, "(3*a + "), ")//4")
	for n := range p.N {
		a, b := o.picture(p.A, n, p.H, p.W), o.picture(other, n, p.H, p.W)
		for i := range b {
			b[i] = math.Floor((3*a[i] + b[i]) / 4)
		}
		r, err := Pearson(a, b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprint("image ", n), r, p.AllChannels[n])
		if n > 0 {
			continue
		}
		for c, want := range p.PerChannel {
			var x, y []float64
			for i := c; i < len(a); i += 3 {
				x, y = append(x, a[i]), append(y, b[i])
			}
			r, _ := Pearson(x, y)
			near(t, fmt.Sprint("channel ", c), r, want)
		}
	}
}

func TestNormalTailOracle(t *testing.T) {
	for _, c := range openOracle(t).NormalTails {
		near(t, fmt.Sprint("log10 tail of ", c.Z), Log10Tail(c.Z), float64(c.Log10))
		r := Result{N: 1, Alternative: Greater, Z: c.Z}
		r.conclude(nil)
		nearP(t, fmt.Sprint("tail of ", c.Z), r.P, float64(c.SF))
	}
}
