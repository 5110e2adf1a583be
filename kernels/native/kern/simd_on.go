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
