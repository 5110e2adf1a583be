package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// metricCodes are the codes over which each generator's metric is averaged.
var metricCodes = map[string]struct {
	recipe string
	n      int
}{"DeePSim": {"std1", 8}, "BigGAN": {"std0.7", 48}}

// metric averages the generators' metrics and writes their eigenvectors: nothing is trained.
func (r *runner) metric(ctx context.Context, rec Record) error {
	first := func(network string, err error) error {
		return fmt.Errorf("train: the metric is that of %s: train it first: %w", network, err)
	}
	deepSim, err := loaded(r.dir, "deepsim", deepsim.Mini.Load)
	if err != nil {
		return first("deepsim", err)
	}
	bigGAN, err := loaded(r.dir, "biggan", biggan.Mini.Load)
	if err != nil {
		return first("biggan", err)
	}
	var ts []weights.Tensor
	for _, g := range []gansim.Generator{deepSim, bigGAN} {
		found, err := r.eigenvectors(ctx, g)
		if err != nil {
			return err
		}
		ts = append(ts, found...)
	}
	rec.Notes = append(rec.Notes, "averaged metric of the pixels' squared error (not LPIPS), "+
		"eigenvectors as columns, eigenvalues ascending")
	return r.write(ts, rec)
}

func (r *runner) eigenvectors(ctx context.Context, g gansim.Generator) ([]weights.Tensor, error) {
	c := metricCodes[g.Name()]
	codes, err := g.Draw(c.recipe, rand.New(rand.NewPCG(r.seed, 5)), c.n)
	if err != nil {
		return nil, err
	}
	p, err := hessian.New(r.backend, g, nn.PixelMSE(), decode.Batch)
	if err != nil {
		return nil, err
	}
	var at [][]float64
	for i := range codes.N {
		at = append(at, actmax.Widen(codes.At(i)))
	}
	m, err := p.Average(ctx, at, func(done, total int) {
		if r.progress != nil {
			r.progress("metric of "+g.Name(), done, total)
		}
	})
	if err != nil {
		return nil, err
	}
	d, stem := g.CodeSize(), strings.ToLower(g.Name())
	vectors, err := weights.FromFloats(stem+".eigenvectors", weights.F16, []int{d, d}, m.Vectors)
	if err != nil {
		return nil, err
	}
	values, err := weights.FromFloats(stem+".eigenvalues", weights.F32, []int{d}, m.Values)
	return []weights.Tensor{vectors, values}, err
}
