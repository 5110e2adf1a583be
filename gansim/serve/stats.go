package serve

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/ranktest"
)

// test compares two Samples by ranks: Method "signed-rank" for pairs, or "rank-sum". Names label
// them. The answer says it in one sentence and in a table.
func test(c *call) (a wire.Answer, err error) {
	if len(c.Samples) != 2 {
		return a, fmt.Errorf("a test compares 2 samples, got %d", len(c.Samples))
	}
	run, unit := ranktest.RankSum, "values"
	switch c.Method {
	case "", "rank-sum":
	case "signed-rank":
		run, unit = ranktest.SignedRank, "pairs"
	default:
		return a, fmt.Errorf("no test %q, known are signed-rank and rank-sum", c.Method)
	}
	x, y := c.Samples[0], c.Samples[1]
	r, err := run(x, y, ranktest.Options{})
	if err != nil {
		return a, err
	}
	names := label(c.Names, 2)
	var medians [2]float64
	for i, s := range c.Samples {
		q, err := ranktest.Quantiles(s, .5)
		if err != nil {
			return a, err
		}
		medians[i] = q[0]
	}
	t := wire.Test{Name: r.Name, N: r.N, Statistic: r.Statistic, Z: r.Z, P: r.P, Log10P: r.Log10P,
		Effect: r.EffectSize}
	t.Sentence = fmt.Sprintf("%s (median %s) %s %s (median %s): %s, n = %d %s, z = %.2f, %s, "+
		"effect size r = %.2f.", names[0], short(medians[0]), verdict(r.P, r.Z), names[1],
		short(medians[1]), r.Name, r.N, unit, r.Z, chance(r.P, r.Log10P), r.EffectSize)
	a.Test = &t
	a.Markdown = fmt.Sprintf("| test | n | statistic | z | P | effect size r |\n"+
		"|---|--:|--:|--:|--:|--:|\n"+
		"| %s | %d | %s | %.3f | %s | %.3f |\n", r.Name, r.N, short(r.Statistic), r.Z,
		strings.TrimPrefix(strings.TrimPrefix(chance(r.P, r.Log10P), "P = "), "P "), r.EffectSize)
	for _, w := range r.Warnings {
		a.Notes = append(a.Notes, string(w))
	}
	return a, nil
}

// significant is the level below which the sentence speaks of a difference.
const significant = .05

func verdict(p, z float64) string {
	switch {
	case p >= significant:
		return "does not differ measurably from"
	case z > 0:
		return "is higher than"
	}
	return "is lower than"
}

// chance prints a P value, also one that is too small for a float64.
func chance(p, log10 float64) string {
	switch {
	case p == 0:
		return fmt.Sprintf("P = 10^%.1f", log10)
	case p < 1e-3:
		return fmt.Sprintf("P = %.1e", p)
	}
	return fmt.Sprintf("P = %.3f", p)
}

func short(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e7 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// label gives n names, letters where there are none.
func label(names []string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('a' + i%26))
		if i < len(names) && names[i] != "" {
			out[i] = names[i]
		}
	}
	return out
}

// describe tabulates the Samples: Values hold n, mean, its standard error, median, the median's
// bootstrap error and the quartiles of each.
func describe(c *call) (a wire.Answer, err error) {
	if len(c.Samples) == 0 {
		return a, errors.New("no samples to describe")
	}
	var b strings.Builder
	b.WriteString("| sample | n | mean | SEM | median | SE | quartiles |\n" +
		"|---|--:|--:|--:|--:|--:|--:|\n")
	for i, name := range label(c.Names, len(c.Samples)) {
		x := c.Samples[i]
		q, err := ranktest.Quantiles(x, .25, .5, .75)
		if err != nil {
			return a, fmt.Errorf("%s: %w", name, err)
		}
		mean, sem, se := 0.0, math.NaN(), math.NaN()
		for _, v := range x {
			mean += v / float64(len(x))
		}
		if len(x) > 1 {
			d, err := ranktest.Describe(x, ranktest.Bootstrap{Seed: c.Seed})
			if err != nil {
				return a, fmt.Errorf("%s: %w", name, err)
			}
			se = d.MedianSE
			if sem, err = ranktest.SEM(x, 1); err != nil {
				return a, fmt.Errorf("%s: %w", name, err)
			}
		}
		row := []float64{float64(len(x)), mean, finite(sem), q[1], finite(se), q[0], q[2]}
		a.Values, a.Names = append(a.Values, row), append(a.Names, name)
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s – %s |\n", name, len(x), short(mean),
			short(row[2]), short(q[1]), short(row[4]), short(q[0]), short(q[2]))
	}
	a.Markdown = b.String()
	return a, nil
}

// finite is 0 for what JSON cannot hold.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
