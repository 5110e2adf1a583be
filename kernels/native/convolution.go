package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"gansim.example/kernels/native/kern"
)

// ConvGeneral convolves along one or two axes.
func (f *function) ConvGeneral(input, kernel compute.Value, axes compute.ConvolveAxesConfig,
	strides []int, paddings [][2]int, inputDilations, kernelDilations []int,
	channelGroups, batchGroups int) (compute.Value, error) {
	in, err := f.take("ConvGeneral", input, kernel)
	if err != nil {
		return nil, err
	}
	channelGroups, batchGroups = max(1, channelGroups), max(1, batchGroups)
	shape, err := shapeinference.ConvGeneral(in[0].shape, in[1].shape, axes, strides, paddings,
		inputDilations, kernelDilations, channelGroups, batchGroups)
	spatial := len(axes.InputSpatial)
	switch {
	case err != nil:
		return nil, fmt.Errorf("native: %w", err)
	case spatial > 2:
		return nil, missing("ConvGeneral along %d axes", spatial)
	case !shape.DType.IsFloat():
		return nil, missing("ConvGeneral of %s", shape.DType)
	case batchGroups > 1:
		return nil, missing("ConvGeneral by groups of the batch")
	}
	c := convolution{shape: shape, axes: axes, g: kern.Geometry{Stride: [2]int{1, 1},
		Dilation: [2]int{1, 1}, InputDilation: [2]int{1, 1}, Groups: channelGroups}}
	for i := range spatial {
		at := i + 2 - spatial // a single axis is the width
		c.g.Stride[at] = option(strides, i, 1)
		c.g.Dilation[at] = option(kernelDilations, i, 1)
		c.g.InputDilation[at] = option(inputDilations, i, 1)
		c.g.Padding[at] = option(paddings, i, [2]int{})
	}
	return c.build(f, in[0], in[1]), nil
}

// option is an element of a list that may be missing.
func option[T any](list []T, i int, otherwise T) T {
	if len(list) == 0 {
		return otherwise
	}
	return list[i]
}

// convolution is a ConvGeneral on its way to kern.Conv.
type convolution struct {
	shape shapes.Shape // of the result
	axes  compute.ConvolveAxesConfig
	g     kern.Geometry
}

// build brings the axes in kern's order: images [n, h, w, c], kernels [h, w, c, out].
func (c convolution) build(f *function, x, w *node) *node {
	a := c.axes
	image := func(batch, channels int, spatial []int) []int {
		return slices.Concat([]int{batch}, spatial, []int{channels})
	}
	in := image(a.InputBatch, a.InputChannels, a.InputSpatial)
	kernel := slices.Concat(a.KernelSpatial, []int{a.KernelInputChannels, a.KernelOutputChannels})
	result := image(a.OutputBatch, a.OutputChannels, a.OutputSpatial)
	if len(a.InputSpatial) == 2 && c.g.Groups == 1 &&
		slices.Equal(in, []int{3, 1, 2, 0}) && slices.Equal(result, []int{2, 0, 1, 3}) {
		return c.buildAdjoint(f, x, f.transpose(w, slices.Concat([]int{a.KernelInputChannels},
			a.KernelSpatial, []int{a.KernelOutputChannels})))
	}
	dims := permuted(c.shape.Dimensions, result)
	x, w = f.transpose(x, in), f.transpose(w, kernel)
	images, kernels := x.dims(), w.dims()
	if len(images) == 3 {
		images, kernels = slices.Insert(slices.Clone(images), 1, 1), slices.Insert(
			slices.Clone(kernels), 0, 1)
	}
	c.g.N, c.g.H, c.g.W, c.g.C = images[0], images[1], images[2], images[3]
	c.g.KH, c.g.KW, c.g.O = kernels[0], kernels[1], kernels[3]
	run := convolve[float32]
	if c.shape.DType == dtypes.Float64 {
		run = convolve[float64]
	}
	g := c.g
	y := f.working(compute.OpTypeConvGeneral, shapes.Make(c.shape.DType, dims...), []*node{x, w},
		func(out []byte, in [][]byte) { run(out, in, g) }, g)
	back := make([]int, len(result))
	for i, axis := range result {
		back[axis] = i
	}
	return f.transpose(y, back)
}

func permuted(dims, permutation []int) []int {
	p := make([]int, len(permutation))
	for i, a := range permutation {
		p[i] = dims[a]
	}
	return p
}

func convolve[T float](out []byte, in [][]byte, g kern.Geometry) {
	if len(out) == 0 {
		return
	}
	if len(in[0]) == 0 || len(in[1]) == 0 {
		clear(out)
		return
	}
	kern.Conv(as[T](out), as[T](in[0]), as[T](in[1]), g)
}
