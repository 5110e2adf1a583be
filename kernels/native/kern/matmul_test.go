package kern

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"
)

// tolerance bounds the error of a sum, relative to the sum of its terms' magnitudes.
func tolerance[T number]() float64 {
	if unsafe.Sizeof(T(0)) == 4 {
		return 1e-5
	}
	return 1e-12
}

// eachKind runs f with every kind of instructions that this machine and build have.
func eachKind(t *testing.T, f func(t *testing.T)) {
	best := kind
	defer func() { kind = best }()
	kinds := []string{"none", "avx2", "avx512"}
	for _, k := range kinds {
		t.Run(k, func(t *testing.T) {
			kind = k
			f(t)
		})
		if k == best {
			break
		}
	}
}

func random[T number](r *rand.Rand, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = T(r.NormFloat64())
	}
	return s
}

// near compares got with want, where size holds the sums of magnitudes.
func near[T number](t *testing.T, got []T, want, size []float64) {
	t.Helper()
	for i, g := range got {
		if !(math.Abs(float64(g)-want[i]) <= tolerance[T]()*(size[i]+1e-30)) {
			t.Fatalf("at %d: got %v, want %v", i, g, want[i])
		}
	}
}

func naiveMatMul[T number](a, b []T, batch, m, n, k int, transA, transB bool) (want, size []float64) {
	for i := range batch {
		for y := range m {
			for x := range n {
				var s, abs float64
				for p := range k {
					u, v := i*m*k+y*k+p, i*k*n+p*n+x
					if transA {
						u = i*m*k + p*m + y
					}
					if transB {
						v = i*k*n + x*k + p
					}
					term := float64(a[u]) * float64(b[v])
					s, abs = s+term, abs+math.Abs(term)
				}
				want, size = append(want, s), append(size, abs)
			}
		}
	}
	return want, size
}

func testMatMul[T number](t *testing.T, batch, m, n, k int, transA, transB bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(m*n), uint64(k)))
	a, b := random[T](r, batch*m*k), random[T](r, batch*k*n)
	c := random[T](r, batch*m*n)
	MatMul(c, a, b, batch, m, n, k, transA, transB)
	want, size := naiveMatMul(a, b, batch, m, n, k, transA, transB)
	near(t, c, want, size)
}

func TestMatMul(t *testing.T) {
	sizes := []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33, 47, 64, 65, 129, 0}
	depths := []int{1, 2, 3, 5, 16, 31, 255, 256, 257, 600, 0}
	eachKind(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range 240 {
			m, n := sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))]
			k, batch := depths[r.IntN(len(depths))], r.IntN(4)
			transA, transB := i%2 == 0, i/2%2 == 0
			name := fmt.Sprintf("%dx%dx%dx%d/%v/%v", batch, m, n, k, transA, transB)
			t.Run(name, func(t *testing.T) {
				testMatMul[float32](t, batch, m, n, k, transA, transB)
				testMatMul[float64](t, batch, m, n, k, transA, transB)
			})
		}
		testMatMul[float32](t, 1, 301, 203, 517, false, false)
		testMatMul[float64](t, 1, 203, 301, 517, true, true)
		testMatMul[float32](t, 300, 9, 10, 11, false, true)
	})
}

func raw[T number](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// sameBytes runs f under several values of GOMAXPROCS and compares what it writes.
func sameBytes[T number](t *testing.T, n int, f func(out []T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		out := make([]T, n)
		f(out)
		if first == nil {
			first = raw(out)
		} else if !bytes.Equal(first, raw(out)) {
			t.Errorf("GOMAXPROCS %d writes other bytes than 1", procs)
		}
	}
}

func TestMatMulSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a, b := random[float32](r, 301*517), random[float32](r, 517*203)
	eachKind(t, func(t *testing.T) {
		sameBytes(t, 301*203, func(out []float32) { MatMul(out, a, b, 1, 301, 203, 517, false, false) })
		sameBytes(t, 203*301, func(out []float32) { MatMul(out, b, a, 1, 203, 301, 517, true, true) })
	})
}
