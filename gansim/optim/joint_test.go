package optim

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// hessCMA is the original class (core/utils/Optimizers.py, HessCMAES) with dense matrices: A [K, D]
// starts as diag(s) E', its inverse as E diag(1/s).
type hessCMA struct {
	k          Constants
	a, inverse *mat.Dense
	mean       *mat.VecDense
	ps, pc     *mat.VecDense
	sigma      float64
	sampled    int
	updated    int
	z          *mat.Dense
}

func (h *hessCMA) sample(normal func() float64) *mat.Dense {
	kk, d := h.a.Dims()
	h.z = mat.NewDense(h.k.Lambda, kk, nil)
	for i := range h.k.Lambda {
		for j := range kk {
			h.z.Set(i, j, normal())
		}
	}
	var x mat.Dense
	x.Mul(h.z, h.a)
	x.Scale(h.sigma, &x)
	for i := range h.k.Lambda {
		for j := range d {
			x.Set(i, j, x.At(i, j)+h.mean.AtVec(j))
		}
	}
	h.sampled += h.k.Lambda
	return &x
}

func (h *hessCMA) tell(codes *mat.Dense, scores []float64) {
	kk, d := h.a.Dims()
	c := h.k
	order := ranked(scores)[:c.Mu]
	mean, zw := mat.NewVecDense(d, nil), mat.NewVecDense(kk, nil)
	for i, r := range order {
		mean.AddScaledVec(mean, c.Weights[i], codes.RowView(r))
		zw.AddScaledVec(zw, c.Weights[i], h.z.RowView(r))
	}
	h.mean = mean
	var step mat.VecDense
	step.MulVec(h.a.T(), zw)
	h.ps.ScaleVec(1-c.CS, h.ps)
	h.ps.AddScaledVec(h.ps, math.Sqrt(c.CS*(2-c.CS)*c.MuEff), zw)
	h.pc.ScaleVec(1-c.CC, h.pc)
	h.pc.AddScaledVec(h.pc, math.Sqrt(c.CC*(2-c.CC)*c.MuEff), &step)
	h.sigma *= math.Exp(c.CS / c.Damps * (mat.Norm(h.ps, 2)/c.ChiN - 1))
	if h.sampled-h.updated <= DefaultUpdateFreq*c.Lambda {
		return
	}
	h.updated = h.sampled
	var v, back mat.VecDense
	v.MulVec(h.inverse.T(), h.pc)
	n := mat.Dot(&v, &v)
	a, b := math.Sqrt(1-c.C1), math.Sqrt(1+n*c.C1/(1-c.C1))
	back.MulVec(h.inverse, &v)
	h.a.Scale(a, h.a)
	h.a.RankOne(h.a, a/n*(b-1), &v, h.pc)
	h.inverse.Scale(1/a, h.inverse)
	h.inverse.RankOne(h.inverse, -1/(a*n)*(1-1/b), &back, &v)
}

// subspace is scaled rows of an orthogonal matrix.
func subspace(d, k int) (rows []float64, scales []float64, basis *mat.Dense) {
	rng := rand.New(rand.NewPCG(3, 3))
	m := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(m)
	var q mat.Dense
	qr.QTo(&q)
	for i := range k {
		scales = append(scales, math.Pow(float64(k-i), -.4))
		for j := range d {
			rows = append(rows, scales[i]*q.At(j, i))
		}
	}
	return rows, scales, &q
}

// TestHessCMA: a search in scaled eigenvectors gives the codes of the original class with dense
// matrices in the full space, over several updates of A.
func TestHessCMA(t *testing.T) {
	const d, k = 12, 7
	rows, scales, q := subspace(d, k)
	start := make([]float64, d)
	for i := range start {
		start[i] = float64(i%5) - 1
	}
	a, inverse := mat.NewDense(k, d, rows), mat.NewDense(d, k, nil)
	for i := range k {
		for j := range d {
			inverse.Set(j, i, q.At(j, i)/scales[i])
		}
	}
	h := &hessCMA{k: NewConstants(k, 0), a: mat.DenseCopyOf(a), inverse: inverse, sigma: .8,
		mean: mat.NewVecDense(d, append([]float64(nil), start...)), ps: mat.NewVecDense(k, nil),
		pc: mat.NewVecDense(d, nil)}
	l := Label{Kind: "cholesky", Parts: []PartLabel{{"all", .8, true, k, .4}}}
	s, err := l.Search(Space{Start: start, Seed: 5,
		Subspace: func(from, to, cutoff int, exponent float64) ([]float64, error) {
			if from != 0 || to != d || cutoff != k || exponent != .4 {
				t.Errorf("asked for %d to %d, %d, %g", from, to, cutoff, exponent)
			}
			return rows, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	normal := rand.New(rand.NewPCG(5, 0)).NormFloat64
	score := func(x []float64) float64 { return -squaredDistance(x, make([]float64, d)) - x[0]*x[3] }
	near(t, "generation 0", s.Ask()[0], start)
	if err := s.Tell([]float64{score(start)}); err != nil {
		t.Fatal(err)
	}
	for g := range 60 {
		codes, want := s.Ask(), h.sample(normal)
		var scores []float64
		for i, x := range codes {
			near(t, fmt.Sprintf("generation %d, code %d", g, i), x, want.RawRowView(i))
			scores = append(scores, score(x))
		}
		h.tell(want, scores)
		if err := s.Tell(scores); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLabels: the table's searches start at the given code, search their part alone with the
// population of its dimensions, and unknown ones are refused.
func TestLabels(t *testing.T) {
	space := func(n int) Space {
		s := Space{Start: make([]float64, n), Seed: 9}
		for i := range s.Start {
			s.Start[i] = float64(i) / float64(n)
		}
		s.Subspace = func(from, to, cutoff int, _ float64) ([]float64, error) {
			if cutoff == 0 {
				cutoff = to - from
			}
			rows := make([]float64, cutoff*(to-from))
			for i := range cutoff {
				rows[i*(to-from)+i] = 2
			}
			return rows, nil
		}
		return s
	}
	populations := map[string]int{"CholCMA_class": 25, "CholCMA_noise": 25, "CholCMA_prod": 25,
		"HessCMA_class": 25, "HessCMA500": 30, "HessCMA800": 32, "HessCMA500_1": 30, "GA": 40}
	for _, l := range Labels() {
		s, n := space(256), 28
		s.Noise = 128
		if l.Generator == "DeePSim" {
			s, n = space(4096), 40
		}
		if want, ok := populations[l.Name]; ok {
			n = want
		}
		x, err := l.Search(s)
		if err != nil {
			t.Fatal(err)
		}
		first := x.Ask()
		if len(first) != 1 || !floats.Equal(first[0], s.Start) {
			t.Errorf("%s %s: generation 0 is not the start", l.Generator, l.Name)
		}
		if err := x.Tell([]float64{1}); err != nil {
			t.Fatal(err)
		}
		codes := x.Ask()
		if len(codes) != n {
			t.Errorf("%s %s: population %d, want %d", l.Generator, l.Name, len(codes), n)
		}
		for i := range s.Start {
			searched := len(l.Parts) == 2 || l.Parts[0].Part == "all" ||
				(i < 128) == (l.Parts[0].Part == "noise")
			if c := l.Parts[0].Cutoff; c > 0 && i >= c {
				searched = false // the basis of this test is of the first axes
			}
			if moved := codes[1][i] != s.Start[i]; moved != searched {
				t.Errorf("%s %s: dimension %d moved: %v", l.Generator, l.Name, i, moved)
				break
			}
		}
	}
	if _, err := FindLabel("BigGAN", "holcma"); err == nil || !strings.Contains(err.Error(), "HessCMA_class") {
		t.Errorf("got %v, want an error that lists the known", err)
	}
	l, _ := FindLabel("BigGAN", "cholcma_CLASS")
	if _, err := l.Search(Space{Start: []float64{1, 2}}); err == nil {
		t.Error("a code without parts was searched by its class")
	}
	l, _ = FindLabel("BigGAN", "HessCMA")
	if _, err := l.Search(Space{Start: []float64{1, 2}}); err == nil {
		t.Error("no eigenvectors were needed")
	}
}

// TestOthers: the diagonal search learns scales of axes, the genetic one climbs.
func TestOthers(t *testing.T) {
	quadratic := func(x []float64) float64 {
		sum := 0.0
		for i, v := range x {
			sum -= math.Pow(10, float64(i%4)) * (v - 1) * (v - 1)
		}
		return sum
	}
	start := make([]float64, 8)
	d, err := NewDiagonal(DiagonalConfig{Start: start, Sigma: .5, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGenetic(GeneticConfig{Start: start, Spread: .5, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		s           Search
		generations int
		above       float64
	}{{"diagonal", d, 300, -1e-8}, {"genetic", g, 100, -200}} {
		best := math.Inf(-1)
		for range c.generations {
			var scores []float64
			for _, x := range c.s.Ask() {
				scores = append(scores, quadratic(x))
			}
			best = max(best, floats.Max(scores))
			if err := c.s.Tell(scores); err != nil {
				t.Fatal(err)
			}
		}
		if start := quadratic(start); best < c.above || best <= start {
			t.Errorf("%s: best %g from %g, want above %g", c.name, best, start, c.above)
		}
		if err := c.s.Tell(nil); !errors.Is(err, ErrNotAsked) {
			t.Errorf("%s: tell without ask: %v", c.name, err)
		}
		c.s.Ask()
		if c.s.Tell([]float64{math.NaN()}) == nil {
			t.Errorf("%s: NaN was taken", c.name)
		}
	}
	for _, cfg := range []GeneticConfig{{}, {Start: start}, {Start: start, Spread: 1, Rate: 2},
		{Start: start, Spread: 1, Population: 1}, {Start: start, Spread: 1, Population: 9, Kept: 9}} {
		if _, err := NewGenetic(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	if _, err := NewDiagonal(DiagonalConfig{Start: start}); err == nil {
		t.Error("a sigma of 0 was taken")
	}
}

// illConditioned is a quadratic whose axes' scales spread over six decades.
func illConditioned(x []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum -= math.Pow(10, 6*float64(i)/float64(len(x)-1)) * v * v
	}
	return sum
}

// TestConditionGuard: on an ill-conditioned quadratic A becomes so too; a low limit makes the guard
// fire, which is logged, and the search goes on without NaN.
func TestConditionGuard(t *testing.T) {
	for _, c := range []struct {
		limit float64
		fires bool
	}{{0, false}, {20, true}} {
		var log bytes.Buffer
		s, err := New(Config{Dim: 6, Sigma: 1, Start: []float64{1, 1, 1, 1, 1, 1}, Seed: 2,
			UpdateFreq: EveryGeneration, ConditionLimit: c.limit,
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		best := math.Inf(-1)
		for range 500 {
			best = max(best, tell(t, s, illConditioned))
		}
		if (s.Guarded() > 0) != c.fires || strings.Contains(log.String(), "condition") != c.fires {
			t.Errorf("limit %g: the guard fired %d times, log %q", c.limit, s.Guarded(), log.String())
		}
		if math.IsNaN(best) || best < illConditioned([]float64{1, 1, 1, 1, 1, 1}) {
			t.Errorf("limit %g: best %g", c.limit, best)
		}
		if !c.fires && s.Condition() < 20 {
			t.Errorf("condition number %g, expected to have grown", s.Condition())
		}
	}
}

// TestIllConditioned is 1,000 generations of the fc6 space's size: no NaN, and the guard has nothing to
// do, since c1 is so small there that A stays near the identity.
func TestIllConditioned(t *testing.T) {
	t.Parallel()
	const dim = 4096
	start, scales := make([]float64, dim), make([]float64, dim)
	for i := range start {
		start[i], scales[i] = 1, math.Pow(10, 6*float64(i)/(dim-1))
	}
	s, err := New(Config{Dim: dim, Start: start, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	score := func(x []float64) float64 {
		sum := 0.0
		for i, v := range x {
			sum -= scales[i] * v * v
		}
		return sum
	}
	tell(t, s, score)
	first := tell(t, s, score)
	var best float64
	for range 998 {
		best = tell(t, s, score)
	}
	if math.IsNaN(best) || best < first/2 {
		t.Errorf("best of the last generation %g, of the first %g", best, first)
	}
	if c := s.Condition(); !(c >= 1 && c < 1.1) || s.Guarded() != 0 || notFinite(s.Sigma()) {
		t.Errorf("condition number %g, guard fired %d times, sigma %g", c, s.Guarded(), s.Sigma())
	}
}

// TestCondition compares the estimate with the singular values.
func TestCondition(t *testing.T) {
	s, err := New(Config{Dim: 5, UpdateFreq: EveryGeneration, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	for range 150 {
		tell(t, s, func(x []float64) float64 { return -x[0]*x[0] - 400*x[1]*x[1] })
	}
	var svd mat.SVD
	svd.Factorize(mat.NewDense(5, 5, s.State().A), mat.SVDNone)
	if got, want := s.Condition(), svd.Cond(); math.Abs(got/want-1) > .1 {
		t.Errorf("condition number %g, want %g", got, want)
	}
}

// TestStepSizeHeld: whatever the paths do, the step size stays a number.
func TestStepSizeHeld(t *testing.T) {
	var log bytes.Buffer
	s, err := New(Config{Dim: 2, Sigma: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Normal: func() float64 { return 1e3 }})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		tell(t, s, func([]float64) float64 { return 1 })
	}
	if notFinite(s.Sigma()) || !strings.Contains(log.String(), "step size held") {
		t.Errorf("sigma %g, log %q", s.Sigma(), log.String())
	}
}
