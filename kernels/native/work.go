package native

import (
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"gansim.example/kernels/native/kern"
)

// working adds an operation with code of its own, which gets its inputs as arrays in memory.
func (f *function) working(op compute.OpType, shape shapes.Shape, in []*node,
	work func(out []byte, in [][]byte), details ...any) *node {
	return f.add(node{kind: working, op: op, inputs: in, work: work,
		shape: shapes.Make(shape.DType, shape.Dimensions...)}, details...)
}

// split calls f for ranges that together cover n items, several at once. A range has about grain
// items or more. What is computed for an item must not depend on the ranges.
func split(n, grain int, f func(from, to int)) {
	pieces := min(n/max(1, grain), 4*runtime.GOMAXPROCS(0))
	if pieces <= 1 {
		f(0, n)
		return
	}
	kern.Each(pieces, func(i int) { f(i*n/pieces, (i+1)*n/pieces) })
}

// bytesPerPiece is how much a processor should copy at a time.
const bytesPerPiece = 1 << 16

// rows is the number of rows of the given size that make a piece of work.
func rowsPerPiece(bytes int) int { return 1 + bytesPerPiece/(bytes+1) }

// odometer counts through all indices of an array, the last axis fastest.
type odometer struct{ dims, index []int }

// newOdometer starts at the linear index at.
func newOdometer(dims []int, at int) *odometer {
	o := &odometer{dims: dims, index: make([]int, len(dims))}
	for i := len(dims) - 1; i >= 0; i-- {
		o.index[i] = at % dims[i]
		at /= dims[i]
	}
	return o
}

// next goes to the following index, after the last to the first again.
func (o *odometer) next() {
	for i := len(o.dims) - 1; i >= 0; i-- {
		if o.index[i]++; o.index[i] < o.dims[i] {
			return
		}
		o.index[i] = 0
	}
}
