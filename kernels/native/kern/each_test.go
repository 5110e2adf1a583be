package kern

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

func TestEach(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, n := range []int{0, 1, 2, 3, 100} {
		counts := make([]atomic.Int32, n)
		Each(n, func(i int) { counts[i].Add(1) })
		for i := range counts {
			if got := counts[i].Load(); got != 1 {
				t.Errorf("n %d: f(%d) was called %d times, want once", n, i, got)
			}
		}
	}
}

func TestEachPanic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, n := range []int{1, 50} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != "broken" {
					t.Errorf("n %d: panic %q, want %q", n, got, "broken")
				}
			}()
			Each(n, func(i int) {
				if i == n/2 {
					panic("broken")
				}
			})
		}()
	}
}

// TestPlainFull compares the two plain kernels for whole tiles, of which a machine uses one.
func TestPlainFull(t *testing.T) {
	const n = 10
	a, b := make([]float64, plainHeight*n+8), make([]float64, 4*(n+1))
	for i := range a {
		a[i] = float64(i%7) - 3
	}
	for i := range b {
		b[i] = float64(i%5) - 2
	}
	var got, want [16]float64
	for _, add := range []bool{false, true} {
		for c, f := range map[*[16]float64]func(*tile){&got: plainFull[float64], &want: plainRows[float64]} {
			f(&tile{a: unsafe.Pointer(&a[0]), rowA: 8 * n, stepA: 8, runs: []uintptr{0, 16}, n: n / 2,
				b: unsafe.Pointer(&b[0]), stepB: 32, c: unsafe.Pointer(c), rowC: 32, add: add})
		}
		if got != want {
			t.Errorf("add %v: got %v, want %v", add, got, want)
		}
	}
}
