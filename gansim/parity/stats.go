package parity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/ranktest"
)

// Tolerances of stats.json, as its README states them: the reference computes in float64, and its p
// below 1e-200 are not better than 1e-6.
var (
	statLimit = limit{relative: 1e-9, absolute: 1e-12}
	pLimit    = limit{relative: 1e-9}
	// farLimit holds for p below farP. Where the reference underflows to 0 we may have a number that
	// is just not 0.
	farLimit = limit{relative: 1e-6, absolute: 1e-300}
)

const farP = 1e-200

// addP compares a p-value relatively, however small it is.
func (t *table) addP(name string, got float64, want value) {
	l := pLimit
	if want < farP {
		l = farLimit
	}
	t.add(name, got, want, l)
}

// statsFile is stats.json.
type statsFile struct {
	Salt    string
	Samples map[string]struct {
		Name                string
		N                   int
		Offset, Scale, Step float64
		Values              []value
		Sum                 *value
	}
	SignedRank []signedRankCase `json:"signed_rank"`
	RankSum    []rankSumCase    `json:"rank_sum"`
	Summary    map[string]summaryCase
	KDE        map[string]densityCase
	Pearson    map[string]struct {
		R, Rho *value
		P      value
	}
	Bootstrap     map[string]bootstrapCase
	PearsonImages pearsonImages `json:"pearson_images"`
	NormalTails   []struct {
		Z, SF value
		Log10 value `json:"log10_sf"`
	} `json:"normal_tails"`
	TTails []struct {
		T, DF    value
		TwoSided value `json:"two_sided_p"`
	} `json:"t_tails"`
	Multiple struct{ P, BH, Bonferroni, Holm []value }

	samples map[string][]float64
}

// stats repeats the statistics of the panels.
func stats(r *run) error {
	var f statsFile
	if err := r.read(&f); err != nil {
		return err
	}
	f.makeSamples(r)
	for _, c := range f.SignedRank {
		if err := c.compare(r, &f); err != nil {
			return err
		}
	}
	for _, c := range f.RankSum {
		if err := c.compare(r, &f); err != nil {
			return err
		}
	}
	for _, part := range []func(*run, *statsFile) error{
		summaries, densities, correlations, bootstraps, pictureCorrelations, tails, corrections,
	} {
		if err := part(r, &f); err != nil {
			return err
		}
	}
	return nil
}

// sorted gives the members of a map in a fixed order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// makeSamples makes all samples by their recipes.
func (f *statsFile) makeSamples(r *run) {
	f.samples = map[string][]float64{}
	for _, name := range sorted(f.Samples) {
		s := f.Samples[name]
		h, x := oracle.Hash(f.Salt, s.Name), make([]float64, s.N)
		for i := range x {
			x[i] = s.Offset + float64(s.Scale*oracle.Gauss4(h, i))
			if s.Step != 0 {
				x[i] = math.Floor(x[i]/s.Step) * s.Step
			}
		}
		f.samples[name] = x
		var t table
		if s.Values != nil {
			t.all("value", x, s.Values, statLimit)
		}
		if s.Sum != nil {
			t.add("sum", floats.Sum(x), *s.Sum, statLimit)
		}
		r.table(name+"/sample", t, statLimit)
	}
}

// sample finds the values of a label such as "x8" or "xsep[:10]".
func (f *statsFile) sample(label string) ([]float64, error) {
	name, cut, isCut := strings.Cut(label, "[:")
	x, ok := f.samples[name]
	if !ok {
		return nil, fmt.Errorf("no sample %q", name)
	}
	if !isCut {
		return x, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(cut, "]"))
	if err != nil || n < 0 || n > len(x) {
		return nil, fmt.Errorf("cannot take %s of %d values", label, len(x))
	}
	return x[:n], nil
}

// pair finds both samples of a label such as "x8,y8 (remark)"; short is the label without remark.
func (f *statsFile) pair(label string) (x, y []float64, short string, err error) {
	short, _, _ = strings.Cut(label, " (")
	a, b, _ := strings.Cut(short, ",")
	if x, err = f.sample(a); err != nil {
		return nil, nil, "", err
	}
	y, err = f.sample(b)
	return x, y, short, err
}

// tails compares the tails of the normal and of Student's distribution.
func tails(r *run, f *statsFile) error {
	var normal, logs, student table
	for _, c := range f.NormalTails {
		z := float64(c.Z)
		normal.addP(fmt.Sprint("z ", z), ranktest.NormalTail(z), c.SF)
		logs.add(fmt.Sprint("z ", z), ranktest.Log10Tail(z), c.Log10, statLimit)
	}
	for _, c := range f.TTails {
		student.addP(fmt.Sprintf("t %g, df %g", c.T, c.DF),
			ranktest.StudentP(float64(c.T), float64(c.DF)), c.TwoSided)
	}
	r.table("normal tail/p", normal, pLimit)
	r.table("normal tail/log10", logs, statLimit)
	r.table("t tail/p", student, pLimit)
	return nil
}

// corrections compares p-values adjusted for several tests.
func corrections(r *run, f *statsFile) error {
	p := plain(f.Multiple.P)
	for c, want := range map[ranktest.Correction][]value{
		ranktest.BenjaminiHochberg: f.Multiple.BH,
		ranktest.Bonferroni:        f.Multiple.Bonferroni,
		ranktest.Holm:              f.Multiple.Holm,
	} {
		got, err := ranktest.Adjust(p, c)
		if err != nil {
			return err
		}
		r.values("multiple/"+string(c), got, want, pLimit)
	}
	return nil
}

func plain(v []value) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// correlations compares Pearson's r and Spearman's rho with their p.
func correlations(r *run, f *statsFile) error {
	for _, label := range sorted(f.Pearson) {
		c := f.Pearson[label]
		x, y, _, err := f.pair(strings.TrimPrefix(label, "spearman "))
		if err != nil {
			return err
		}
		of, want := ranktest.Pearson, c.R
		if want == nil {
			of, want = ranktest.Spearman, c.Rho
		}
		if want == nil {
			return fmt.Errorf("%s: neither r nor rho", label)
		}
		got, err := of(x, y)
		if err != nil {
			return err
		}
		p, err := ranktest.CorrelationP(got, len(x))
		if err != nil {
			return err
		}
		var t table
		t.add("r", got, *want, statLimit)
		t.addP("p", p, c.P)
		r.table(strings.ReplaceAll(label, " ", "/")+"/correlation", t, statLimit)
	}
	return nil
}

// pearsonImages correlates pictures.
type pearsonImages struct {
	A, B        string
	N, H, W     int
	AllChannels []value `json:"all_channels"`
	PerChannel  []value `json:"per_channel_item0"`
	MSE         value   `json:"mse_item0_0to1"`
}

// pictureCorrelations compares correlations over the values of two pictures, of which the second is
// (3 a + b)//4.
func pictureCorrelations(r *run, f *statsFile) error {
	c := f.PearsonImages
	other, ok := strings.CutPrefix(c.B, "(3*a + ")
	other, ok2 := strings.CutSuffix(other, ")//4")
	if !ok || !ok2 || c.N < 1 {
		return fmt.Errorf("pearson_images: b is %q, want (3*a + NAME)//4", c.B)
	}
	var a, b []float64
	second := oracle.Image(f.Salt, other, c.N, c.H, c.W)
	for i, v := range oracle.Image(f.Salt, c.A, c.N, c.H, c.W) {
		a, b = append(a, float64(v)), append(b, float64((3*int(v)+int(second[i]))/4))
	}
	size := c.H * c.W * 3
	var whole, channels []float64
	for i := range c.N {
		v, err := ranktest.Pearson(a[i*size:][:size], b[i*size:][:size])
		if err != nil {
			return err
		}
		whole = append(whole, v)
	}
	for channel := range c.PerChannel {
		var x, y []float64
		for i := channel; i < size; i += 3 {
			x, y = append(x, a[i]), append(y, b[i])
		}
		channels = append(channels, stat.Correlation(x, y, nil))
	}
	distance := floats.Distance(a[:size], b[:size], 2) / 255
	r.values("images/correlation", whole, c.AllChannels, statLimit)
	r.values("images/correlation of channels", channels, c.PerChannel, statLimit)
	r.values("images/mean square", []float64{distance * distance / float64(size)}, []value{c.MSE},
		statLimit)
	return nil
}
