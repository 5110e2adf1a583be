package native

import "slices"

// layout reads a stored array in another order: the element at index (i, j, ...) of an array of
// shape dims is the stored one at offset + i*strides[0] + j*strides[1] + ... Slices, transposes,
// reversals and broadcasts of stored arrays are layouts, and so is what these make of each other.
type layout struct {
	dims, strides []int
	offset        int
}

// plain is the layout of a stored array itself.
func plain(dims []int) layout {
	l := layout{dims: slices.Clone(dims), strides: make([]int, len(dims))}
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		l.strides[i] = step
		step *= dims[i]
	}
	return l
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// merged drops axes of length 1 and joins neighbours that are one run of equal steps, so that the
// linear order stays the same. An empty array becomes one axis of length 0.
func (l layout) merged() layout {
	m := layout{offset: l.offset}
	if product(l.dims) == 0 {
		m.dims, m.strides = []int{0}, []int{1}
		return m
	}
	for i, d := range l.dims {
		last := len(m.dims) - 1
		switch {
		case d == 1:
		case last >= 0 && m.strides[last] == d*l.strides[i]:
			m.dims[last] *= d
			m.strides[last] = l.strides[i]
		default:
			m.dims, m.strides = append(m.dims, d), append(m.strides, l.strides[i])
		}
	}
	return m
}

// dense reports whether the elements lie in order without gaps, from the offset on.
func (l layout) dense() bool {
	m := l.merged()
	return len(m.dims) == 0 || len(m.dims) == 1 && m.strides[0] == 1
}

// reshaped gives the layout other axes with the same linear order, if it can be had so.
func (l layout) reshaped(dims []int) (layout, bool) {
	m := l.merged()
	r := layout{dims: slices.Clone(dims), strides: make([]int, len(dims)), offset: l.offset}
	if product(dims) == 0 {
		return r, true
	}
	at := 0
	for i, n := range m.dims {
		first, size := at, 1
		for ; at < len(dims) && size < n; at++ {
			size *= dims[at]
		}
		if size != n {
			return layout{}, false
		}
		step := m.strides[i]
		for j := at - 1; j >= first; j-- {
			r.strides[j] = step
			step *= dims[j]
		}
	}
	return r, true
}

func (l layout) transposed(permutation []int) layout {
	t := layout{offset: l.offset}
	for _, p := range permutation {
		t.dims, t.strides = append(t.dims, l.dims[p]), append(t.strides, l.strides[p])
	}
	return t
}

func (l layout) sliced(starts, dims, steps []int) layout {
	s := layout{dims: slices.Clone(dims), strides: slices.Clone(l.strides), offset: l.offset}
	for i := range dims {
		s.offset += starts[i] * l.strides[i]
		s.strides[i] *= steps[i]
	}
	return s
}

func (l layout) reversed(axes []int) layout {
	r := layout{dims: l.dims, strides: slices.Clone(l.strides), offset: l.offset}
	for _, a := range axes {
		r.offset += max(0, l.dims[a]-1) * l.strides[a]
		r.strides[a] = -l.strides[a]
	}
	return r
}

// broadcast maps axis i to axis axes[i] of dims; what is not mapped, or has length 1, is repeated.
func (l layout) broadcast(dims, axes []int) layout {
	b := layout{dims: slices.Clone(dims), strides: make([]int, len(dims)), offset: l.offset}
	for i, a := range axes {
		if l.dims[i] != 1 {
			b.strides[a] = l.strides[i]
		}
	}
	return b
}

// period is the length after which the linear sequence of a merged layout repeats itself.
func (l layout) period() int {
	for i, s := range l.strides {
		if s != 0 {
			return product(l.dims[i:])
		}
	}
	return 1
}
