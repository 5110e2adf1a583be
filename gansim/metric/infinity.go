package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Convergence is how FID falls with the number of images, and where it would end.
type Convergence struct {
	Points []ConvergencePoint `json:"points"`
	// FID at infinitely many images: the intercept of a straight line in 1/share through the points.
	FID float64 `json:"fid"`
	// Lo and Hi are a 95 % interval: the line's error and that of the FID at all images together. The
	// points share images, so that the line's own error would be too small.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// ConvergencePoint is the FID of a random share of both sets.
type ConvergencePoint struct {
	NA  int     `json:"n_a"`
	NB  int     `json:"n_b"`
	FID float64 `json:"fid"`
}

const (
	convergencePoints = 15  // as Chong & Forsyth have it
	smallestShare     = .25 // of the images
)

// FIDInfinity extrapolates FID to infinitely many images (Chong & Forsyth 2020): its bias goes as 1/n,
// so that a straight line in 1/n through the FIDs of random shares of the sets ends at the FID without
// bias. Both sets are thinned by the same share, evenly from a quarter to the whole, each anew without
// replacement. The result may be below 0 for sets that are alike.
func FIDInfinity(ctx context.Context, a, b Features, seed uint64) (Convergence, error) {
	var c Convergence
	if least := int(smallestShare * float64(min(a.N, b.N))); least < 2 {
		return c, fmt.Errorf("metric: %d and %d images, want at least %d for an extrapolation", a.N, b.N,
			int(2/smallestShare))
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var inverse, values []float64
	var whole Estimate
	for k := range convergencePoints {
		if err := ctx.Err(); err != nil {
			return c, fmt.Errorf("metric: extrapolation: %d of %d points: %w", k, convergencePoints, err)
		}
		share := smallestShare + (1-smallestShare)*float64(k)/(convergencePoints-1)
		x, y := thinned(a, share, rng), thinned(b, share, rng)
		ma, err := MomentsOf(x)
		if err != nil {
			return c, err
		}
		mb, err := MomentsOf(y)
		if err != nil {
			return c, err
		}
		value, err := FID(ma, mb)
		if err != nil {
			return c, err
		}
		if share == 1 {
			if whole, err = FIDInterval(ma, mb); err != nil {
				return c, err
			}
		}
		c.Points = append(c.Points, ConvergencePoint{x.N, y.N, value})
		inverse, values = append(inverse, 1/share), append(values, value)
	}
	var slope float64
	c.FID, slope = stat.LinearRegression(inverse, values, nil, false)
	reach := math.Hypot(interceptSE(inverse, values, c.FID, slope), whole.SE)
	t := distuv.StudentsT{Sigma: 1, Nu: convergencePoints - 2}.Quantile(.975)
	c.Lo, c.Hi = c.FID-t*reach, c.FID+t*reach
	return c, nil
}

// interceptSE is the standard error of the intercept of a least-squares line.
func interceptSE(x, y []float64, intercept, slope float64) float64 {
	rest, spread, n := 0., 0., float64(len(x))
	mean := stat.Mean(x, nil)
	for i, v := range x {
		d := y[i] - intercept - slope*v
		rest += d * d
		spread += (v - mean) * (v - mean)
	}
	return math.Sqrt(rest / (n - 2) * (1/n + mean*mean/spread))
}

// thinned is a random share of the rows, all of them in their order for 1.
func thinned(f Features, share float64, rng *rand.Rand) Features {
	if share >= 1 {
		return f
	}
	return some(f, int(math.Round(share*float64(f.N))), rng)
}
