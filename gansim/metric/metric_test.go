package metric

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// tolSingular holds where only moments are known of a set with N < Dim: noise of the zero
// eigenvalues of the covariance under a square root.
const tolSingular = 1e-6

func moments(t testing.TB, f Features) *Moments {
	t.Helper()
	m, err := MomentsOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(t testing.TB, name string, got, want, relative float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > relative*math.Abs(want) {
		t.Errorf("%s: got %.15g, want %.15g (off by %.2g relative, allowed %.2g)",
			name, got, want, math.Abs(got/want-1), relative)
	}
}

// draw makes n rows whose features have five common factors and a falling spectrum.
func draw(rng *rand.Rand, n, dim int, shift, scale float64) Features {
	f := Features{N: n, Dim: dim, X: make([]float32, n*dim)}
	for i := range n {
		var common [5]float64
		for k := range common {
			common[k] = rng.NormFloat64()
		}
		for j := range dim {
			own := scale * rng.NormFloat64() / math.Sqrt(1+float64(j))
			f.X[i*dim+j] = float32(own + 0.3*common[j%5] + shift)
		}
	}
	return f
}

func rngOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func join(a, b Features) Features {
	return Features{N: a.N + b.N, Dim: a.Dim, X: slices.Concat(a.X, b.X)}
}

// TestMoments compares with gonum/stat on a set with a large mean.
func TestMoments(t *testing.T) {
	f := draw(rngOf(1), 700, 33, 1000, 1)
	m := moments(t, f)
	x := mat.NewDense(f.N, f.Dim, nil)
	for i, v := range f.X {
		x.RawMatrix().Data[i] = float64(v)
	}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, x, nil)
	if !mat.EqualApprox(m.Cov, &cov, 1e-10) {
		t.Error("covariance differs from gonum/stat")
	}
	for j, got := range m.Mean {
		near(t, "mean", got, stat.Mean(mat.Col(nil, j, x), nil), 1e-13)
	}
	if m.N != f.N || !slices.Equal(m.Rows.X, f.X) {
		t.Errorf("kept %d of %d rows, want all", m.Rows.N, m.N)
	}
}

// TestBatches: the cut into batches changes no bit; a merge equals one go to rounding.
func TestBatches(t *testing.T) {
	f := draw(rngOf(2), 1000, 300, 1, 1)
	want := moments(t, f)
	for _, size := range []int{1, 7, 256, 999} {
		var acc Accumulator
		for from := 0; from < f.N; from += size {
			n := min(size, f.N-from)
			batch := Features{N: n, Dim: f.Dim, X: f.X[from*f.Dim : (from+n)*f.Dim]}
			if err := acc.Add(batch); err != nil {
				t.Fatal(err)
			}
			if from == 0 && size > 1 {
				if _, err := acc.Moments(); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := acc.Moments()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Mean, want.Mean) || !mat.Equal(got.Cov, want.Cov) {
			t.Errorf("batches of %d: other bits", size)
		}
	}
	for _, cut := range []int{0, 1, 100, 512, 1000} {
		got := merged(t, f, cut, 0)
		if got.N != f.N || !mat.EqualApprox(got.Cov, want.Cov, 1e-12) {
			t.Errorf("merge at %d: other covariance", cut)
		}
		if !slices.Equal(got.Rows.X, f.X) {
			t.Errorf("merge at %d: kept rows differ", cut)
		}
	}
}

func merged(t *testing.T, f Features, cut, keep int) *Moments {
	t.Helper()
	a, b := Accumulator{Keep: keep}, Accumulator{Keep: keep}
	err := errors.Join(
		a.Add(Features{N: cut, Dim: f.Dim, X: f.X[:cut*f.Dim]}),
		b.Add(Features{N: f.N - cut, Dim: f.Dim, X: f.X[cut*f.Dim:]}),
		a.Merge(&b))
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Moments()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestKeep: kept rows are evenly spread and never more than asked for.
func TestKeep(t *testing.T) {
	f := Features{N: 100, Dim: 1, X: make([]float32, 100)}
	for i := range f.X {
		f.X[i] = float32(i)
	}
	for _, c := range []struct {
		keep int
		want []float32
	}{
		{-1, nil},
		{1, []float32{0}},
		{5, []float32{0, 32, 64, 96}},
		{7, []float32{0, 16, 32, 48, 64, 80, 96}},
	} {
		acc := Accumulator{Keep: c.keep}
		if err := acc.Add(f); err != nil {
			t.Fatal(err)
		}
		m, err := acc.Moments()
		if err != nil || !slices.Equal(m.Rows.X, c.want) {
			t.Errorf("keep %d: got %v (%v), want %v", c.keep, m.Rows.X, err, c.want)
		}
	}
	if m := merged(t, f, 30, 20); m.Rows.N > 20 || m.Rows.N < 10 || m.N != 100 {
		t.Errorf("merged: %d rows of %d images, want 10 to 20 of 100", m.Rows.N, m.N)
	}
	if m := merged(t, f, 30, -1); m.Rows.N != 0 || m.N != 100 {
		t.Errorf("merged: %d rows of %d images, want 0 of 100", m.Rows.N, m.N)
	}
}

// TestIdentical: a set and itself, of full rank, of low rank, constant, with dead features.
func TestIdentical(t *testing.T) {
	dead := draw(rngOf(3), 200, 40, 0, 10)
	for i := range dead.X {
		if j := i % dead.Dim; j > 30 || j == 2 {
			dead.X[i] = 0
		} else if j == 5 {
			dead.X[i] = dead.X[i-1]
		}
	}
	for name, f := range map[string]Features{
		"full":     draw(rngOf(4), 500, 64, 3, 10),
		"low":      draw(rngOf(5), 20, 64, 3, 10),
		"two":      draw(rngOf(6), 2, 64, 3, 1),
		"dead":     dead,
		"constant": {N: 3, Dim: 2, X: []float32{1, 2, 1, 2, 1, 2}},
		"zero":     {N: 2, Dim: 5, X: make([]float32, 10)},
	} {
		a, b := moments(t, f), moments(t, f)
		for _, rows := range []Features{b.Rows, {}} {
			b.Rows = rows
			e, err := FIDInterval(a, b)
			if err != nil || math.Abs(e.Value) > 1e-3 || math.IsNaN(e.Value) {
				t.Errorf("%s, %d rows kept: got %v (%v), want 0", name, rows.N, e.Value, err)
			}
			if limit := 1e-3 * mat.Trace(a.Cov); rows.N > 0 && !(e.SE <= limit) {
				t.Errorf("%s: standard error %v, want 0 to %v", name, e.SE, limit)
			}
		}
	}
}

// TestKnown: distances that can be had by hand.
func TestKnown(t *testing.T) {
	f := draw(rngOf(7), 300, 6, 0, 1)
	moved, scaled := Features{300, 6, slices.Clone(f.X)}, Features{300, 6, slices.Clone(f.X)}
	for i := range f.X {
		moved.X[i] += 2
		scaled.X[i] *= 4
	}
	m := moments(t, f)
	got, err := FID(m, moments(t, moved))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "moved by 2 in each of 6", got, 24, 1e-5) // float32 rounding of the features
	got, err = FID(m, moments(t, scaled))
	if err != nil {
		t.Fatal(err)
	}
	want := 9 * mat.Trace(m.Cov)
	for _, v := range m.Mean {
		want += 9 * v * v
	}
	near(t, "scaled by 4", got, want, 1e-12)
	constant := moments(t, Features{N: 2, Dim: 6, X: make([]float32, 12)})
	e, err := FIDInterval(m, constant)
	if err != nil {
		t.Fatal(err)
	}
	want = mat.Trace(m.Cov)
	for _, v := range m.Mean {
		want += v * v
	}
	near(t, "to a constant", e.Value, want, 1e-12)
	if !(e.SE > 0) {
		t.Errorf("to a constant: standard error %v, want positive", e.SE)
	}
}

// TestSwapped: the arguments' order changes no bit, and the interval holds the value.
func TestSwapped(t *testing.T) {
	for _, n := range []int{30, 300} {
		a, b := moments(t, draw(rngOf(19), n, 40, 0, 1)), moments(t, draw(rngOf(20), n+5, 40, 1, 2))
		got, err := FID(a, b)
		if err != nil {
			t.Fatal(err)
		}
		if swapped, _ := FID(b, a); swapped != got {
			t.Errorf("swapped: got %v, want the same bits as %v", swapped, got)
		}
		e, err := FIDInterval(a, b)
		if err != nil || e.Value != got || !(e.Lo < got && got < e.Hi) {
			t.Errorf("interval: got %+v (%v), want one around %v", e, err, got)
		}
		terms, err := FIDTerms(b, a)
		if err != nil || terms.TraceA != mat.Trace(b.Cov) || terms.FID != got {
			t.Errorf("terms: got %+v (%v), want FID %v, trace %v", terms, err, got, mat.Trace(b.Cov))
		}
		near(t, "sum of terms", terms.Mean+terms.TraceA+terms.TraceB-2*terms.TraceRoot, got, 1e-12)
	}
}

// TestNearSingular: duplicated features with a trace of noise stay finite.
func TestNearSingular(t *testing.T) {
	for _, noise := range []float32{0, 1e-7, 1e-5, 1e-3} {
		a, b := draw(rngOf(8), 90, 30, 0, 1), draw(rngOf(9), 90, 30, 0.5, 1)
		for i := range a.X {
			if j := i % 30; j >= 15 {
				a.X[i] = a.X[i-15] * (1 + noise*float32(i%7))
				b.X[i] = b.X[i-15]
			}
		}
		e, err := FIDInterval(moments(t, a), moments(t, b))
		if err != nil || !(e.Value > 0) || math.IsInf(e.Hi, 0) || !(e.SE > 0) {
			t.Errorf("noise %g: got %+v (%v), want finite", noise, e, err)
		}
	}
}

// TestDelta compares the standard error with the derivative by finite weights: delete-one
// jackknife on a small set, for both ways of factoring.
func TestDelta(t *testing.T) {
	for _, c := range []struct {
		name   string
		na, nb int
		dim    int
		within float64
	}{
		{"cholesky", 400, 403, 4, 0.03},
		{"rows", 60, 63, 90, 0.1},
		{"mixed", 25, 300, 30, 0.1},
	} {
		a, b := draw(rngOf(10), c.na, c.dim, 0, 1), draw(rngOf(11), c.nb, c.dim, 0.5, 2)
		ma, mb := moments(t, a), moments(t, b)
		e, err := FIDInterval(ma, mb)
		if err != nil {
			t.Fatal(err)
		}
		want := math.Sqrt(jackknife(t, a, b) + jackknife(t, b, a))
		near(t, c.name, e.SE, want, c.within)
		ma.Rows, mb.Rows = Features{}, Features{}
		value, err := FID(ma, mb)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.name+", moments alone", value, e.Value, tolSingular)
	}
}

// jackknife returns the delete-one variance of FID over the rows of a.
func jackknife(t *testing.T, a, b Features) float64 {
	m, n := moments(t, b), a.N
	values := make([]float64, n)
	for i := range values {
		head := Features{N: i, Dim: a.Dim, X: a.X[:i*a.Dim]}
		tail := Features{N: n - i - 1, Dim: a.Dim, X: a.X[(i+1)*a.Dim:]}
		v, err := FID(moments(t, join(head, tail)), m)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v
	}
	return stat.PopVariance(values, nil) * float64(n-1)
}

// TestCoverage draws many pairs of sets: the interval must hold the mean of FID as often as
// it says.
func TestCoverage(t *testing.T) {
	const runs = 200
	values, estimates := make([]float64, runs), make([]Estimate, runs)
	rng := rngOf(12)
	for i := range runs {
		a, b := draw(rng, 400, 12, 0, 1), draw(rng, 300, 12, 0.2, 1.5)
		e, err := FIDInterval(moments(t, a), moments(t, b))
		if err != nil {
			t.Fatal(err)
		}
		values[i], estimates[i] = e.Value, e
	}
	mean, held, se := stat.Mean(values, nil), 0, 0.0
	for _, e := range estimates {
		se += e.SE / runs
		if e.Lo <= mean && mean <= e.Hi {
			held++
		}
	}
	if rate := float64(held) / runs; rate < 0.90 || rate > 0.99 {
		t.Errorf("95%% interval holds the mean in %.3f of runs", rate)
	}
	near(t, "standard error", se, stat.StdDev(values, nil), 0.15)
}

func TestNotFinite(t *testing.T) {
	f := draw(rngOf(13), 20, 3, 0, 1)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		g := Features{N: 20, Dim: 3, X: slices.Clone(f.X)}
		g.X[7*3+1] = float32(bad)
		var acc Accumulator
		if err := acc.Add(f); err != nil {
			t.Fatal(err)
		}
		err := acc.Add(g)
		var e *NotFiniteError
		if !errors.As(err, &e) || e.Image != 27 || e.Feature != 1 {
			t.Errorf("%v: got %v, want image 27, feature 1", bad, err)
		}
		if acc.N() != 20 {
			t.Errorf("%v: %d images after a refused batch, want 20", bad, acc.N())
		}
		if _, err := KID(f, g); !errors.As(err, &e) || e.Image != 7 {
			t.Errorf("KID: got %v, want image 7", err)
		}
		if _, _, err := InceptionScore(g, 2); !errors.As(err, &e) || e.Image != 7 {
			t.Errorf("InceptionScore: got %v, want image 7", err)
		}
		m := moments(t, f)
		m.Cov.SetSym(0, 2, bad)
		_, err = FID(moments(t, f), m)
		if err == nil || !strings.Contains(err.Error(), "0 and 2") {
			t.Errorf("covariance with %v: got %v", bad, err)
		}
	}
}

func TestErrors(t *testing.T) {
	good := moments(t, draw(rngOf(14), 9, 3, 0, 1))
	wide := moments(t, draw(rngOf(14), 9, 4, 0, 1))
	var empty Accumulator
	for name, err := range map[string]error{
		"one image":       second(MomentsOf(Features{N: 1, Dim: 1, X: []float32{1}})),
		"no image":        second(empty.Moments()),
		"length":          second(MomentsOf(Features{N: 2, Dim: 2, X: make([]float32, 3)})),
		"no features":     second(MomentsOf(Features{N: 2})),
		"nil":             second(FID(nil, good)),
		"empty":           second(FID(good, &Moments{})),
		"dims":            second(FID(good, wide)),
		"kid dims":        second(KID(good.Rows, wide.Rows)),
		"kid one":         second(KID(good.Rows, Features{N: 1, Dim: 3, X: make([]float32, 3)})),
		"names":           second(Matrix(t.Context(), []string{"a"}, nil)),
		"matrix":          second(Matrix(t.Context(), []string{"x", "y"}, []*Moments{good, wide})),
		"too many splits": third(InceptionScore(good.Rows, 10)),
		"splits":          third(InceptionScore(good.Rows, -1)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "metric: ") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error   { return err }
func third[T any](_, _ T, err error) error { return err }

func TestMatrix(t *testing.T) {
	sets := []*Moments{
		moments(t, draw(rngOf(15), 80, 8, 0, 1)),
		moments(t, draw(rngOf(16), 2100, 8, 0, 1)),
		moments(t, draw(rngOf(17), 6, 8, 1, 1)),
	}
	sets[1].Rows = Features{}
	names := []string{"x", "y", "z"}
	var told []int
	pairs, err := MatrixWith(t.Context(), names, sets, MatrixOptions{Progress: func(done, total int) {
		told = append(told, done, total)
	}})
	if err != nil || !slices.Equal(told, []int{1, 3, 2, 3, 3, 3}) {
		t.Fatalf("progress %v, %v", told, err)
	}
	var got []string
	for _, p := range pairs {
		got = append(got, p.A+p.B)
	}
	if want := []string{"xy", "xz", "yz"}; !slices.Equal(got, want) {
		t.Fatalf("got pairs %v, want %v", got, want)
	}
	var warned *SmallSample
	if w := pairs[2].Warnings; len(w) != 1 || !errors.As(w[0], &warned) || warned.Set != "z" ||
		warned.N != 6 {
		t.Errorf("got warnings %v, want one for z", w)
	}
	plain, err := MatrixWith(t.Context(), names, sets, MatrixOptions{NoInterval: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range plain {
		if p.FID != pairs[i].FID || !math.IsNaN(p.Lo) || !math.IsNaN(p.Hi) {
			t.Errorf("without intervals: got %+v, want FID %v alone", p, pairs[i].FID)
		}
	}
	text, err := json.Marshal(pairs[0])
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if v, ok := fields["lo"]; !ok || v != nil || fields["n_b"] != 2100.0 || fields["a"] != "x" {
		t.Errorf("got %s, want lo null and n_b 2100", text)
	}
	for _, key := range []string{"a", "b", "n_a", "n_b", "fid", "lo", "hi"} {
		if _, ok := fields[key]; !ok || len(fields) != 7 {
			t.Errorf("got %s, want %s among 7 keys", text, key)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Matrix(ctx, names, sets); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if pairs, err := Matrix(t.Context(), nil, nil); err != nil || len(pairs) != 0 {
		t.Errorf("no sets: got %v, %v", pairs, err)
	}
}

func TestInceptionScoreEnds(t *testing.T) {
	same, sharp := make([]float32, 40), make([]float32, 40)
	for i := range 10 {
		sharp[i*4+i%4] = 1000
	}
	one, _, err := InceptionScore(Features{N: 10, Dim: 4, X: same}, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "no information", one, 1, 1e-12)
	all, _, err := InceptionScore(Features{N: 8, Dim: 4, X: sharp[:32]}, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "each class sure", all, 4, 1e-12)
}
