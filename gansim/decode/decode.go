// Package decode turns latent codes into images on the host, batch by batch.
package decode

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// Batch is the number of codes of a compiled call. The last batch is filled up, so that neighbours
// and order cannot matter.
const Batch = 16

// Decoder is a generator compiled for one backend. It is safe for concurrent use.
type Decoder struct {
	generator gansim.Generator
	program   *graphx.Program
}

// New prepares a generator.
func New(backend compute.Backend, g gansim.Generator) (*Decoder, error) {
	program, err := graphx.New(backend, []gansim.Params{g.Params()},
		func(nets []gansim.Weights, in []*graph.Node) []*graph.Node {
			return []*graph.Node{g.Decode(nets[0], in[0])}
		})
	if err != nil {
		return nil, fmt.Errorf("decode: %s: %w", g.Name(), err)
	}
	return &Decoder{g, program}, nil
}

// Bytes is what the decoder's networks take on the device.
func (d *Decoder) Bytes() int64 { return d.program.Bytes() }

// Close frees the device's memory; the decoder is not to be used afterwards.
func (d *Decoder) Close() { d.program.Close() }

// Images decodes all codes.
func (d *Decoder) Images(ctx context.Context, codes gansim.Codes) (gansim.Images, error) {
	out := gansim.NewImages(codes.N, d.generator.ImageSize(), d.generator.ImageSize())
	err := d.Each(ctx, codes, func(first int, images gansim.Images) error {
		copy(out.Slice(first, first+images.N).Pix, images.Pix)
		return nil
	})
	return out, err
}

// Each decodes codes and hands each batch over with the index of its first code. It stops between
// batches when ctx ends, or with each's error.
func (d *Decoder) Each(ctx context.Context, codes gansim.Codes,
	each func(first int, images gansim.Images) error) error {
	g := d.generator
	if codes.Dim != g.CodeSize() {
		return fmt.Errorf("decode: codes of %d dimensions, %s wants %d", codes.Dim, g.Name(), g.CodeSize())
	}
	size := g.ImageSize()
	return graphx.Padded(codes.N, Batch, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("decode: %s: %d of %d images: %w", g.Name(), rows[0], codes.N, err)
		}
		z := make([]float32, 0, Batch*codes.Dim)
		for _, r := range rows {
			z = append(z, codes.At(r)...)
		}
		pix, err := d.program.Rows(valid, size*size*3, graphx.Tensor(z, Batch, codes.Dim))
		if err != nil {
			return fmt.Errorf("decode: %s: image %d: %w", g.Name(), rows[0], err)
		}
		return each(rows[0], gansim.Images{N: valid, Height: size, Width: size, Pix: pix})
	})
}
