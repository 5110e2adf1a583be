// Package invert finds latent codes whose images match given ones (panel C): Adam on the pixels'
// mean squared error, summed over the batch so that images do not influence each other
// (Animadversio/Neuro-ActMax-GAN-comparison, core/utils/GAN_invert_utils.py).
package invert

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/optim/ingraph"
)

// PaperSteps is the number of iterations that the figure's legend states.
const PaperSteps = 401

// Config of an inversion. Loss, Unclamped and Basis are compiled in, the rest is of the run.
type Config struct {
	Steps int     // iterations; zero means PaperSteps
	Rate  float64 // learning rate of Adam; the paper does not state it
	Batch int     // images computed together; zero means 8
	// Best takes the iterate of the smallest loss; false means the last one.
	Best bool
	// Free says which dimensions of the code are searched; nil means all. The others keep the start's.
	Free []bool
	Loss gansim.Distance // zero means the paper's, nn.PixelMSE
	// Unclamped compares images before they are limited to [0, 1], where the generator can give them:
	// the limits have no gradient beyond. The images of the result are limited.
	Unclamped bool
	// Basis searches w with code = w times the transpose of Basis, whose columns are orthonormal, [d, d]
	// row-major. Nil means the code itself.
	Basis []float64
	// Progress is told the iterations done over all batches; nil means quiet.
	Progress func(done, total int)
	// Watch is shown each iteration of each batch; nil means quiet.
	Watch func(s Iteration)
}

// Iteration is a glance at an iteration while it is under way; its functions are not to be called
// later.
type Iteration struct {
	Rows        []int // images of the batch, by index
	Done, Total int   // iterations over all batches
	// Losses gives the images' losses before the step.
	Losses func() ([]float32, error)
	// Images gives the reconstructions before the step.
	Images func() (gansim.Images, error)
}

// Result holds one entry per image, in order.
type Result struct {
	Codes     gansim.Codes  // of the last iterate, or the best
	Images    gansim.Images // decoded from them
	LossFirst []float64     // loss of the start
	LossLast  []float64     // of the iterate taken
	Iterate   []int         // which, counted from 0
}

// Inverter inverts images through one generator. It is compiled once per batch size.
type Inverter struct {
	generator gansim.Generator
	program   *graphx.Program
	basis     *tensors.Tensor // on the device, nil if there is none
	config    Config
}

func (c *Config) fill(g gansim.Generator) error {
	if c.Steps == 0 {
		c.Steps = PaperSteps
	}
	if c.Batch == 0 {
		c.Batch = 8
	}
	if c.Loss.Graph == nil {
		c.Loss = nn.PixelMSE()
	}
	d := g.CodeSize()
	switch {
	case c.Steps < 1 || c.Batch < 1 || !(c.Rate > 0):
		return fmt.Errorf("invert: %d steps of rate %v in batches of %d: all must be positive",
			c.Steps, c.Rate, c.Batch)
	case c.Free != nil && len(c.Free) != d:
		return fmt.Errorf("invert: %d dimensions are free or not, %s has %d", len(c.Free), g.Name(), d)
	case c.Basis != nil && len(c.Basis) != d*d:
		return fmt.Errorf("invert: basis of %d values, %s wants %d x %d", len(c.Basis), g.Name(), d, d)
	case c.Basis != nil && c.Free != nil:
		return errors.New("invert: dimensions of the code cannot be held in a basis")
	}
	return nil
}

// New prepares inversions.
func New(backend compute.Backend, g gansim.Generator, c Config) (*Inverter, error) {
	if err := c.fill(g); err != nil {
		return nil, err
	}
	program, err := graphx.New(backend, []gansim.Params{g.Params(), c.Loss.Params},
		func(nets []gansim.Weights, in []*Node) []*Node { return c.step(g, nets, in) })
	if err != nil {
		return nil, err
	}
	v := &Inverter{generator: g, program: program, config: c}
	if d := g.CodeSize(); c.Basis != nil {
		v.basis = graphx.TensorOf(dtypes.Float32, c.Basis, d, d)
	}
	return v, nil
}

// With is the same inverter, compiled once for both, with other settings of the run; Loss, Unclamped
// and Basis stay.
func (v *Inverter) With(c Config) (*Inverter, error) {
	c.Loss, c.Unclamped, c.Basis = v.config.Loss, v.config.Unclamped, v.config.Basis
	if err := c.fill(v.generator); err != nil {
		return nil, err
	}
	return &Inverter{v.generator, v.program, v.basis, c}, nil
}

// Bytes is what the inverter's networks take on the device.
func (v *Inverter) Bytes() int64 { return v.program.Bytes() }

// Close frees the device's memory; the inverter is not to be used afterwards.
func (v *Inverter) Close() {
	v.program.Close()
	if v.basis != nil {
		graphx.Free(v.basis)
	}
}

// unclamper is a generator that can give its images before they are limited to [0, 1].
type unclamper interface {
	Unclamped(w gansim.Weights, z *Node) *Node
}

// step: inputs are codes [n, d], in the basis if there is one, two moments, targets [n, h, w, 3],
// number of the step from 1, learning rate, 1 for the dimensions that are free [d], and the basis. It
// gives the new codes and moments, the losses [n], the images and the codes before the step, not in
// the basis.
func (c Config) step(g gansim.Generator, nets []gansim.Weights, in []*Node) []*Node {
	w, m, v, target, t, lr, free := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	z := w
	if c.Basis != nil {
		z = Dot(w, Transpose(in[7], 0, 1)).Product()
	}
	made := g.Decode(nets[0], z)
	compared := made
	if u, ok := g.(unclamper); ok && c.Unclamped {
		compared = u.Unclamped(nets[0], z)
	}
	losses := c.Loss.Graph(nets[1], compared, target)
	gradient := Gradient(ReduceAllSum(losses), w)[0]
	gradient = Mul(gradient, BroadcastToShape(ExpandAxes(free, 0), gradient.Shape()))
	newW, newM, newV := ingraph.Adam{}.Step(w, m, v, gradient, t, lr)
	return []*Node{newW, newM, newV, losses, made, z}
}

// Invert searches a code for each target, starting from the codes given. The result is the last
// iterate that was evaluated, before its own update (iteration Steps - 1, counted from 0), or the best
// of all.
func (v *Inverter) Invert(ctx context.Context, targets gansim.Images, start gansim.Codes) (
	Result, error) {
	size, dim := v.generator.ImageSize(), v.generator.CodeSize()
	if targets.Height != size || targets.Width != size {
		return Result{}, fmt.Errorf("invert: targets are %dx%d, %s makes %dx%d",
			targets.Height, targets.Width, v.generator.Name(), size, size)
	}
	if start.N != targets.N || start.Dim != dim {
		return Result{}, fmt.Errorf("invert: %d start codes of %d dimensions, want %d of %d",
			start.N, start.Dim, targets.N, dim)
	}
	r := Result{
		Codes:     gansim.Codes{N: start.N, Dim: dim, Z: make([]float32, start.N*dim)},
		Images:    gansim.NewImages(targets.N, size, size),
		LossFirst: make([]float64, targets.N), LossLast: make([]float64, targets.N),
		Iterate: make([]int, targets.N),
	}
	n := v.config.Batch
	total := v.config.Steps * ((targets.N + n - 1) / n)
	err := graphx.Padded(targets.N, n, func(rows []int, valid int) error {
		b := v.begin(targets, start, rows, valid)
		defer b.end()
		b.done, b.total = rows[0]/n*v.config.Steps, total
		return b.run(ctx, &r)
	})
	return r, err
}
