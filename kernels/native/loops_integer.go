package native

import (
	"math/bits"
	"unsafe"

	"github.com/gomlx/compute"
)

// integerForms are the kernels that signed and unsigned integers have in common. As in XLA, x/0 has
// all bits set, x%0 is x, and shifts by the width or more give zeros, or signs.
func integerForms[T integer]() forms {
	var zero T
	width := int(8 * unsafe.Sizeof(zero))
	return merge(numberForms[T](), totalOrder(func(x T) T { return x }), forms{
		compute.OpTypeDiv: binary(func(x, y T) T {
			if y == 0 {
				return ^zero
			}
			return x / y
		}),
		compute.OpTypeRem: binary(func(x, y T) T {
			if y == 0 {
				return x
			}
			return x % y
		}),
		compute.OpTypePow:        binary(power[T]),
		compute.OpTypeBitwiseAnd: binary(func(x, y T) T { return x & y }),
		compute.OpTypeBitwiseOr:  binary(func(x, y T) T { return x | y }),
		compute.OpTypeBitwiseXor: binary(func(x, y T) T { return x ^ y }),
		compute.OpTypeBitwiseNot: unary(func(x T) T { return ^x }),
		compute.OpTypeBitCount: unary(func(x T) T {
			return T(bits.OnesCount64(uint64(x) << (64 - width)))
		}),
		compute.OpTypeClz: unary(func(x T) T {
			return T(min(width, bits.LeadingZeros64(uint64(x)<<(64-width))))
		}),
		compute.OpTypeShiftLeft: binary(func(x, y T) T { return x << shift(y) }),
		compute.OpTypeShiftRightArithmetic: binary(func(x, y T) T {
			up := 64 - width
			return T(int64(x) << up >> min(63, shift(y)+uint64(up)))
		}),
		compute.OpTypeShiftRightLogical: binary(func(x, y T) T {
			up := 64 - width
			return T(uint64(x) << up >> up >> shift(y))
		}),
	})
}

// shift is a number of bits; negative ones count as many.
func shift[T integer](y T) uint64 {
	if y < 0 {
		return 64
	}
	return uint64(y)
}

// power is x to the y, by squaring. Negative powers are 0, but of 1 and -1.
func power[T integer](x, y T) T {
	if y < 0 {
		switch {
		case x == 1:
			return 1
		case x+1 == 0 && y&1 != 0:
			return x
		case x+1 == 0:
			return 1
		}
		return 0
	}
	r := T(1)
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			r *= x
		}
		x *= x
	}
	return r
}

func signedForms[T signed]() forms {
	return merge(integerForms[T](), forms{
		compute.OpTypeNeg: unary(func(x T) T { return -x }),
		compute.OpTypeAbs: unary(func(x T) T { return max(x, -x) }),
		compute.OpTypeSign: unary(func(x T) T {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return 0
		}),
	})
}

func unsignedForms[T unsigned]() forms {
	return merge(integerForms[T](), forms{
		compute.OpTypeAbs:  unary(func(x T) T { return x }),
		compute.OpTypeSign: unary(func(x T) T { return min(x, 1) }),
	})
}
