package native

import (
	"maps"
	"math"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Elementwise operations are kernels: loops over n elements in memory. Kernels that every network
// uses are loops of their own, the rest calls a function per element.

// operands are the first elements of a kernel's inputs.
type operands [4]unsafe.Pointer

// kernel computes n elements at dst, which may be the same memory as one of the inputs.
type kernel func(dst unsafe.Pointer, in *operands, n int)

type (
	signed   interface{ int8 | int16 | int32 | int64 }
	unsigned interface {
		uint8 | uint16 | uint32 | uint64
	}
	integer interface{ signed | unsigned }
	float   interface{ float32 | float64 }
	number  interface{ integer | float }
)

// forms are kernels by operation.
type forms map[compute.OpType]kernel

// elementwise has the kernels for each type of operands; those of Where are listed by the type of
// the values that are chosen from.
var elementwise = map[dtypes.DType]forms{
	dtypes.Bool:    boolForms(),
	dtypes.Int8:    signedForms[int8](),
	dtypes.Int16:   signedForms[int16](),
	dtypes.Int32:   signedForms[int32](),
	dtypes.Int64:   signedForms[int64](),
	dtypes.Uint8:   unsignedForms[uint8](),
	dtypes.Uint16:  unsignedForms[uint16](),
	dtypes.Uint32:  unsignedForms[uint32](),
	dtypes.Uint64:  unsignedForms[uint64](),
	dtypes.Float32: merge(floatForms[float32](), float32Forms(), vectorForms()),
	dtypes.Float64: merge(floatForms[float64](), float64Forms()),
}

// merge joins tables; later ones win.
func merge(tables ...forms) forms {
	all := make(forms)
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

func list[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

// one gives result and input of a unary kernel, two those of a binary one, as slices of n elements.
func one[R, T any](dst unsafe.Pointer, in *operands, n int) (r []R, x []T) {
	return list[R](dst, n), list[T](in[0], n)
}

func two[R, T any](dst unsafe.Pointer, in *operands, n int) (r []R, x, y []T) {
	return list[R](dst, n), list[T](in[0], n), list[T](in[1], n)
}

// unary applies f.
func unary[R, T any](f func(T) R) kernel {
	return func(dst unsafe.Pointer, in *operands, n int) {
		r, x := one[R, T](dst, in, n)
		for i := range r {
			r[i] = f(x[i])
		}
	}
}

// binary applies f.
func binary[R, T any](f func(x, y T) R) kernel {
	return func(dst unsafe.Pointer, in *operands, n int) {
		r, x, y := two[R, T](dst, in, n)
		for i := range r {
			r[i] = f(x[i], y[i])
		}
	}
}

// choose is Where: in[0] has the conditions.
func choose[T any](dst unsafe.Pointer, in *operands, n int) {
	r, c := list[T](dst, n), list[bool](in[0], n)
	x, y := list[T](in[1], n), list[T](in[2], n)
	for i := range r {
		v := y[i]
		if c[i] {
			v = x[i]
		}
		r[i] = v
	}
}

func add[T number](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = x[i] + y[i]
	}
}

func sub[T number](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = x[i] - y[i]
	}
}

func mul[T number](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = x[i] * y[i]
	}
}

func equal[T comparable](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[bool, T](dst, in, n)
	for i := range r {
		r[i] = x[i] == y[i]
	}
}

func unequal[T comparable](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[bool, T](dst, in, n)
	for i := range r {
		r[i] = x[i] != y[i]
	}
}

func less[T number](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[bool, T](dst, in, n)
	for i := range r {
		r[i] = x[i] < y[i]
	}
}

func lessEqual[T number](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[bool, T](dst, in, n)
	for i := range r {
		r[i] = x[i] <= y[i]
	}
}

// swapped is a binary kernel with its operands exchanged.
func swapped(k kernel) kernel {
	return func(dst unsafe.Pointer, in *operands, n int) {
		k(dst, &operands{in[1], in[0]}, n)
	}
}

func boolForms() forms {
	return forms{
		compute.OpTypeWhere:      choose[bool],
		compute.OpTypeEqual:      equal[bool],
		compute.OpTypeNotEqual:   unequal[bool],
		compute.OpTypeLogicalAnd: binary(func(x, y bool) bool { return x && y }),
		compute.OpTypeLogicalOr:  binary(func(x, y bool) bool { return x || y }),
		compute.OpTypeLogicalXor: unequal[bool],
		compute.OpTypeLogicalNot: unary(func(x bool) bool { return !x }),
	}
}

func numberForms[T number]() forms {
	return forms{
		compute.OpTypeWhere:          choose[T],
		compute.OpTypeAdd:            add[T],
		compute.OpTypeSub:            sub[T],
		compute.OpTypeMul:            mul[T],
		compute.OpTypeMax:            binary(func(x, y T) T { return max(x, y) }),
		compute.OpTypeMin:            binary(func(x, y T) T { return min(x, y) }),
		compute.OpTypeEqual:          equal[T],
		compute.OpTypeNotEqual:       unequal[T],
		compute.OpTypeLessThan:       less[T],
		compute.OpTypeLessOrEqual:    lessEqual[T],
		compute.OpTypeGreaterThan:    swapped(less[T]),
		compute.OpTypeGreaterOrEqual: swapped(lessEqual[T]),
	}
}

// totalOrder are the comparisons of the keys of values.
func totalOrder[T number, K integer](key func(T) K) forms {
	return forms{
		compute.OpTypeEqualTotalOrder:       binary(func(x, y T) bool { return key(x) == key(y) }),
		compute.OpTypeNotEqualTotalOrder:    binary(func(x, y T) bool { return key(x) != key(y) }),
		compute.OpTypeLessThanTotalOrder:    binary(func(x, y T) bool { return key(x) < key(y) }),
		compute.OpTypeLessOrEqualTotalOrder: binary(func(x, y T) bool { return key(x) <= key(y) }),
		compute.OpTypeGreaterThanTotalOrder: binary(func(x, y T) bool { return key(x) > key(y) }),
		compute.OpTypeGreaterOrEqualTotalOrder: binary(
			func(x, y T) bool { return key(x) >= key(y) }),
	}
}

// orderedBits maps float32 values to integers in the order -NaN < -Inf < -0 < +0 < +Inf < +NaN.
func orderedBits(x float32) int32 {
	b := int32(math.Float32bits(x))
	return b ^ b>>31&math.MaxInt32
}

// orderedBits64 is orderedBits for float64.
func orderedBits64(x float64) int64 {
	b := int64(math.Float64bits(x))
	return b ^ b>>63&math.MaxInt64
}

// selectForms are kernels that compare in[0] with in[1] and take in[2] where that holds and in[3]
// elsewhere, by the type of all four and the comparison.
var selectForms = map[dtypes.DType]forms{
	dtypes.Float32: merge(selects[float32](), vectorSelects()),
	dtypes.Float64: selects[float64](),
}

func selects[T float]() forms {
	return forms{
		compute.OpTypeGreaterThan: selectGreater[T],
		compute.OpTypeEqual:       selectEqual[T],
	}
}

func selectGreater[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	a, b := list[T](in[2], n), list[T](in[3], n)
	for i := range r {
		v := b[i]
		if x[i] > y[i] {
			v = a[i]
		}
		r[i] = v
	}
}

func selectEqual[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	a, b := list[T](in[2], n), list[T](in[3], n)
	for i := range r {
		v := b[i]
		if x[i] == y[i] {
			v = a[i]
		}
		r[i] = v
	}
}
