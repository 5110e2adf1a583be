package optim

import (
	"log/slog"
	"math"

	"gonum.org/v1/gonum/floats"
)

// The step size is held between these: beyond them, mean + sigma z A is no longer told apart from the
// mean, or overflows.
const (
	leastSigma   = 1e-150
	largestSigma = 1e150
)

// guard keeps a search's numbers within what float64 can hold. It changes nothing while they are, and
// says so when it does.
type guard struct {
	limit float64
	log   *slog.Logger
	bound float64 // at least the condition number of A
	fired int
}

func newGuard(cfg Config) guard {
	g := guard{limit: cfg.ConditionLimit, log: cfg.Logger, bound: 1}
	if g.limit == 0 {
		g.limit = DefaultConditionLimit
	}
	return g
}

// step holds the step size.
func (g *guard) step(s *CMAES, sigma float64) float64 {
	held := min(max(sigma, leastSigma), largestSigma)
	if math.IsNaN(sigma) { // the path has overflowed
		held = s.sigma
	}
	if held != sigma && g.log != nil {
		g.log.Warn("optim: step size held", "generation", s.generation, "sigma", sigma, "held", held)
	}
	return held
}

// factor looks at A after an update, which multiplies it by a matrix with one singular value b and
// else 1: so the product of all b bounds its condition number. Only when the bound passes the limit
// is the number itself estimated.
func (g *guard) factor(s *CMAES, b float64) {
	if g.bound *= b; g.bound <= g.limit {
		return
	}
	g.bound = s.Condition()
	if g.bound <= g.limit {
		return
	}
	g.fired++
	if g.log != nil {
		g.log.Warn("optim: condition number of A above its limit, A starts again as the identity",
			"generation", s.generation, "condition", g.bound, "limit", g.limit)
	}
	s.a, s.inverse, g.bound = identity(s.constants.Dim), identity(s.constants.Dim), 1
	clear(s.pc)
}

// powerSteps of the estimate of a norm: good to some per cent, which is what a guard needs.
const powerSteps = 30

// Condition estimates the condition number of A, |A| |A^-1|, by power iteration.
func (s *CMAES) Condition() float64 { return s.a.norm() * s.inverse.norm() }

// Guarded is how often A started again because its condition number passed the limit.
func (s *CMAES) Guarded() int { return s.guard.fired }

// norm estimates the largest singular value.
func (m *factor) norm() float64 {
	x, y := make([]float64, m.n), make([]float64, m.n)
	for i := range x { // not along any axis, and the same each time
		x[i] = 1 + .5*math.Sin(float64(i))
	}
	length := 0.0
	for range powerSteps {
		floats.Scale(1/floats.Norm(x, 2), x)
		m.mulRow(y, x)
		if length = floats.Norm(y, 2); length == 0 || notFinite(length) {
			return length
		}
		x = m.mulCol(y)
	}
	return length
}
