// Package kern holds the dense kernels of the pure-Go engine: matrix products and convolutions of
// float32 and float64 numbers, and the loop that spreads them over the machine's processors.
//
// Built with GOEXPERIMENT=simd on amd64 the kernels use AVX-512 or AVX2 with FMA, as the machine
// offers, those of products in assembly; otherwise plain Go. One kind of instructions always gives
// the same bytes, whatever GOMAXPROCS says: work is cut by the sizes of the operands alone. Every
// function is safe for concurrent use.
package kern
