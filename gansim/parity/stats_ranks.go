package parity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/ranktest"
)

// rankCase is one variant of a test by ranks. What a test does not have is missing.
type rankCase struct {
	ZeroMethod    ranktest.Zeros `json:"zero_method"`
	Correction    bool
	UseContinuity bool `json:"use_continuity"`
	Alternative   ranktest.Alternative
	Method        string
	Statistic, Z  *value
	U             *value
	P             value
	Log10P        *value `json:"log10p"`
	ZSigned       *value `json:"z_signed"`
	R             *value `json:"r_z_over_sqrt_n"`
	RNonzero      *value `json:"r_z_over_sqrt_n_nonzero"`
	Error         string
}

func (c rankCase) String() string {
	return fmt.Sprint(c.Method, " ", c.ZeroMethod, " ", c.Correction || c.UseContinuity, " ",
		c.Alternative)
}

func (c rankCase) options() ranktest.Options {
	method := ranktest.Normal
	if c.Correction || c.UseContinuity {
		method = ranktest.NormalContinuity
	}
	if c.Method == "exact" {
		method = ranktest.Exact
	}
	return ranktest.Options{Program: ranktest.SciPy, Alternative: c.Alternative, Method: method,
		Zeros: c.ZeroMethod}
}

// rankTables are the stages of the variants of a test on one pair of samples.
type rankTables struct{ statistic, z, p, log10, effect table }

func (t *rankTables) record(r *run, label string) {
	r.table(label+"/statistic", t.statistic, statLimit)
	r.table(label+"/z", t.z, statLimit)
	r.table(label+"/p", t.p, pLimit)
	r.table(label+"/log10 p", t.log10, statLimit)
	r.table(label+"/effect", t.effect, statLimit)
}

// signedRankCase compares paired samples.
type signedRankCase struct {
	Label        string
	N, Zeros     value
	RPlus        value `json:"r_plus"`
	RMinus       value `json:"r_minus"`
	RankBiserial value `json:"rank_biserial"`
	MeanDiff     value `json:"mean_diff"`
	MedianDiff   value `json:"median_diff"`
	Cases        []rankCase
}

func (s signedRankCase) compare(r *run, f *statsFile) error {
	x, y, label, err := f.pair(s.Label)
	if err != nil {
		return err
	}
	plain, err := ranktest.SignedRank(x, y, ranktest.Options{})
	if err != nil {
		return err
	}
	d := make([]float64, len(x))
	floats.SubTo(d, x, y)
	median, err := ranktest.Quantiles(d, 0.5)
	if err != nil {
		return err
	}
	biserial := plain.RankBiserial
	if undefined(plain, ranktest.Wilcox) {
		biserial = math.NaN()
	}
	var ranks table
	ranks.add("n", float64(plain.N), s.N, statLimit)
	ranks.add("zeros", float64(plain.Zeros), s.Zeros, statLimit)
	ranks.add("W+", plain.RankSum1, s.RPlus, statLimit)
	ranks.add("W-", plain.RankSum2, s.RMinus, statLimit)
	ranks.add("rank biserial", biserial, s.RankBiserial, statLimit)
	ranks.add("mean difference", stat.Mean(d, nil), s.MeanDiff, statLimit)
	ranks.add("median difference", median[0], s.MedianDiff, statLimit)
	label = "signed-rank " + label
	r.table(label+"/ranks", ranks, statLimit)
	var t rankTables
	for _, c := range s.Cases {
		result, err := ranktest.SignedRank(x, y, c.options())
		if c.Error != "" { // the reference refuses: so may we, or warn that it is undefined
			refused := err != nil || undefined(result, c.ZeroMethod)
			r.exact(label+"/"+c.String(), refused, "got a p, want none: "+c.Error)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.Label, c, err)
		}
		t.signed(c, result)
	}
	t.record(r, label)
	return nil
}

// undefined says that all differences are zero. SciPy's p is NaN then; ours is 1, with a warning.
// Where zeros are split between the signs both go on.
func undefined(result ranktest.Result, rule ranktest.Zeros) bool {
	return rule != ranktest.Split && slices.ContainsFunc(result.Warnings,
		func(w ranktest.Warning) bool { return strings.HasPrefix(string(w), "constant:") })
}

// signed adds one variant of the signed-rank test.
func (t *rankTables) signed(c rankCase, got ranktest.Result) {
	z, p := got.Z, got.P
	log10, effect := got.Log10P, got.EffectSize
	nonzero := z / math.Sqrt(float64(got.N-got.Zeros))
	if undefined(got, c.ZeroMethod) {
		z, p, log10, effect = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	name := c.String()
	t.p.addP(name, p, c.P)
	signed := z
	if c.Alternative == ranktest.TwoSided { // SciPy's is of the smaller rank sum, never positive
		z = -math.Abs(z)
	}
	for _, v := range []struct {
		to   *table
		got  float64
		want *value
	}{
		{&t.statistic, got.Statistic, c.Statistic}, {&t.z, z, c.Z}, {&t.z, signed, c.ZSigned},
		{&t.log10, log10, c.Log10P}, {&t.effect, effect, c.R}, {&t.effect, nonzero, c.RNonzero},
	} {
		if v.want != nil {
			v.to.add(name, v.got, *v.want, statLimit)
		}
	}
}

// rankSumCase compares independent samples.
type rankSumCase struct {
	Label    string
	N1, N2   value
	RankSums struct {
		Z, P, R value
		Log10P  value `json:"log10p"`
	}
	W              value `json:"rank_sum_W"`
	U              value `json:"U"`
	TieTerm        value `json:"tie_term"`
	Z              value `json:"z_tie_corrected"`
	ZContinuity    value `json:"z_tie_and_continuity"`
	Log10P         value `json:"log10p_tie_corrected"`
	Log10PCont     value `json:"log10p_tie_and_continuity"`
	R              value `json:"r_tie_corrected"`
	RankBiserial   value `json:"rank_biserial"`
	CommonLanguage value `json:"common_language"`
	Cases          []rankCase
}

func (s rankSumCase) compare(r *run, f *statsFile) error {
	x, y, label, err := f.pair(s.Label)
	if err != nil {
		return err
	}
	var results [3]ranktest.Result
	for i, o := range []ranktest.Options{
		{Program: ranktest.SciPyRankSums}, {Method: ranktest.Normal}, {Method: ranktest.NormalContinuity},
	} {
		if results[i], err = ranktest.RankSum(x, y, o); err != nil {
			return err
		}
	}
	plain, ties, continuity := results[0], results[1], results[2]
	label = "rank-sum " + label
	var t rankTables
	u := ties.RankSum1 - float64(ties.N1*(ties.N1+1))/2
	t.statistic.add("n1", float64(ties.N1), s.N1, statLimit)
	t.statistic.add("n2", float64(ties.N2), s.N2, statLimit)
	t.statistic.add("W", ties.Statistic, s.W, statLimit)
	t.statistic.add("U", u, s.U, statLimit)
	t.statistic.add("tie term", ties.TieTerm, s.TieTerm, statLimit)
	t.z.add("ranksums", plain.Statistic, s.RankSums.Z, statLimit)
	t.z.add("ties", ties.Z, s.Z, statLimit)
	t.z.add("ties and continuity", continuity.Z, s.ZContinuity, statLimit)
	t.p.addP("ranksums", plain.P, s.RankSums.P)
	t.log10.add("ranksums", plain.Log10P, s.RankSums.Log10P, statLimit)
	t.log10.add("ties", ties.Log10P, s.Log10P, statLimit)
	t.log10.add("ties and continuity", continuity.Log10P, s.Log10PCont, statLimit)
	t.effect.add("ranksums r", plain.EffectSize, s.RankSums.R, statLimit)
	t.effect.add("r", ties.EffectSize, s.R, statLimit)
	t.effect.add("rank biserial", ties.RankBiserial, s.RankBiserial, statLimit)
	t.effect.add("common language", ties.AUC, s.CommonLanguage, statLimit)
	for _, c := range s.Cases {
		result, err := ranktest.RankSum(x, y, c.options())
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.Label, c, err)
		}
		if c.U != nil {
			t.statistic.add(c.String(), result.Statistic, *c.U, statLimit)
		}
		t.p.addP(c.String(), result.P, c.P)
	}
	t.record(r, label)
	return nil
}
