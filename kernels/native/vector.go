//go:build amd64 && goexperiment.simd

package native

import (
	"simd/archsimd"
	"unsafe"

	"github.com/gomlx/compute"

	"gansim.example/kernels/native/kern"
)

// Kernels for float32 by vectors of eight. They give the same bits as the loops that they replace,
// but for the functions of vector_math.go, which are as exact. What is left over at the end goes
// through those loops.

// vectorForms are the kernels by vector instructions that this processor has.
func vectorForms() forms {
	if kern.SIMD() == "none" {
		return nil
	}
	return forms{
		compute.OpTypeAdd:            addVector,
		compute.OpTypeSub:            subVector,
		compute.OpTypeMul:            mulVector,
		compute.OpTypeDiv:            divVector,
		compute.OpTypeMax:            maxVector,
		compute.OpTypeMin:            minVector,
		compute.OpTypeSqrt:           sqrtVector,
		compute.OpTypeExp:            expVector,
		compute.OpTypeTanh:           tanhVector,
		compute.OpTypeLogistic:       logisticVector,
		compute.OpTypeWhere:          chooseVector,
		compute.OpTypeEqual:          equalVector,
		compute.OpTypeLessThan:       lessVector,
		compute.OpTypeLessOrEqual:    lessEqualVector,
		compute.OpTypeGreaterThan:    swapped(lessVector),
		compute.OpTypeGreaterOrEqual: swapped(lessEqualVector),
	}
}

// vectorSelects are selectForms for float32.
func vectorSelects() forms {
	if kern.SIMD() == "none" {
		return nil
	}
	return forms{
		compute.OpTypeGreaterThan: selectGreaterVector,
		compute.OpTypeEqual:       selectEqualVector,
	}
}

// get loads the eight values from number i on; put stores them.
func get(p unsafe.Pointer, i int) archsimd.Float32x8 {
	return archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(p, 4*i)))
}

func put(v archsimd.Float32x8, p unsafe.Pointer, i int) {
	v.Store((*[8]float32)(unsafe.Add(p, 4*i)))
}

// rest runs the plain kernel on what vectors have left, when all operands are float32.
func rest(k kernel, dst unsafe.Pointer, in *operands, from, n int) {
	archsimd.ClearAVXUpperBits()
	if from == n {
		return
	}
	var tails operands
	for i, p := range in {
		if p != nil {
			tails[i] = unsafe.Add(p, 4*from)
		}
	}
	k(unsafe.Add(dst, 4*from), &tails, n-from)
}

func addVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		put(get(x, i).Add(get(y, i)), dst, i)
	}
	rest(add[float32], dst, in, i, n)
}

func subVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		put(get(x, i).Sub(get(y, i)), dst, i)
	}
	rest(sub[float32], dst, in, i, n)
}

func mulVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		put(get(x, i).Mul(get(y, i)), dst, i)
	}
	rest(mul[float32], dst, in, i, n)
}

func divVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		put(get(x, i).Div(get(y, i)), dst, i)
	}
	rest(div[float32], dst, in, i, n)
}

// maxVector takes the maximum in both orders, which differ for zeros of different signs and for NaN
// alone: and-ing gives zero the right sign, and the sum gives NaN.
func maxVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		a, b := get(x, i), get(y, i)
		v := a.Max(b).AsInt32x8().And(b.Max(a).AsInt32x8()).AsFloat32x8()
		put(a.Add(b).Merge(v, a.IsNaN().Or(b.IsNaN())), dst, i)
	}
	rest(larger[float32], dst, in, i, n)
}

// minVector is maxVector for the minimum.
func minVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		a, b := get(x, i), get(y, i)
		v := a.Min(b).AsInt32x8().Or(b.Min(a).AsInt32x8()).AsFloat32x8()
		put(a.Add(b).Merge(v, a.IsNaN().Or(b.IsNaN())), dst, i)
	}
	rest(smaller[float32], dst, in, i, n)
}

func sqrtVector(dst unsafe.Pointer, in *operands, n int) {
	x, i := in[0], 0
	for ; i+8 <= n; i += 8 {
		put(get(x, i).Sqrt(), dst, i)
	}
	rest(squareRoot, dst, in, i, n)
}
