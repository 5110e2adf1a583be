package nn

import (
	"math"
	"strings"

	"github.com/gomlx/compute"
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

// convSplit is a convolution. Where the input is dilated, by a transposed convolution or in the
// gradient of a strided one, XLA's compiler for the CPU multiplies by the stuffed zeros. There, each
// phase of the output is computed as an ordinary convolution with those taps of the kernel that meet
// none, and the phases are laid side by side, which takes half the time (k4 s2, 128 to 64 channels at
// 64x64: 173 against 77 ms).
func convSplit(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
	last := axes.OutputBatch == 0 && axes.OutputChannels == 3
	if win.inputDilation == [2]int{1, 1} || win.kernelDilation != [2]int{1, 1} || !last ||
		!onXLAsCPU(x) {
		return convEven(x, w, axes, win)
	}
	out := w.Shape().Dimensions[axes.KernelOutputChannels]
	phases := win.inputDilation[0] * win.inputDilation[1]
	if win.groups == 1 && out <= fewChannels && phases > fewPhases {
		return convStacked(x, w, axes, win)
	}
	return convPhases(x, w, axes, win)
}

// Up to fewChannels of output and beyond fewPhases, XLA's convolution for the CPU is faster with the
// phases as channels of one convolution, although all then have as many taps as the longest: the
// gradient at the image of a first layer k11 s4, AlexNet's (455 to 370 ms for the whole network, 8
// images). With the four phases of ResNet's k7 s2 there is no difference.
const (
	fewChannels = 4
	fewPhases   = 4
)

// convStacked is a convolution of a dilated input whose phases are the channels of one convolution.
func convStacked(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
	phase := window{stride: [2]int{1, 1}, kernelDilation: [2]int{1, 1}, inputDilation: [2]int{1, 1},
		groups: win.groups}
	var reads [2][][]read
	low, high := [2]int{math.MaxInt, math.MaxInt}, [2]int{math.MinInt, math.MinInt}
	var out [2]int
	for i := range 2 {
		n := x.Shape().Dimensions[axes.InputSpatial[i]]
		kernel := w.Shape().Dimensions[axes.KernelSpatial[i]]
		out[i] = win.outputs(i, n, kernel)
		for a := range win.inputDilation[i] {
			r := win.phase(i, kernel, a)
			reads[i] = append(reads[i], r)
			if len(r) > 0 {
				low[i], high[i] = min(low[i], r[0].offset), max(high[i], r[len(r)-1].offset)
			}
		}
		count := (out[i]-1)/win.inputDilation[i] + 1
		phase.padding[i] = [2]int{-low[i], count + high[i] - n}
	}
	d := win.inputDilation
	kernels := make([]*Node, 0, d[0]*d[1])
	for _, rows := range reads[0] {
		for _, columns := range reads[1] {
			kernels = append(kernels, stackedKernel(w, axes, [2][]read{rows, columns}, d, low, high))
		}
	}
	y := convEven(x, Concatenate(kernels, axes.KernelOutputChannels), axes, phase)
	s := y.Shape().Dimensions
	channels := s[3] / len(kernels)
	y = TransposeAllAxes(Reshape(y, s[0], s[1], s[2], d[0], d[1], channels), 0, 1, 3, 2, 4, 5)
	y = Reshape(y, s[0], s[1]*d[0], s[2]*d[1], channels)
	return Slice(y, AxisRange(), AxisRange(0, out[0]), AxisRange(0, out[1]))
}

// stackedKernel are the taps of w that a phase reads, at their offsets from low to high and zero
// elsewhere.
func stackedKernel(w *Node, axes compute.ConvolveAxesConfig, reads [2][]read, dilation, low,
	high [2]int) *Node {
	taps, pads := make([]SliceAxisSpec, 4), make([]PadAxis, 4)
	for i := range taps {
		taps[i] = AxisRange()
	}
	for i, r := range reads {
		axis := axes.KernelSpatial[i]
		if len(r) == 0 { // the dilation is wider than the kernel
			zero := w.Shape().Clone()
			for k, spatial := range axes.KernelSpatial {
				zero.Dimensions[spatial] = high[k] - low[k] + 1
			}
			return Zeros(w.Graph(), zero)
		}
		first, last := r[0], r[len(r)-1]
		taps[axis] = AxisRange(first.tap, last.tap+1).Stride(dilation[i])
		pads[axis] = PadAxis{Start: first.offset - low[i], End: high[i] - last.offset}
	}
	return Pad(Slice(w, taps...), ScalarZero(w.Graph(), w.DType()), pads...)
}

// convPhases is a convolution of a dilated input by phases.
func convPhases(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
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
	y := interleave(tiles)
	if d := y.Shape().Dimensions; d[1] == out[0] && d[2] == out[1] {
		return y
	}
	return Slice(y, AxisRange(), AxisRange(0, out[0]), AxisRange(0, out[1]))
}

// onXLAsCPU reports whether a graph is compiled by XLA for the processor.
func onXLAsCPU(x *Node) bool {
	return strings.HasPrefix(x.Graph().Backend().DeviceDescription(0), "cpu:")
}

// interleave joins tiles[i][j] [n, h, w, c] to [n, h*rows, w*columns, c], tile (i, j) giving the
// pixels i, i+rows, ... and j, j+columns, ...
func interleave(tiles [][]*Node) *Node {
	d := tiles[0][0].Shape().Dimensions
	rows := make([]*Node, len(tiles))
	for i, row := range tiles {
		columns := make([]*Node, len(row))
		for j, tile := range row {
			columns[j] = Reshape(tile, d[0], d[1], d[2], 1, d[3])
		}
		rows[i] = Reshape(Concatenate(columns, 3), d[0], d[1], 1, d[2]*len(row)*d[3])
	}
	return Reshape(Concatenate(rows, 2), d[0], d[1]*len(tiles), d[2]*len(tiles[0]), d[3])
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
	return convEven(x, Slice(w, taps...), axes, phase)
}

// convEven is a convolution. XLA's for the CPU is slow for an odd number of channels and a narrow
// output, so there a channel of zeros is added (k3 s1, 3 to 24 channels, 36 maps of 64x64: 32 against
// 6 ms; to 64 channels and more, no gain).
func convEven(x, w *Node, axes compute.ConvolveAxesConfig, win window) *Node {
	in := x.Shape().Dimensions[axes.InputChannels]
	out := w.Shape().Dimensions[axes.KernelOutputChannels]
	if in > 1 && in%2 == 1 && out <= 32 && win.groups == 1 && onXLAsCPU(x) {
		x, w = zeroAfter(x, axes.InputChannels), zeroAfter(w, axes.KernelInputChannels)
	}
	return convGeneral(x, w, axes, win)
}

// zeroAfter adds a zero at the end of an axis.
func zeroAfter(x *Node, axis int) *Node {
	pads := make([]PadAxis, x.Rank())
	pads[axis].End = 1
	return Pad(x, ScalarZero(x.Graph(), x.DType()), pads...)
}
