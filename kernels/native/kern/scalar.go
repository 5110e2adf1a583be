package kern

import (
	"runtime"
	"unsafe"
)

// plain32 and plain64 are the kernels in plain Go.
var (
	plain32 = plain[float32]()
	plain64 = plain[float64]()
)

const plainHeight = 4 // of tiles

func plain[T number]() *kernels[T] {
	full := plainFull[T]
	if runtime.GOARCH == "amd64" { // which has sixteen registers
		full = plainRows[T]
	}
	return &kernels[T]{2, []int{plainHeight, 1}, []func(*tile){full, plainRow[T]},
		[]func(*tile){plainHalf[T], plainStub[T]}, nil, plainTaps[T]}
}

// at reads the number that lies offset bytes behind p.
func at[T number](p unsafe.Pointer, offset uintptr) T { return *(*T)(unsafe.Add(p, offset)) }

// sums returns a row of two sums of the tile's output, or zeros.
func sums[T number](t *tile, row, col uintptr) (x, y T) {
	if !t.add {
		return 0, 0
	}
	c := (*[2]T)(unsafe.Add(t.c, row*t.rowC+col*unsafe.Sizeof(x)))
	return c[0], c[1]
}

// put writes a row of two sums.
func put[T number](t *tile, row, col uintptr, x, y T) {
	c := (*[2]T)(unsafe.Add(t.c, row*t.rowC+col*unsafe.Sizeof(x)))
	c[0], c[1] = x, y
}

// plainFull wants some 24 registers.
func plainFull[T number](t *tile) {
	c00, c01 := sums[T](t, 0, 0)
	c02, c03 := sums[T](t, 0, 2)
	c10, c11 := sums[T](t, 1, 0)
	c12, c13 := sums[T](t, 1, 2)
	c20, c21 := sums[T](t, 2, 0)
	c22, c23 := sums[T](t, 2, 2)
	c30, c31 := sums[T](t, 3, 0)
	c32, c33 := sums[T](t, 3, 2)
	b, row, step, stepB := t.b, t.rowA, t.stepA, t.stepB
	for _, run := range t.runs {
		a := unsafe.Add(t.a, run)
		a2 := unsafe.Add(a, 2*row)
		for range t.n {
			v := (*[4]T)(b)
			b0, b1, b2, b3 := v[0], v[1], v[2], v[3]
			x := at[T](a, 0)
			c00 += x * b0
			c01 += x * b1
			c02 += x * b2
			c03 += x * b3
			x = at[T](a, row)
			c10 += x * b0
			c11 += x * b1
			c12 += x * b2
			c13 += x * b3
			x = at[T](a2, 0)
			c20 += x * b0
			c21 += x * b1
			c22 += x * b2
			c23 += x * b3
			x = at[T](a2, row)
			c30 += x * b0
			c31 += x * b1
			c32 += x * b2
			c33 += x * b3
			a, a2, b = unsafe.Add(a, step), unsafe.Add(a2, step), unsafe.Add(b, stepB)
		}
	}
	put(t, 0, 0, c00, c01)
	put(t, 0, 2, c02, c03)
	put(t, 1, 0, c10, c11)
	put(t, 1, 2, c12, c13)
	put(t, 2, 0, c20, c21)
	put(t, 2, 2, c22, c23)
	put(t, 3, 0, c30, c31)
	put(t, 3, 2, c32, c33)
}

// plainRows is plainFull by rows.
func plainRows[T number](t *tile) {
	one := *t
	for i := range uintptr(plainHeight) {
		one.a, one.c = unsafe.Add(t.a, i*t.rowA), unsafe.Add(t.c, i*t.rowC)
		plainRow[T](&one)
	}
}

func plainHalf[T number](t *tile) {
	c00, c01 := sums[T](t, 0, 0)
	c10, c11 := sums[T](t, 1, 0)
	c20, c21 := sums[T](t, 2, 0)
	c30, c31 := sums[T](t, 3, 0)
	b, row, step, stepB := t.b, t.rowA, t.stepA, t.stepB
	for _, run := range t.runs {
		a := unsafe.Add(t.a, run)
		a2 := unsafe.Add(a, 2*row)
		for range t.n {
			v := (*[2]T)(b)
			b0, b1 := v[0], v[1]
			x := at[T](a, 0)
			c00 += x * b0
			c01 += x * b1
			x = at[T](a, row)
			c10 += x * b0
			c11 += x * b1
			x = at[T](a2, 0)
			c20 += x * b0
			c21 += x * b1
			x = at[T](a2, row)
			c30 += x * b0
			c31 += x * b1
			a, a2, b = unsafe.Add(a, step), unsafe.Add(a2, step), unsafe.Add(b, stepB)
		}
	}
	put(t, 0, 0, c00, c01)
	put(t, 1, 0, c10, c11)
	put(t, 2, 0, c20, c21)
	put(t, 3, 0, c30, c31)
}

func plainRow[T number](t *tile) {
	c0, c1 := sums[T](t, 0, 0)
	c2, c3 := sums[T](t, 0, 2)
	b, step, stepB := t.b, t.stepA, t.stepB
	for _, run := range t.runs {
		a := unsafe.Add(t.a, run)
		for range t.n {
			x, v := at[T](a, 0), (*[4]T)(b)
			c0 += x * v[0]
			c1 += x * v[1]
			c2 += x * v[2]
			c3 += x * v[3]
			a, b = unsafe.Add(a, step), unsafe.Add(b, stepB)
		}
	}
	put(t, 0, 0, c0, c1)
	put(t, 0, 2, c2, c3)
}

func plainStub[T number](t *tile) {
	c0, c1 := sums[T](t, 0, 0)
	b, step, stepB := t.b, t.stepA, t.stepB
	for _, run := range t.runs {
		a := unsafe.Add(t.a, run)
		for range t.n {
			x, v := at[T](a, 0), (*[2]T)(b)
			c0 += x * v[0]
			c1 += x * v[1]
			a, b = unsafe.Add(a, step), unsafe.Add(b, stepB)
		}
	}
	put(t, 0, 0, c0, c1)
}

func plainTaps[T number](y, x, w unsafe.Pointer, n int, at [][2]uintptr) {
	for i := range uintptr(n) {
		var x0, x1 T
		offset := i * 2 * unsafe.Sizeof(x0)
		for _, p := range at {
			u, v := (*[2]T)(unsafe.Add(x, p[0]+offset)), (*[2]T)(unsafe.Add(w, p[1]+offset))
			x0 += u[0] * v[0]
			x1 += u[1] * v[1]
		}
		*(*[2]T)(unsafe.Add(y, offset)) = [2]T{x0, x1}
	}
}
