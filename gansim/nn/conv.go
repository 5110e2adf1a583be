package nn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// ConvOptions describes a convolution. The zero value is stride 1, no padding, no dilation, one
// group.
type ConvOptions struct {
	Stride   [2]int    // along height and width; zero means 1
	Padding  [2][2]int // {top, bottom}, {left, right}, pixels
	Dilation [2]int    // of the kernel; zero means 1
	Groups   int       // zero means 1; equal to the input channels for a depthwise convolution
}

// Same is the convolution of an odd kernel of width k at stride s with padding k/2 on all sides.
func Same(k, s int) ConvOptions {
	return ConvOptions{Stride: [2]int{s, s}, Padding: [2][2]int{{k / 2, k / 2}, {k / 2, k / 2}}}
}

// Conv convolves x [n, h, w, in] with kernel w [kh, kw, in/groups, out].
func Conv(x, w *Node, o ConvOptions) *Node {
	return convolve(x, w, window{
		stride: ones(o.Stride), kernelDilation: ones(o.Dilation), inputDilation: [2]int{1, 1},
		padding: o.Padding, groups: max(o.Groups, 1),
	})
}

// ConvTransposeOptions describes a transposed convolution as PyTorch's ConvTranspose2d does: the
// output is (in-1)*stride - 2*padding + kernel + output padding long.
type ConvTransposeOptions struct {
	Stride, Padding, OutputPadding [2]int // along height and width; zero stride means 1
	Groups                         int    // zero means 1
}

// ConvTranspose is the transposed convolution of x [n, h, w, in] with w [kh, kw, in/groups, out],
// whose kernel is stored **reversed in space** (the loader does this once), so that the operator is
// a plain convolution of the zero-stuffed input.
func ConvTranspose(x, w *Node, o ConvTransposeOptions) *Node {
	win := window{
		stride: [2]int{1, 1}, kernelDilation: [2]int{1, 1}, inputDilation: ones(o.Stride),
		groups: max(o.Groups, 1),
	}
	for i := range 2 {
		k := w.Shape().Dimensions[i]
		win.padding[i] = [2]int{k - 1 - o.Padding[i], k - 1 - o.Padding[i] + o.OutputPadding[i]}
	}
	return convolve(x, w, win)
}

// UpsampleConv is the convolution of x [n, h, w, in], enlarged twice by repeating its pixels, with a
// kernel w [3, 3, in, out] at padding 1. Both together are a transposed convolution whose kernel is w
// convolved with a square of ones: four products a pixel instead of nine, and no enlarged map.
func UpsampleConv(x, w *Node) *Node {
	w.AssertDims(3, 3, -1, -1)
	for axis := range 2 {
		before, after := make([]PadAxis, 4), make([]PadAxis, 4)
		before[axis].Start, after[axis].End = 1, 1
		zero := ScalarZero(w.Graph(), w.DType())
		w = Add(Pad(w, zero, before...), Pad(w, zero, after...))
	}
	return ConvTranspose(x, w, ConvTransposeOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}})
}

// window is the geometry of a general convolution.
type window struct {
	stride, kernelDilation, inputDilation [2]int
	padding                               [2][2]int
	groups                                int
}

func ones(v [2]int) [2]int { return [2]int{max(v[0], 1), max(v[1], 1)} }

func convolve(x, w *Node, win window) *Node {
	x.AssertRank(4)
	w.AssertRank(4)
	in, want := x.Shape().Dimensions[3], w.Shape().Dimensions[2]*win.groups
	if in != want {
		exceptions.Panicf("nn: convolution of %d channels by a kernel for %d", in, want)
	}
	if pointwise(w, win) {
		return product(x, w, win.stride)
	}
	return convSplit(x, w, imageAxes(), win)
}

// pointwise reports whether a convolution is a matrix product of some pixels.
func pointwise(w *Node, win window) bool {
	d := w.Shape().Dimensions
	return d[0] == 1 && d[1] == 1 && win == window{stride: win.stride,
		kernelDilation: win.kernelDilation, inputDilation: [2]int{1, 1}, groups: 1}
}

// product is the convolution of every stride-th pixel of x by w [1, 1, in, out]. As a product its
// gradient is three to five times faster on XLA.
func product(x, w *Node, stride [2]int) *Node {
	if stride != [2]int{1, 1} {
		x = Slice(x, AxisRange(), AxisRange().Stride(stride[0]), AxisRange().Stride(stride[1]))
	}
	d, k := x.Shape().Dimensions, w.Shape().Dimensions
	y := Dot(Reshape(x, -1, d[3]), Reshape(w, k[2], k[3])).Product()
	return Reshape(y, d[0], d[1], d[2], k[3])
}

func imageAxes() compute.ConvolveAxesConfig {
	return compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	}
}

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

// GoMLX keeps its gradient rules in a plain map, which has to be complete before any gradient is
// built; so ours is installed here and not on first use. It acts on nodes of this package alone.
// GoMLX's is shifted by one for even kernels and missing for dilated inputs.
func init() {
	theirs := VJPRegistration[NodeTypeConvGeneral]
	VJPRegistration[NodeTypeConvGeneral] = func(y *Node, v []*Node, s shapes.Shape) []*Node {
		if p, ok := y.Graph().State(convKey{y.Id()}).(convParams); ok {
			return convGradient(y, v[0], p)
		}
		return theirs(y, v, s)
	}
}

// convParams is what the gradient needs to know of a convolution node; it is kept in the graph's
// own state, so that it lives exactly as long as the graph.
type convParams struct {
	axes compute.ConvolveAxesConfig
	win  window
}

type convKey struct{ id NodeId }

func convGeneral(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
	if win.inputDilation == [2]int{1, 1} {
		// XLA's float32 convolutions on the CPU are wrong where a padding is negative.
		x, win.padding = cropNegative(x, axes.InputSpatial, win.padding)
	}
	y := ConvGeneral(x, w, axes, win.stride[:], win.padding[:],
		dilation(win.inputDilation), dilation(win.kernelDilation), win.groups, 1)
	y.Graph().AttachState(convKey{y.Id()}, convParams{axes, win})
	return y
}

// cropNegative slices off what a negative padding takes away.
func cropNegative(x *Node, spatial []int, padding [2][2]int) (*Node, [2][2]int) {
	cut := make([]SliceAxisSpec, x.Rank())
	for i := range cut {
		cut[i] = AxisRange()
	}
	negative := false
	for i, p := range padding {
		low, high := max(0, -p[0]), max(0, -p[1])
		if low+high > 0 {
			negative = true
			cut[spatial[i]] = AxisRange(low, x.Shape().Dimensions[spatial[i]]-high)
		}
		padding[i] = [2]int{max(0, p[0]), max(0, p[1])}
	}
	if negative {
		x = Slice(x, cut...)
	}
	return x, padding
}

func dilation(d [2]int) []int {
	if d == [2]int{1, 1} {
		return nil
	}
	return d[:]
}

// convGradient gives the gradients at input and kernel of y = conv(x, w), v being the one at y.
//
// With stride s, input dilation d, kernel dilation k and low padding lo, the gradient at x
// convolves v dilated by s with the reversed kernel at stride d, and the one at w convolves x
// dilated by d with v dilated by s at stride k; the high paddings make the lengths come out.
func convGradient(y, v *Node, p convParams) []*Node {
	x, w := y.Inputs()[0], y.Inputs()[1]
	a, win := p.axes, p.win
	var n, k [2]int
	for i := range 2 {
		n[i] = x.Shape().Dimensions[a.InputSpatial[i]]
		k[i] = w.Shape().Dimensions[a.KernelSpatial[i]]
	}
	atX := win.adjoint(n, k)
	atW := window{stride: win.kernelDilation, kernelDilation: win.stride,
		inputDilation: win.inputDilation, groups: 1}
	for i := range 2 {
		lo, hi := atX.padding[i][0], atX.padding[i][1]
		reach := (k[i] - 1) * win.kernelDilation[i]
		atW.padding[i] = [2]int{reach - lo, reach - hi}
	}
	return []*Node{gradientAtInput(v, w, a, atX), gradientAtKernel(x, v, a, atW, win.groups)}
}

func gradientAtInput(v, w *Node, a compute.ConvolveAxesConfig, win window) *Node {
	kernel := Reverse(w, a.KernelSpatial...)
	if win.groups > 1 { // [in/groups, out] to [in, out/groups]
		kernel = Concatenate(Split(kernel, a.KernelOutputChannels, win.groups), a.KernelInputChannels)
	}
	return convSplit(v, kernel, compute.ConvolveAxesConfig{
		InputBatch: a.OutputBatch, InputSpatial: a.OutputSpatial, InputChannels: a.OutputChannels,
		KernelSpatial:       a.KernelSpatial,
		KernelInputChannels: a.KernelOutputChannels, KernelOutputChannels: a.KernelInputChannels,
		OutputBatch: a.InputBatch, OutputSpatial: a.InputSpatial, OutputChannels: a.InputChannels,
	}, win)
}

func gradientAtKernel(x, v *Node, a compute.ConvolveAxesConfig, win window, groups int) *Node {
	axes := compute.ConvolveAxesConfig{
		InputBatch: a.InputChannels, InputSpatial: a.InputSpatial, InputChannels: a.InputBatch,
		KernelSpatial:       a.OutputSpatial,
		KernelInputChannels: a.OutputBatch, KernelOutputChannels: a.OutputChannels,
		OutputBatch: a.KernelInputChannels, OutputSpatial: a.KernelSpatial,
		OutputChannels: a.KernelOutputChannels,
	}
	if groups == 1 {
		return convGeneral(x, v, axes, win)
	}
	xs, vs := Split(x, a.InputChannels, groups), Split(v, a.OutputChannels, groups)
	parts := make([]*Node, groups)
	for i := range parts {
		parts[i] = convGeneral(xs[i], vs[i], axes, win)
	}
	return Concatenate(parts, a.KernelOutputChannels)
}
