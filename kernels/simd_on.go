//go:build goexperiment.simd

package kernels

// hasSIMD says whether the vector kernels of the Go backend were compiled in.
const hasSIMD = true
