package kern

import (
	"slices"
	"unsafe"
)

const (
	maxRows  = 144 // rows of the left operand that a task holds at once
	maxDepth = 256 // terms of a sum that a task holds at once
	pitch    = maxDepth + 16
	// smallWork is the number of products under which a second goroutine costs more than it brings.
	smallWork = 1 << 18
	bundle    = 4 // panels that are packed together, so that memory is read in long pieces
)

// product is a matrix product whose operands are read through functions: out[row, col] is the sum
// over p < cuts[last] of left[row, p]·right[p, col]. Sums are cut at cuts, so they do not depend on
// how the output is cut into tasks.
type product[T number] struct {
	k          *kernels[T]
	out        []T
	rows, cols int
	colStep    int   // distance in out between columns
	cuts       []int // 0 … the number of terms, steps of at most maxDepth
	// fill copies terms lo … hi of n rows from the row first on to s.a, so that term p of row i
	// lies at i·row + (p-lo)·step.
	fill func(s *scratch[T], first, n, lo, hi int) (row, step int)
	// left is nil, or the left operand as rows of depth terms. Where it is used but once or twice,
	// it is then read there, but for the last rows, as kernels read a little more than their tile.
	left []T
	// pack copies terms lo … hi of n columns from the column first on to dst, width numbers for
	// each term, zeros behind column n. If n is more than width, further panels follow in dst at
	// distances of next.
	pack func(dst []T, first, n, width, next, lo, hi int)
	// place writes to at where in out n rows from the row first on begin.
	place func(at []int, first, n int)
}

// panels is the number of panels that the columns are cut into.
func (p *product[T]) panels() int { return (p.cols + 2*p.k.lanes - 1) / (2 * p.k.lanes) }

// panel returns the columns of panel j, and its width with those that fill it up.
func (p *product[T]) panel(j int) (first, n, width int) {
	first = j * 2 * p.k.lanes
	n = min(p.cols-first, 2*p.k.lanes)
	if n <= p.k.lanes {
		return first, n, p.k.lanes
	}
	return first, n, 2 * p.k.lanes
}

// run computes the product with the loop each.
func (p *product[T]) run(each func(n int, f func(i int))) {
	depth := p.cuts[len(p.cuts)-1]
	if p.rows == 0 || p.cols == 0 {
		return
	}
	panels := p.panels()
	height := maxRows
	for height > 36 && (p.rows+height-1)/height*panels < 8 {
		height /= 2
	}
	bands := (p.rows + height - 1) / height
	work := p.rows * p.cols * max(depth, 1)
	groups := max(1, min(panels, (8+bands-1)/bands, work/smallWork))
	if work < 2*smallWork {
		each = serial
	}
	var packed []T
	if bands > 1 {
		store := takeBuffer[T]((depth + 1) * panels * 2 * p.k.lanes)
		defer giveBuffer(store)
		packed = *store
		p.packAll(packed, each)
	}
	each(bands*groups, func(i int) {
		band, group := i/groups, i%groups
		s := takeScratch[T]()
		defer giveScratch(s)
		first := band * height
		p.task(s, packed, first, min(height, p.rows-first), group*panels/groups, (group+1)*panels/groups)
	})
}

// packAll packs the whole right operand: panel after panel, each of all terms.
func (p *product[T]) packAll(packed []T, each func(n int, f func(i int))) {
	blocks, depth, panels := len(p.cuts)-1, p.cuts[len(p.cuts)-1], p.panels()
	bundles := (panels + bundle - 1) / bundle
	each(bundles*blocks, func(i int) {
		lo, hi := p.cuts[i%blocks], p.cuts[i%blocks+1]
		first := i / blocks * bundle
		for j, end := first, min(first+bundle, panels); j < end; {
			col, _, width := p.panel(j)
			j = p.packSome(packed[col*depth+lo*width:], width*depth, j, end, lo, hi)
		}
	})
}

// packSome packs panels of equal width, at most those from j to end, and returns the next one.
func (p *product[T]) packSome(dst []T, next, j, end, lo, hi int) int {
	col, n, width := p.panel(j)
	for j++; j < end; j++ {
		_, more, w := p.panel(j)
		if w != width {
			break
		}
		n += more
	}
	p.pack(dst, col, n, width, next, lo, hi)
	return j
}

// task computes n rows from the row first on of panels j … end.
func (p *product[T]) task(s *scratch[T], packed []T, first, n, j, end int) {
	depth := p.cuts[len(p.cuts)-1]
	s.at = slices.Grow(s.at[:0], n)[:n]
	at := s.at
	p.place(at, first, n)
	if depth == 0 {
		p.clear(at, j, end)
		return
	}
	var zero T
	size := unsafe.Sizeof(zero)
	t := &s.tile
	inPlace := 0
	if p.left != nil && end-j <= 2 && depth >= 16 {
		inPlace = max(0, min(n, p.rows-first-1)/p.k.height()*p.k.height())
	}
	s.runs[0] = 0
	t.runs = s.runs[:]
	for block := range len(p.cuts) - 1 {
		lo, hi := p.cuts[block], p.cuts[block+1]
		row, step := p.fill(s, first+inPlace, n-inPlace, lo, hi)
		t.stepA, t.n, t.add = uintptr(step)*size, hi-lo, block > 0
		for j, ready := j, j; j < end; j++ {
			col, cols, width := p.panel(j)
			b := s.b[j%bundle*2*p.k.lanes*(hi-lo):]
			if packed != nil {
				b = packed[col*depth+lo*width:]
			} else if j == ready {
				ready = p.packSome(b, width*(hi-lo), j, min(end, j-j%bundle+bundle), lo, hi)
			}
			t.b, t.stepB = unsafe.Pointer(&b[0]), uintptr(width)*size
			for i := 0; i < n; i += p.k.height() {
				if i < inPlace {
					t.a, t.rowA = unsafe.Pointer(&p.left[(first+i)*depth+lo]), uintptr(depth)*size
				} else {
					t.a, t.rowA = unsafe.Pointer(&s.a[(i-inPlace)*row]), uintptr(row)*size
				}
				s.store(p.k, p.out[col*p.colStep:], at[i:min(i+p.k.height(), n)], p.colStep, cols, width)
			}
		}
	}
}

// clear writes zeros to rows of the output that begin at the places at.
func (p *product[T]) clear(at []int, j, end int) {
	for ; j < end; j++ {
		col, cols, _ := p.panel(j)
		for _, place := range at {
			for c := range cols {
				p.out[place+(col+c)*p.colStep] = 0
			}
		}
	}
}

// store runs the micro-kernel on s.tile and writes its sums to rows of out that begin at the places
// at.
func (s *scratch[T]) store(k *kernels[T], out []T, at []int, colStep, cols, width int) {
	var zero T
	t, size := &s.tile, unsafe.Sizeof(zero)
	fit := k.fit(len(at))
	kernel := k.full[fit]
	if width == k.lanes {
		kernel = k.half[fit]
	}
	if colStep == 1 && cols == width && len(at) == k.heights[fit] && even(at) {
		_ = out[at[len(at)-1]+cols-1]
		t.c, t.rowC = unsafe.Pointer(&out[at[0]]), 0
		if len(at) > 1 {
			t.rowC = uintptr(at[1]-at[0]) * size
		}
		kernel(t)
		return
	}
	t.c, t.rowC = unsafe.Pointer(&s.c[0]), uintptr(width)*size
	if t.add {
		for i, place := range at {
			for j := range cols {
				s.c[i*width+j] = out[place+j*colStep]
			}
		}
	}
	kernel(t)
	for i, place := range at {
		if colStep == 1 {
			copy(out[place:place+cols], s.c[i*width:])
			continue
		}
		for j := range cols {
			out[place+j*colStep] = s.c[i*width+j]
		}
	}
}

// even reports whether rows ascend in equal steps, so that a kernel can write them itself.
func even(at []int) bool {
	for i := 2; i < len(at); i++ {
		if at[i]-at[i-1] != at[1]-at[0] {
			return false
		}
	}
	return len(at) == 1 || at[1] > at[0]
}

func serial(n int, f func(i int)) {
	for i := range n {
		f(i)
	}
}
