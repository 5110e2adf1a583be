package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Convolutions on the pure Go backend are matrix products of the image's patches (im2col). Its
// other operations run on one core, element by element, so that moving data costs as much as the
// product. Therefore gradients have rules of their own that are products of patches too, and a
// dilated input is split into phases that meet no stuffed zero.

// convColumns is a convolution with its gradient rules.
func convColumns(x, w *Node, win window) *Node {
	if win.groups > 1 {
		xs, ws := Split(x, 3, win.groups), Split(w, 3, win.groups)
		win.groups = 1
		for i := range xs {
			xs[i] = convColumns(xs[i], ws[i], win)
		}
		return Concatenate(xs, 3)
	}
	d, k := x.Shape().Dimensions, w.Shape().Dimensions
	back := win.adjoint([2]int{d[1], d[2]}, [2]int{k[0], k[1]})
	if win.inputDilation != [2]int{1, 1} {
		// The adjoint is an ordinary strided convolution of the gradient.
		return withGradient(convPhases(x, taps{w: w}, win), func(v *Node) []*Node {
			dw := rowsGradient(v, x, []int{k[0], k[1], k[3], k[2]}, back)
			return []*Node{convTiles(v, taps{w, true}, back),
				TransposeAllAxes(Reverse(dw, 0, 1), 0, 1, 3, 2)}
		}, x, w)
	}
	if k[1]*k[2] >= narrow {
		return withGradient(convTiles(x, taps{w: w}, win), func(v *Node) []*Node {
			return []*Node{convPhases(v, taps{w, true}, back), rowsGradient(x, v, k, win)}
		}, x, w)
	}
	columns := patches(x, k, win)
	return withGradient(product(columns, taps{w: w}, nil), func(v *Node) []*Node {
		dw := TransposeAllAxes(crossProduct(v, columns, []int{k[0], k[1], k[3], k[2]}), 0, 1, 3, 2)
		return []*Node{convPhases(v, taps{w, true}, back), dw}
	}, x, w)
}

// narrow is the number of values beside each other in a kernel's row from which on a product per
// row is faster than one with whole patches.
const narrow = 32

// adjoint is the window of the convolution that gives the gradient at an input of n pixels from the
// gradient at the output, by the kernel reversed in space.
func (win window) adjoint(n, kernel [2]int) window {
	back := window{stride: win.inputDilation, kernelDilation: win.kernelDilation,
		inputDilation: win.stride, groups: win.groups}
	for i := range 2 {
		reach := (kernel[i] - 1) * win.kernelDilation[i]
		in := (n[i]-1)*win.inputDilation[i] + 1
		out := (win.outputs(i, n[i], kernel[i])-1)*win.stride[i] + 1
		lo := win.padding[i][0]
		back.padding[i] = [2]int{reach - lo, in + lo - out}
	}
	return back
}

// outputs is the length of the result along an axis.
func (win window) outputs(axis, n, kernel int) int {
	p := win.padding[axis]
	length := (n-1)*win.inputDilation[axis] + 1 + p[0] + p[1]
	return (length-(kernel-1)*win.kernelDilation[axis]-1)/win.stride[axis] + 1
}

// taps are the matrices of a kernel w [kh, kw, in, out], one per pixel of the window. Flipped, the
// window is reversed in space and each matrix leads from out to in.
type taps struct {
	w    *Node
	flip bool
}

// outputs is the number of channels that the taps lead to.
func (t taps) outputs() int {
	if t.flip {
		return t.w.Shape().Dimensions[2]
	}
	return t.w.Shape().Dimensions[3]
}

// matrix joins the given taps along the contracted axis, all of them in order for nil. Flipped, the
// result is [in, taps*out], else [taps*in, out].
func (t taps) matrix(which [][2]int) *Node {
	k := t.w.Shape().Dimensions
	if which == nil && (!t.flip || k[0]*k[1] == 1) {
		return Reshape(t.w, -1, k[3])
	}
	if which == nil {
		for i := range k[0] {
			for j := range k[1] {
				which = append(which, [2]int{i, j})
			}
		}
	}
	parts := make([]*Node, len(which))
	for n, at := range which {
		if t.flip {
			at = [2]int{k[0] - 1 - at[0], k[1] - 1 - at[1]}
		}
		parts[n] = Reshape(Slice(t.w, AxisElem(at[0]), AxisElem(at[1])), k[2], k[3])
	}
	axis := 0
	if t.flip {
		axis = 1
	}
	return join(parts, axis)
}

func join(parts []*Node, axis int) *Node {
	if len(parts) == 1 {
		return parts[0]
	}
	return Concatenate(parts, axis)
}

// patches are the windows of x that a convolution without input dilation reads, [n, out height, out
// width, kh*kw*in].
func patches(x *Node, kernel []int, win window) *Node {
	d := x.Shape().Dimensions
	height, width := win.outputs(0, d[1], kernel[0]), win.outputs(1, d[2], kernel[1])
	x = padImage(x, win.padding)
	var parts []*Node
	for i := range kernel[0] {
		for j := range kernel[1] {
			parts = append(parts, crop(x, span{i * win.kernelDilation[0], height, win.stride[0]},
				span{j * win.kernelDilation[1], width, win.stride[1]}))
		}
	}
	return join(parts, 3)
}

// span selects count positions from start, stride apart.
type span struct{ start, count, stride int }

// crop selects rows and columns of x [n, h, w, c].
func crop(x *Node, rows, columns span) *Node {
	d := x.Shape().Dimensions
	if rows == (span{0, d[1], 1}) && columns == (span{0, d[2], 1}) {
		return x
	}
	axis := func(s span) SliceAxisSpec {
		return AxisRange(s.start, s.start+(s.count-1)*s.stride+1).Stride(s.stride)
	}
	return Slice(x, AxisRange(), axis(rows), axis(columns), AxisRange())
}

// padImage pads height and width by zeros; a negative padding crops.
func padImage(x *Node, pad [2][2]int) *Node {
	d := x.Shape().Dimensions
	var keep [2]span
	var add [2]PadAxis
	for i, p := range pad {
		low, high := max(0, -p[0]), max(0, -p[1])
		keep[i] = span{low, d[i+1] - low - high, 1}
		add[i] = PadAxis{Start: max(0, p[0]), End: max(0, p[1])}
	}
	x = crop(x, keep[0], keep[1])
	if add == [2]PadAxis{} {
		return x
	}
	return Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{}, add[0], add[1], PadAxis{})
}

// product multiplies columns [n, h, w, taps*k] by the matrices of taps.
func product(columns *Node, k taps, which [][2]int) *Node {
	d, axis := columns.Shape().Dimensions, 0
	if k.flip {
		axis = 1
	}
	matrix := k.matrix(which)
	y := DotGeneral(Reshape(columns, -1, d[3]), []int{1}, nil, matrix, []int{axis}, nil)
	return Reshape(y, d[0], d[1], d[2], -1)
}

// crossProduct sums x [n, h, w, c] times columns [n, h, w, kh*kw*d] over pixels, to [kh, kw, c, d].
func crossProduct(x, columns *Node, kernel []int) *Node {
	rows := Transpose(Reshape(x, -1, kernel[2]), 0, 1)
	y := Dot(rows, Reshape(columns, rows.Shape().Dimensions[1], -1)).Product()
	y = Reshape(y, kernel[2], kernel[0]*kernel[1], kernel[3])
	return Reshape(Transpose(y, 0, 1), kernel...)
}
