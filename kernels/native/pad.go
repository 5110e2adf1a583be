package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// Pad surrounds x, and with interior padding stuffs it, with a value; negative paddings crop.
func (f *function) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	in, err := f.take("Pad", x, fill)
	if err != nil {
		return nil, err
	}
	if in[1].shape.Rank() != 0 || in[1].shape.DType != in[0].shape.DType {
		return nil, fmt.Errorf("native: Pad of %s by %s", in[0].shape, in[1].shape)
	}
	shape, err := shapeinference.Pad(in[0].shape, axes...)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return f.pad(in[0], in[1], axes, shape), nil
}

// pad is Pad with operands that fit.
func (f *function) pad(x, fill *node, axes []compute.PadAxis, shape shapes.Shape) *node {
	starts, dims := make([]int, x.shape.Rank()), slices.Clone(x.dims())
	pads := make([]compute.PadAxis, len(dims))
	copy(pads, axes)
	for i, p := range pads {
		step := p.Interior + 1
		low, high := ceilDiv(max(0, -p.Start), step), ceilDiv(max(0, -p.End), step)
		if low+high >= dims[i] { // nothing of x is left
			return f.expand(fill, shape.Dimensions)
		}
		starts[i], dims[i] = low, dims[i]-low-high
		pads[i].Start, pads[i].End = p.Start+low*step, p.End+high*step
	}
	x = f.slice(x, starts, dims, slices.Repeat([]int{1}, len(dims)))
	if slices.Equal(x.dims(), shape.Dimensions) {
		return x
	}
	g := newPadding(dims, shape.Dimensions, pads, x.shape.DType.Size())
	return f.working(compute.OpTypePad, shape, []*node{x, fill}, g.run, pads)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// padding is a Pad by what is not negative. The last axis that is padded and all behind it make a
// line.
type padding struct {
	out         []int             // axes of the output before the line
	pads        []compute.PadAxis // along these
	dims        []int             // of the input along these
	line        compute.PadAxis
	count, size int // elements of the input along the line, their bytes
	lineOut     int // bytes of a line of the output
	item        int // bytes of a value
}

func newPadding(in, out []int, pads []compute.PadAxis, item int) padding {
	at := len(in) - 1
	for at > 0 && pads[at] == (compute.PadAxis{}) {
		at--
	}
	size := item * product(in[at+1:])
	return padding{out: out[:at], pads: pads[:at], dims: in[:at], line: pads[at], count: in[at],
		size: size, lineOut: size * out[at], item: item}
}

func (g padding) run(out []byte, in [][]byte) {
	x, fill := in[0], in[1]
	lines := product(g.out)
	split(lines, rowsPerPiece(g.lineOut), func(from, to int) {
		o := newOdometer(g.out, from)
		for i := from; i < to; i++ {
			line := out[i*g.lineOut : (i+1)*g.lineOut]
			if at, ok := g.source(o.index); ok {
				g.copyLine(line, x[at*g.count*g.size:(at+1)*g.count*g.size], fill)
			} else {
				repeat(line, fill)
			}
			o.next()
		}
	})
}

// source is the number of the input's line that goes to a line of the output, if any does.
func (g padding) source(index []int) (at int, ok bool) {
	for i, p := range g.pads {
		pos, step := index[i]-p.Start, p.Interior+1
		if pos < 0 || pos%step != 0 || pos/step >= g.dims[i] {
			return 0, false
		}
		at = at*g.dims[i] + pos/step
	}
	return at, true
}

func (g padding) copyLine(to, from, fill []byte) {
	start := g.line.Start * g.size
	repeat(to[:start], fill)
	to = to[start:]
	if g.line.Interior == 0 {
		repeat(to[copy(to, from):], fill)
		return
	}
	gap := g.line.Interior * g.size
	for len(from) > 0 {
		to = to[copy(to, from[:g.size]):]
		from = from[g.size:]
		if len(from) > 0 {
			repeat(to[:gap], fill)
			to = to[gap:]
		}
	}
	repeat(to, fill)
}

// repeat fills memory with a value.
func repeat(to, value []byte) {
	zero := true
	for _, b := range value {
		zero = zero && b == 0
	}
	if zero {
		clear(to)
		return
	}
	for n := copy(to, value); n < len(to); n *= 2 {
		copy(to[n:], to[:n])
	}
}
