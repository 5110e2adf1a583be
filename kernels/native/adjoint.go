package native

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"gansim.example/kernels/native/kern"
)

// The gradient of a convolution at its kernel is written as a convolution too, of the images
// [n, h, w, c], whose channels play the batch, by the gradient [n, h, w, out] as one large kernel.
// It is done as one matrix product per pixel of the result: all pixels of the images that met this
// pixel of the kernel, times those of the gradient.

// adjoint is the geometry; names are those of the original convolution.
type adjoint struct {
	g          kern.Geometry // N, H, W, C of the images, KH, KW of the result, O
	outH, outW int           // of the gradient
}

// buildAdjoint takes images x [n, h, w, c] and the gradient v [n, h, w, out].
func (c convolution) buildAdjoint(f *function, x, v *node) *node {
	d, e, k := x.dims(), v.dims(), c.shape.Dimensions
	a := adjoint{g: c.g, outH: e[1], outW: e[2]}
	a.g.N, a.g.H, a.g.W, a.g.C = d[0], d[1], d[2], d[3]
	a.g.KH, a.g.KW, a.g.O = k[0], k[1], k[3]
	a.g.Stride, a.g.Dilation = c.g.Dilation, c.g.Stride
	run := kernelGradient[float32]
	if c.shape.DType == dtypes.Float64 {
		run = kernelGradient[float64]
	}
	return f.working(compute.OpTypeConvGeneral, c.shape, []*node{x, v},
		func(out []byte, in [][]byte) { run(out, in, a) }, "gradient", a)
}

// met lists, for pixel k of the kernel along an axis, the pixels of the gradient that it led to
// and those of the image that they came from.
func (a adjoint) met(axis, k, n, outputs int) (gradient, image []int) {
	for o := range outputs {
		at := o*a.g.Stride[axis] + k*a.g.Dilation[axis] - a.g.Padding[axis][0]
		if d := a.g.InputDilation[axis]; at >= 0 && at%d == 0 && at/d < n {
			gradient, image = append(gradient, o), append(image, at/d)
		}
	}
	return gradient, image
}

func kernelGradient[T float](out []byte, in [][]byte, a adjoint) {
	g := a.g
	dw, x, v := as[T](out), as[T](in[0]), as[T](in[1])
	one := g.C * g.O
	var taken, met []T
	for i := range g.KH {
		rowsV, rowsX := a.met(0, i, g.H, a.outH)
		for j := range g.KW {
			columnsV, columnsX := a.met(1, j, g.W, a.outW)
			pixels := g.N * len(rowsV) * len(columnsV)
			to := dw[(i*g.KW+j)*one : (i*g.KW+j+1)*one]
			if pixels == 0 {
				clear(to)
				continue
			}
			from, by := x, v
			if len(rowsX) < g.H || len(columnsX) < g.W {
				taken = pixelsOf(taken, x, [4]int{g.N, g.H, g.W, g.C}, rowsX, columnsX)
				from = taken
			}
			if len(rowsV) < a.outH || len(columnsV) < a.outW {
				met = pixelsOf(met, v, [4]int{g.N, a.outH, a.outW, g.O}, rowsV, columnsV)
				by = met
			}
			kern.MatMul(to, from[:pixels*g.C], by[:pixels*g.O], 1, g.C, g.O, pixels, true, false)
		}
	}
}

// pixelsOf collects rows and columns of images x [n, h, w, c] in memory that it may reuse.
func pixelsOf[T float](memory, x []T, dims [4]int, rows, columns []int) []T {
	h, w, c := dims[1], dims[2], dims[3]
	line := len(columns) * c
	if need := dims[0] * len(rows) * line; cap(memory) < need {
		memory = make([]T, need)
	} else {
		memory = memory[:need]
	}
	run := columns[len(columns)-1]-columns[0] == len(columns)-1
	split(dims[0]*len(rows), rowsPerPiece(8*line), func(from, to int) {
		for i := from; i < to; i++ {
			source := x[(i/len(rows)*h+rows[i%len(rows)])*w*c:]
			target := memory[i*line : (i+1)*line]
			if run {
				copy(target, source[columns[0]*c:])
				continue
			}
			for j, column := range columns {
				copy(target[j*c:(j+1)*c], source[column*c:])
			}
		}
	})
	return memory
}
