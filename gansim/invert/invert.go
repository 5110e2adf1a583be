// Package invert finds latent codes whose images match given ones (panel C): Adam on the pixels'
// mean squared error, summed over the batch so that images do not influence each other
// (Animadversio/Neuro-ActMax-GAN-comparison, core/utils/GAN_invert_utils.py).
package invert

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/optim/ingraph"
)

// PaperSteps is the number of iterations that the figure's legend states.
const PaperSteps = 401

// Config of an inversion.
type Config struct {
	Steps int     // iterations; zero means PaperSteps
	Rate  float64 // learning rate of Adam; the paper does not state it
	Batch int     // images computed together; zero means 8
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
	// Losses gives the images' mean squared errors before the step.
	Losses func() ([]float32, error)
	// Images gives the reconstructions before the step.
	Images func() (gansim.Images, error)
}

// Result holds one entry per image, in order.
type Result struct {
	Codes     gansim.Codes  // of the last iterate
	Images    gansim.Images // decoded from them
	LossFirst []float64     // mean squared error of the start
	LossLast  []float64     // of the last iterate
}

// Inverter inverts images through one generator. It is compiled once per batch size.
type Inverter struct {
	generator gansim.Generator
	program   *graphx.Program
	config    Config
}

func (c *Config) fill() error {
	if c.Steps == 0 {
		c.Steps = PaperSteps
	}
	if c.Batch == 0 {
		c.Batch = 8
	}
	if c.Steps < 1 || c.Batch < 1 || !(c.Rate > 0) {
		return fmt.Errorf("invert: %d steps of rate %v in batches of %d: all must be positive",
			c.Steps, c.Rate, c.Batch)
	}
	return nil
}

// New prepares inversions.
func New(backend compute.Backend, g gansim.Generator, c Config) (*Inverter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	program, err := graphx.New(backend, []gansim.Params{g.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node { return step(g, nets[0], in) })
	if err != nil {
		return nil, err
	}
	return &Inverter{g, program, c}, nil
}

// With is the same inverter, compiled once for both, with other settings.
func (v *Inverter) With(c Config) (*Inverter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	return &Inverter{v.generator, v.program, c}, nil
}

// Bytes is what the inverter's networks take on the device.
func (v *Inverter) Bytes() int64 { return v.program.Bytes() }

// Close frees the device's memory; the inverter is not to be used afterwards.
func (v *Inverter) Close() { v.program.Close() }

// step: inputs are codes [n, d], two moments, targets [n, h, w, 3], number of the step from 1 and
// learning rate. It gives the new codes and moments, the losses [n] and the images before the step.
func step(g gansim.Generator, w gansim.Weights, in []*Node) []*Node {
	z, m, v, target, t, lr := in[0], in[1], in[2], in[3], in[4], in[5]
	made := g.Decode(w, z)
	losses := ReduceMean(Square(Sub(made, target)), 1, 2, 3)
	gradient := Gradient(ReduceAllSum(losses), z)[0]
	newZ, newM, newV := ingraph.Adam{}.Step(z, m, v, gradient, t, lr)
	return []*Node{newZ, newM, newV, losses, made}
}

// Invert searches a code for each target, starting from the codes given. The result is the last
// iterate that was evaluated, before its own update (iteration Steps - 1, counted from 0).
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
	}
	batches := 0
	err := graphx.Padded(targets.N, v.config.Batch, func(rows []int, valid int) error {
		batches++
		return v.batch(ctx, targets, start, rows[:valid], rows, &r, batches-1)
	})
	return r, err
}

func (v *Inverter) batch(ctx context.Context, targets gansim.Images, start gansim.Codes,
	valid, rows []int, r *Result, number int) error {
	n, dim, size := len(rows), start.Dim, targets.Height
	z, want := make([]float32, 0, n*dim), make([]float32, 0, n*size*size*3)
	for _, row := range rows {
		z = append(z, start.At(row)...)
		want = append(want, targets.At(row)...)
	}
	target := graphx.Tensor(want, n, size, size, 3)
	state := []*tensors.Tensor{graphx.Tensor(z, n, dim), graphx.Tensor(make([]float32, n*dim), n, dim),
		graphx.Tensor(make([]float32, n*dim), n, dim)}
	total := v.config.Steps * ((targets.N + n - 1) / n)
	for k := range v.config.Steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("invert: %s, iteration %d of %d: %w",
				v.generator.Name(), k, v.config.Steps, err)
		}
		out, err := v.program.Call(state[0], state[1], state[2], target, float32(k+1),
			float32(v.config.Rate))
		if err != nil {
			return err
		}
		if k == 0 || k == v.config.Steps-1 {
			if err := r.keep(valid, out, state[0], k == 0, k == v.config.Steps-1); err != nil {
				return err
			}
		}
		if v.config.Watch != nil {
			v.config.Watch(Iteration{Rows: valid, Done: number*v.config.Steps + k + 1, Total: total,
				Losses: func() ([]float32, error) { return some(out[3], len(valid)) },
				Images: func() (gansim.Images, error) {
					pix, err := some(out[4], len(valid)*size*size*3)
					return gansim.Images{N: len(valid), Height: size, Width: size, Pix: pix}, err
				}})
		}
		graphx.Free(state...)
		graphx.Free(out[3:]...)
		state = out[:3]
		if v.config.Progress != nil {
			v.config.Progress(number*v.config.Steps+k+1, total)
		}
	}
	graphx.Free(state...)
	graphx.Free(target)
	return nil
}

// some copies the first n values of a tensor.
func some(t *tensors.Tensor, n int) ([]float32, error) {
	v, err := graphx.Floats(t)
	if err != nil {
		return nil, err
	}
	return v[:n], nil
}

// keep copies a step's results for the valid rows.
func (r *Result) keep(valid []int, out []*tensors.Tensor, z *tensors.Tensor, first, last bool) error {
	losses, err := graphx.Floats(out[3])
	if err != nil {
		return err
	}
	codes, err := graphx.Floats(z)
	if err != nil {
		return err
	}
	images, err := graphx.Floats(out[4])
	if err != nil {
		return err
	}
	size := r.Images.Height * r.Images.Width * 3
	for i, row := range valid {
		if first {
			r.LossFirst[row] = float64(losses[i])
		}
		if last {
			r.LossLast[row] = float64(losses[i])
			copy(r.Codes.At(row), codes[i*r.Codes.Dim:(i+1)*r.Codes.Dim])
			copy(r.Images.At(row), images[i*size:(i+1)*size])
		}
	}
	return nil
}
