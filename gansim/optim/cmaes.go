// Package optim holds evolution strategies, which search a latent space for the code with the
// highest score: [CMAES], Cholesky CMA-ES with a rank-one update, as used for image evolution by
// Wang and Ponce (GECCO 2022; class CholeskyCMAES of core/utils/Optimizers.py in their comparison of
// generators). The update of the factor is that of Suttorp, Hansen and Igel (Mach. Learn. 2009).
//
// Codes are row vectors, x = mean + sigma * z A with z standard normal, and scores are maximised.
// A starts as the identity and is kept as a*I plus rank-one terms, which is exact; so 4096
// dimensions need no 4096 x 4096 matrix.
//
// A search in the leading eigenvectors of an averaged metric needs nothing more: with K
// eigenvectors as rows of E and scales s, search K dimensions from the start 0 and score the codes
// x0 + y diag(s) E. That is, in exact arithmetic, the same sequence of codes as starting from
// A = diag(s) E in the full space with the constants of K dimensions.
//
// [Joint] puts searches of parts of a code or of such subspaces together, and [Labels] are the published
// searches as data. [Full] is the common CMA-ES with a full covariance matrix, for a few hundred
// dimensions, [Diagonal] with a diagonal one, and [Genetic] a genetic algorithm.
//
// Everything is float64; generators take float32, so a caller rounds codes on the way out.
package optim

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

const (
	// DefaultSigma is the first step size where none is given (init_sigma of the original program).
	DefaultSigma = 3.0
	// DefaultUpdateFreq is the UpdateFreq where none is given (Aupdate_freq there).
	DefaultUpdateFreq = 10
	// EveryGeneration as UpdateFreq updates A in each generation but the first.
	EveryGeneration = -1
	// NeverUpdate as UpdateFreq keeps A = I over the 100 generations of the comparison; it is the
	// setting of the labels that end in "noA".
	NeverUpdate = 102
	// DefaultConditionLimit is the ConditionLimit where none is given: that of the covariance A'A is
	// its square, 1e14, as in the package cma (tolconditioncov). The original program has no guard.
	DefaultConditionLimit = 1e7
)

var (
	// ErrNotFinite is wrapped by the error for a score or a code that is NaN or infinite.
	ErrNotFinite = errors.New("not finite")
	// ErrNotAsked is returned by Tell when no codes are waiting for scores.
	ErrNotAsked = errors.New("optim: tell without ask")
)

// Config describes a search. Only Dim is needed.
type Config struct {
	// Dim is the number of dimensions of a code, at least 1.
	Dim int
	// Start is the mean of the first sampled generation (init_code); then the scores of
	// generation 0 change nothing. Nil means the weighted mean of the best codes of First, or zeros
	// if there is no First either.
	Start []float64
	// First holds the codes of generation 0, one row each. Nil means Start alone.
	First [][]float64
	// Sigma is the first step size; zero means DefaultSigma.
	Sigma float64
	// Population is the number of codes in each generation after the first; zero means
	// DefaultPopulation(Dim). At least 2.
	Population int
	// UpdateFreq sets how often A changes: when more than UpdateFreq generations have been sampled
	// since it last did, so every 11th generation for 10. Zero means DefaultUpdateFreq.
	UpdateFreq int
	// Seed fixes the random numbers, a PCG stream of math/rand/v2.
	Seed uint64
	// Normal gives standard normal numbers instead of Seed, in the order code by code, dimension by
	// dimension. Nil means the generator of Seed.
	Normal func() float64
	// ConditionLimit is the largest condition number of A that is borne: above it, A starts again as
	// the identity. Zero means DefaultConditionLimit.
	ConditionLimit float64
	// Logger is told when that happens, and when the step size is held; nil means quiet.
	Logger *slog.Logger
}

// CMAES is a running search: Ask for codes, score them, Tell the scores. It is not safe for
// concurrent use.
type CMAES struct {
	constants Constants
	start     []float64 // nil: take the mean from the first scores
	first     [][]float64
	threshold int // A changes when more evaluations than this were sampled since it last did
	normal    func() float64

	generation   int // generations scored so far
	evaluations  int // codes sampled so far, without generation 0
	updatedAt    int // evaluations when A last changed
	mean, ps, pc []float64
	sigma        float64
	a, inverse   factor
	pending      [][]float64 // codes that wait for scores
	z            [][]float64 // normal samples behind them; nil in generation 0
	row          []float64   // scratch, [Dim]
	guard        guard
}

// New starts a search. Slices of cfg are copied.
func New(cfg Config) (*CMAES, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &CMAES{
		constants: NewConstants(cfg.Dim, cfg.Population),
		start:     slices.Clone(cfg.Start),
		first:     cloneRows(cfg.First),
		normal:    cfg.Normal,
		sigma:     cfg.Sigma,
		mean:      make([]float64, cfg.Dim),
		ps:        make([]float64, cfg.Dim),
		pc:        make([]float64, cfg.Dim),
		row:       make([]float64, cfg.Dim),
		a:         identity(cfg.Dim),
		inverse:   identity(cfg.Dim),
		guard:     newGuard(cfg),
	}
	if s.start == nil && s.first == nil {
		s.start = make([]float64, cfg.Dim)
	}
	if s.first == nil {
		s.first = cloneRows([][]float64{s.start})
	}
	if s.normal == nil {
		s.normal = rand.New(rand.NewPCG(cfg.Seed, 0)).NormFloat64
	}
	if s.sigma == 0 {
		s.sigma = DefaultSigma
	}
	switch cfg.UpdateFreq {
	case 0:
		s.threshold = DefaultUpdateFreq * s.constants.Lambda
	case EveryGeneration:
		s.threshold = 0
	default:
		s.threshold = cfg.UpdateFreq * s.constants.Lambda
	}
	return s, nil
}

// check refuses a configuration that cannot run.
func (cfg Config) check() error {
	switch {
	case cfg.Dim < 1:
		return fmt.Errorf("optim: %d dimensions, want at least 1", cfg.Dim)
	case cfg.Population < 0 || cfg.Population == 1:
		return fmt.Errorf("optim: population %d, want at least 2", cfg.Population)
	case cfg.UpdateFreq < EveryGeneration:
		return fmt.Errorf("optim: update frequency %d, want at least %d", cfg.UpdateFreq,
			EveryGeneration)
	case cfg.ConditionLimit < 0 || cfg.ConditionLimit > 0 && cfg.ConditionLimit < 1:
		return fmt.Errorf("optim: condition limit %g, want at least 1", cfg.ConditionLimit)
	case cfg.Sigma < 0 || math.IsNaN(cfg.Sigma) || math.IsInf(cfg.Sigma, 0):
		return fmt.Errorf("optim: sigma is %g, want a positive number", cfg.Sigma)
	case cfg.First != nil && len(cfg.First) == 0:
		return errors.New("optim: generation 0 has no codes")
	}
	rows := cfg.First
	if cfg.Start != nil {
		rows = append([][]float64{cfg.Start}, rows...)
	}
	for _, r := range rows {
		if len(r) != cfg.Dim {
			return fmt.Errorf("optim: code of %d dimensions, want %d", len(r), cfg.Dim)
		}
		if i := slices.IndexFunc(r, notFinite); i >= 0 {
			return fmt.Errorf("optim: start code: element %d is %g: %w", i, r[i], ErrNotFinite)
		}
	}
	return nil
}

// Constants returns the strategy parameters in use.
func (s *CMAES) Constants() Constants {
	c := s.constants
	c.Weights = slices.Clone(c.Weights)
	return c
}

// Generation is the index of the generation that Ask gives, from 0.
func (s *CMAES) Generation() int { return s.generation }

// Sigma is the current step size.
func (s *CMAES) Sigma() float64 { return s.sigma }

// Mean returns a copy of the current mean; zeros before the first Tell.
func (s *CMAES) Mean() []float64 { return slices.Clone(s.mean) }

// State is where a search stands, in memory of its own.
type State struct {
	Mean, Pc, Ps []float64
	Sigma        float64
	A, Inverse   []float64 // [Dim, Dim] row-major
}

// State copies the search's state and writes A and its inverse out.
func (s *CMAES) State() State {
	return State{s.Mean(), slices.Clone(s.pc), slices.Clone(s.ps), s.sigma, s.a.matrix(),
		s.inverse.matrix()}
}

// Ask returns the codes of the current generation, one row each: First or Start in generation 0,
// Population new ones afterwards. Asking again before Tell gives the same codes. The caller owns
// the rows; changing them does not change the search.
func (s *CMAES) Ask() [][]float64 {
	if s.pending == nil {
		if s.generation == 0 {
			s.pending = s.first
		} else {
			s.sample()
		}
	}
	return cloneRows(s.pending)
}

// sample draws z and sets pending = mean + sigma z A.
func (s *CMAES) sample() {
	if s.z == nil {
		s.z = newRows(s.constants.Lambda, s.constants.Dim)
	}
	s.pending = newRows(s.constants.Lambda, s.constants.Dim)
	for i, z := range s.z {
		for j := range z {
			z[j] = s.normal()
		}
		s.a.mulRow(s.row, z)
		floats.AddScaledTo(s.pending[i], s.mean, s.sigma, s.row)
	}
	s.evaluations += s.constants.Lambda
}

// Tell takes the scores of the codes of the last Ask, in their order, and moves the search on.
// Higher is better; among equal scores the earlier code ranks first (the original program leaves
// their order to an unstable sort). A score that is NaN or infinite gives an error that wraps
// ErrNotFinite and leaves the search as it was.
func (s *CMAES) Tell(scores []float64) error {
	if err := checkScores(s.pending, scores); err != nil {
		return err
	}
	best := ranked(scores)
	best = best[:min(s.constants.Mu, len(best))]
	switch {
	case s.generation > 0:
		s.recombine(s.mean, s.pending, best)
		s.advance(best)
	case s.start != nil:
		copy(s.mean, s.start)
	default:
		s.recombine(s.mean, s.pending, best)
	}
	s.pending = nil
	s.generation++
	return nil
}

// recombine sets dst to the weighted mean of the best rows, weights renormalised if they are few.
func (s *CMAES) recombine(dst []float64, rows [][]float64, best []int) {
	weights := s.constants.Weights[:len(best)]
	total := 1.0
	if len(best) < s.constants.Mu {
		total = floats.Sum(weights)
	}
	clear(dst)
	for i, r := range best {
		floats.AddScaled(dst, weights[i]/total, rows[r])
	}
}

// advance updates both paths, the step size and, when due, A and its inverse.
func (s *CMAES) advance(best []int) {
	c := s.constants
	zw := make([]float64, c.Dim)
	s.recombine(zw, s.z, best)
	floats.Scale(1-c.CS, s.ps)
	floats.AddScaled(s.ps, math.Sqrt(c.CS*(2-c.CS)*c.MuEff), zw)
	s.a.mulRow(s.row, zw)
	floats.Scale(1-c.CC, s.pc)
	floats.AddScaled(s.pc, math.Sqrt(c.CC*(2-c.CC)*c.MuEff), s.row)
	s.sigma = s.guard.step(s, s.sigma*math.Exp(c.CS/c.Damps*(floats.Norm(s.ps, 2)/c.ChiN-1)))
	if s.evaluations-s.updatedAt > s.threshold {
		s.updatedAt = s.evaluations
		s.updateFactor()
	}
}

// updateFactor is the rank-one update: with v = pc A^-1, n = |v|^2, a = sqrt(1-c1) and
// b = sqrt(1 + n c1/(1-c1)),
//
//	A    <- a A + (a/n) (b-1) v' pc
//	A^-1 <- A^-1/a - (1/(a n)) (1-1/b) (A^-1 v') v    with the old A^-1 on the right.
//
// Where b rounds to 1 (pc = 0 above all) the rank-one parts vanish.
func (s *CMAES) updateFactor() {
	c1 := s.constants.C1
	v := make([]float64, s.constants.Dim)
	s.inverse.mulRow(v, s.pc)
	n := floats.Dot(v, v)
	a := math.Sqrt(1 - c1)
	b := math.Sqrt(1 + n*c1/(1-c1))
	back := s.inverse.mulCol(v)
	s.a.rescale(a)
	s.inverse.rescale(1 / a)
	if b == 1 {
		return
	}
	s.a.add(a/n*(b-1), v, slices.Clone(s.pc))
	s.inverse.add(-1/(a*n)*(1-1/b), back, v)
	s.guard.factor(s, b)
}

// ranked returns indices by descending score, ties in their order.
func ranked(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case scores[i] > scores[j]:
			return -1
		case scores[i] < scores[j]:
			return 1
		}
		return 0
	})
	return order
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// newRows returns rows of one block of memory.
func newRows(rows, columns int) [][]float64 {
	block := make([]float64, rows*columns)
	out := make([][]float64, rows)
	for i := range out {
		out[i] = block[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return out
}

// cloneRows copies a matrix of equal rows; nil stays nil.
func cloneRows(m [][]float64) [][]float64 {
	if m == nil {
		return nil
	}
	out := newRows(len(m), len(m[0]))
	for i, r := range m {
		copy(out[i], r)
	}
	return out
}
