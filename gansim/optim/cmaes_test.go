package optim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// relTol allows for the order of sums: the reference program multiplies dense matrices, we keep
// rank-one terms. The errors seen are below 3e-15.
const relTol = 1e-12

// near fails unless got and want agree within relTol of the largest element of want.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: length %d, want %d", what, len(got), len(want))
	}
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= relTol*scale) {
			t.Fatalf("%s: element %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func squaredDistance(x, y []float64) float64 {
	var sum float64
	for i := range x {
		sum += (x[i] - y[i]) * (x[i] - y[i])
	}
	return sum
}

// dense is the reference program's update with full matrices.
type dense struct {
	n    int
	a, b []float64 // A and its inverse
}

func (d *dense) update(pc []float64, c1 float64) {
	v, w := make([]float64, d.n), make([]float64, d.n)
	var norm float64
	for j := range d.n {
		for i := range d.n {
			v[j] += pc[i] * d.b[i*d.n+j]
		}
		norm += v[j] * v[j]
	}
	for i := range d.n {
		for j := range d.n {
			w[i] += d.b[i*d.n+j] * v[j]
		}
	}
	a, b := math.Sqrt(1-c1), math.Sqrt(1+norm*c1/(1-c1))
	for i := range d.n {
		for j := range d.n {
			d.a[i*d.n+j] = a*d.a[i*d.n+j] + a/norm*(b-1)*v[i]*pc[j]
			d.b[i*d.n+j] = d.b[i*d.n+j]/a - 1/(a*norm)*(1-1/b)*w[i]*v[j]
		}
	}
}

// TestFactorIsExact follows A through many updates, past several folds.
func TestFactorIsExact(t *testing.T) {
	const n, generations = 6, 120
	target := []float64{1, -2, 3, 0.5, 0, -1}
	s, err := New(Config{Dim: n, UpdateFreq: EveryGeneration, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	one := identity(n)
	d := &dense{n: n, a: one.matrix(), b: one.matrix()}
	for g := range generations {
		tell(t, s, func(x []float64) float64 { return -squaredDistance(x, target) })
		if g > 0 {
			d.update(s.pc, s.constants.C1)
		}
		near(t, fmt.Sprint("A after ", g), s.a.matrix(), d.a)
		inverse := s.inverse.matrix()
		for i := range n {
			got := make([]float64, n)
			s.a.mulRow(got, inverse[i*n:(i+1)*n])
			for j := range got {
				if want := one.matrix()[i*n+j]; math.Abs(got[j]-want) > 1e-9 {
					t.Fatalf("generation %d: inverse times A [%d,%d] is %g, want %g",
						g, i, j, got[j], want)
				}
			}
		}
	}
}

// tell scores the next generation and returns its best score.
func tell(t testing.TB, s *CMAES, score func([]float64) float64) float64 {
	t.Helper()
	best := math.Inf(-1)
	var scores []float64
	for _, x := range s.Ask() {
		scores = append(scores, score(x))
		best = max(best, scores[len(scores)-1])
	}
	if err := s.Tell(scores); err != nil {
		t.Fatal(err)
	}
	return best
}

// TestConstants compares with the values of the original program for the spaces of the paper.
func TestConstants(t *testing.T) {
	for _, want := range []Constants{
		{128, 25, 12, nil, 7.2839, 0.030303, 0.192604, 1.19417e-4, 1.192604, 11.2916},
		{256, 28, 14, nil, 8.1059, 0.015385, 0.151062, 3.01832e-5, 1.151062, 15.9844},
		{500, 30, 15, nil, 8.6431, 0.007937, 0.116199, 7.95494e-6, 1.116199, 22.3495},
		{800, 32, 16, nil, 9.1788, 0.004975, 0.096751, 3.11398e-6, 1.096751, 28.2754},
		{4096, 40, 20, nil, 11.3095, 0.000976, 0.049923, 1.19127e-7, 1.049923, 63.9961},
	} {
		got := NewConstants(want.Dim, 0)
		got.Weights = nil
		approx := cmp.Comparer(func(a, b float64) bool {
			return math.Abs(a-b) <= max(1e-5*max(a, b), 6e-7)
		})
		if diff := cmp.Diff(got, want, approx); diff != "" {
			t.Errorf("%d dimensions (-got +want):\n%s", want.Dim, diff)
		}
	}
	if got := NewConstants(256, 40); got.Lambda != 40 || got.Mu != 20 || len(got.Weights) != 20 {
		t.Errorf("population 40 gives %d and %d, want 40 and 20", got.Lambda, got.Mu)
	}
}

func TestFindsSphereMinimum(t *testing.T) {
	for _, freq := range []int{0, EveryGeneration, NeverUpdate} {
		s, err := New(Config{Dim: 12, Sigma: 0.5, UpdateFreq: freq, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		best := math.Inf(-1)
		for range 400 {
			best = tell(t, s, func(x []float64) float64 {
				var sum float64
				for i, v := range x {
					sum -= (v - float64(i)/4) * (v - float64(i)/4)
				}
				return sum
			})
		}
		if best < -1e-8 {
			t.Errorf("update frequency %d: best is %g, want above -1e-8", freq, best)
		}
	}
}

func TestFirstGeneration(t *testing.T) {
	codes := [][]float64{{1, 0}, {0, 1}, {5, 5}}
	t.Run("start alone", func(t *testing.T) {
		s, _ := New(Config{Dim: 2, Start: []float64{3, 4}})
		if diff := cmp.Diff(s.Ask(), [][]float64{{3, 4}}); diff != "" {
			t.Error(diff)
		}
		tell(t, s, func([]float64) float64 { return 9 })
		near(t, "mean", s.Mean(), []float64{3, 4})
		if got := len(s.Ask()); got != DefaultPopulation(2) {
			t.Errorf("population is %d, want %d", got, DefaultPopulation(2))
		}
	})
	t.Run("codes and start", func(t *testing.T) {
		s, _ := New(Config{Dim: 2, Start: []float64{3, 4}, First: codes})
		if diff := cmp.Diff(s.Ask(), codes); diff != "" {
			t.Error(diff)
		}
		tell(t, s, func(x []float64) float64 { return x[0] })
		near(t, "mean", s.Mean(), []float64{3, 4})
	})
	t.Run("codes", func(t *testing.T) {
		s, _ := New(Config{Dim: 2, First: codes, Population: 4})
		tell(t, s, func(x []float64) float64 { return x[0] })
		w := s.Constants().Weights
		near(t, "mean", s.Mean(), []float64{5*w[0] + w[1], 5 * w[0]})
	})
	t.Run("fewer codes than parents", func(t *testing.T) {
		s, _ := New(Config{Dim: 2, First: codes[:2], Population: 10})
		tell(t, s, func(x []float64) float64 { return x[1] })
		w := s.Constants().Weights
		near(t, "mean", s.Mean(), []float64{w[1] / (w[0] + w[1]), w[0] / (w[0] + w[1])})
	})
}

// TestUpdatePeriod checks that A changes in every 11th generation by default.
func TestUpdatePeriod(t *testing.T) {
	s, _ := New(Config{Dim: 50, Seed: 2})
	var changed []int
	for g := range 40 {
		before := s.updatedAt
		tell(t, s, func(x []float64) float64 { return x[0] })
		if s.updatedAt != before {
			changed = append(changed, g)
		}
	}
	if diff := cmp.Diff(changed, []int{11, 22, 33}); diff != "" {
		t.Error(diff)
	}
}

func TestSeedFixesTheSearch(t *testing.T) {
	run := func(seed uint64) [][]float64 {
		s, _ := New(Config{Dim: 20, Seed: seed})
		for range 30 {
			tell(t, s, func(x []float64) float64 { return -x[0] * x[0] })
		}
		first := s.Ask()
		first[0][0] = 77 // the caller's own copy
		return s.Ask()
	}
	if diff := cmp.Diff(run(5), run(5)); diff != "" {
		t.Error("same seed, other codes:", diff)
	}
	if cmp.Equal(run(5), run(6)) {
		t.Error("other seed, same codes")
	}
}

func TestTellRefuses(t *testing.T) {
	s, _ := New(Config{Dim: 2})
	if err := s.Tell([]float64{1}); !errors.Is(err, ErrNotAsked) {
		t.Errorf("tell without ask: %v", err)
	}
	s.Ask()
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if err := s.Tell([]float64{bad}); !errors.Is(err, ErrNotFinite) {
			t.Errorf("score %g: %v", bad, err)
		}
	}
	if err := s.Tell([]float64{1, 2}); err == nil {
		t.Error("two scores for one code were taken")
	}
	if err := s.Tell([]float64{1}); err != nil || s.Generation() != 1 {
		t.Errorf("after refusals: %v, generation %d, want 1", err, s.Generation())
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no dimensions":  {},
		"population":     {Dim: 3, Population: 1},
		"sigma":          {Dim: 3, Sigma: -1},
		"sigma NaN":      {Dim: 3, Sigma: math.NaN()},
		"frequency":      {Dim: 3, UpdateFreq: -2},
		"start too long": {Dim: 3, Start: make([]float64, 4)},
		"start NaN":      {Dim: 1, Start: []float64{math.NaN()}},
		"no first codes": {Dim: 3, First: [][]float64{}},
		"ragged codes":   {Dim: 3, First: [][]float64{{1, 2, 3}, {1}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestDegenerateSamples feeds zeros: the paths vanish and nothing becomes NaN.
func TestDegenerateSamples(t *testing.T) {
	s, _ := New(Config{Dim: 3, UpdateFreq: EveryGeneration, Normal: func() float64 { return 0 }})
	for range 10 {
		tell(t, s, func([]float64) float64 { return 1 })
	}
	for _, v := range append(s.Mean(), s.a.matrix()...) {
		if math.IsNaN(v) {
			t.Fatal("NaN")
		}
	}
}

// TestLargeSpace runs the paper's fc6 search on a plain function.
func TestLargeSpace(t *testing.T) {
	const dim, limit = 4096, 20 * time.Second // about 1 s on an idle core
	rng := rand.New(rand.NewPCG(8, 0))
	start := make([]float64, dim)
	for i := range start {
		start[i] = rng.NormFloat64()
	}
	begin := time.Now()
	s, err := New(Config{Dim: dim, Start: start, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	var best float64
	for range 100 {
		best = tell(t, s, func(x []float64) float64 { return x[0] - squaredDistance(x, start)/1e4 })
	}
	if math.IsNaN(best) || notFinite(s.Sigma()) {
		t.Errorf("best %g, sigma %g", best, s.Sigma())
	}
	if len(s.a.coef) != 9 || s.a.dense != nil {
		t.Errorf("%d terms, want 9 and no dense matrix", len(s.a.coef))
	}
	if took := time.Since(begin); took > limit {
		t.Errorf("100 generations took %v, want under %v", took, limit)
	}
}

func BenchmarkGeneration(b *testing.B) {
	for _, dim := range []int{256, 4096} {
		b.Run(fmt.Sprint(dim), func(b *testing.B) {
			s, err := New(Config{Dim: dim})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tell(b, s, func(x []float64) float64 { return -x[0] * x[0] })
			}
		})
	}
}
