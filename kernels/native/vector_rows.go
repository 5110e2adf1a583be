//go:build amd64 && goexperiment.simd

package native

import (
	"simd/archsimd"
	"unsafe"

	"github.com/gomlx/compute"

	"gansim.example/kernels/native/kern"
)

// vectorRows are row kernels for float32 by vector instructions.
func vectorRows() map[compute.OpType]rowKernel {
	if kern.SIMD() == "none" {
		return nil
	}
	return map[compute.OpType]rowKernel{
		compute.OpTypeAdd: sumRowVector,
		compute.OpTypeMax: maxRowVector,
		compute.OpTypeMin: minRowVector,
	}
}

// sumRowVector sums in four vectors.
func sumRowVector(dst, x unsafe.Pointer, n int) {
	var a, b, c, d vector
	i := 0
	for ; i+32 <= n; i += 32 {
		a, b = a.Add(get(x, i)), b.Add(get(x, i+8))
		c, d = c.Add(get(x, i+16)), d.Add(get(x, i+24))
	}
	for ; i+8 <= n; i += 8 {
		a = a.Add(get(x, i))
	}
	if i < n {
		var last [8]float32
		copy(last[:], list[float32](unsafe.Add(x, 4*i), n-i))
		b = b.Add(archsimd.LoadFloat32x8(&last))
	}
	var parts [8]float32
	a.Add(b).Add(c.Add(d)).Store(&parts)
	archsimd.ClearAVXUpperBits()
	sumRow[float32](dst, unsafe.Pointer(&parts), len(parts))
}

// maxRowVector keeps one vector of maxima and one of sums x-x, which tell of NaN; infinite values
// are left to the plain loop too.
func maxRowVector(dst, x unsafe.Pointer, n int) {
	if n < 8 {
		maxRow[float32](dst, x, n)
		return
	}
	m := get(x, 0)
	odd := m.Sub(m)
	for i := 8; i+8 <= n; i += 8 {
		v := get(x, i)
		m, odd = m.Max(v), odd.Add(v.Sub(v))
	}
	v := get(x, n-8)
	m, odd = m.Max(v), odd.Add(v.Sub(v))
	finishRow(maxRow[float32], m, odd, dst, x, n)
}

// minRowVector is maxRowVector for the minimum.
func minRowVector(dst, x unsafe.Pointer, n int) {
	if n < 8 {
		minRow[float32](dst, x, n)
		return
	}
	m := get(x, 0)
	odd := m.Sub(m)
	for i := 8; i+8 <= n; i += 8 {
		v := get(x, i)
		m, odd = m.Min(v), odd.Add(v.Sub(v))
	}
	v := get(x, n-8)
	m, odd = m.Min(v), odd.Add(v.Sub(v))
	finishRow(minRow[float32], m, odd, dst, x, n)
}

// finishRow combines the parts, or all values anew if some were not finite.
func finishRow(plain rowKernel, m, odd vector, dst, x unsafe.Pointer, n int) {
	var parts, strange [8]float32
	m.Store(&parts)
	odd.Store(&strange)
	archsimd.ClearAVXUpperBits()
	for _, s := range strange {
		if s != 0 {
			plain(dst, x, n)
			return
		}
	}
	plain(dst, unsafe.Pointer(&parts), len(parts))
}
