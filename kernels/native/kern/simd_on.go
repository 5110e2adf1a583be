//go:build amd64 && goexperiment.simd

package kern

import "simd/archsimd"

func detect() string {
	switch {
	case archsimd.X86.AVX512():
		return "avx512"
	case archsimd.X86.AVX2() && archsimd.X86.FMA():
		return "avx2"
	}
	return "none"
}

var (
	avx512x32 = &kernels[float32]{16, []int{12, 8, 4, 1},
		[]func(*tile){avx512F3212x2, avx512F328x2, avx512F324x2, avx512F321x2},
		[]func(*tile){avx512F3212x1, avx512F328x1, avx512F324x1, avx512F321x1},
		avx512F32Dot, avx512F32Taps}
	avx512x64 = &kernels[float64]{8, []int{12, 8, 4, 1},
		[]func(*tile){avx512F6412x2, avx512F648x2, avx512F644x2, avx512F641x2},
		[]func(*tile){avx512F6412x1, avx512F648x1, avx512F644x1, avx512F641x1},
		avx512F64Dot, avx512F64Taps}
	avx2x32 = &kernels[float32]{8, []int{6, 4, 1},
		[]func(*tile){avx2F326x2, avx2F324x2, avx2F321x2},
		[]func(*tile){avx2F326x1, avx2F324x1, avx2F321x1},
		avx2F32Dot, avx2F32Taps}
	avx2x64 = &kernels[float64]{4, []int{6, 4, 1},
		[]func(*tile){avx2F646x2, avx2F644x2, avx2F641x2},
		[]func(*tile){avx2F646x1, avx2F644x1, avx2F641x1},
		avx2F64Dot, avx2F64Taps}
)

func kernels32(kind string) *kernels[float32] {
	switch kind {
	case "avx512":
		return avx512x32
	case "avx2":
		return avx2x32
	}
	return plain32
}

func kernels64(kind string) *kernels[float64] {
	switch kind {
	case "avx512":
		return avx512x64
	case "avx2":
		return avx2x64
	}
	return plain64
}
