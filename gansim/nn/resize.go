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

// Grid says where in the input a resized image's pixels lie.
type Grid int

// The grids of the programs that we compare with.
const (
	// HalfPixel keeps the image's edges: pixel centres are half-way, and positions under zero count
	// as zero (torch's align_corners=False).
	HalfPixel Grid = iota
	// Corners keeps the centres of the corner pixels (align_corners=True).
	Corners
	// TensorFlow1 keeps the upper left pixel: position = i*in/out, as tf.image.resize_bilinear of
	// TensorFlow 1 does and torch-fidelity after it (interpolate_compat_tensorflow.py).
	TensorFlow1
)

// position of output pixel i in the input.
func (g Grid) position(i, in, out int) float64 {
	switch {
	case g == TensorFlow1:
		return float64(i) * (float64(in) / float64(out))
	case g == HalfPixel:
		return max(0, (float64(i)+.5)*float64(in)/float64(out)-.5)
	case out > 1:
		return float64(i) * (float64(in-1) / float64(out-1))
	}
	return 0
}

// Matrix is the [out, in] matrix of a linear interpolation along one axis, row-major.
func (g Grid) Matrix(in, out int) []float64 {
	m := make([]float64, in*out)
	for i := range out {
		at := g.position(i, in, out)
		lo := min(int(at), in-1)
		hi := min(lo+1, in-1)
		m[i*in+lo] += 1 - (at - float64(lo))
		m[i*in+hi] += at - float64(lo)
	}
	return m
}

// Resize resizes x [n, h, w, c] to height x width by linear interpolation between the four pixels
// around each position; there is no antialiasing.
func Resize(x *Node, height, width int, g Grid) *Node {
	d := x.Shape().Dimensions
	if d[1] == height && d[2] == width {
		return x
	}
	return alongAxes(x, g.Matrix(d[1], height), height, g.Matrix(d[2], width), width)
}

// ResizeBilinear is [Resize] as torch's interpolate(mode="bilinear", antialias=False) spells it.
func ResizeBilinear(x *Node, height, width int, alignCorners bool) *Node {
	if alignCorners {
		return Resize(x, height, width, Corners)
	}
	return Resize(x, height, width, HalfPixel)
}

// UpsampleNearest repeats each pixel of x [n, h, w, c] factor times along height and width.
func UpsampleNearest(x *Node, factor int) *Node {
	d := x.Shape().Dimensions
	y := BroadcastToDims(Reshape(x, d[0], d[1], 1, d[2], 1, d[3]),
		d[0], d[1], factor, d[2], factor, d[3])
	return Reshape(y, d[0], d[1]*factor, d[2]*factor, d[3])
}
