package native

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// reduceBy are the elementwise operations that reductions repeat.
var reduceBy = map[compute.OpType]compute.OpType{
	compute.OpTypeReduceSum:        compute.OpTypeAdd,
	compute.OpTypeReduceProduct:    compute.OpTypeMul,
	compute.OpTypeReduceMax:        compute.OpTypeMax,
	compute.OpTypeReduceMin:        compute.OpTypeMin,
	compute.OpTypeReduceBitwiseAnd: compute.OpTypeBitwiseAnd,
	compute.OpTypeReduceBitwiseOr:  compute.OpTypeBitwiseOr,
	compute.OpTypeReduceBitwiseXor: compute.OpTypeBitwiseXor,
	compute.OpTypeReduceLogicalAnd: compute.OpTypeLogicalAnd,
	compute.OpTypeReduceLogicalOr:  compute.OpTypeLogicalOr,
	compute.OpTypeReduceLogicalXor: compute.OpTypeLogicalXor,
}

// neutral is the value that changes nothing when combined by an elementwise operation.
func neutral(op compute.OpType, dtype dtypes.DType) []byte {
	v := reflect.Zero(dtype.GoType())
	switch op {
	case compute.OpTypeMul:
		v = reflect.ValueOf(1).Convert(dtype.GoType())
	case compute.OpTypeMax:
		v = reflect.ValueOf(dtype.LowestValue())
	case compute.OpTypeMin:
		v = reflect.ValueOf(dtype.HighestValue())
	case compute.OpTypeBitwiseAnd:
		return slices.Repeat([]byte{0xff}, dtype.Size())
	case compute.OpTypeLogicalAnd:
		return []byte{1}
	}
	s := reflect.Append(reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, 1), v)
	return slices.Clone(dtypes.UnsafeByteSliceFromAny(s.Interface()))
}

func (f *function) reduce(op compute.OpType, v compute.Value, axes []int) (compute.Value, error) {
	in, err := f.take(op.String(), v)
	if err != nil {
		return nil, err
	}
	x := in[0]
	if len(axes) == 0 {
		axes = identity(x.shape.Rank())
	}
	for i, a := range axes {
		if a < 0 || a >= x.shape.Rank() || slices.Contains(axes[:i], a) {
			return nil, fmt.Errorf("native: %s of %s over axes %v", op, x.shape, axes)
		}
	}
	return value(f.reduced(op, x, axes))
}

// identity is 0, 1, ..., n-1.
func identity(n int) []int {
	axes := make([]int, n)
	for i := range axes {
		axes[i] = i
	}
	return axes
}

// reduced reduces x over axes that are right. If they are neighbours, x is read as it is; else they
// are brought to the end first.
func (f *function) reduced(op compute.OpType, x *node, axes []int) (*node, error) {
	dtype := x.shape.DType
	combine := elementwise[dtype][reduceBy[op]]
	if combine == nil {
		return nil, missing("%s of %s", op, dtype)
	}
	var kept, dims []int
	count := 1
	for i, d := range x.dims() {
		if slices.Contains(axes, i) {
			count *= d
		} else {
			kept, dims = append(kept, i), append(dims, d)
		}
	}
	shape := shapes.Make(dtype, dims...)
	switch {
	case count == 1:
		return f.reshape(x, dims...), nil
	case 1 < count && count <= fewTerms:
		return f.reducedByTerms(op, x, axes, dims)
	}
	axes = slices.Sorted(slices.Values(axes))
	last := len(axes) - 1
	g := reduction{combine: combine, item: dtype.Size(), count: count,
		neutral: neutral(reduceBy[op], dtype), row: rowForms[dtype][reduceBy[op]]}
	if axes[last]-axes[0] == last {
		g.outer, g.inner = product(x.dims()[:axes[0]]), product(x.dims()[axes[last]+1:])
	} else {
		x = f.transpose(x, append(kept, axes...))
		g.outer, g.inner = shape.Size(), 1
	}
	return f.working(op, shape, []*node{x}, g.run, axes), nil
}

// fewTerms is the largest number of values that are combined one by one, without an array of what is
// reduced.
const fewTerms = 16

// reducedByTerms combines slices of x.
func (f *function) reducedByTerms(op compute.OpType, x *node, axes, dims []int) (*node, error) {
	part, terms := slices.Clone(x.dims()), make([]int, x.shape.Rank())
	for i := range terms {
		terms[i] = 1
	}
	steps := slices.Clone(terms)
	for _, a := range axes {
		part[a], terms[a] = 1, x.dims()[a]
	}
	var sum *node
	o := newOdometer(terms, 0)
	for range product(terms) {
		term := f.reshape(f.slice(x, o.index, part, steps), dims...)
		if sum == nil {
			sum = term
		} else {
			var err error
			sum, err = f.pointwise(reduceBy[op], sum.shape, sum, term)
			if err != nil {
				return nil, err
			}
		}
		o.next()
	}
	return sum, nil
}

// reduction combines [outer, count, inner] values along the middle axis by an elementwise kernel.
//
// As many rows of inner values as fill a register block are combined at a time, and folded to one
// row at the end. A piece has at most 64 blocks and pieces are combined in the same way again, so
// that rounding errors of sums stay small. All this depends on the shape alone.
type reduction struct {
	combine             kernel
	item                int // bytes of a value
	outer, count, inner int
	neutral             []byte
	row                 rowKernel // for inner == 1, or nil
}

const (
	blockValues = 1024 // values combined at a time
	pieceBlocks = 64   // blocks combined one after the other
	rowPiece    = 4096 // values combined by a row kernel
)

func (g reduction) run(out []byte, in [][]byte) {
	if g.count == 0 {
		repeat(out, g.neutral)
		return
	}
	if len(out) == 0 {
		return
	}
	if g.row != nil && g.inner == 1 {
		g.runRows(out, in[0])
		return
	}
	rows := min(powerOfTwo(g.count), powerOfTwo(max(1, blockValues/g.inner))) // in a block
	pieces := ceilDiv(g.count, rows*pieceBlocks)
	columns, width := 1, g.inner // ranges of columns, when rows are longer than a block
	if rows == 1 {
		width = min(width, 2*blockValues)
		columns = ceilDiv(g.inner, width)
	}
	to := out
	if pieces > 1 {
		to = make([]byte, g.outer*pieces*g.inner*g.item)
	}
	cost := min(g.count, rows*pieceBlocks) * width * g.item
	split(g.outer*pieces*columns, rowsPerPiece(cost), func(first, end int) {
		block, values := make([]byte, rows*width*g.item), new(operands)
		for i := first; i < end; i++ {
			a, piece, column := i/(pieces*columns), i/columns%pieces, i%columns
			from, low := piece*rows*pieceBlocks, column*width
			n := min(rows*pieceBlocks, g.count-from)
			r := piecePart{reduction: g, rows: min(rows, powerOfTwo(n)),
				width: min(width, g.inner-low), block: block, values: values}
			r.fold(to[((a*pieces+piece)*g.inner+low)*g.item:],
				in[0][((a*g.count+from)*g.inner+low)*g.item:], n)
		}
	})
	if pieces > 1 {
		next := g
		next.count = pieces
		next.run(out, [][]byte{to})
	}
}

// powerOfTwo is the largest power of two that is not above n.
func powerOfTwo(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// piecePart is one piece of a reduction.
type piecePart struct {
	reduction
	rows, width int
	block       []byte
	values      *operands
}

// fold combines n rows of x to one.
func (r piecePart) fold(to, x []byte, n int) {
	line := r.inner * r.item
	if r.rows == 1 {
		copy(to[:r.width*r.item], x)
		for i := 1; i < n; i++ {
			r.into(to, x[i*line:], r.width)
		}
		return
	}
	whole := r.rows * line
	copy(r.block[:whole], x)
	for i := r.rows; i < n; i += r.rows {
		r.into(r.block, x[i*line:], min(r.rows, n-i)*r.inner)
	}
	for rows := r.rows / 2; rows > 0; rows /= 2 {
		r.into(r.block, r.block[rows*line:], rows*r.inner)
	}
	copy(to[:line], r.block)
}

// into combines n values with those in acc.
func (r piecePart) into(acc, x []byte, n int) {
	p := unsafe.Pointer(unsafe.SliceData(acc))
	r.values[0], r.values[1] = p, unsafe.Pointer(unsafe.SliceData(x))
	r.combine(p, r.values, n)
}

// runRows combines rows without gaps, in pieces whose results are combined likewise.
func (g reduction) runRows(out, x []byte) {
	pieces, to := ceilDiv(g.count, rowPiece), out
	if pieces > 1 {
		to = make([]byte, g.outer*pieces*g.item)
	}
	split(g.outer*pieces, rowsPerPiece(min(g.count, rowPiece)*g.item), func(first, end int) {
		for i := first; i < end; i++ {
			from := i % pieces * rowPiece
			n := min(rowPiece, g.count-from)
			g.row(unsafe.Pointer(&to[i*g.item]), unsafe.Pointer(&x[(i/pieces*g.count+from)*g.item]), n)
		}
	})
	if pieces > 1 {
		next := g
		next.count = pieces
		next.runRows(out, to)
	}
}
