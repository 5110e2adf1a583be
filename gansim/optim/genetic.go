package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// GeneticConfig describes a genetic algorithm. Start and Spread are needed; the other zero values mean
// those of Ponce et al. 2019 ("Evolving images for visual neurons ...", methods).
type GeneticConfig struct {
	Start    []float64 // code of generation 0
	Spread   float64   // standard deviation of the first population around Start
	Rate     float64   // chance that a dimension mutates; zero means .25
	Mutation float64   // standard deviation of a mutation; zero means .75 of Spread
	Skew     float64   // share of the dimensions that the first parent gives; zero means .75
	Kept     int       // best codes that live on as they are; zero means 10, at most half of all
	// Temperature of the choice of parents, in standard deviations of the scores; zero means .5
	Temperature float64
	Population  int // zero means 40
	Seed        uint64
}

// Genetic is a genetic algorithm: parents are drawn by a softmax of their scores, children mix two of
// them and mutate, the best codes live on. It is not safe for concurrent use.
type Genetic struct {
	GeneticConfig
	rng        *rand.Rand
	generation int
	pending    [][]float64
	next       [][]float64
}

// NewGenetic starts a search. Start is copied.
func NewGenetic(cfg GeneticConfig) (*Genetic, error) {
	defaults := []struct {
		v *float64
		d float64
	}{{&cfg.Rate, .25}, {&cfg.Mutation, .75 * cfg.Spread}, {&cfg.Skew, .75}, {&cfg.Temperature, .5}}
	for _, f := range defaults {
		if *f.v == 0 {
			*f.v = f.d
		}
		if !(*f.v > 0) {
			return nil, fmt.Errorf("optim: %+v: all rates and sizes must be positive", cfg)
		}
	}
	if cfg.Population == 0 {
		cfg.Population = 40
	}
	if cfg.Kept == 0 {
		cfg.Kept = min(10, cfg.Population/2)
	}
	if len(cfg.Start) == 0 || cfg.Population < 2 || cfg.Kept < 0 || cfg.Kept >= cfg.Population ||
		slices.ContainsFunc(cfg.Start, notFinite) || cfg.Rate > 1 || cfg.Skew > 1 {
		return nil, fmt.Errorf("optim: %d dimensions, population %d of which %d live on, rate %g, skew %g",
			len(cfg.Start), cfg.Population, cfg.Kept, cfg.Rate, cfg.Skew)
	}
	cfg.Start = slices.Clone(cfg.Start)
	return &Genetic{GeneticConfig: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 4))}, nil
}

// Ask gives the codes of the current generation; see [CMAES.Ask].
func (g *Genetic) Ask() [][]float64 {
	switch {
	case g.pending != nil:
	case g.generation == 0:
		g.pending = [][]float64{g.Start}
	case g.next != nil:
		g.pending = g.next
	default:
		g.pending = newRows(g.Population, len(g.Start))
		for _, z := range g.pending {
			for j := range z {
				z[j] = g.Start[j] + g.Spread*g.rng.NormFloat64()
			}
		}
	}
	return cloneRows(g.pending)
}

// Tell takes the scores of the codes of the last Ask; see [CMAES.Tell].
func (g *Genetic) Tell(scores []float64) error {
	if err := checkScores(g.pending, scores); err != nil {
		return err
	}
	if g.generation > 0 {
		g.next = g.breed(scores)
	}
	g.pending = nil
	g.generation++
	return nil
}

// breed makes the next generation: the best, then children.
func (g *Genetic) breed(scores []float64) [][]float64 {
	children := newRows(g.Population, len(g.Start))
	order := ranked(scores)
	for i := range g.Kept {
		copy(children[i], g.pending[order[i]])
	}
	chance := g.chances(scores)
	for _, z := range children[g.Kept:] {
		first, second := g.pending[g.pick(chance)], g.pending[g.pick(chance)]
		for j := range z {
			z[j] = second[j]
			if g.rng.Float64() < g.Skew {
				z[j] = first[j]
			}
			if g.rng.Float64() < g.Rate {
				z[j] += g.Mutation * g.rng.NormFloat64()
			}
		}
	}
	return children
}

// chances are the codes' chances to be a parent, cumulated.
func (g *Genetic) chances(scores []float64) []float64 {
	sd := stat.PopStdDev(scores, nil)
	best := slices.Max(scores)
	out, sum := make([]float64, len(scores)), 0.0
	for i, s := range scores {
		if sd > 0 {
			s = (s - best) / sd
		} else {
			s = 0
		}
		sum += math.Exp(s / g.Temperature)
		out[i] = sum
	}
	return out
}

func (g *Genetic) pick(cumulated []float64) int {
	last := len(cumulated) - 1
	i, _ := slices.BinarySearch(cumulated, g.rng.Float64()*cumulated[last])
	return min(i, last)
}
