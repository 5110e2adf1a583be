package train

import (
	"context"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/mini/world"
)

// data are the renders that the networks are trained on, and held-out ones. Held-out renders come
// from another seed.
type data struct {
	train, held, detector world.Renders
}

// Numbers of renders: see the recipe of the miniature world.
const (
	trainRenders    = 24000
	heldRenders     = 1024
	detectorRenders = 12000
)

func render(ctx context.Context, set world.Set, seed uint64, n int) (world.Renders, error) {
	return world.Batch(ctx, world.Request{Set: set, Seed: seed, N: n})
}

// batch gathers rows as a uint8 tensor [len(rows), size, size, 3], those with flip mirrored.
func batch(r world.Renders, rows []int, flip []bool) *tensors.Tensor {
	bytes := r.Size * r.Size * 3
	out := make([]uint8, len(rows)*bytes)
	for i, row := range rows {
		dst, src := out[i*bytes:(i+1)*bytes], r.Pix[row*bytes:(row+1)*bytes]
		if flip == nil || !flip[i] {
			copy(dst, src)
			continue
		}
		mirror(dst, src, r.Size)
	}
	return tensors.FromFlatDataAndDimensions(out, len(rows), r.Size, r.Size, 3)
}

func mirror(dst, src []uint8, size int) {
	for y := range size {
		for x := range size {
			copy(dst[(y*size+x)*3:][:3], src[(y*size+size-1-x)*3:][:3])
		}
	}
}

// pick draws n rows below total, with a coin for mirroring each.
func pick(rng *rand.Rand, n, total int) (rows []int, flip []bool) {
	for range n {
		rows = append(rows, rng.IntN(total))
		flip = append(flip, rng.IntN(2) == 0)
	}
	return rows, flip
}

func labels(r world.Renders, rows []int) *tensors.Tensor {
	out := make([]int32, len(rows))
	for i, row := range rows {
		out[i] = r.Labels[row]
	}
	return tensors.FromFlatDataAndDimensions(out, len(rows))
}

func normals(rng *rand.Rand, n, dim int) *tensors.Tensor {
	out := make([]float32, n*dim)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(out, n, dim)
}

func uniform(rng *rand.Rand, lo, hi float64, dims ...int) *tensors.Tensor {
	out := make([]float32, count(dims))
	for i := range out {
		out[i] = float32(lo + (hi-lo)*rng.Float64())
	}
	return tensors.FromFlatDataAndDimensions(out, dims...)
}

// unit turns 8-bit pixels into [0, 1].
func unit(pixels *Node) *Node { return DivScalar(ConvertDType(pixels, f32), 255) }
