package weights

import (
	"fmt"
	"math/bits"
	"slices"
)

// storage is memory that tensors lie in, as a persistent id of a pickle describes it.
type storage struct {
	dtype       DType
	unsupported string // why it cannot be read
	key         string
	numel       int64
	at          int64 // of the description, in the file
}

// storageKey tells storages apart: one record may be described with two element types.
type storageKey struct {
	key   string
	class *class
	numel int64
}

// view is a tensor: a part of a storage. Nothing about its numbers is sure until [view.extent].
type view struct {
	*storage
	dtype        DType
	offset       int64 // elements
	size, stride []int64
	at           int64 // of the description, in the file
}

// persistent reads a persistent id: ("storage", class, key, location, numel), as torch.save writes
// it in PyTorch's torch/serialization.py; the older layout adds a view of the storage, or None.
func (m *machine) persistent() error {
	var v any
	if err := m.pop(&v); err != nil {
		return err
	}
	id, _ := v.(tuple)
	if len(id) != 5 && len(id) != 6 || id[0] != "storage" {
		what := kind(v)
		if len(id) > 0 {
			if s, ok := id[0].(string); ok {
				what = fmt.Sprintf("of kind %.40q", s)
			}
		}
		return m.errorf("persistent id %s is not allowed, only storages are", what)
	}
	c, ok1 := id[1].(*class)
	key, ok2 := id[2].(string)
	numel, ok3 := whole(id[4])
	if !ok1 || !ok2 || !ok3 || !c.storage {
		return m.errorf("persistent id of a storage holds %s, %s, %s", kind(id[1]), kind(id[2]),
			kind(id[4]))
	}
	if len(id) == 6 && id[5] != nil {
		return m.errorf("storage %.100q is a view of another, as in files before PyTorch 0.4", key)
	}
	k := storageKey{key, c, numel}
	if s := m.storages[k]; s != nil {
		return m.push(s)
	}
	s := &storage{c.dtype, c.unsupported, key, numel, m.base + int64(m.op)}
	m.storages[k] = s
	return m.put(s, 256, nil)
}

// rebuildTensor reads (storage, offset, size, stride, ...); what follows is about gradients.
func rebuildTensor(m *machine, args tuple) (any, error) {
	if len(args) < 4 {
		return nil, m.errorf("tensor of %d arguments, want at least 4", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	size, ok3 := args[2].(tuple)
	stride, ok4 := args[3].(tuple)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, m.errorf("tensor made of %s, %s, %s and %s", kind(args[0]), kind(args[1]),
			kind(args[2]), kind(args[3]))
	}
	if len(size) > maxRank || len(stride) > maxRank {
		return nil, m.errorf("tensor of %d dimensions, at most %d are read", len(size), maxRank)
	}
	v := &view{storage: s, dtype: s.dtype, offset: offset, at: m.base + int64(m.op)}
	for _, part := range [2]struct {
		from tuple
		to   *[]int64
	}{{size, &v.size}, {stride, &v.stride}} {
		for _, x := range part.from {
			n, ok := x.(int64)
			if !ok {
				return nil, m.errorf("tensor with %s among its sizes or strides", kind(x))
			}
			*part.to = append(*part.to, n)
		}
	}
	return v, m.spend(256 + 16*len(size) + 16*len(stride))
}

// rebuildTensor3 reads (storage, offset, size, stride, requires_grad, hooks, dtype, ...): bytes with
// the element type beside them, for types without a storage class of their own.
func rebuildTensor3(m *machine, args tuple) (any, error) {
	if len(args) < 7 {
		return nil, m.errorf("tensor of %d arguments, want at least 7", len(args))
	}
	c, ok := args[6].(*class)
	if !ok || c.storage || c.module != "torch" {
		return nil, m.errorf("tensor whose element type is %s", kind(args[6]))
	}
	x, err := rebuildTensor(m, args)
	if err != nil {
		return nil, err
	}
	v := x.(*view)
	if v.storage.dtype.Size() != 1 {
		return nil, m.errorf("tensor of %s in a storage of %s", c, v.storage.dtype)
	}
	if v.dtype = c.dtype; v.dtype == "" {
		s := *v.storage
		s.unsupported = c.name + " is not supported"
		v.storage = &s
	}
	return v, nil
}

// rebuildParameter reads (tensor, requires_grad, ...) and gives the tensor, or a record.
func rebuildParameter(m *machine, args tuple) (any, error) {
	if len(args) > 0 {
		switch args[0].(type) {
		case *view, *record:
			return args[0], nil
		}
	}
	return nil, m.errorf("parameter that is no tensor")
}

// rebuildFromType reads (function, class, arguments, state): a tensor with attributes.
func rebuildFromType(m *machine, args tuple) (any, error) {
	if len(args) == 4 {
		c, ok1 := args[0].(*class)
		a, ok2 := args[2].(tuple)
		if ok1 && ok2 && c.module == "torch._utils" && c.call != nil {
			return c.call(m, a)
		}
	}
	return nil, m.errorf("tensor made by an unknown function")
}

// extent checks a view against its storage of so many bytes. It returns its bytes as a contiguous
// array, where it starts, and whether it is contiguous.
func (v *view) extent(bytes int64) (n, from int64, contiguous bool, err error) {
	element := int64(v.dtype.Size())
	shape := make([]int, len(v.size))
	for i, d := range v.size {
		if d < 0 {
			return 0, 0, false, fmt.Errorf("negative dimension in shape %v", v.size)
		}
		shape[i] = int(d)
	}
	if len(v.size) != len(v.stride) {
		return 0, 0, false, fmt.Errorf("%d sizes %v, but %d strides %v", len(v.size), v.size,
			len(v.stride), v.stride)
	}
	total, ok := product(shape, int(element))
	if !ok {
		return 0, 0, false, fmt.Errorf("shape %v overflows", v.size)
	}
	outside := fmt.Errorf("it reaches outside its storage of %d elements (offset %d, shape %v, "+
		"strides %v)", bytes/element, v.offset, v.size, v.stride)
	if v.offset < 0 || v.offset > bytes/element {
		return 0, 0, false, outside
	}
	if total == 0 {
		return 0, 0, true, nil
	}
	last, want := uint64(v.offset), int64(1)
	contiguous = true
	for i := len(v.size) - 1; i >= 0; i-- {
		d, s := v.size[i], v.stride[i]
		if d == 1 {
			continue
		}
		hi, lo := bits.Mul64(uint64(d-1), uint64(s))
		if s < 0 || hi != 0 || lo > uint64(bytes) || last+lo > uint64(bytes) {
			return 0, 0, false, outside
		}
		last += lo
		contiguous = contiguous && s == want
		want *= d
	}
	if last >= uint64(bytes/element) {
		return 0, 0, false, outside
	}
	return int64(total), v.offset * element, contiguous, nil
}

// gather copies a checked view that is not empty out of its storage, in row-major order.
func (v *view) gather(out, from []byte) {
	element := v.dtype.Size()
	size, stride := slices.Clone(v.size), slices.Clone(v.stride)
	if len(size) == 0 {
		size, stride = []int64{1}, []int64{0}
	}
	rank := len(size)
	inner, step := int(size[rank-1]), int(stride[rank-1])*element
	index := make([]int64, rank-1)
	for at := v.offset; len(out) > 0; {
		p := int(at) * element
		for range inner {
			copy(out[:element], from[p:p+element])
			out = out[element:]
			p += step
		}
		for i := rank - 2; i >= 0; i-- {
			index[i]++
			at += stride[i]
			if index[i] < size[i] {
				break
			}
			at -= stride[i] * size[i]
			index[i] = 0
		}
	}
}
