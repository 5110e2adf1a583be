package kern

import (
	"slices"
	"unsafe"
)

// depthwise is Conv for a kernel that gives every channel its own filter.
func depthwise[T number](y, x, w []T, g Geometry) {
	k := choose[T]()
	h, v := g.axes()
	rows, cols := h.reach(), v.reach()
	size, vectors := unsafe.Sizeof(x[0]), g.C/k.lanes
	Each(g.N*h.out, func(r int) {
		n, line := r/h.out, y[r*v.out*g.C:][:v.out*g.C]
		image := x[n*g.H*g.W*g.C:][:g.H*g.W*g.C]
		var at [][2]uintptr // bytes from the pixel of base's first tap and from the start of the kernel
		for j, base := 0, -1; j < v.out; j++ {
			taps, out := cols[j], line[j*g.C:][:g.C]
			if len(rows[r%h.out]) == 0 || len(taps) == 0 {
				clear(out)
				continue
			}
			if base < 0 || !alike(taps, cols[base]) {
				base, at = j, at[:0]
				for _, row := range rows[r%h.out] {
					for _, col := range taps {
						pixel, tap := row[1]*g.W+col[1]-taps[0][1], row[0]*g.KW+col[0]
						at = append(at, [2]uintptr{uintptr(pixel*g.C) * size, uintptr(tap*g.C) * size})
					}
				}
			}
			from := image[taps[0][1]*g.C:]
			k.taps(unsafe.Pointer(&out[0]), unsafe.Pointer(&from[0]), unsafe.Pointer(&w[0]), vectors, at)
			for c := vectors * k.lanes; c < g.C; c++ {
				var sum T
				for _, p := range at {
					sum += from[int(p[0]/size)+c] * w[int(p[1]/size)+c]
				}
				out[c] = sum
			}
		}
	})
}

// alike reports whether two outputs are reached by the same taps; then their pixels differ by one
// shift.
func alike(a, b [][2]int) bool {
	return slices.EqualFunc(a, b, func(u, v [2]int) bool { return u[0] == v[0] })
}
