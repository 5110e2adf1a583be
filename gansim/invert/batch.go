package invert

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// batch is some images while they are inverted.
type batch struct {
	*Inverter
	rows        []int // images that count, by index
	n           int   // with those that fill the batch
	state       []*tensors.Tensor
	target      *tensors.Tensor
	free        []float32
	done, total int // iterations over all batches

	best  []float32 // smallest losses so far
	codes []float32 // of those, in the search's coordinates, [n, d]
	at    []int     // which iterations
}

func (v *Inverter) begin(targets gansim.Images, start gansim.Codes, rows []int, valid int) *batch {
	n, dim, size := len(rows), start.Dim, targets.Height
	var z, want []float32
	for _, row := range rows {
		z = append(z, v.rotate(start.At(row))...)
		want = append(want, targets.At(row)...)
	}
	zero := func() *tensors.Tensor { return graphx.Tensor(make([]float32, n*dim), n, dim) }
	b := &batch{Inverter: v, rows: rows[:valid], n: n, target: graphx.Tensor(want, n, size, size, 3),
		state: []*tensors.Tensor{graphx.Tensor(z, n, dim), zero(), zero()}, free: make([]float32, dim),
		best: make([]float32, n), codes: make([]float32, n*dim), at: make([]int, n)}
	for i := range b.free {
		if v.config.Free == nil || v.config.Free[i] {
			b.free[i] = 1
		}
	}
	return b
}

// rotate expresses a code in the basis: w = z E.
func (v *Inverter) rotate(z []float32) []float32 {
	if v.config.Basis == nil {
		return z
	}
	d := len(z)
	w := make([]float64, d)
	for i, x := range z {
		for j, e := range v.config.Basis[i*d : (i+1)*d] {
			w[j] += float64(x) * e
		}
	}
	out := make([]float32, d)
	for j, x := range w {
		out[j] = float32(x)
	}
	return out
}

func (b *batch) end() { graphx.Free(append(b.state, b.target)...) }

// call is one step from w at step k, counted from 0.
func (b *batch) call(w *tensors.Tensor, k int) ([]*tensors.Tensor, error) {
	args := []any{w, b.state[1], b.state[2], b.target, float32(k + 1), float32(b.config.Rate), b.free}
	if b.basis != nil {
		args = append(args, b.basis)
	}
	return b.program.Call(args...)
}

func (b *batch) run(ctx context.Context, r *Result) error {
	for k := range b.config.Steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("invert: %s, iteration %d of %d: %w",
				b.generator.Name(), k, b.config.Steps, err)
		}
		out, err := b.call(b.state[0], k)
		if err != nil {
			return err
		}
		if err := b.look(r, k, out); err != nil {
			return err
		}
		graphx.Free(b.state...)
		graphx.Free(out[3:]...)
		b.state = out[:3]
		if b.config.Progress != nil {
			b.config.Progress(b.done+k+1, b.total)
		}
	}
	if !b.config.Best {
		return nil
	}
	w := graphx.Tensor(b.codes, b.n, b.generator.CodeSize())
	defer graphx.Free(w)
	out, err := b.call(w, b.config.Steps) // its losses and images are those before the step
	if err != nil {
		return err
	}
	defer graphx.Free(out...)
	for i, row := range b.rows {
		r.Iterate[row] = b.at[i]
	}
	return b.keep(r, out)
}

// look reads what is wanted of iteration k.
func (b *batch) look(r *Result, k int, out []*tensors.Tensor) error {
	last := k == b.config.Steps-1
	if k == 0 || b.config.Best {
		losses, err := graphx.Floats(out[3])
		if err != nil {
			return err
		}
		if b.config.Best {
			if err := b.improve(losses, k); err != nil {
				return err
			}
		}
		for i, row := range b.rows {
			if k == 0 {
				r.LossFirst[row] = float64(losses[i])
			}
		}
	}
	if last && !b.config.Best {
		for _, row := range b.rows {
			r.Iterate[row] = k
		}
		if err := b.keep(r, out); err != nil {
			return err
		}
	}
	if b.config.Watch != nil {
		size := r.Images.Height
		b.config.Watch(Iteration{Rows: b.rows, Done: b.done + k + 1, Total: b.total,
			Losses: func() ([]float32, error) { return some(out[3], len(b.rows)) },
			Images: func() (gansim.Images, error) {
				pix, err := some(out[4], len(b.rows)*size*size*3)
				return gansim.Images{N: len(b.rows), Height: size, Width: size, Pix: pix}, err
			}})
	}
	return nil
}

// improve keeps the codes whose losses are smaller than before.
func (b *batch) improve(losses []float32, k int) error {
	var w []float32
	for i, l := range losses {
		if k > 0 && !(l < b.best[i]) {
			continue
		}
		if w == nil {
			var err error
			if w, err = graphx.Floats(b.state[0]); err != nil {
				return err
			}
		}
		d := len(b.codes) / b.n
		b.best[i], b.at[i] = l, k
		copy(b.codes[i*d:(i+1)*d], w[i*d:(i+1)*d])
	}
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

// keep copies a step's losses, images and codes for the rows that count.
func (b *batch) keep(r *Result, out []*tensors.Tensor) error {
	var v [3][]float32
	for i := range v {
		var err error
		if v[i], err = graphx.Floats(out[3+i]); err != nil {
			return err
		}
	}
	size, d := len(r.Images.At(0)), r.Codes.Dim
	for i, row := range b.rows {
		r.LossLast[row] = float64(v[0][i])
		copy(r.Images.At(row), v[1][i*size:(i+1)*size])
		copy(r.Codes.At(row), v[2][i*d:(i+1)*d])
	}
	return nil
}
