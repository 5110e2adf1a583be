package ranktest

import (
	"cmp"
	"fmt"
	"slices"
)

// Correction adjusts the p-values of several tests so that each may be held against the level that
// all tests together should keep.
type Correction string

// The corrections; the empty string means Bonferroni.
const (
	Bonferroni Correction = "bonferroni"
	Holm       Correction = "holm" // Scand. J. Statist. 6 (1979) 65
	// BenjaminiHochberg keeps the share of false discoveries (J. R. Statist. Soc. B 57 (1995) 289).
	BenjaminiHochberg Correction = "bh"
)

// Adjust returns the adjusted p-values in the order of p.
func Adjust(p []float64, c Correction) ([]float64, error) {
	if err := choose("correction", &c, Bonferroni, Holm, BenjaminiHochberg); err != nil {
		return nil, err
	}
	order := make([]int, len(p))
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("ranktest: p-value %d is %v", i, v)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	n := len(p)
	adjusted := make([]float64, n)
	switch c {
	case Bonferroni:
		for i, v := range p {
			adjusted[i] = min(1, float64(n)*v)
		}
	case Holm:
		last := 0.0
		for rank, i := range order {
			last = max(last, min(1, float64(n-rank)*p[i]))
			adjusted[i] = last
		}
	case BenjaminiHochberg:
		last := 1.0
		for rank, i := range slices.Backward(order) {
			last = min(last, float64(n)/float64(rank+1)*p[i])
			adjusted[i] = last
		}
	}
	return adjusted, nil
}
