package metric

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"
)

// KIDOptions say how many random subsets [KIDSubsets] takes; the zero value is that of the authors'
// and torch-fidelity's programs.
type KIDOptions struct {
	Subsets int // zero means 100
	Size    int // rows of a subset; zero means 1000, and half of the smaller set where that is less
	Seed    uint64
}

// KIDSubsets returns the mean of [KID] over random subsets, drawn without replacement from each set,
// and the standard deviation over subsets (divided by their number), as torch-fidelity prints them.
// Subsets of one set overlap, so that the deviation is that of one subset, not an error of the mean.
func KIDSubsets(a, b Features, o KIDOptions) (mean, sd float64, err error) {
	if o.Subsets == 0 {
		o.Subsets = 100
	}
	if o.Size == 0 {
		o.Size = min(1000, a.N/2, b.N/2)
	}
	if o.Subsets < 1 || o.Size < 2 || o.Size > min(a.N, b.N) {
		return 0, 0, fmt.Errorf("metric: KID of %d subsets of %d of %d and %d images", o.Subsets, o.Size,
			a.N, b.N)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	values := make([]float64, o.Subsets)
	for i := range values {
		if values[i], err = KID(some(a, o.Size, rng), some(b, o.Size, rng)); err != nil {
			return 0, 0, err
		}
	}
	mean, sd = stat.PopMeanStdDev(values, nil)
	return mean, sd, nil
}

// some draws n rows without replacement.
func some(f Features, n int, rng *rand.Rand) Features {
	out := Features{N: n, Dim: f.Dim, X: make([]float32, 0, n*f.Dim)}
	for _, i := range rng.Perm(f.N)[:n] {
		out.X = append(out.X, f.At(i)...)
	}
	return out
}
