package invert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/nn"
)

// L1 is the mean of the absolute difference.
func L1() gansim.Distance {
	return gansim.Distance{Name: "l1", Graph: func(_ gansim.Weights, images, targets *Node) *Node {
		return ReduceMean(Abs(Sub(images, targets)), 1, 2, 3)
	}}
}

// ErrLoss says that a loss cannot be read.
var ErrLoss = errors.New("invert: bad loss")

// ParseLoss reads a loss: mse, l1, one that perceptual opens by its name, or a sum of them with weights
// such as mse+0.1*lpips_alex. What cannot be read wraps [ErrLoss].
func ParseLoss(text string, perceptual func(name string) (gansim.Distance, error)) (gansim.Distance, error) {
	var parts []gansim.Distance
	var shares []float64
	for term := range strings.SplitSeq(text, "+") {
		share, name := 1., term
		if number, rest, ok := strings.Cut(term, "*"); ok {
			x, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return gansim.Distance{}, fmt.Errorf("%w: %q: %q is no number", ErrLoss, text, number)
			}
			share, name = x, rest
		}
		var l gansim.Distance
		var err error
		switch name {
		case "mse":
			l = nn.PixelMSE()
		case "l1":
			l = L1()
		default:
			l, err = perceptual(name)
		}
		if err != nil {
			return gansim.Distance{}, err
		}
		parts, shares = append(parts, l), append(shares, share)
	}
	if len(parts) == 1 && shares[0] == 1 {
		return parts[0], nil
	}
	return Mixed(parts, shares)
}

// Mixed is a weighted sum of losses, of which at most one has tensors.
func Mixed(losses []gansim.Distance, shares []float64) (gansim.Distance, error) {
	if len(losses) == 0 || len(losses) != len(shares) {
		return gansim.Distance{}, fmt.Errorf("%w: %d losses with %d weights", ErrLoss, len(losses), len(shares))
	}
	var mixed gansim.Distance
	for i, l := range losses {
		if shares[i] <= 0 || math.IsInf(shares[i], 0) || math.IsNaN(shares[i]) {
			return gansim.Distance{}, fmt.Errorf("%w: weight %g of %s, want a positive number", ErrLoss, shares[i], l.Name)
		}
		if len(l.Params.Names) > 0 && len(mixed.Params.Names) > 0 {
			return gansim.Distance{}, fmt.Errorf("%w: %s is a second loss with a network", ErrLoss, l.Name)
		}
		if len(l.Params.Names) > 0 {
			mixed.Params = l.Params
		}
		if i > 0 {
			mixed.Name += "+"
		}
		mixed.Name += fmt.Sprintf("%g*%s", shares[i], l.Name)
	}
	mixed.Graph = func(w gansim.Weights, images, targets *Node) *Node {
		var sum *Node
		for i, l := range losses {
			part := MulScalar(l.Graph(w, images, targets), shares[i])
			if sum == nil {
				sum = part
			} else {
				sum = Add(sum, part)
			}
		}
		return sum
	}
	return mixed, nil
}

// Trial is a learning rate with the median of the losses that it ends with.
type Trial struct{ Rate, Loss float64 }

// Pilot inverts pictures, which should be others than those of the study, by each rate, and gives the
// trials with the smallest median loss first. Rates whose losses are not finite come last.
func (v *Inverter) Pilot(ctx context.Context, targets gansim.Images, start gansim.Codes,
	rates []float64) ([]Trial, error) {
	var trials []Trial
	for _, rate := range rates {
		c := v.config
		c.Rate = rate
		x, err := v.With(c)
		if err != nil {
			return nil, err
		}
		r, err := x.Invert(ctx, targets, start)
		if err != nil {
			return nil, fmt.Errorf("rate %g: %w", rate, err)
		}
		losses := slices.Sorted(slices.Values(r.LossLast))
		median := stat.Quantile(.5, stat.LinInterp, losses, nil)
		if slices.ContainsFunc(losses, math.IsNaN) {
			median = math.Inf(1)
		}
		trials = append(trials, Trial{rate, median})
	}
	slices.SortStableFunc(trials, func(a, b Trial) int { return cmp.Compare(a.Loss, b.Loss) })
	return trials, nil
}

// Restarts inverts from several starts and takes for each target the one that ends with the smallest
// loss; which says which.
func (v *Inverter) Restarts(ctx context.Context, targets gansim.Images, starts []gansim.Codes) (
	best Result, which []int, err error) {
	which = make([]int, targets.N)
	for k, start := range starts {
		r, err := v.Invert(ctx, targets, start)
		if err != nil {
			return best, nil, fmt.Errorf("start %d of %d: %w", k+1, len(starts), err)
		}
		if k == 0 {
			best = r
			continue
		}
		for i := range which {
			if !(r.LossLast[i] < best.LossLast[i]) {
				continue
			}
			which[i] = k
			best.LossFirst[i], best.LossLast[i], best.Iterate[i] = r.LossFirst[i], r.LossLast[i], r.Iterate[i]
			copy(best.Codes.At(i), r.Codes.At(i))
			copy(best.Images.At(i), r.Images.At(i))
		}
	}
	return best, which, nil
}

// Ruler measures images against others by a distance. It is safe for concurrent use.
type Ruler struct {
	distance gansim.Distance
	program  *graphx.Program
}

// NewRuler prepares a distance; it is compiled at the first pairs, and again for those of another size.
func NewRuler(backend compute.Backend, d gansim.Distance) (*Ruler, error) {
	program, err := graphx.New(backend, []gansim.Params{d.Params},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{d.Graph(nets[0], in[0], in[1])}
		})
	return &Ruler{d, program}, err
}

// Bytes is what the ruler's network takes on the device.
func (r *Ruler) Bytes() int64 { return r.program.Bytes() }

// Close frees the device's memory; the ruler is not to be used afterwards.
func (r *Ruler) Close() { r.program.Close() }

// Measure gives the distance of each pair of images and targets, which are of one size.
func (r *Ruler) Measure(ctx context.Context, images, targets gansim.Images) ([]float64, error) {
	if images.N != targets.N || images.Height != targets.Height || images.Width != targets.Width {
		return nil, fmt.Errorf("invert: %d images of %dx%d against %d of %dx%d", images.N, images.Height,
			images.Width, targets.N, targets.Height, targets.Width)
	}
	var out []float64
	err := graphx.Padded(images.N, measured, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("invert: %s: pair %d of %d: %w", r.distance.Name, rows[0], images.N, err)
		}
		v, err := r.program.Rows(valid, 1, graphx.Gather(images, rows), graphx.Gather(targets, rows))
		for _, x := range v {
			out = append(out, float64(x))
		}
		return err
	})
	return out, err
}

// measured is the number of pairs of a compiled call of [Ruler.Measure].
const measured = 8

// Distances is [Ruler.Measure] for once.
func Distances(ctx context.Context, backend compute.Backend, d gansim.Distance, images, targets gansim.Images) (
	[]float64, error) {
	r, err := NewRuler(backend, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Measure(ctx, images, targets)
}
