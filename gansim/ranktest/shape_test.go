package ranktest

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// near compares numbers that are not tails of distributions.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= max(1e-12, 1e-9*math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// nearP compares p-values, relatively however small.
func nearP(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestHandWorked has numbers that can be checked with a pencil.
func TestHandWorked(t *testing.T) {
	x := []float64{1, 2, 3, 4, 10}
	first := func(v float64, _ float64, _ error) float64 { return v }
	second := func(_ float64, v float64, _ error) float64 { return v }
	one := func(v float64, _ error) float64 { return v }
	hazen, err := Hazen(x, 0, 0.25, 0.5, 1)
	if err != nil || !slices.Equal(hazen, []float64{1, 1.75, 3, 10}) {
		t.Errorf("Hazen: got %v, %v", hazen, err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"mad", one(MAD(x)), 1},
		{"skewness", first(Shape(x)), 36 / math.Pow(10, 1.5)}, // sums of powers 50, 180, 1394
		{"kurtosis", second(Shape(x)), 278.8/100 - 3},
		{"notch", one(MedianSENotch(x)), 1.57 * 2 / math.Sqrt(5)},
		{"interval", first(MeanInterval(x, 0)), 4 - 2.7764451051977987*math.Sqrt(2.5)},
		{"interval, high", second(MeanInterval(x, 0)), 4 + 2.7764451051977987*math.Sqrt(2.5)},
		{"spearman", one(Spearman(x, []float64{1, 2, 3, 5, 4})), 0.9},
		{"t, one degree of freedom", StudentP(-1, 1), 0.5},
		{"correlation, four pairs", one(CorrelationP(0.5, 4)), 0.5},
		{"correlation of 1", one(CorrelationP(1, 4)), 0},
		{"normal tail", NormalTail(1.959963984540054), 0.025},
		{"scott", Scott(32), 0.5},
		{"silverman", Silverman(4), math.Pow(3, -0.2)},
	} {
		near(t, c.name, c.got, c.want)
	}
}

// TestAdjust has the example of Benjamini and Hochberg's rule and of Holm's in p.adjust of R.
func TestAdjust(t *testing.T) {
	p := []float64{0.04, 0.01, 0.03, 0.6}
	for correction, want := range map[Correction][]float64{
		"":                {0.16, 0.04, 0.12, 1},
		Holm:              {0.09, 0.04, 0.09, 0.6},
		BenjaminiHochberg: {0.16 / 3, 0.04, 0.16 / 3, 0.6},
	} {
		got, err := Adjust(p, correction)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			near(t, fmt.Sprint(correction, " ", i), got[i], want[i])
		}
	}
}
