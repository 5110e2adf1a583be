package kern

import "sync"

// scratch is the memory of one task. Kernels form pointers up to one term behind what they read, so
// the operands have that much room behind them.
type scratch[T number] struct {
	a     [(maxDepth + 1) * pitch]T
	b     [(maxDepth + 1) * bundle * 32]T
	c     [maxTile * 32]T
	at    []int
	image []T
	runs  [1]uintptr
	tile  tile
	mask  [64]byte
}

var scratches, buffers struct{ float32, float64 sync.Pool }

func pool[T number](p *struct{ float32, float64 sync.Pool }) *sync.Pool {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return &p.float32
	}
	return &p.float64
}

func takeScratch[T number]() *scratch[T] {
	if s, ok := pool[T](&scratches).Get().(*scratch[T]); ok {
		return s
	}
	return &scratch[T]{at: make([]int, maxRows)}
}

func giveScratch[T number](s *scratch[T]) {
	s.tile = tile{} // lets go of the operands
	pool[T](&scratches).Put(s)
}

// takeBuffer returns memory for n numbers of any value.
func takeBuffer[T number](n int) *[]T {
	if s, ok := pool[T](&buffers).Get().(*[]T); ok && cap(*s) >= n {
		*s = (*s)[:n]
		return s
	}
	s := make([]T, n, n+n/8)
	return &s
}

func giveBuffer[T number](s *[]T) { pool[T](&buffers).Put(s) }
