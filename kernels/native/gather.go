package native

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
)

// boxes are parts of an array whose places are known only when the graph runs: the boxes that
// Gather takes, Scatter changes and DynamicSlice and DynamicUpdateSlice take and replace.
type boxes struct {
	whole, box  []int // axes of the array and of a box
	item        int   // bytes of a value
	indexed     []int // axes that index vectors have places for
	count       int   // boxes
	inner       int   // positions behind the axis of index vectors, of all positions
	packed      []int // strides of the other array, along the axes of a box
	at          []int // offsets of the boxes there
	lineAt      int   // axis from which on a line of a box is contiguous in both arrays
	lineStrides []int // of the whole array
}

// plan finds the lines.
func (b *boxes) plan() {
	b.lineStrides = plain(b.whole).strides
	b.lineAt = len(b.box)
	size := 1
	for b.lineAt > 0 {
		i := b.lineAt - 1
		if b.box[i] != 1 && (b.packed[i] != size || b.lineStrides[i] != size) {
			break
		}
		size *= b.box[i]
		b.lineAt = i
	}
}

// start is the place of box i; ok is false if the box reaches beyond the array. With clamp it is
// moved inside.
func (b *boxes) start(indices []int64, i int, clamp bool) (offset int, ok bool) {
	high, low := i/b.inner, i%b.inner
	ok = true
	for j, axis := range b.indexed {
		at := indices[(high*len(b.indexed)+j)*b.inner+low]
		last := int64(b.whole[axis] - b.box[axis])
		if clamp {
			at = max(0, min(at, last))
		}
		ok = ok && at >= 0 && at <= last
		offset += int(at) * b.lineStrides[axis]
	}
	return offset, ok
}

// lines calls f for each line of box i: where it starts in the whole array and in the other one,
// and its length, in bytes.
func (b *boxes) lines(offset, i int, f func(whole, other, size int)) {
	outer := b.box[:b.lineAt]
	size := product(b.box[b.lineAt:]) * b.item
	o := newOdometer(outer, 0)
	for range product(outer) {
		whole, other := offset, b.at[i]
		for axis, k := range o.index {
			whole += k * b.lineStrides[axis]
			other += k * b.packed[axis]
		}
		f(whole*b.item, other*b.item, size)
		o.next()
	}
}

// newBoxes describes boxes in x whose counterparts lie in an array of shape other: its axes window
// belong to the axes of a box but for those that are left out, the rest to positions of indices.
func newBoxes(x *node, box []int, indices *node, vectorAxis int, indexed []int,
	other, window, leftOut []int) *boxes {
	b := &boxes{whole: x.dims(), box: box, item: x.shape.DType.Size(), indexed: indexed,
		packed: make([]int, len(box)), inner: 1}
	strides := plain(other).strides
	next := 0
	for axis := range box {
		if !slices.Contains(leftOut, axis) {
			b.packed[axis] = strides[window[next]]
			next++
		}
	}
	var dims, steps []int
	for axis, d := range other {
		if !slices.Contains(window, axis) {
			dims, steps = append(dims, d), append(steps, strides[axis])
		}
	}
	b.count = product(dims)
	o := newOdometer(dims, 0)
	for range b.count {
		at := 0
		for i, k := range o.index {
			at += k * steps[i]
		}
		b.at = append(b.at, at)
		o.next()
	}
	if vectorAxis < indices.shape.Rank() {
		b.inner = max(1, product(indices.dims()[vectorAxis+1:]))
	}
	b.plan()
	return b
}

// Gather takes boxes of x at the places that indices tell; places are moved so that boxes lie
// inside.
func (f *function) Gather(x, indices compute.Value, vectorAxis int, offsetAxes, collapsed,
	indexed, sizes []int, sorted bool) (compute.Value, error) {
	in, err := f.indexed("Gather", indices, x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Gather(in[0].shape, in[1].shape, vectorAxis, offsetAxes, collapsed,
		indexed, sizes, sorted)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	b := newBoxes(in[0], slices.Clone(sizes), in[1], vectorAxis, slices.Clone(indexed),
		shape.Dimensions, slices.Sorted(slices.Values(offsetAxes)), collapsed)
	return f.working(compute.OpTypeGather, shape, in, func(out []byte, in [][]byte) {
		at := as[int64](in[1])
		split(b.count, rowsPerPiece(product(b.box)*b.item), func(from, to int) {
			for i := from; i < to; i++ {
				offset, _ := b.start(at, i, true)
				b.lines(offset, i, func(whole, other, size int) {
					copy(out[other:other+size], in[0][whole:whole+size])
				})
			}
		})
	}, vectorAxis, offsetAxes, collapsed, indexed, sizes), nil
}

// indexed takes operands of which the last are indices, as int64.
func (f *function) indexed(what string, indices compute.Value, arrays ...compute.Value) (
	[]*node, error) {
	in, err := f.take(what, append(arrays, indices)...)
	if err != nil {
		return nil, err
	}
	last := len(in) - 1
	if !in[last].shape.DType.IsInt() {
		return nil, fmt.Errorf("native: %s: indices are %s", what, in[last].shape)
	}
	whole, err := f.ConvertDType(in[last], dtypes.Int64)
	if err != nil {
		return nil, err
	}
	in[last] = whole.(*node)
	return in, nil
}

// ScatterSum adds updates to boxes of x. Boxes that reach beyond x are left out.
func (f *function) ScatterSum(x, indices, updates compute.Value, vectorAxis int,
	window, inserted, indexed []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeAdd, x, indices, updates, vectorAxis, window, inserted, indexed)
}

// ScatterMax takes the larger of updates and boxes of x.
func (f *function) ScatterMax(x, indices, updates compute.Value, vectorAxis int,
	window, inserted, indexed []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeMax, x, indices, updates, vectorAxis, window, inserted, indexed)
}

// ScatterMin takes the smaller of updates and boxes of x.
func (f *function) ScatterMin(x, indices, updates compute.Value, vectorAxis int,
	window, inserted, indexed []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeMin, x, indices, updates, vectorAxis, window, inserted, indexed)
}

func (f *function) scatter(op compute.OpType, x, indices, updates compute.Value, vectorAxis int,
	window, inserted, indexed []int) (compute.Value, error) {
	in, err := f.indexed("Scatter", indices, x, updates)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Scatter(in[0].shape, in[2].shape, in[1].shape, vectorAxis, window,
		inserted, indexed)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	combine := elementwise[shape.DType][op]
	if combine == nil {
		return nil, missing("Scatter of %s", shape.DType)
	}
	window = slices.Sorted(slices.Values(window))
	box := slices.Repeat([]int{1}, shape.Rank())
	next := 0
	for axis := range box {
		if !slices.Contains(inserted, axis) {
			box[axis] = in[1].dims()[window[next]]
			next++
		}
	}
	b := newBoxes(in[0], box, in[2], vectorAxis, slices.Clone(indexed), in[1].dims(), window, inserted)
	return f.working(op, shape, in, func(out []byte, in [][]byte) {
		copy(out, in[0])
		at := as[int64](in[2])
		for i := range b.count { // in order, so that sums are the same each time
			if offset, ok := b.start(at, i, false); ok {
				b.lines(offset, i, func(whole, other, size int) {
					p := unsafe.Pointer(&out[whole])
					combine(p, &operands{p, unsafe.Pointer(&in[1][other])}, size/b.item)
				})
			}
		}
	}, "scatter", vectorAxis, window, inserted, indexed), nil
}

// DynamicSlice takes a box of x at the place that the starts tell.
func (f *function) DynamicSlice(x compute.Value, starts []compute.Value, dims []int) (
	compute.Value, error) {
	at, err := f.join("DynamicSlice", starts)
	if err != nil {
		return nil, err
	}
	all := identity(len(dims))
	return f.Gather(x, at, 0, all, nil, all, dims, true)
}

// DynamicUpdateSlice replaces a box of x at the place that the starts tell.
func (f *function) DynamicUpdateSlice(x, update compute.Value, starts []compute.Value) (
	compute.Value, error) {
	at, err := f.join("DynamicUpdateSlice", starts)
	if err != nil {
		return nil, err
	}
	in, err := f.take("DynamicUpdateSlice", x, update, at)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.DynamicUpdateSlice(in[0].shape, in[1].shape)
	if err == nil && len(starts) != shape.Rank() {
		err = fmt.Errorf("DynamicUpdateSlice of %s at %d places", shape, len(starts))
	}
	for i, d := range shape.Dimensions {
		if err == nil && in[1].dims()[i] > d {
			err = fmt.Errorf("DynamicUpdateSlice of %s by %s", shape, in[1].shape)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	all := identity(shape.Rank())
	b := newBoxes(in[0], in[1].dims(), in[2], 0, all, in[1].dims(), all, nil)
	return f.working(compute.OpTypeDynamicUpdateSlice, shape, in, func(out []byte, in [][]byte) {
		copy(out, in[0])
		offset, _ := b.start(as[int64](in[2]), 0, true)
		b.lines(offset, 0, func(whole, other, size int) {
			copy(out[whole:whole+size], in[1][other:other+size])
		})
	}), nil
}

// join makes an index vector of scalars.
func (f *function) join(what string, scalars []compute.Value) (compute.Value, error) {
	in, err := f.take(what, scalars...)
	if err != nil {
		return nil, err
	}
	parts := make([]compute.Value, len(in))
	for i, x := range in {
		if x.shape.Rank() != 0 || !x.shape.DType.IsInt() {
			return nil, fmt.Errorf("native: %s: start %d is %s", what, i, x.shape)
		}
		whole, err := f.ConvertDType(x, dtypes.Int64)
		if err != nil {
			return nil, err
		}
		parts[i] = f.reshape(whole.(*node), 1)
	}
	if len(parts) == 0 {
		return f.Constant([]int64{}, 0)
	}
	return f.Concatenate(0, parts...)
}
