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
	avx512x32 = &kernels[float32]{16, avx512F32Full, avx512F32Half, avx512F32Row, avx512F32Stub,
		avx512F32Dot, avx512F32Taps}
	avx512x64 = &kernels[float64]{8, avx512F64Full, avx512F64Half, avx512F64Row, avx512F64Stub,
		avx512F64Dot, avx512F64Taps}
	avx2x32 = &kernels[float32]{8, avx2F32Full, avx2F32Half, avx2F32Row, avx2F32Stub,
		avx2F32Dot, avx2F32Taps}
	avx2x64 = &kernels[float64]{4, avx2F64Full, avx2F64Half, avx2F64Row, avx2F64Stub,
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
