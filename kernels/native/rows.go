package native

import (
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// rowKernel combines n > 0 values at x to one at dst. The order depends on n alone.
type rowKernel func(dst, x unsafe.Pointer, n int)

// rowForms are the row kernels by type and elementwise operation.
var rowForms = map[dtypes.DType]map[compute.OpType]rowKernel{
	dtypes.Float32: mergeRows(floatRows[float32](), vectorRows()),
	dtypes.Float64: floatRows[float64](),
}

// mergeRows lets the second table win.
func mergeRows(a, b map[compute.OpType]rowKernel) map[compute.OpType]rowKernel {
	for op, k := range b {
		a[op] = k
	}
	return a
}

func floatRows[T float]() map[compute.OpType]rowKernel {
	return map[compute.OpType]rowKernel{
		compute.OpTypeAdd: sumRow[T],
		compute.OpTypeMax: maxRow[T],
		compute.OpTypeMin: minRow[T],
	}
}

// sumRow sums halves, and those of less than 256 values in four parts, for speed and to keep
// rounding errors small.
func sumRow[T float](dst, x unsafe.Pointer, n int) { *(*T)(dst) = sum(list[T](x, n)) }

func sum[T float](v []T) T {
	if n := len(v) / 2; n >= 128 {
		return sum(v[:n]) + sum(v[n:])
	}
	var a, b, c, d T
	for ; len(v) >= 4; v = v[4:] {
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
	}
	for _, x := range v {
		a += x
	}
	return (a + b) + (c + d)
}

func maxRow[T float](dst, x unsafe.Pointer, n int) {
	v := list[T](x, n)
	m := v[0]
	for _, x := range v {
		m = max(m, x)
	}
	*(*T)(dst) = m
}

func minRow[T float](dst, x unsafe.Pointer, n int) {
	v := list[T](x, n)
	m := v[0]
	for _, x := range v {
		m = min(m, x)
	}
	*(*T)(dst) = m
}
