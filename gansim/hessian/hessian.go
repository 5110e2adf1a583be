// Package hessian finds the averaged metric of a generator: how far its image moves for a small step
// of the code, averaged over codes (Wang & Ponce 2021, "The geometry of deep generative image
// models"). The metric at a code z is the second derivative at dz = 0 of D(image(z), image(z + dz)).
// D is a distance of images: the paper used LPIPS; another is the pixels' mean squared error.
package hessian

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// Products multiplies vectors with the metrics of a generator, by differentiating twice. It computes
// in float64 if a tensor of the generator or the distance is, else in float32.
type Products struct {
	generator gansim.Generator
	program   *graphx.Program
	precision dtypes.DType
	batch     int
}

// New compiles a generator and a distance for a batch of vectors.
func New(backend compute.Backend, g gansim.Generator, d gansim.Distance, batch int) (*Products, error) {
	program, err := graphx.New(backend, []gansim.Params{g.Params(), d.Params},
		func(nets []gansim.Weights, in []*Node) []*Node {
			code, z, v := in[0], in[1], in[2] // [1, d] and twice [batch, d]
			images := g.Decode(nets[0], z)
			reference := BroadcastToShape(StopGradient(g.Decode(nets[0], code)), images.Shape())
			distance := ReduceAllSum(d.Graph(nets[1], images, reference))
			slope := Gradient(distance, z)[0]
			return Gradient(ReduceAllSum(Mul(slope, v)), z)
		})
	if err != nil {
		return nil, fmt.Errorf("hessian: %s, %s: %w", g.Name(), d.Name, err)
	}
	return &Products{g, program, graphx.Precision(g.Params(), d.Params), batch}, nil
}

// Times gives the product of each vector with the metric at a code.
func (p *Products) Times(ctx context.Context, code []float64, vectors [][]float64) ([][]float64,
	error) {
	d := p.generator.CodeSize()
	for _, v := range append([][]float64{code}, vectors...) {
		if len(v) != d {
			return nil, fmt.Errorf("hessian: vector of %d dimensions, %s has %d", len(v),
				p.generator.Name(), d)
		}
	}
	var products [][]float64
	err := graphx.Padded(len(vectors), p.batch, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("hessian: %s: %w", p.generator.Name(), err)
		}
		var z, v []float64
		for _, r := range rows {
			z, v = append(z, code...), append(v, vectors[r]...)
		}
		out, err := p.program.Call(graphx.TensorOf(p.precision, code, 1, d),
			graphx.TensorOf(p.precision, z, p.batch, d), graphx.TensorOf(p.precision, v, p.batch, d))
		if err != nil {
			return err
		}
		values, err := graphx.Float64s(out[0])
		graphx.Free(out...)
		for i := range valid {
			products = append(products, values[i*d:(i+1)*d:(i+1)*d])
		}
		return err
	})
	return products, err
}

// At is the metric at a code, made symmetric, [d, d].
func (p *Products) At(ctx context.Context, code []float64) (*mat.SymDense, error) {
	d := len(code)
	axes := make([][]float64, d)
	for i := range axes {
		axes[i] = make([]float64, d)
		axes[i][i] = 1
	}
	rows, err := p.Times(ctx, code, axes)
	if err != nil {
		return nil, err
	}
	h := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			h.SetSym(i, j, (rows[i][j]+rows[j][i])/2)
		}
	}
	return h, nil
}

// Average computes the metric at each code and averages them.
func (p *Products) Average(ctx context.Context, codes [][]float64,
	progress func(done, total int)) (*Metric, error) {
	sum := mat.NewSymDense(p.generator.CodeSize(), nil)
	for i, code := range codes {
		h, err := p.At(ctx, code)
		if err != nil {
			return nil, fmt.Errorf("hessian: code %d of %d: %w", i, len(codes), err)
		}
		sum.AddSym(sum, h)
		if progress != nil {
			progress(i+1, len(codes))
		}
	}
	sum.ScaleSym(1/float64(len(codes)), sum)
	return NewMetric(sum)
}
