// Package hessian finds the averaged metric of a generator: how far its image moves for a small step
// of the code, averaged over codes (Wang & Ponce 2021, "The geometry of deep generative image
// models"). The distance here is the pixels' mean squared error, whose Hessian at no displacement is
// exactly (2/n) J^T J; the paper used LPIPS.
package hessian

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
)

// Metric is a symmetric positive semi-definite matrix with its eigenvectors.
type Metric struct {
	Values  []float64 // eigenvalues, ascending
	Vectors []float64 // eigenvectors as columns, row-major [d, d]
}

// Step of the central differences that give the Jacobian, in units of the code.
const Step = 1e-2

// Average computes the metric at each code and averages them.
func Average(ctx context.Context, backend compute.Backend, g gansim.Generator,
	codes gansim.Codes, progress func(done, total int)) (*Metric, error) {
	decoder, err := decode.New(backend, g)
	if err != nil {
		return nil, err
	}
	d := g.CodeSize()
	sum := mat.NewSymDense(d, nil)
	for c := range codes.N {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("hessian: %s, code %d of %d: %w", g.Name(), c, codes.N, err)
		}
		moved := gansim.Codes{N: 2 * d, Dim: d}
		for i := range d {
			for _, h := range []float32{Step, -Step} {
				z := append([]float32(nil), codes.At(c)...)
				z[i] += h
				moved.Z = append(moved.Z, z...)
			}
		}
		images, err := decoder.Images(ctx, moved)
		if err != nil {
			return nil, err
		}
		pixels := len(images.At(0))
		jacobian := mat.NewDense(d, pixels, nil)
		for i := range d {
			up, down := images.At(2*i), images.At(2*i+1)
			row := jacobian.RawRowView(i)
			for j := range row {
				row[j] = (float64(up[j]) - float64(down[j])) / (2 * Step)
			}
		}
		var one mat.SymDense
		one.SymOuterK(2/float64(pixels*codes.N), jacobian)
		sum.AddSym(sum, &one)
		if progress != nil {
			progress(c+1, codes.N)
		}
	}
	return eigen(sum)
}

func eigen(h *mat.SymDense) (*Metric, error) {
	var e mat.EigenSym
	if !e.Factorize(h, true) {
		return nil, fmt.Errorf("hessian: no eigenvalues found")
	}
	var v mat.Dense
	e.VectorsTo(&v)
	return &Metric{e.Values(nil), v.RawMatrix().Data}, nil
}
