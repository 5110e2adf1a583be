package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"gansim.example/gansim/ranktest"
)

// described is a sample with its summary, as JSON one object.
type described struct {
	Name string `json:"name"`
	ranktest.Summary
}

// tested is a test with its samples; as JSON it is the test's object with one more member.
type tested struct {
	ranktest.Result
	Samples []described `json:"samples"`
}

// describe summarises samples; a single value has no standard errors.
func describe(samples []sample, seed uint64) ([]described, error) {
	var all []described
	for _, s := range samples {
		summary := ranktest.Summary{N: len(s.values)}
		var err error
		if len(s.values) == 1 {
			v := s.values[0]
			summary.Mean, summary.Min, summary.Max = v, v, v
			summary.Box, err = ranktest.Tukey(s.values)
		} else {
			summary, err = ranktest.Describe(s.values, ranktest.Bootstrap{Seed: seed})
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, described{s.name, summary})
	}
	return all, nil
}

// write prints a sentence, the samples and the doubts.
func (t tested) write(w io.Writer) error {
	if _, err := fmt.Fprintln(w, t.sentence()+"\n"); err != nil {
		return err
	}
	if err := writeSamples(w, t.Samples); err != nil {
		return err
	}
	for _, doubt := range t.Warnings {
		if _, err := fmt.Fprintf(w, "\nnote: %s", doubt); err != nil {
			return err
		}
	}
	if len(t.Warnings) > 0 {
		_, err := fmt.Fprintln(w)
		return err
	}
	return nil
}

// sentence says what was found: the direction is that of the ranks, whatever p.
func (t tested) sentence() string {
	a, b := t.Samples[0], t.Samples[1]
	direction := "ranks level with"
	switch {
	case t.RankBiserial > 0:
		direction = "ranks above"
	case t.RankBiserial < 0:
		direction = "ranks below"
	}
	n := fmt.Sprintf("n = %d pairs", t.N)
	if t.N1 > 0 {
		n = fmt.Sprintf("n = %d + %d", t.N1, t.N2)
	}
	symbol := "W"
	switch {
	case strings.Contains(t.Name, "U test"):
		symbol = "U"
	case t.N1 > 0 && t.Program == ranktest.SciPyRankSums:
		symbol = "statistic"
	}
	return fmt.Sprintf("%s %s %s (medians %s and %s): %s, %s, %s = %s, z = %s,\n"+
		"%s (%s, %s), log10 p = %.4g, effect size r = %s, rank-biserial %s.", a.Name, direction, b.Name,
		short(a.Median), short(b.Median), t.Name, n, symbol, short(t.Statistic), short(t.Z),
		probability(t.P, t.Log10P), t.Alternative, t.Method, t.Log10P, short(t.EffectSize),
		short(t.RankBiserial))
}

// probability prints p, also where a float64 cannot hold it.
func probability(p, log10 float64) string {
	if p > 1e-300 {
		return fmt.Sprintf("p = %.3g", p)
	}
	whole := math.Floor(log10)
	return fmt.Sprintf("p = %.2fe%.0f", math.Pow(10, log10-whole), whole)
}

// short prints a number with five significant digits, whole numbers in full.
func short(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.5g", v)
}

// writeSamples prints one line a sample.
func writeSamples(w io.Writer, samples []described) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "sample\tn\tmedian\tSE\tmean\tSEM\tSD\tmin\tQ1\tQ3\tmax\t")
	for _, s := range samples {
		se, sem, sd := "-", "-", "-"
		if s.N > 1 {
			se, sem, sd = short(s.MedianSE), short(s.SEM), short(s.SD)
		}
		fmt.Fprintln(t, strings.Join([]string{s.Name, fmt.Sprint(s.N), short(s.Median), se,
			short(s.Mean), sem, sd, short(s.Min), short(s.Q1), short(s.Q3), short(s.Max)}, "\t")+"\t")
	}
	return t.Flush()
}
