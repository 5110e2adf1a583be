//go:build !amd64 || !goexperiment.simd

package kern

func detect() string { return "none" }

func kernels32(string) *kernels[float32] { return plain32 }

func kernels64(string) *kernels[float64] { return plain64 }
