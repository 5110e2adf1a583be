//go:build amd64 && goexperiment.simd

package native

import (
	"simd/archsimd"
	"unsafe"
)

// Comparisons and choices by vectors; booleans are bytes 0 and 1.

// chooseVector is choose. A vector has its conditions in one word of eight bytes.
func chooseVector(dst unsafe.Pointer, in *operands, n int) {
	c, x, y, i := in[0], in[1], in[2], 0
	zero := archsimd.BroadcastInt32x8(0)
	for ; i+8 <= n; i += 8 {
		word := archsimd.BroadcastUint64x2(*(*uint64)(unsafe.Add(c, i)))
		yes := word.AsInt8x16().ExtendLo8ToInt32().Greater(zero)
		put(get(x, i).Merge(get(y, i), yes), dst, i)
	}
	archsimd.ClearAVXUpperBits()
	choose[float32](unsafe.Add(dst, 4*i), &operands{unsafe.Add(c, i), unsafe.Add(x, 4*i),
		unsafe.Add(y, 4*i)}, n-i)
}

// putMask stores eight conditions from number i on.
func putMask(m archsimd.Mask32x8, p unsafe.Pointer, i int) {
	wide := m.ToInt32x8()
	half := wide.GetLo().SaturateToInt16Concat(wide.GetHi()).AsInt8x16()
	low := half.PermuteOrZero(archsimd.LoadInt8x16(&evenBytes)).AsUint64x2().GetElem(0)
	*(*uint64)(unsafe.Add(p, i)) = low & 0x0101010101010101
}

var evenBytes = [16]int8{0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1}

// restMask runs the plain kernel on what vectors have left of a comparison.
func restMask(k kernel, dst unsafe.Pointer, in *operands, from, n int) {
	archsimd.ClearAVXUpperBits()
	if from < n {
		k(unsafe.Add(dst, from), &operands{unsafe.Add(in[0], 4*from), unsafe.Add(in[1], 4*from)},
			n-from)
	}
}

func equalVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		putMask(get(x, i).Equal(get(y, i)), dst, i)
	}
	restMask(equal[float32], dst, in, i, n)
}

func lessVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		putMask(get(x, i).Less(get(y, i)), dst, i)
	}
	restMask(less[float32], dst, in, i, n)
}

func lessEqualVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, i := in[0], in[1], 0
	for ; i+8 <= n; i += 8 {
		putMask(get(x, i).LessEqual(get(y, i)), dst, i)
	}
	restMask(lessEqual[float32], dst, in, i, n)
}

func selectGreaterVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, a, b, i := in[0], in[1], in[2], in[3], 0
	for ; i+8 <= n; i += 8 {
		put(get(a, i).Merge(get(b, i), get(x, i).Greater(get(y, i))), dst, i)
	}
	rest(selectGreater[float32], dst, in, i, n)
}

func selectEqualVector(dst unsafe.Pointer, in *operands, n int) {
	x, y, a, b, i := in[0], in[1], in[2], in[3], 0
	for ; i+8 <= n; i += 8 {
		put(get(a, i).Merge(get(b, i), get(x, i).Equal(get(y, i))), dst, i)
	}
	rest(selectEqual[float32], dst, in, i, n)
}
