//go:build amd64 && goexperiment.simd

package native

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

// Functions by vectors, with the polynomials of exp32 and tanh32. The last vector is filled up, so
// that an element's result does not depend on where it stands.

type vector = archsimd.Float32x8

func all(x float32) vector { return archsimd.BroadcastFloat32x8(x) }

// expOf is the exponential.
func expOf(x vector) vector {
	c := x.Max(all(-104)).Min(all(89))
	f := c.Mul(all(math.Log2E)).RoundToEven()
	r := c.Sub(f.Mul(all(ln2High))).Sub(f.Mul(all(ln2Low)))
	p := all(expTerms[0])
	for _, term := range expTerms[1:] {
		p = p.MulAdd(r, all(term))
	}
	p = p.Mul(r).MulAdd(r, r).Add(all(1))
	k := f.ConvertToInt32()
	half := k.ShiftAllRight(1)
	y := p.Mul(powersOf2(half)).Mul(powersOf2(k.Sub(half)))
	return x.Merge(y, x.IsNaN())
}

// powersOf2 is 2^k for normal results.
func powersOf2(k archsimd.Int32x8) vector {
	return k.Add(archsimd.BroadcastInt32x8(127)).ShiftAllLeft(23).AsFloat32x8()
}

// tanhOf is the hyperbolic tangent.
func tanhOf(x vector) vector {
	sign := archsimd.BroadcastInt32x8(math.MinInt32).And(x.AsInt32x8())
	a := x.AsInt32x8().Xor(sign).AsFloat32x8()
	s := x.Mul(x)
	p := all(tanhTerms[0])
	for _, term := range tanhTerms[1:] {
		p = p.MulAdd(s, all(term))
	}
	p = p.Mul(s).MulAdd(x, x)
	t := all(1).Sub(all(2).Div(expOf(a.Add(a)).Add(all(1))))
	t = t.AsInt32x8().Or(sign).AsFloat32x8()
	return p.Merge(x.Merge(t, x.IsNaN()), a.Less(all(tanhNear)))
}

func logisticOf(x vector) vector {
	return all(1).Div(expOf(all(0).Sub(x)).Add(all(1)))
}

func expVector(dst unsafe.Pointer, in *operands, n int) {
	r, x := one[float32, float32](dst, in, n)
	for ; len(r) >= 8; r, x = r[8:], x[8:] {
		expOf(archsimd.LoadFloat32x8Slice(x)).StoreSlice(r)
	}
	if len(r) > 0 {
		var last [8]float32
		copy(last[:], x)
		expOf(archsimd.LoadFloat32x8(&last)).Store(&last)
		copy(r, last[:])
	}
	archsimd.ClearAVXUpperBits()
}

func tanhVector(dst unsafe.Pointer, in *operands, n int) {
	r, x := one[float32, float32](dst, in, n)
	for ; len(r) >= 8; r, x = r[8:], x[8:] {
		tanhOf(archsimd.LoadFloat32x8Slice(x)).StoreSlice(r)
	}
	if len(r) > 0 {
		var last [8]float32
		copy(last[:], x)
		tanhOf(archsimd.LoadFloat32x8(&last)).Store(&last)
		copy(r, last[:])
	}
	archsimd.ClearAVXUpperBits()
}

func logisticVector(dst unsafe.Pointer, in *operands, n int) {
	r, x := one[float32, float32](dst, in, n)
	for ; len(r) >= 8; r, x = r[8:], x[8:] {
		logisticOf(archsimd.LoadFloat32x8Slice(x)).StoreSlice(r)
	}
	if len(r) > 0 {
		var last [8]float32
		copy(last[:], x)
		logisticOf(archsimd.LoadFloat32x8(&last)).Store(&last)
		copy(r, last[:])
	}
	archsimd.ClearAVXUpperBits()
}
