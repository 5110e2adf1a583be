package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// convColumns is a convolution as one matrix product of the image's patches (im2col), the fastest
// form on the pure Go backend. A stride-2 transposed convolution is split into four phases, each an
// ordinary convolution at the input's resolution, so that no multiplication meets a stuffed zero.
func convColumns(x, w *Node, win window) *Node {
	if win.groups > 1 {
		xs, ws := Split(x, 3, win.groups), Split(w, 3, win.groups)
		one := win
		one.groups = 1
		for i := range xs {
			xs[i] = convColumns(xs[i], ws[i], one)
		}
		return Concatenate(xs, 3)
	}
	if win.inputDilation == [2]int{2, 2} && win.stride == [2]int{1, 1} &&
		win.kernelDilation == [2]int{1, 1} {
		return convPhases(x, w, win)
	}
	x = padImage(x, win.padding, win.inputDilation)
	k := w.Shape().Dimensions
	d := x.Shape().Dimensions
	height := (d[1]-(k[0]-1)*win.kernelDilation[0]-1)/win.stride[0] + 1
	width := (d[2]-(k[1]-1)*win.kernelDilation[1]-1)/win.stride[1] + 1
	var patches []*Node
	for i := range k[0] {
		for j := range k[1] {
			patches = append(patches, Slice(x, AxisRange(),
				taps(i*win.kernelDilation[0], height, win.stride[0]),
				taps(j*win.kernelDilation[1], width, win.stride[1]), AxisRange()))
		}
	}
	return product(patches, Reshape(w, k[0]*k[1]*k[2], k[3]))
}

// taps selects count positions from start, stride apart.
func taps(start, count, stride int) SliceAxisSpec {
	return AxisRange(start, start+(count-1)*stride+1).Stride(stride)
}

// product multiplies patches, joined along channels, by a matrix.
func product(patches []*Node, matrix *Node) *Node {
	columns := patches[0]
	if len(patches) > 1 {
		columns = Concatenate(patches, 3)
	}
	d := columns.Shape().Dimensions
	y := Dot(Reshape(columns, d[0]*d[1]*d[2], d[3]), matrix).Product()
	return Reshape(y, d[0], d[1], d[2], matrix.Shape().Dimensions[1])
}

// padImage pads height and width by zeros (a negative padding crops) and stuffs dilation-1 zeros
// between neighbours.
func padImage(x *Node, pad [2][2]int, dilation [2]int) *Node {
	if pad == [2][2]int{} && dilation == [2]int{1, 1} {
		return x
	}
	return Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{},
		PadAxis{Start: pad[0][0], End: pad[0][1], Interior: dilation[0] - 1},
		PadAxis{Start: pad[1][0], End: pad[1][1], Interior: dilation[1] - 1}, PadAxis{})
}

// convPhases computes a convolution of an input dilated by 2: output positions of equal parity see
// the same half of the kernel's taps.
func convPhases(x, w *Node, win window) *Node {
	d, k := x.Shape().Dimensions, w.Shape().Dimensions
	var out [2]int
	for i := range 2 {
		out[i] = (d[i+1]-1)*2 + 1 + win.padding[i][0] + win.padding[i][1] - k[i] + 1
	}
	if out[0]%2 != 0 || out[1]%2 != 0 {
		win.inputDilation = [2]int{1, 1}
		return convColumns(padImage(x, win.padding, [2]int{2, 2}), w, window{
			stride: win.stride, kernelDilation: win.kernelDilation, inputDilation: [2]int{1, 1},
			groups: 1})
	}
	margin := [2][2]int{{k[0], k[0]}, {k[1], k[1]}}
	padded := padImage(x, margin, [2]int{1, 1})
	var rows []*Node
	for a := range 2 {
		var columns []*Node
		for b := range 2 {
			var patches, kernels []*Node
			for i := parity(a, win.padding[0][0]); i < k[0]; i += 2 {
				for j := parity(b, win.padding[1][0]); j < k[1]; j += 2 {
					top := (a+i-win.padding[0][0])/2 + margin[0][0]
					left := (b+j-win.padding[1][0])/2 + margin[1][0]
					patches = append(patches, Slice(padded, AxisRange(),
						taps(top, out[0]/2, 1), taps(left, out[1]/2, 1), AxisRange()))
					kernels = append(kernels,
						Reshape(Slice(w, AxisElem(i), AxisElem(j)), k[2], k[3]))
				}
			}
			y := product(patches, Concatenate(kernels, 0))
			columns = append(columns, Reshape(y, d[0], out[0]/2, 1, out[1]/2, 1, k[3]))
		}
		rows = append(rows, Concatenate(columns, 4))
	}
	return Reshape(Concatenate(rows, 2), d[0], out[0], out[1], k[3])
}

// parity is the first kernel tap that meets an input pixel, not a stuffed zero, at outputs of
// parity a with low padding lo.
func parity(a, lo int) int { return ((lo-a)%2 + 2) % 2 }
