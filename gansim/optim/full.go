package optim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FullConfig describes a search by CMA-ES with a full covariance matrix. Start and Sigma are needed.
type FullConfig struct {
	Start      []float64 // first mean
	Sigma      float64   // first step size
	Population int       // zero means 4 + floor(3 ln N), the default of that algorithm
	Seed       uint64    // fixes the random numbers, a PCG stream of math/rand/v2
}

// spread keeps the first eigenvalues apart: C starts with exp(spread i/N) on its diagonal, as the
// states of the package cma show.
const spread = 1e-4

// FullConstants are the strategy parameters of [Full] for N dimensions and a population.
type FullConstants struct {
	Mu                            int       // codes with a positive weight
	Weights                       []float64 // best code first, sum 1; zero from Mu on
	MuEff, CC, C1, CMu            float64   // effective number of codes; rates of pc, C
	CS, Damps                     float64   // rate of ps, damping of the step size
	chiN, hsigLimit, pathC, pathS float64
}

// Full is CMA-ES with a full covariance matrix, rank-one and rank-mu updates and cumulative step-size
// adaptation (Hansen, The CMA evolution strategy: a tutorial, 2016), with the constants of the
// package cma 4.5.0 (CMAEvolutionStrategy with CMA_active False): negative weights are off and
// C is decomposed in each generation, so it is meant for some hundred dimensions. Scores are
// maximised. It is not safe for concurrent use.
type Full struct {
	n          int
	constants  FullConstants
	normal     func() float64
	generation int
	sigma      float64
	mean       []float64
	pc, ps     []float64
	c          *mat.SymDense
	axes       mat.Dense // eigenvectors of C as columns
	lengths    []float64 // roots of its eigenvalues
}

// NewFull starts a search. Start is copied.
func NewFull(cfg FullConfig) (*Full, error) {
	n := len(cfg.Start)
	if cfg.Population == 0 {
		cfg.Population = 4 + int(3*math.Log(float64(max(n, 1))))
	}
	if n == 0 || cfg.Population < 2 || !(cfg.Sigma > 0) || slices.ContainsFunc(cfg.Start, notFinite) {
		return nil, fmt.Errorf("optim: %d dimensions, population %d, sigma %g: "+
			"want a finite start, at least 2 codes and a positive sigma", n, cfg.Population, cfg.Sigma)
	}
	s := &Full{n: n, constants: NewFullConstants(n, cfg.Population), sigma: cfg.Sigma,
		normal: rand.New(rand.NewPCG(cfg.Seed, 1)).NormFloat64, mean: slices.Clone(cfg.Start),
		pc: make([]float64, n), ps: make([]float64, n), c: mat.NewSymDense(n, nil)}
	for i := range n {
		s.c.SetSym(i, i, math.Exp(spread*float64(i)/float64(n)))
	}
	return s, s.decompose()
}

// NewFullConstants derives the constants (cma, recombination_weights.py, sigma_adaptation.py and
// _CMAParameters).
func NewFullConstants(dim, population int) FullConstants {
	n := float64(dim)
	k := FullConstants{Weights: make([]float64, population)}
	sum, squares := 0.0, 0.0
	for i := range k.Weights {
		if w := math.Log(float64(population+1)/2) - math.Log(float64(i+1)); w > 0 {
			k.Weights[i] = w
			k.Mu++
			sum += w
		}
	}
	floats.Scale(1/sum, k.Weights)
	for _, w := range k.Weights {
		squares += w * w
	}
	k.MuEff = 1 / squares
	k.CC = (4 + k.MuEff/n) / (n + 4 + 2*k.MuEff/n)
	k.C1 = min(1, float64(population)/6) * 2 / ((n+1.3)*(n+1.3) + k.MuEff)
	k.CMu = min(1-k.C1, 2*(0.25+k.MuEff+1/k.MuEff-2)/((n+2)*(n+2)+k.MuEff))
	k.CS = (k.MuEff + 2) / (n + k.MuEff + 3)
	k.Damps = 1 + k.CS + 2*max(0, math.Sqrt((k.MuEff-1)/(n+1))-1)
	above, _ := math.Lgamma((n + 1) / 2)
	below, _ := math.Lgamma(n / 2)
	k.chiN = math.Sqrt2 * math.Exp(above-below) // the series in CMAES is shorter
	k.hsigLimit = 2 + 4/(n+1)
	k.pathC = math.Sqrt(k.CC * (2 - k.CC) * k.MuEff)
	k.pathS = math.Sqrt(k.CS * (2 - k.CS) * k.MuEff)
	return k
}

// Constants returns the strategy parameters in use.
func (s *Full) Constants() FullConstants {
	k := s.constants
	k.Weights = slices.Clone(k.Weights)
	return k
}

// FullState is where a search stands, in memory of its own.
type FullState struct {
	Mean, Pc, Ps []float64
	Sigma        float64
	C            []float64 // [N, N] row-major
}

// State copies the search's state.
func (s *Full) State() FullState {
	c := mat.DenseCopyOf(s.c)
	return FullState{slices.Clone(s.mean), slices.Clone(s.pc), slices.Clone(s.ps), s.sigma,
		c.RawMatrix().Data}
}

// Ask draws the next generation, one code per row.
func (s *Full) Ask() [][]float64 {
	codes := newRows(len(s.constants.Weights), s.n)
	for _, x := range codes {
		copy(x, s.mean)
		for j, length := range s.lengths {
			v := s.sigma * length * s.normal()
			for i := range x {
				x[i] += v * s.axes.At(i, j)
			}
		}
	}
	return codes
}

// Tell takes a generation's codes with their scores, higher being better, and moves the search on.
// The codes need not be those of Ask. Wrong sizes and values that are not finite are errors, the
// latter wrapping ErrNotFinite, and leave the search as it was.
func (s *Full) Tell(codes [][]float64, scores []float64) error {
	if len(codes) != len(s.constants.Weights) || len(scores) != len(codes) {
		return fmt.Errorf("optim: %d codes and %d scores, want %d", len(codes), len(scores),
			len(s.constants.Weights))
	}
	for i, x := range codes {
		if len(x) != s.n {
			return fmt.Errorf("optim: code of %d dimensions, want %d", len(x), s.n)
		}
		if notFinite(scores[i]) || slices.ContainsFunc(x, notFinite) {
			return fmt.Errorf("optim: code %d with score %g: %w", i, scores[i], ErrNotFinite)
		}
	}
	s.generation++
	s.update(codes, ranked(scores))
	return s.decompose()
}

// update is equations 40 to 47 of the tutorial; y are the steps from the old mean over sigma.
func (s *Full) update(codes [][]float64, order []int) {
	k := s.constants
	y, step := newRows(k.Mu, s.n), make([]float64, s.n)
	for i := range y {
		floats.SubTo(y[i], codes[order[i]], s.mean)
		floats.Scale(1/s.sigma, y[i])
		floats.AddScaled(step, k.Weights[i], y[i])
	}
	floats.AddScaled(s.mean, s.sigma, step)
	floats.Scale(1-k.CS, s.ps)
	floats.AddScaled(s.ps, k.pathS, s.whiten(step))
	filled := 1 - math.Pow(1-k.CS, 2*float64(s.generation))
	stalled := floats.Dot(s.ps, s.ps)/float64(s.n)/filled >= k.hsigLimit
	floats.Scale(1-k.CC, s.pc)
	keep := 1 - k.C1 - k.CMu
	if stalled { // no step into pc; C keeps the variance that it loses by that
		keep += k.C1 * k.CC * (2 - k.CC)
	} else {
		floats.AddScaled(s.pc, k.pathC, step)
	}
	s.c.ScaleSym(keep, s.c)
	s.c.SymRankOne(s.c, k.C1, mat.NewVecDense(s.n, s.pc))
	for i, row := range y {
		s.c.SymRankOne(s.c, k.CMu*k.Weights[i], mat.NewVecDense(s.n, row))
	}
	s.sigma *= math.Exp(min(1, k.CS/k.Damps*(floats.Norm(s.ps, 2)/k.chiN-1)))
}

// whiten is C^(-1/2) x.
func (s *Full) whiten(x []float64) []float64 {
	var v, out mat.VecDense
	v.MulVec(s.axes.T(), mat.NewVecDense(s.n, x))
	for i, length := range s.lengths {
		v.SetVec(i, v.AtVec(i)/length)
	}
	out.MulVec(&s.axes, &v)
	return out.RawVector().Data
}

// decompose finds the axes of C.
func (s *Full) decompose() error {
	var e mat.EigenSym
	if !e.Factorize(s.c, true) {
		return errors.New("optim: no eigenvalues of the covariance matrix found")
	}
	e.VectorsTo(&s.axes)
	s.lengths = e.Values(nil)
	for i, v := range s.lengths {
		if v <= 0 {
			return fmt.Errorf("optim: eigenvalue %d of the covariance matrix is %g", i, v)
		}
		s.lengths[i] = math.Sqrt(v)
	}
	return nil
}
