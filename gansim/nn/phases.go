package nn

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// read is a tap of the kernel and the offset of the input pixel that it meets.
type read struct{ tap, offset int }

// phase lists what the outputs a, a+d, a+2d, ... of a convolution of an input dilated by d read:
// output a + d*m meets input m + offset by each of these taps, and stuffed zeros by all others.
func (win window) phase(axis, kernel, a int) []read {
	var reads []read
	d := win.inputDilation[axis]
	for i := range kernel {
		at := a + i*win.kernelDilation[axis] - win.padding[axis][0]
		if at%d == 0 {
			reads = append(reads, read{i, at / d})
		}
	}
	return reads
}

// tile lists which of the inputs p, p+s, p+2s, ... a convolution at stride s reads: output m meets
// the one at m + offset.
func (win window) tile(axis, kernel, p int) []read {
	var reads []read
	s := win.stride[axis]
	for i := range kernel {
		if at := i*win.kernelDilation[axis] - win.padding[axis][0] - p; at%s == 0 {
			reads = append(reads, read{i, at / s})
		}
	}
	return reads
}

// convPhases convolves at stride 1 an input that is dilated: each phase of the output is an
// ordinary convolution at the input's resolution.
func convPhases(x *Node, k taps, win window) *Node {
	d, kernel := x.Shape().Dimensions, k.w.Shape().Dimensions
	var out, count [2]int
	for i := range 2 {
		out[i] = win.outputs(i, d[i+1], kernel[i])
		count[i] = (out[i]-1)/win.inputDilation[i] + 1
	}
	tiles := make([][]*Node, win.inputDilation[0])
	for a := range tiles {
		tiles[a] = make([]*Node, win.inputDilation[1])
		for b := range tiles[a] {
			y := convRows(x, k, [2][]read{win.phase(0, kernel[0], a), win.phase(1, kernel[1], b)}, count)
			if y == nil { // the stride is wider than the kernel
				y = Zeros(x.Graph(), shapes.Make(x.DType(), d[0], count[0], count[1], k.outputs()))
			}
			tiles[a][b] = y
		}
	}
	return crop(interleave(tiles), span{0, out[0], 1}, span{0, out[1], 1})
}

// convTiles convolves at a stride an input that is not dilated: the sum of ordinary convolutions of
// every s-th pixel.
func convTiles(x *Node, k taps, win window) *Node {
	d, kernel := x.Shape().Dimensions, k.w.Shape().Dimensions
	count := [2]int{win.outputs(0, d[1], kernel[0]), win.outputs(1, d[2], kernel[1])}
	var sum *Node
	for p := range win.stride[0] {
		for q := range win.stride[1] {
			reads := [2][]read{win.tile(0, kernel[0], p), win.tile(1, kernel[1], q)}
			if len(reads[0]) == 0 || len(reads[1]) == 0 || p >= d[1] || q >= d[2] {
				continue
			}
			tile := crop(x, span{p, (d[1]-1-p)/win.stride[0] + 1, win.stride[0]},
				span{q, (d[2]-1-q)/win.stride[1] + 1, win.stride[1]})
			sum = plus(sum, convRows(tile, k, reads, count))
		}
	}
	return sum
}

func plus(a, b *Node) *Node {
	if a == nil {
		return b
	}
	return Add(a, b)
}

// convRows is an ordinary convolution by some taps of a kernel: for each row of the kernel, a
// product of the pixels beside each other that the row reads, moved up or down. It is nil without
// taps.
func convRows(x *Node, k taps, reads [2][]read, count [2]int) *Node {
	if len(reads[1]) == 0 {
		return nil
	}
	wide := besides(x, reads[1], count[1])
	var sum *Node
	for _, r := range reads[0] {
		var which [][2]int
		for _, c := range reads[1] {
			which = append(which, [2]int{r.tap, c.tap})
		}
		sum = plus(sum, moveRows(product(wide, k, which), r.offset, count[0]))
	}
	return sum
}

// besides joins, for each of count columns, the pixels at the given offsets from it.
func besides(x *Node, reads []read, count int) *Node {
	width := x.Shape().Dimensions[2]
	low, high := 0, 0
	for _, r := range reads {
		low, high = max(low, -r.offset), max(high, r.offset+count-width)
	}
	x = padImage(x, [2][2]int{{}, {low, high}})
	parts := make([]*Node, len(reads))
	for i, r := range reads {
		parts[i] = crop(x, span{0, x.Shape().Dimensions[1], 1}, span{r.offset + low, count, 1})
	}
	return join(parts, 3)
}

// moveRows gives count rows of x [n, h, w, c], row y being that at y + offset, or zeros beyond the
// image. It is a product with a matrix of zeros and ones.
func moveRows(x *Node, offset, count int) *Node {
	d := x.Shape().Dimensions
	if offset == 0 && count == d[1] {
		return x
	}
	moves := make([]float64, count*d[1])
	for y := range count {
		if from := y + offset; from >= 0 && from < d[1] {
			moves[y*d[1]+from] = 1
		}
	}
	matrix := BroadcastPrefix(Constant(x, moves, count, d[1]), d[0])
	y := DotGeneral(matrix, []int{2}, []int{0}, Reshape(x, d[0], d[1], -1), []int{1}, []int{0})
	return Reshape(y, d[0], count, d[2], d[3])
}

// rowsGradient is the gradient at the kernel of convTiles: for each tile and kernel row, the
// product of the moved gradient with the pixels beside each other. Taps that read no tile have
// none.
func rowsGradient(x, v *Node, kernel []int, win window) *Node {
	d := x.Shape().Dimensions
	parts := make([]*Node, kernel[0]*kernel[1])
	for p := range win.stride[0] {
		for q := range win.stride[1] {
			reads := [2][]read{win.tile(0, kernel[0], p), win.tile(1, kernel[1], q)}
			if len(reads[0]) == 0 || len(reads[1]) == 0 || p >= d[1] || q >= d[2] {
				continue
			}
			tile := crop(x, span{p, (d[1]-1-p)/win.stride[0] + 1, win.stride[0]},
				span{q, (d[2]-1-q)/win.stride[1] + 1, win.stride[1]})
			wide := besides(tile, reads[1], v.Shape().Dimensions[2])
			for _, r := range reads[0] {
				moved := moveRows(v, -r.offset, tile.Shape().Dimensions[1])
				dw := crossProduct(moved, wide, []int{1, len(reads[1]), kernel[3], kernel[2]})
				for i, c := range reads[1] {
					parts[r.tap*kernel[1]+c.tap] = Slice(dw, AxisRange(), AxisElem(i))
				}
			}
		}
	}
	for i := range parts {
		if parts[i] == nil {
			parts[i] = Zeros(x.Graph(), shapes.Make(x.DType(), 1, 1, kernel[3], kernel[2]))
		}
	}
	y := Reshape(join(parts, 1), kernel[0], kernel[1], kernel[3], kernel[2])
	return TransposeAllAxes(y, 0, 1, 3, 2)
}
