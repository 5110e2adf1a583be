package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// alongAxes applies rows [height, h] along the height of x [n, h, w, c] and columns [width, w]
// along its width. Matrices are computed in float64 on the host: exact everywhere, and so is the
// gradient.
func alongAxes(x *Node, rows []float64, height int, columns []float64, width int) *Node {
	d := x.Shape().Dimensions
	y := Reshape(Transpose(x, 0, 1), d[1], d[0]*d[2]*d[3])
	y = Dot(Constant(x, rows, height, d[1]), y).Product()
	y = Transpose(Reshape(y, height, d[0], d[2], d[3]), 1, 2) // [height, w, n, c]
	y = Reshape(Transpose(y, 0, 1), d[2], height*d[0]*d[3])
	y = Dot(Constant(x, columns, width, d[2]), y).Product()
	return TransposeAllAxes(Reshape(y, width, height, d[0], d[3]), 2, 1, 0, 3)
}

// ResizeBilinear resizes x [n, h, w, c] to height x width as torch's interpolate(mode="bilinear",
// antialias=False) does. With alignCorners the corner pixels keep their centres; otherwise pixel
// centres are half-way, and positions under zero count as zero.
func ResizeBilinear(x *Node, height, width int, alignCorners bool) *Node {
	d := x.Shape().Dimensions
	if d[1] == height && d[2] == width {
		return x
	}
	return alongAxes(x, bilinear(d[1], height, alignCorners), height,
		bilinear(d[2], width, alignCorners), width)
}

// bilinear is the [out, in] matrix of a linear interpolation.
func bilinear(in, out int, alignCorners bool) []float64 {
	m := make([]float64, in*out)
	for i := range out {
		at := max(0, (float64(i)+.5)*float64(in)/float64(out)-.5)
		if alignCorners {
			at = 0
			if out > 1 {
				at = float64(i) * (float64(in-1) / float64(out-1))
			}
		}
		lo := min(int(at), in-1)
		hi := min(lo+1, in-1)
		m[i*in+lo] += 1 - (at - float64(lo))
		m[i*in+hi] += at - float64(lo)
	}
	return m
}

// UpsampleNearest repeats each pixel of x [n, h, w, c] factor times along height and width.
func UpsampleNearest(x *Node, factor int) *Node {
	if onGo(x) {
		return goUpsample(x, factor)
	}
	d := x.Shape().Dimensions
	y := BroadcastToDims(Reshape(x, d[0], d[1], 1, d[2], 1, d[3]),
		d[0], d[1], factor, d[2], factor, d[3])
	return Reshape(y, d[0], d[1]*factor, d[2]*factor, d[3])
}
