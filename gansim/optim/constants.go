package optim

import "math"

// Constants are the strategy parameters of Cholesky CMA-ES, fixed by the number of dimensions and
// the population. Names are those of the original program.
type Constants struct {
	Dim     int       // N, number of dimensions
	Lambda  int       // codes per generation
	Mu      int       // codes that are recombined, floor(Lambda/2)
	Weights []float64 // recombination weights, best code first, sum 1; [Mu]
	MuEff   float64   // effective number of recombined codes, 1/sum(Weights^2)
	CC      float64   // rate of the evolution path pc, 4/(N+4)
	CS      float64   // rate of the step-size path ps, sqrt(MuEff)/(sqrt(MuEff)+sqrt(N))
	C1      float64   // rate of the rank-one update, 2/(N+sqrt(2))^2
	Damps   float64   // damping of the step size
	ChiN    float64   // expected norm of a standard normal vector (series of two terms)
}

// DefaultPopulation is the population of a space of dim dimensions, 4 + floor(3 log2(dim)):
// 25 codes for 128 dimensions, 28 for 256, 40 for 4096.
func DefaultPopulation(dim int) int {
	return 4 + int(math.Floor(3*math.Log2(float64(dim))))
}

// NewConstants derives the constants for dim dimensions. A population of zero means
// DefaultPopulation(dim). It wants dim >= 1 and population 0 or >= 2; [New] checks.
func NewConstants(dim, population int) Constants {
	if population == 0 {
		population = DefaultPopulation(dim)
	}
	n := float64(dim)
	c := Constants{Dim: dim, Lambda: population, Mu: population / 2}
	c.Weights = make([]float64, c.Mu)
	var sum, squares float64
	for i := range c.Weights {
		c.Weights[i] = math.Log(float64(population)/2+0.5) - math.Log(float64(i+1))
		sum += c.Weights[i]
	}
	for i := range c.Weights {
		c.Weights[i] /= sum
		squares += c.Weights[i] * c.Weights[i]
	}
	c.MuEff = 1 / squares
	c.CC = 4 / (n + 4)
	c.CS = math.Sqrt(c.MuEff) / (math.Sqrt(c.MuEff) + math.Sqrt(n))
	c.C1 = 2 / ((n + math.Sqrt2) * (n + math.Sqrt2))
	c.Damps = 1 + c.CS + 2*max(0, math.Sqrt((c.MuEff-1)/(n+1))-1)
	c.ChiN = math.Sqrt(n) * (1 - 1/(4*n) + 1/(21*n*n))
	return c
}
