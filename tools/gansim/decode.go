package main

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
)

// batch is the one compiled number of codes: the last batch is filled up, so that neighbours and
// order cannot matter.
const batch = 16

// decodeAll turns codes into images and hands each batch over with the index of its first code. It
// stops between batches when ctx ends.
func decodeAll(ctx context.Context, b compute.Backend, g gansim.Generator, codes gansim.Codes,
	each func(first int, images gansim.Images) error) error {
	ps := g.Params()
	exec, err := graph.NewExec(b, func(in []*graph.Node) *graph.Node {
		byName := map[string]*graph.Node{}
		for i, name := range ps.Names {
			byName[name] = in[i]
		}
		return g.Decode(func(name string) *graph.Node {
			if byName[name] == nil {
				exceptions.Panicf("%s has no tensor %q", g.Name(), name)
			}
			return byName[name]
		}, in[len(ps.Names)])
	})
	if err != nil {
		return fmt.Errorf("%s: %w", g.Name(), err)
	}
	defer exec.Finalize()
	args := make([]any, 0, len(ps.Tensors)+1)
	for _, t := range ps.Tensors {
		args = append(args, t)
	}
	for first := 0; first < codes.N; first += batch {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d images: %w", first, codes.N, err)
		}
		images, err := decodeBatch(exec, args, g.ImageSize(), codes, first)
		if err != nil {
			return fmt.Errorf("%s: images %d to %d: %w", g.Name(), first, first+images.N, err)
		}
		if err := each(first, images); err != nil {
			return err
		}
	}
	return nil
}

// decodeBatch decodes the codes from first on, at most a batch.
func decodeBatch(exec *graph.Exec, args []any, size int, codes gansim.Codes, first int) (
	gansim.Images, error) {
	z := make([]float32, 0, batch*codes.Dim)
	for i := range batch {
		z = append(z, codes.At(min(first+i, codes.N-1))...)
	}
	out, err := exec.Call(append(args, tensors.FromFlatDataAndDimensions(z, batch, codes.Dim))...)
	if err != nil {
		return gansim.Images{}, err
	}
	defer out[0].MustFinalizeAll()
	pix, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return gansim.Images{}, err
	}
	all := gansim.Images{N: batch, Height: size, Width: size, Pix: pix}
	return all.Slice(0, min(batch, codes.N-first)), nil
}
