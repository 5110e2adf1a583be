package kern

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// speed reports how many billion products and sums a second a benchmark did.
func speed(b *testing.B, flops int) {
	b.ReportMetric(float64(b.N)*float64(flops)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

func benchMatMul[T number](b *testing.B, m, n, k int, transA, transB bool) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y, z := random[T](r, m*k), random[T](r, k*n), make([]T, m*n)
	for b.Loop() {
		MatMul(z, x, y, 1, m, n, k, transA, transB)
	}
	speed(b, 2*m*n*k)
}

func BenchmarkMatMul(b *testing.B) {
	for _, s := range []struct {
		m, n, k        int
		transA, transB bool
	}{
		{512, 512, 512, false, false},
		{512, 512, 512, true, false},
		{512, 512, 512, false, true},
		{1024, 1024, 1024, false, false},
		{64, 64, 64, false, false},
		{1, 4096, 1024, false, false},
		{16, 4096, 128, false, false},
		{16, 1024, 4096, false, false},
		{16, 1024, 4096, false, true},
		{1024, 4096, 16, true, false},
		{16384, 12, 108, false, false},
		{16384, 3, 216, false, false},
	} {
		name := fmt.Sprintf("%dx%dx%d/%v,%v", s.m, s.n, s.k, s.transA, s.transB)
		b.Run(name+"/float32", func(b *testing.B) {
			benchMatMul[float32](b, s.m, s.n, s.k, s.transA, s.transB)
		})
		b.Run(name+"/float64", func(b *testing.B) {
			benchMatMul[float64](b, s.m, s.n, s.k, s.transA, s.transB)
		})
	}
}

func benchConv[T number](b *testing.B, g Geometry) {
	outH, outW := g.Out()
	r := rand.New(rand.NewPCG(1, 1))
	x, w := random[T](r, g.N*g.H*g.W*g.C), random[T](r, g.KH*g.KW*g.C/g.Groups*g.O)
	y := make([]T, g.N*outH*outW*g.O)
	for b.Loop() {
		Conv(y, x, w, g)
	}
	speed(b, flops(g))
}

func BenchmarkConv(b *testing.B) {
	for _, c := range benchGeometries {
		b.Run(c.name+"/float32", func(b *testing.B) { benchConv[float32](b, c.g) })
		b.Run(c.name+"/float64", func(b *testing.B) { benchConv[float64](b, c.g) })
	}
}

func benchKernel[T number](b *testing.B, f func(*tile), rows, cols int) {
	const n = 256
	x, y, z := make([]T, 1<<14), make([]T, 1<<14), make([]T, 1<<10)
	var v T
	size := unsafe.Sizeof(v)
	for b.Loop() {
		f(&tile{unsafe.Pointer(&x[0]), (n + 16) * size, size, []uintptr{0}, n, unsafe.Pointer(&y[0]),
			uintptr(cols) * size, unsafe.Pointer(&z[0]), uintptr(cols) * size, false, nil})
	}
	speed(b, 2*rows*cols*n)
}

func BenchmarkKernel(b *testing.B) {
	for _, kind := range []string{"avx512", "avx2", "none"} {
		k, l := kernels32(kind), kernels64(kind)
		b.Run(kind+"/float32/full", func(b *testing.B) { benchKernel[float32](b, k.full[0], k.height(), 2*k.lanes) })
		b.Run(kind+"/float32/half", func(b *testing.B) { benchKernel[float32](b, k.half[0], k.height(), k.lanes) })
		b.Run(kind+"/float64/full", func(b *testing.B) { benchKernel[float64](b, l.full[0], l.height(), 2*l.lanes) })
		b.Run(kind+"/float64/half", func(b *testing.B) { benchKernel[float64](b, l.half[0], l.height(), l.lanes) })
	}
}
