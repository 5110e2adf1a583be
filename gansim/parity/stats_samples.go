package parity

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/ranktest"
)

// summaryCase describes one sample.
type summaryCase struct {
	N               value
	Mean            value
	SD              value `json:"std_ddof1"`
	SD0             value `json:"std_ddof0"`
	SEM             value
	Median          value
	Q1, Q3, IQR     value
	Min, Max        value
	MAD             value
	Skew            value
	ExcessKurtosis  value `json:"kurtosis_excess"`
	Percentiles     struct{ Q, Linear, Hazen []value }
	MedianSENormal  value   `json:"median_se_normal"`
	MedianSENotch   value   `json:"median_se_iqr_notch"`
	MedianSEDensity value   `json:"median_se_density"`
	Interval        []value `json:"t_ci95_mean"`
}

// summaries compares what describes a sample.
func summaries(r *run, f *statsFile) error {
	for _, name := range sorted(f.Summary) {
		x, err := f.sample(name)
		if err != nil {
			return err
		}
		if err := f.Summary[name].compare(r, name, x); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s summaryCase) compare(r *run, name string, x []float64) error {
	d, err := ranktest.Describe(x, ranktest.Bootstrap{Resamples: 2})
	if err != nil {
		return err
	}
	sem0, err := ranktest.SEM(x, 0)
	if err != nil {
		return err
	}
	skewness, kurtosis, err := ranktest.Shape(x)
	if err != nil {
		return err
	}
	var moments, order table
	for _, v := range []struct {
		to   *table
		name string
		got  float64
		want value
	}{
		{&moments, "n", float64(d.N), s.N}, {&moments, "mean", d.Mean, s.Mean},
		{&moments, "sd", d.SD, s.SD}, {&moments, "sem", d.SEM, s.SEM},
		{&moments, "sd, ddof 0", sem0 * math.Sqrt(float64(d.N)), s.SD0},
		{&moments, "skewness", skewness, s.Skew}, {&moments, "kurtosis", kurtosis, s.ExcessKurtosis},
		{&order, "median", d.Median, s.Median}, {&order, "q1", d.Q1, s.Q1}, {&order, "q3", d.Q3, s.Q3},
		{&order, "iqr", d.Q3 - d.Q1, s.IQR}, {&order, "min", d.Min, s.Min},
		{&order, "max", d.Max, s.Max},
	} {
		v.to.add(v.name, v.got, v.want, statLimit)
	}
	r.table(name+"/moments", moments, statLimit)
	r.table(name+"/order", order, statLimit)
	return s.errors(r, name, x)
}

// errors compares percentiles, standard errors of the median, and the interval of the mean.
func (s summaryCase) errors(r *run, name string, x []float64) error {
	var spread, percentiles table
	for _, v := range []struct {
		name string
		of   func([]float64) (float64, error)
		want value
	}{
		{"mad", ranktest.MAD, s.MAD}, {"normal", ranktest.MedianSE, s.MedianSENormal},
		{"notch", ranktest.MedianSENotch, s.MedianSENotch},
		{"density", ranktest.MedianSEDensity, s.MedianSEDensity},
	} {
		got, err := v.of(x)
		if err != nil {
			return err
		}
		spread.add(v.name, got, v.want, statLimit)
	}
	low, high, err := ranktest.MeanInterval(x, 0.95)
	if err != nil {
		return err
	}
	spread.all("interval", []float64{low, high}, s.Interval, statLimit)
	p := plain(s.Percentiles.Q)
	floats.Scale(0.01, p)
	linear, err := ranktest.Quantiles(x, p...)
	if err != nil {
		return err
	}
	hazen, err := ranktest.Hazen(x, p...)
	if err != nil {
		return err
	}
	percentiles.all("linear", linear, s.Percentiles.Linear, statLimit)
	percentiles.all("hazen", hazen, s.Percentiles.Hazen, statLimit)
	r.table(name+"/spread of median and mean", spread, statLimit)
	r.table(name+"/percentiles", percentiles, statLimit)
	return nil
}

// densityCase is a kernel density on a grid.
type densityCase struct {
	Factor        value
	BandwidthSD   value `json:"bandwidth_sd"`
	From          value `json:"grid_from"`
	To            value `json:"grid_to"`
	Points        int
	Grid, Density []value
}

// densities compares kernel densities; the label is the sample's and a rule, or a factor.
func densities(r *run, f *statsFile) error {
	for _, label := range sorted(f.KDE) {
		c := f.KDE[label]
		name, rule, _ := strings.Cut(label, "/")
		x, err := f.sample(name)
		if err != nil {
			return err
		}
		var factor float64
		switch rule {
		case "scott":
			factor = ranktest.Scott(len(x))
		case "silverman":
			factor = ranktest.Silverman(len(x))
		default:
			if factor, err = strconv.ParseFloat(rule, 64); err != nil {
				return fmt.Errorf("kde %s: unknown rule", label)
			}
		}
		if c.Points < 2 {
			return fmt.Errorf("kde %s: %d points", label, c.Points)
		}
		sd := factor * stat.StdDev(x, nil)
		grid := floats.Span(make([]float64, c.Points), floats.Min(x)-2*sd, floats.Max(x)+2*sd)
		density, err := ranktest.Density(x, plain(c.Grid), factor)
		if err != nil {
			return err
		}
		var t table
		t.add("factor", factor, c.Factor, statLimit)
		t.add("bandwidth", sd, c.BandwidthSD, statLimit)
		t.add("from", grid[0], c.From, statLimit)
		t.add("to", grid[c.Points-1], c.To, statLimit)
		t.all("grid", grid, c.Grid, statLimit)
		r.table("kde "+label+"/bandwidth and grid", t, statLimit)
		r.values("kde "+label+"/density", density, c.Density, statLimit)
	}
	return nil
}

// bootstrapCase holds resamples of a sample.
type bootstrapCase struct {
	B            int
	Index        string
	FirstIndices []value `json:"first_indices"`
	Median, Mean resampled
}

type resampled struct {
	SE      value `json:"se_ddof1"`
	Mean    value
	CI95    []value `json:"ci95_percentile"`
	CIBasic []value `json:"ci95_basic"`
	First5  []value
}

// bootstraps compares medians and means of resamples that the formula draws.
func bootstraps(r *run, f *statsFile) error {
	for _, name := range sorted(f.Bootstrap) {
		c := f.Bootstrap[name]
		x, err := f.sample(name)
		if err != nil {
			return err
		}
		quoted := strings.Split(c.Index, "'") // floor((u('NAME', b*n+i) + 1) * 0.5 * n)
		if len(quoted) != 3 {
			return fmt.Errorf("bootstrap %s: index is %q", name, c.Index)
		}
		h := oracle.Hash(f.Salt, quoted[1])
		b := ranktest.Bootstrap{Resamples: c.B, Index: func(k, n int) int {
			return min(int((oracle.U(h, uint64(k))+1)*0.5*float64(n)), n-1)
		}}
		var first []float64
		for k := range c.FirstIndices {
			first = append(first, float64(b.Index(k, len(x))))
		}
		r.values("bootstrap "+name+"/indices", first, c.FirstIndices, limit{})
		median, err := ranktest.Quantiles(x, 0.5)
		if err != nil {
			return err
		}
		medians, err := b.Medians(x)
		if err != nil {
			return err
		}
		means, err := b.Means(x)
		if err != nil {
			return err
		}
		label := "bootstrap " + name
		if err := c.Median.compare(r, label+"/median", medians, median[0]); err != nil {
			return err
		}
		if err := c.Mean.compare(r, label+"/mean", means, stat.Mean(x, nil)); err != nil {
			return err
		}
	}
	return nil
}

// compare compares resampled statistics, of being that of the sample itself.
func (c resampled) compare(r *run, stage string, got []float64, of float64) error {
	mean, sd := stat.MeanStdDev(got, nil)
	q, err := ranktest.Quantiles(got, 0.025, 0.975)
	if err != nil {
		return err
	}
	var t table
	t.add("standard error", sd, c.SE, statLimit)
	t.add("mean", mean, c.Mean, statLimit)
	t.all("first", got[:min(len(got), len(c.First5))], c.First5, statLimit)
	t.all("percentile interval", q, c.CI95, statLimit)
	t.all("basic interval", []float64{2*of - q[1], 2*of - q[0]}, c.CIBasic, statLimit)
	r.table(stage, t, statLimit)
	return nil
}
