package kern

import "unsafe"

// number is what the kernels compute with.
type number interface{ float32 | float64 }

//go:generate go run gen.go

// maxTile is the height of the tallest tile of any kernels.
const maxTile = 12

// tile is one call of a micro-kernel: rows × cols products, each a sum over len(runs)·n terms. All distances are in bytes. Term p of run r reads row i of the left operand at a + i·rowA
// + runs[r] + p·stepA and one vector of columns of the right operand at b + (r·n+p)·stepB.
type tile struct {
	a           unsafe.Pointer
	rowA, stepA uintptr
	runs        []uintptr
	n           int
	b           unsafe.Pointer
	stepB       uintptr
	c           unsafe.Pointer
	rowC        uintptr
	add         bool           // the sums start from c, not from zero
	mask        unsafe.Pointer // of dot
}

// kernels are the micro-kernels for one kind of numbers and instructions. A panel is 2·lanes
// columns wide, or lanes for the last one if that suffices.
type kernels[T number] struct {
	lanes   int
	heights []int // of tiles, falling to 1
	// full and half compute tiles of these heights, 2·lanes and lanes wide. All of a row is written
	// before the next.
	full, half []func(*tile)
	// dot computes dotRows × dotCols sums, and adds up along the terms. Column j of the right
	// operand lies at b + j·stepB, each of its runs filled up with zeros to a multiple of lanes;
	// mask has 64 bytes, which are 255 for the numbers of the last vector of a run, if that is not
	// full. It ignores add and stepA.
	dot func(*tile)
	// taps writes to n vectors of lanes numbers at y the sums over p in at of the vectors p[0]
	// bytes behind x times those p[1] bytes behind w.
	taps func(y, x, w unsafe.Pointer, n int, at [][2]uintptr)
}

// height is the number of rows of the tallest tile.
func (k *kernels[T]) height() int { return k.heights[0] }

// fit is the place in heights of the lowest tile that takes n rows, or of the tallest.
func (k *kernels[T]) fit(n int) int {
	i := 0
	for i+1 < len(k.heights) && k.heights[i+1] >= n {
		i++
	}
	return i
}

// padded is the number of rows that are computed for n rows.
func (k *kernels[T]) padded(n int) int {
	rest := n % k.height()
	if rest > 0 {
		rest = k.heights[k.fit(rest)]
	}
	return n/k.height()*k.height() + rest
}

const dotRows, dotCols = 2, 3 // of output; kernels write a fourth column of any value

// kind names the instructions that the machine and the build offer. Tests set it.
var kind = detect()

// SIMD names the vector instructions in use: "avx512", "avx2" or "none".
func SIMD() string { return kind }

// choose returns the kernels for T.
func choose[T number]() *kernels[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(kernels32(kind)).(*kernels[T])
	}
	return any(kernels64(kind)).(*kernels[T])
}
