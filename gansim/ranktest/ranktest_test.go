package ranktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// draw makes n values; with step > 0 they are rounded to it, which makes ties.
func draw(rng *rand.Rand, n int, offset, step float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = offset + rng.NormFloat64()
		if step > 0 {
			x[i] = math.Round(x[i]/step) * step
		}
	}
	return x
}

// TestTextbook has the hand-worked values of the two tests.
func TestTextbook(t *testing.T) {
	low, high := []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}
	wins, zero := make([]float64, 101), make([]float64, 101)
	for i := range wins {
		wins[i] = float64(i + 1)
	}
	for _, c := range []struct {
		name                   string
		run                    func(x, y []float64, opt Options) (Result, error)
		x, y                   []float64
		method                 Method
		statistic, z, p, zTol  float64
		relP, log10P, log10Tol float64
	}{
		{"rank-sum", RankSum, low, high, Normal, 15, -2.61116, 0.0090234, 1e-5, 1e-4, -2.04463, 1e-4},
		{"rank-sum continuity", RankSum, low, high, NormalContinuity,
			15, -2.50672, 0.0121860, 1e-5, 1e-4, -1.91414, 1e-4},
		{"rank-sum exact", RankSum, low, high, Exact,
			15, -2.50672, 2.0 / 252, 1e-5, 1e-14, math.Log10(2.0 / 252), 1e-14},
		{"signed-rank", SignedRank, wins, zero, Normal,
			5151, 8.72486, 2.665e-18, 1e-5, 1e-3, -17.5743, 1e-3},
		{"signed-rank continuity", SignedRank, wins, zero, NormalContinuity,
			5151, 8.72316, 2.706e-18, 1e-5, 1e-3, -17.5677, 1e-3},
		{"signed-rank exact", SignedRank, wins, zero, Exact,
			5151, 8.72486, math.Ldexp(1, -100), 1e-5, 1e-12, -100 * math.Log10(2), 1e-12},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := c.run(c.x, c.y, Options{Method: c.method})
			if err != nil {
				t.Fatal(err)
			}
			if r.Statistic != c.statistic || math.Abs(r.Z-c.z) > c.zTol ||
				math.Abs(r.P/c.p-1) > c.relP || math.Abs(r.Log10P-c.log10P) > c.log10Tol {
				t.Errorf("got statistic %v, z %v, p %v, log10 p %v, want %v, %v, %v, %v",
					r.Statistic, r.Z, r.P, r.Log10P, c.statistic, c.z, c.p, c.log10P)
			}
		})
	}
}

// TestExactByEnumeration repeats the exact p by visiting every arrangement, with ties and zeros.
func TestExactByEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		n := 4 + rng.IntN(7)
		x, y := draw(rng, n, 0.3, 0.5), draw(rng, n, 0, 0.5)
		side := []Alternative{TwoSided, Greater, Less}[rng.IntN(3)]
		rule := []Zeros{Wilcox, Pratt, Split}[rng.IntN(3)]

		d := make([]float64, n)
		floats.SubTo(d, x, y)
		s := rankSigns(d, rule)
		var sums []float64
		for set := range uint(1) << len(s.ranks) {
			sums = append(sums, chosenSum(s.ranks, set))
		}
		r, err := SignedRank(x, y, Options{Method: Exact, Alternative: side, Zeros: rule})
		if err != nil {
			t.Fatal(err)
		}
		nearP(t, fmt.Sprint("signed-rank ", x, y, side), r.P, countTails(sums, s.plus).p(side))

		y = y[:n-1-rng.IntN(2)]
		if rng.IntN(2) == 0 {
			x, y = y, x
		}
		ranks, _ := midranks(slices.Concat(x, y))
		sums = nil
		for set := range uint(1) << len(ranks) {
			if bits.OnesCount(set) == len(x) {
				sums = append(sums, chosenSum(ranks, set))
			}
		}
		r, err = RankSum(x, y, Options{Method: Exact, Alternative: side})
		if err != nil {
			t.Fatal(err)
		}
		if r.Warnings != nil && strings.HasPrefix(string(r.Warnings[0]), "constant") {
			continue
		}
		nearP(t, fmt.Sprint("rank-sum ", x, y, side), r.P, countTails(sums, r.RankSum1).p(side))
	}
}

func chosenSum(ranks []float64, set uint) float64 {
	sum := 0.0
	for i, r := range ranks {
		if set>>i&1 == 1 {
			sum += r
		}
	}
	return sum
}

func countTails(sums []float64, w float64) tails {
	var t tails
	for _, s := range sums {
		if s <= w {
			t.atMost++
		}
		if s >= w {
			t.atLeast++
		}
	}
	t.atMost /= float64(len(sums))
	t.atLeast /= float64(len(sums))
	return t
}

// TestProperties: swapped samples mirror the result, ranks ignore monotone maps, ranges hold.
func TestProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	mirror := map[Alternative]Alternative{TwoSided: TwoSided, Greater: Less, Less: Greater}
	programs := []Program{"", MATLAB, SciPy, SciPyRankSums}
	for i := range 150 {
		n := 1 + rng.IntN(40)
		step := []float64{0, 0.5, 4}[i%3]
		x, y := draw(rng, n, 0.5, step), draw(rng, n, 0, step)
		before := slices.Concat(x, y)
		for side, other := range mirror {
			opt := Options{
				Program:     programs[rng.IntN(4)],
				Method:      []Method{"", Exact, Normal, NormalContinuity}[rng.IntN(4)],
				Zeros:       []Zeros{"", Wilcox, Pratt, Split}[rng.IntN(4)],
				Alternative: side,
			}
			swapped := opt
			swapped.Alternative = other
			for _, run := range []func(x, y []float64, opt Options) (Result, error){
				SignedRank, RankSum,
			} {
				a, err := run(x, y, opt)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := run(y, x, swapped)
				near(t, "mirrored z", b.Z, -a.Z)
				nearP(t, "mirrored p", b.P, a.P)
				near(t, "mirrored AUC", b.AUC, 1-a.AUC)
				near(t, "rank biserial", a.RankBiserial, 2*a.AUC-1)
				checkRanges(t, a)
			}
			far := make([]float64, n)
			floats.AddConst(3, floats.ScaleTo(far, 8, x))
			wide := make([]float64, n)
			floats.AddConst(3, floats.ScaleTo(wide, 8, y))
			a, _ := RankSum(x, y, opt)
			b, _ := RankSum(far, wide, opt)
			near(t, "z after a monotone map", b.Z, a.Z)
		}
		if !slices.Equal(before, slices.Concat(x, y)) {
			t.Fatal("a test changed its input")
		}
	}
}

func checkRanges(t *testing.T, r Result) {
	t.Helper()
	within := r.P >= 0 && r.P <= 1 && r.Log10P <= 0 && r.AUC >= 0 && r.AUC <= 1 &&
		math.Abs(r.RankBiserial) <= 1 && math.Abs(r.EffectSize) <= 2 // 1 without continuity
	if !within || r.Method == Auto || r.Method == "" {
		t.Errorf("out of range: %+v", r)
	}
	if math.Abs(math.Pow(10, r.Log10P)-r.P) > 1e-12 {
		t.Errorf("p %v and log10 p %v disagree", r.P, r.Log10P)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestProgramRules checks which method and statistic each program takes by itself.
func TestProgramRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		program Program
		n1, n2  int // n2 = 0: signed-rank
		step    float64
		want    Method
	}{
		{MATLAB, 15, 0, 0, Exact},
		{MATLAB, 16, 0, 0, Normal},
		{MATLAB, 9, 10, 0, Exact},
		{MATLAB, 10, 9, 0.5, Exact},
		{MATLAB, 9, 11, 0, NormalContinuity},
		{SciPy, 50, 0, 0, Exact},
		{SciPy, 51, 0, 0, Normal},
		{SciPy, 40, 0, 0.5, Normal},
		{SciPy, 8, 100, 0, Exact},
		{SciPy, 100, 8, 0.1, NormalContinuity},
		{SciPy, 9, 9, 0, NormalContinuity},
		{SciPy, 8, 100000, 0, NormalContinuity},
		{SciPyRankSums, 4, 4, 0, Normal},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			run, n2 := RankSum, c.n2
			if n2 == 0 {
				run, n2 = SignedRank, c.n1
			}
			r, err := run(draw(rng, c.n1, 0, c.step), draw(rng, n2, 0, c.step),
				Options{Program: c.program})
			if err != nil || r.Method != c.want {
				t.Errorf("got %q, %v, want %q", r.Method, err, c.want)
			}
		})
	}
}

func TestConstantInput(t *testing.T) {
	x := slices.Repeat([]float64{2.5}, 30)
	for _, method := range []Method{Auto, Exact, Normal, NormalContinuity} {
		for _, side := range []Alternative{TwoSided, Greater, Less} {
			opt := Options{Method: method, Alternative: side}
			for _, run := range []func(x, y []float64, opt Options) (Result, error){
				SignedRank, RankSum,
			} {
				r, err := run(x, x, opt)
				if err != nil || r.P != 1 || r.Log10P != 0 || r.Z != 0 || r.AUC != 0.5 ||
					len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0].Error(), "constant:") {
					t.Errorf("%+v: got %+v, %v", opt, r, err)
				}
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	ramp := []float64{1, 2, 3, 4, 5, 6, 7}
	for _, c := range []struct {
		name string
		run  func(x, y []float64, opt Options) (Result, error)
		x, y []float64
		opt  Options
		want []string
	}{
		{"none", SignedRank, ramp, []float64{0, 0, 0, 0, 0, 0, 0}, Options{}, nil},
		{"zeros and ties", SignedRank, ramp, []float64{1, 0, 0, 0, 3, 1, 1}, Options{},
			[]string{"zeros:", "ties:"}},
		{"few pairs", SignedRank, ramp[:3], []float64{0, 0, 0}, Options{}, []string{"small n:"}},
		{"normal with few pairs", SignedRank, ramp, []float64{0, 0, 0, 0, 0, 0, 0},
			Options{Method: Normal}, []string{"small n:"}},
		{"small sample", RankSum, ramp, []float64{10, 11}, Options{}, []string{"small n:"}},
		{"tied samples", RankSum, ramp, ramp, Options{Method: Normal}, []string{"ties:", "small n:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := c.run(c.x, c.y, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Warnings) != len(c.want) {
				t.Fatalf("got %q, want %q", r.Warnings, c.want)
			}
			for i, w := range r.Warnings {
				if !strings.HasPrefix(string(w), c.want[i]) {
					t.Errorf("got %q, want %q", w, c.want[i])
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	good, bad := []float64{1, 2}, []float64{1, math.NaN()}
	inf := []float64{math.Inf(1), 0}
	long := make([]float64, 1000)
	for i := range long {
		long[i] = float64(i)
	}
	fail := func(name string, want error) func(_ any, err error) {
		return func(_ any, err error) {
			t.Helper()
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
	}
	var none []float64
	wrap := func(r Result, err error) (any, error) { return r, err }
	fail("signed-rank nan", ErrNotFinite)(wrap(SignedRank(good, bad, Options{})))
	fail("signed-rank overflow", ErrNotFinite)(wrap(
		SignedRank([]float64{math.MaxFloat64}, []float64{-math.MaxFloat64}, Options{})))
	fail("signed-rank lengths", nil)(wrap(SignedRank(good, good[:1], Options{})))
	fail("signed-rank empty", ErrEmpty)(wrap(SignedRank(none, none, Options{})))
	fail("signed-rank size", nil)(wrap(
		SignedRank(append(long, -1), make([]float64, 1001), Options{Method: Exact})))
	fail("rank-sum inf", ErrNotFinite)(wrap(RankSum(inf, good, Options{})))
	fail("rank-sum empty", ErrEmpty)(wrap(RankSum(good, none, Options{})))
	fail("rank-sum size", nil)(wrap(RankSum(long, long, Options{Method: Exact})))
	fail("program", nil)(wrap(RankSum(good, good, Options{Program: "excel"})))
	fail("alternative", nil)(wrap(RankSum(good, good, Options{Alternative: "both"})))
	fail("method", nil)(wrap(RankSum(good, good, Options{Method: "fast"})))
	fail("zeros", nil)(wrap(SignedRank(good, good, Options{Zeros: "keep"})))

	list := func(q []float64, err error) (any, error) { return q, err }
	value := func(v float64, err error) (any, error) { return v, err }
	fail("quantiles", ErrEmpty)(list(Quantiles(none, 0.5)))
	fail("quantile", nil)(list(Quantiles(good, 1.5)))
	fail("quantile nan", nil)(list(Quantiles(good, math.NaN())))
	fail("medians", ErrNotFinite)(list(Bootstrap{}.Medians(bad)))
	fail("means", ErrEmpty)(list(Bootstrap{}.Means(none)))
	fail("resamples", nil)(list(Bootstrap{Resamples: 1}.Medians(good)))
	fail("index", nil)(list(Bootstrap{Index: func(k, n int) int { return n }}.Means(good)))
	fail("density", ErrConstant)(list(Density([]float64{1, 1}, good, 0)))
	fail("density factor", nil)(list(Density(good, good, -1)))
	fail("density grid", ErrNotFinite)(list(Density(good, bad, 0)))
	fail("hazen", nil)(list(Hazen(good, -0.1)))
	fail("adjust", nil)(list(Adjust([]float64{0.5, 1.1}, Holm)))
	fail("correction", nil)(list(Adjust(good[:1], "sidak")))
	fail("mad", ErrEmpty)(value(MAD(none)))
	fail("notch", ErrNotFinite)(value(MedianSENotch(bad)))
	fail("density se", ErrConstant)(value(MedianSEDensity([]float64{1, 1})))
	fail("spearman", ErrConstant)(value(Spearman(good, []float64{1, 1})))
	fail("spearman lengths", nil)(value(Spearman(good, good[:1])))
	fail("correlation", nil)(value(CorrelationP(0.5, 2)))
	fail("sem", nil)(value(SEM(good, 2)))
	fail("median se", nil)(value(MedianSE(good[:1])))
	fail("pearson", ErrConstant)(value(Pearson(good, []float64{1, 1})))
	fail("pearson lengths", nil)(value(Pearson(good, good[:1])))
	tukey := func(b Box, err error) (any, error) { return b, err }
	fail("tukey", ErrNotFinite)(tukey(Tukey(inf)))
	describe := func(s Summary, err error) (any, error) { return s, err }
	fail("describe", nil)(describe(Describe(good[:1], Bootstrap{})))
	wilson := func(a, _ float64, err error) (any, error) { return a, err }
	shape := func(a, _ float64, err error) (any, error) { return a, err }
	fail("shape", ErrConstant)(shape(Shape([]float64{1, 1})))
	fail("interval", nil)(shape(MeanInterval(good, 1)))
	fail("interval of one", nil)(shape(MeanInterval(good[:1], 0)))
	fail("wilson trials", ErrEmpty)(wilson(Wilson(0, 0, 0)))
	fail("wilson successes", nil)(wilson(Wilson(3, 2, 0)))
	fail("wilson confidence", nil)(wilson(Wilson(1, 2, 1)))
}

// TestLog10TailAsymptotics compares with the continued fraction of Mills' ratio, which shares no
// formula with Log10Tail above 30, and checks that the branches join.
func TestLog10TailAsymptotics(t *testing.T) {
	for _, z := range []float64{5, 29.999999, 30, 30.000001, 38, 100, 1234.5, 1e4} {
		mills := z
		for k := 300.0; k >= 1; k-- {
			mills = z + k/mills
		}
		want := (-z*z/2 - math.Log(mills) - math.Log(2*math.Pi)/2) / math.Ln10
		if got := Log10Tail(z); math.Abs(got/want-1) > 1e-13 {
			t.Errorf("z %v: got %v, want %v", z, got, want)
		}
	}
	last := math.Inf(1)
	for z := -1e4; z <= 1e4; z += 0.25 {
		got := Log10Tail(z)
		if !(got <= last) || got > 0 {
			t.Fatalf("z %v: got %v after %v", z, got, last)
		}
		last = got
	}
	if !math.IsNaN(Log10Tail(math.NaN())) {
		t.Error("the tail of NaN is a number")
	}
}

func TestTukey(t *testing.T) {
	for _, c := range []struct {
		name string
		x    []float64
		want Box
	}{
		{"one", []float64{4}, Box{4, 4, 4, 4, 4, nil}},
		{"equal", []float64{0.1, 0.1, 0.1}, Box{0.1, 0.1, 0.1, 0.1, 0.1, nil}},
		{"no outlier", []float64{5, 1, 2, 4, 3}, Box{2, 3, 4, 1, 5, nil}},
		{"both ends", []float64{-9, 0, 1, 2, 3, 4, 20}, Box{0.5, 2, 3.5, 0, 4, []float64{-9, 20}}},
		{"on the fence", []float64{2, 2, 4, 4, 7}, Box{2, 4, 4, 2, 7, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Tukey(c.x)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

// TestWilson has the values of Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		successes, n int
		low, high    float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{20, 20, 0.8389, 1},
	} {
		low, high, err := Wilson(c.successes, c.n, 0)
		if err != nil || math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%d of %d: got %v, %v, %v, want %v, %v",
				c.successes, c.n, low, high, err, c.low, c.high)
		}
	}
}

// TestBootstrapSeeded: normal data have the normal-theory error; a seed repeats.
func TestBootstrapSeeded(t *testing.T) {
	x := draw(rand.New(rand.NewPCG(7, 8)), 2001, 0, 0)
	a, err := Bootstrap{Seed: 1}.Medians(x)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Bootstrap{Seed: 1}.Medians(x)
	c, _ := Bootstrap{Seed: 2}.Medians(x)
	if len(a) != 1000 || !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the seed does not settle the resamples")
	}
	want, _ := MedianSE(x)
	if got := stat.StdDev(a, nil); math.Abs(got/want-1) > 0.2 {
		t.Errorf("standard error: got %v, want about %v", got, want)
	}
}

func TestDensityIntegrates(t *testing.T) {
	x := draw(rand.New(rand.NewPCG(9, 10)), 200, 5, 0)
	grid := floats.Span(make([]float64, 2001), -5, 15)
	density, err := Density(x, grid, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := integrate.Trapezoidal(grid, density); math.Abs(got-1) > 1e-9 {
		t.Errorf("area: got %v, want 1", got)
	}
}

func BenchmarkRankSum(b *testing.B) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{1e4, 1e5} {
		x, y := draw(rng, n, 0.1, 0), draw(rng, n, 0, 0)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := RankSum(x, y, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBootstrapMedian(b *testing.B) {
	x := draw(rand.New(rand.NewPCG(13, 14)), 101, 0, 0)
	for b.Loop() {
		if _, err := (Bootstrap{}).Medians(x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignedRankExact(b *testing.B) {
	rng := rand.New(rand.NewPCG(15, 16))
	x, y := draw(rng, 101, 0.1, 0), draw(rng, 101, 0, 0)
	for b.Loop() {
		if _, err := SignedRank(x, y, Options{Method: Exact}); err != nil {
			b.Fatal(err)
		}
	}
}
