package kern

import "fmt"

// MatMul writes c[i] = a[i]·b[i] for i < batch, all row-major: a is [batch, m, k], or [batch, k, m]
// if transA; b is [batch, k, n], or [batch, n, k] if transB; c is [batch, m, n] and is overwritten.
// It panics if a slice is not of that length. c must not overlap a or b.
func MatMul[T float32 | float64](c, a, b []T, batch, m, n, k int, transA, transB bool) {
	if batch < 0 || m < 0 || n < 0 || k < 0 {
		panic(fmt.Sprintf("kern: MatMul: negative size: batch %d, m %d, n %d, k %d", batch, m, n, k))
	}
	checkLen("MatMul", "c", len(c), batch*m*n)
	checkLen("MatMul", "a", len(a), batch*m*k)
	checkLen("MatMul", "b", len(b), batch*k*n)
	cuts := cutDepth(k)
	one := func(i int, each func(int, func(int))) {
		c, a, b := c[i*m*n:(i+1)*m*n], a[i*m*k:(i+1)*m*k], b[i*k*n:(i+1)*k*n]
		p := product[T]{k: choose[T](), out: c, rows: m, cols: n, colStep: 1, cuts: cuts}
		p.place = func(at []int, first, _ int) {
			for i := range at {
				at[i] = (first + i) * n
			}
		}
		p.fill, p.pack = fillFrom(a, m, k, transA), packFrom(b, n, k, transB)
		if !transA {
			p.left = a
		}
		if transB && m < n { // cᵀ = b·aᵀ, as the smaller operand is then the one that is transposed
			p.rows, p.cols, p.colStep, p.left = n, m, n, b
			p.fill, p.pack = fillFrom(b, n, k, false), packFrom(a, m, k, !transA)
			p.place = func(at []int, first, _ int) {
				for i := range at {
					at[i] = first + i
				}
			}
		}
		p.run(each)
	}
	if batch > 1 && m*n*max(k, 1) < 1<<20 {
		each, chunk := Each, max(1, smallWork/max(1, m*n*k))
		if batch*m*n*max(k, 1) < 2*smallWork {
			each = serial
		}
		each((batch+chunk-1)/chunk, func(j int) {
			for i := j * chunk; i < min((j+1)*chunk, batch); i++ {
				one(i, serial)
			}
		})
		return
	}
	for i := range batch {
		one(i, Each)
	}
}

// cutDepth cuts sums of k terms.
func cutDepth(k int) []int {
	cuts := []int{0}
	for p := maxDepth; p < k; p += maxDepth {
		cuts = append(cuts, p)
	}
	return append(cuts, k)
}

// fillFrom reads rows of a matrix with m rows of k numbers, or the transposed one.
func fillFrom[T number](a []T, m, k int, trans bool) func(s *scratch[T], first, n, lo, hi int) (int, int) {
	if trans {
		return func(s *scratch[T], first, n, lo, hi int) (int, int) {
			for p := lo; p < hi; p++ {
				copy(s.a[(p-lo)*pitch:], a[p*m+first:p*m+first+n])
			}
			return 1, pitch
		}
	}
	return func(s *scratch[T], first, n, lo, hi int) (int, int) {
		for i := range n {
			copy(s.a[i*pitch:], a[(first+i)*k+lo:(first+i)*k+hi])
		}
		return pitch, 1
	}
}

// packFrom reads columns of a matrix with k rows of n numbers, or of the transposed one.
func packFrom[T number](b []T, n, k int, trans bool) func(dst []T, first, count, width, next, lo, hi int) {
	if !trans {
		return func(dst []T, first, count, width, next, lo, hi int) {
			for p := lo; p < hi; p++ {
				packRow(dst[(p-lo)*width:], b[p*n+first:p*n+first+count], width, next)
			}
		}
	}
	return func(dst []T, first, count, width, next, lo, hi int) {
		for c := 0; c < count; c += width {
			packColumns(dst[c/width*next:], b[(first+c)*k:], min(width, count-c), width, k, lo, hi)
		}
	}
}

// packRow writes one term of the right operand, width columns of it to each panel.
func packRow[T number](dst, row []T, width, next int) {
	for ; len(row) > width; row, dst = row[width:], dst[next:] {
		copy(dst[:width], row)
	}
	clear(dst[copy(dst[:width], row):width])
}

// packColumns packs a panel from n rows of k numbers.
func packColumns[T number](dst, b []T, n, width, k, lo, hi int) {
	const block = 16 // rows of dst that stay in the first cache
	for ; lo < hi; lo += block {
		terms := min(block, hi-lo)
		for j := range n {
			for p, v := range b[j*k+lo:][:terms] {
				dst[p*width+j] = v
			}
		}
		for p := range terms {
			clear(dst[p*width+n : (p+1)*width])
		}
		dst = dst[terms*width:]
	}
}

func checkLen(f, name string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kern: %s: %s has %d numbers, want %d", f, name, got, want))
	}
}
