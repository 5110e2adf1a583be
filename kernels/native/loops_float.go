package native

import (
	"math"
	"unsafe"

	"github.com/gomlx/compute"
)

func div[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = x[i] / y[i]
	}
}

func neg[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x := one[T, T](dst, in, n)
	for i := range r {
		r[i] = -x[i]
	}
}

// squareRoot is exact for float32 by way of float64.
func squareRoot(dst unsafe.Pointer, in *operands, n int) {
	r, x := one[float32, float32](dst, in, n)
	for i := range r {
		r[i] = float32(math.Sqrt(float64(x[i])))
	}
}

// larger is the maximum; NaN wins.
func larger[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = max(x[i], y[i])
	}
}

// smaller is the minimum; NaN wins.
func smaller[T float](dst unsafe.Pointer, in *operands, n int) {
	r, x, y := two[T, T](dst, in, n)
	for i := range r {
		r[i] = min(x[i], y[i])
	}
}

// wide applies a function of float64.
func wide[T float](f func(float64) float64) kernel {
	return unary(func(x T) T { return T(f(float64(x))) })
}

// floatForms are the kernels that both float types have in common.
func floatForms[T float]() forms {
	return merge(numberForms[T](), forms{
		compute.OpTypeDiv:   div[T],
		compute.OpTypeNeg:   neg[T],
		compute.OpTypeMax:   larger[T],
		compute.OpTypeMin:   smaller[T],
		compute.OpTypeAbs:   wide[T](math.Abs),
		compute.OpTypeSqrt:  wide[T](math.Sqrt),
		compute.OpTypeRsqrt: wide[T](func(x float64) float64 { return 1 / math.Sqrt(x) }),
		compute.OpTypeCeil:  wide[T](math.Ceil),
		compute.OpTypeFloor: wide[T](math.Floor),
		compute.OpTypeRound: wide[T](math.RoundToEven),
		compute.OpTypeExp:   wide[T](math.Exp),
		compute.OpTypeExpm1: wide[T](math.Expm1),
		compute.OpTypeLog:   wide[T](math.Log),
		compute.OpTypeLog1p: wide[T](math.Log1p),
		compute.OpTypeErf:   wide[T](math.Erf),
		compute.OpTypeSin:   wide[T](math.Sin),
		compute.OpTypeCos:   wide[T](math.Cos),
		compute.OpTypeTanh:  wide[T](math.Tanh),
		compute.OpTypeLogistic: wide[T](func(x float64) float64 {
			return 1 / (1 + math.Exp(-x))
		}),
		compute.OpTypeReal: unary(func(x T) T { return x }),
		compute.OpTypeImag: unary(func(T) T { return 0 }),
		compute.OpTypeConj: unary(func(x T) T { return x }),
		compute.OpTypeSign: unary(func(x T) T {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return x // zeros keep their sign
		}),
		compute.OpTypePow: binary(func(x, y T) T {
			return T(math.Pow(float64(x), float64(y)))
		}),
		compute.OpTypeRem: binary(func(x, y T) T {
			return T(math.Mod(float64(x), float64(y)))
		}),
		compute.OpTypeAtan2: binary(func(x, y T) T {
			return T(math.Atan2(float64(x), float64(y)))
		}),
		compute.OpTypeIsNaN:    unary(func(x T) bool { return x != x }),
		compute.OpTypeIsFinite: unary(func(x T) bool { return x-x == 0 }),
	})
}

func float64Forms() forms { return totalOrder(orderedBits64) }

// float32Forms are kernels that need no float64.
func float32Forms() forms {
	return merge(totalOrder(orderedBits), forms{
		compute.OpTypeSqrt:     squareRoot,
		compute.OpTypeExp:      unary(exp32),
		compute.OpTypeTanh:     unary(tanh32),
		compute.OpTypeLogistic: unary(func(x float32) float32 { return 1 / (1 + exp32(-x)) }),
	})
}
