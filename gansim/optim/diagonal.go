package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// DiagonalConfig describes a search by CMA-ES with a diagonal matrix. Start and Sigma are needed.
type DiagonalConfig struct {
	Start      []float64 // first mean, and the code of generation 0
	Sigma      float64   // first step size
	Population int       // zero means DefaultPopulation of the dimensions
	Seed       uint64    // fixes the random numbers, a PCG stream of math/rand/v2
}

// Diagonal is CMA-ES whose covariance matrix is diagonal (Ros & Hansen 2008, sep-CMA-ES): work and
// memory grow with the number of dimensions alone. It is not safe for concurrent use.
type Diagonal struct {
	k          FullConstants
	n          int
	normal     func() float64
	generation int
	sigma      float64
	mean       []float64
	pc, ps, c  []float64   // paths, and the diagonal of C
	pending, z [][]float64 // codes that wait for scores, and the samples behind them
}

// NewDiagonal starts a search. Start is copied.
func NewDiagonal(cfg DiagonalConfig) (*Diagonal, error) {
	n := len(cfg.Start)
	if cfg.Population == 0 && n > 0 {
		cfg.Population = DefaultPopulation(n)
	}
	if n == 0 || cfg.Population < 2 || !(cfg.Sigma > 0) || slices.ContainsFunc(cfg.Start, notFinite) {
		return nil, fmt.Errorf("optim: %d dimensions, population %d, sigma %g: "+
			"want a finite start, at least 2 codes and a positive sigma", n, cfg.Population, cfg.Sigma)
	}
	s := &Diagonal{k: NewFullConstants(n, cfg.Population), n: n, sigma: cfg.Sigma,
		normal: rand.New(rand.NewPCG(cfg.Seed, 3)).NormFloat64, mean: slices.Clone(cfg.Start),
		pc: make([]float64, n), ps: make([]float64, n), c: make([]float64, n)}
	for i := range s.c {
		s.c[i] = 1
	}
	// The rates grow by (n+2)/3, since there are n numbers to learn and not n^2/2 (section 3 there).
	faster := float64(n+2) / 3
	s.k.C1 = min(1, s.k.C1*faster)
	s.k.CMu = min(1-s.k.C1, s.k.CMu*faster)
	return s, nil
}

// Ask gives the codes of the current generation: the start alone, then Population new ones. Asking
// again before Tell gives the same. The caller owns them.
func (s *Diagonal) Ask() [][]float64 {
	if s.pending == nil && s.generation == 0 {
		s.pending = cloneRows([][]float64{s.mean})
	}
	if s.pending == nil {
		s.pending, s.z = newRows(len(s.k.Weights), s.n), newRows(len(s.k.Weights), s.n)
		for i, z := range s.z {
			for j := range z {
				z[j] = s.normal()
				s.pending[i][j] = s.mean[j] + s.sigma*math.Sqrt(s.c[j])*z[j]
			}
		}
	}
	return cloneRows(s.pending)
}

// Tell takes the scores of the codes of the last Ask; see [CMAES.Tell].
func (s *Diagonal) Tell(scores []float64) error {
	if err := checkScores(s.pending, scores); err != nil {
		return err
	}
	if s.generation > 0 {
		s.update(ranked(scores))
	}
	s.pending = nil
	s.generation++
	return nil
}

// update is that of [Full] along each axis by itself.
func (s *Diagonal) update(order []int) {
	k := s.k
	step, zw := make([]float64, s.n), make([]float64, s.n)
	for i, w := range k.Weights[:k.Mu] {
		floats.AddScaled(zw, w, s.z[order[i]])
	}
	for j := range step {
		step[j] = math.Sqrt(s.c[j]) * zw[j]
	}
	floats.AddScaled(s.mean, s.sigma, step)
	floats.Scale(1-k.CS, s.ps)
	floats.AddScaled(s.ps, k.pathS, zw)
	filled := 1 - math.Pow(1-k.CS, 2*float64(s.generation))
	stalled := floats.Dot(s.ps, s.ps)/float64(s.n)/filled >= k.hsigLimit
	keep := 1 - k.C1 - k.CMu
	floats.Scale(1-k.CC, s.pc)
	if stalled {
		keep += k.C1 * k.CC * (2 - k.CC)
	} else {
		floats.AddScaled(s.pc, k.pathC, step)
	}
	for j := range s.c {
		mu := 0.0
		for i, w := range k.Weights[:k.Mu] {
			z := s.z[order[i]][j]
			mu += w * z * z
		}
		s.c[j] = s.c[j]*(keep+k.CMu*mu) + k.C1*s.pc[j]*s.pc[j]
	}
	s.sigma *= math.Exp(min(1, k.CS/k.Damps*(floats.Norm(s.ps, 2)/k.chiN-1)))
}

// checkScores refuses scores that do not fit the codes that wait for them.
func checkScores(pending [][]float64, scores []float64) error {
	if pending == nil {
		return ErrNotAsked
	}
	if len(scores) != len(pending) {
		return fmt.Errorf("optim: %d scores, want %d", len(scores), len(pending))
	}
	if i := slices.IndexFunc(scores, notFinite); i >= 0 {
		return fmt.Errorf("optim: score %d is %g: %w", i, scores[i], ErrNotFinite)
	}
	return nil
}
