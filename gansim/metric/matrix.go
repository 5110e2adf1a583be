package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Pair is the distance between two named sets, as `gansim fid --json` prints it.
type Pair struct {
	A   string  `json:"a"`
	B   string  `json:"b"`
	NA  int     `json:"n_a"`
	NB  int     `json:"n_b"`
	FID float64 `json:"fid"`
	// Lo and Hi are the 95 % interval of [FIDInterval]; NaN, in JSON null, where there is none.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// Warnings are [*SmallSample], at most one per set.
	Warnings []error `json:"-"`
}

// MarshalJSON writes null for an interval that is missing.
func (p Pair) MarshalJSON() ([]byte, error) {
	type plain Pair
	return json.Marshal(struct {
		plain
		Lo *float64 `json:"lo"`
		Hi *float64 `json:"hi"`
	}{plain(p), orNull(p.Lo), orNull(p.Hi)})
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// maxWorkers and maxBytes bound the pairs in work at once: each needs about 300 MB at 2048 features.
const (
	maxWorkers = 8
	maxBytes   = 900 << 20
	cellBytes  = 75 // per entry of a covariance
)

// workers is how many pairs are in work at once.
func workers(pairs int, sets []*Moments) int {
	dim := 1
	for _, s := range sets {
		if s != nil {
			dim = max(dim, s.Dim)
		}
	}
	return max(1, min(pairs, maxWorkers, runtime.GOMAXPROCS(0), maxBytes/(cellBytes*dim*dim)))
}

// Matrix returns the distances of all pairs of sets, each pair once, in the order (0,1), (0,2),
// ..., (1,2), .... Pairs are computed side by side; the numbers do not depend on how many. When ctx
// ends, the pairs in work are finished and the error wraps ctx.Err().
func Matrix(ctx context.Context, names []string, sets []*Moments) ([]Pair, error) {
	return MatrixWith(ctx, names, sets, MatrixOptions{})
}

// MatrixOptions of [MatrixWith]; the zero value is [Matrix].
type MatrixOptions struct {
	// NoInterval leaves the intervals out, which cost most of the time where features are many.
	NoInterval bool
	// Progress is told how many pairs of how many are done, one call at a time; nil means quiet.
	Progress func(done, total int)
}

// MatrixWith is [Matrix] with options.
func MatrixWith(ctx context.Context, names []string, sets []*Moments, o MatrixOptions) ([]Pair, error) {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if len(names) != len(sets) {
		return nil, fmt.Errorf("metric: %d names for %d sets", len(names), len(sets))
	}
	var at [][2]int
	for i := range sets {
		for j := i + 1; j < len(sets); j++ {
			at = append(at, [2]int{i, j})
		}
	}
	pairs, errs := make([]Pair, len(at)), make([]error, len(at))
	work := make(chan int)
	var wg sync.WaitGroup
	var telling sync.Mutex
	done := 0
	for range workers(len(at), sets) {
		wg.Go(func() {
			for k := range work {
				i, j := at[k][0], at[k][1]
				pairs[k], errs[k] = pairOf(names[i], names[j], sets[i], sets[j], o.NoInterval)
				telling.Lock()
				done++
				o.Progress(done, len(at))
				telling.Unlock()
			}
		})
	}
	err := feed(ctx, work, len(at))
	wg.Wait()
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	if err != nil {
		return nil, err
	}
	return pairs, nil
}

// feed sends 0 to n-1 until ctx ends, then closes the channel.
func feed(ctx context.Context, work chan<- int, n int) error {
	defer close(work)
	for k := range n {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("metric: stopped after %d of %d pairs: %w", k, n, err)
		}
		work <- k
	}
	return nil
}

func pairOf(nameA, nameB string, a, b *Moments, plain bool) (Pair, error) {
	e := Estimate{Lo: math.NaN(), Hi: math.NaN()}
	var err error
	if plain {
		e.Value, err = FID(a, b)
	} else {
		e, err = FIDInterval(a, b)
	}
	if err != nil {
		return Pair{}, fmt.Errorf("metric: %s and %s: %w", nameA, nameB, err)
	}
	return Pair{A: nameA, B: nameB, NA: a.N, NB: b.N, FID: e.Value, Lo: e.Lo, Hi: e.Hi,
		Warnings: append(warn(nameA, a), warn(nameB, b)...)}, nil
}
