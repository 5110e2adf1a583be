package nn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// convSplit is a convolution whose input is dilated: a transposed convolution, or the gradient of a
// strided one. Each phase of the output is an ordinary convolution with those taps of the kernel that
// meet no stuffed zero, and the phases are laid side by side. XLA's CPU compiler multiplies by the
// zeros: the phases take half the time (k4 s2, 128 to 64 channels at 64x64: 173 against 77 ms).
func convSplit(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
	last := axes.OutputBatch == 0 && axes.OutputChannels == 3
	if win.inputDilation == [2]int{1, 1} || win.kernelDilation != [2]int{1, 1} || !last {
		return convGeneral(x, w, axes, win)
	}
	var n, kernel, out, count [2]int
	for i := range 2 {
		n[i] = x.Shape().Dimensions[axes.InputSpatial[i]]
		kernel[i] = w.Shape().Dimensions[axes.KernelSpatial[i]]
		out[i] = win.outputs(i, n[i], kernel[i])
		count[i] = (out[i]-1)/win.inputDilation[i] + 1
	}
	tiles := make([][]*Node, win.inputDilation[0])
	for a := range tiles {
		tiles[a] = make([]*Node, win.inputDilation[1])
		for b := range tiles[a] {
			reads := [2][]read{win.phase(0, kernel[0], a), win.phase(1, kernel[1], b)}
			tiles[a][b] = convPhase(x, w, axes, win, reads, count)
		}
	}
	return crop(interleave(tiles), span{0, out[0], 1}, span{0, out[1], 1})
}

// convPhase gives count outputs per axis of the phase that reads by the given taps.
func convPhase(x, w *Node, axes compute.ConvolveAxesConfig, win window, reads [2][]read,
	count [2]int) *Node {
	if len(reads[0]) == 0 || len(reads[1]) == 0 { // the dilation is wider than the kernel
		batch := x.Shape().Dimensions[axes.InputBatch]
		channels := w.Shape().Dimensions[axes.KernelOutputChannels]
		return Zeros(x.Graph(), shapes.Make(x.DType(), batch, count[0], count[1], channels))
	}
	phase := window{stride: [2]int{1, 1}, kernelDilation: [2]int{1, 1}, inputDilation: [2]int{1, 1},
		groups: win.groups}
	taps := make([]SliceAxisSpec, 4)
	for i := range taps {
		taps[i] = AxisRange()
	}
	for i, r := range reads {
		first, last := r[0], r[len(r)-1]
		n := x.Shape().Dimensions[axes.InputSpatial[i]]
		phase.padding[i] = [2]int{-first.offset, count[i] + last.offset - n}
		taps[axes.KernelSpatial[i]] = AxisRange(first.tap, last.tap+1).Stride(win.inputDilation[i])
	}
	return convGeneral(x, Slice(w, taps...), axes, phase)
}
