package native

import (
	"slices"

	"gansim.example/kernels/native/kern"
)

// maxRank is the most axes that a merged layout may have.
const maxRank = 16

// load fills dst with the elements of a merged layout from the linear index start on.
func load[T any](dst, src []T, l *layout, start int) {
	last := len(l.dims) - 1
	if last < 0 {
		fill(dst, src[l.offset])
		return
	}
	var index [maxRank]int
	at := l.offset
	for i := last; i >= 0; i-- {
		index[i] = start % l.dims[i]
		start /= l.dims[i]
		at += index[i] * l.strides[i]
	}
	n, step := l.dims[last], l.strides[last]
	repeated := last > 0 && l.strides[last-1] == 0
	for {
		run := min(n-index[last], len(dst))
		line := dst[:run]
		switch step {
		case 1:
			copy(line, src[at:])
		case 0:
			fill(line, src[at])
		default:
			for i, k := 0, at; i < len(line); i, k = i+1, k+step {
				line[i] = src[k]
			}
		}
		if dst = dst[run:]; repeated && run == n { // the same line again
			again := min((l.dims[last-1]-1-index[last-1])*n, len(dst))
			repeatLine(dst[:again], line)
			dst = dst[again:]
			index[last-1] = l.dims[last-1] - 1
		}
		if len(dst) == 0 {
			return
		}
		at -= index[last] * step
		index[last] = 0
		for i := last - 1; i >= 0; i-- { // the next line
			at += l.strides[i]
			if index[i]++; index[i] < l.dims[i] {
				break
			}
			at -= index[i] * l.strides[i]
			index[i] = 0
		}
	}
}

// repeatLine fills dst with copies of line.
func repeatLine[T any](dst, line []T) {
	for n := copy(dst, line); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// gatherer copies what a layout reads: all of it to out, or a part from the element start on.
type gatherer struct {
	all  func(out, src []byte, l layout)
	part func(out, src []byte, l *layout, start int)
}

// gatherers are by size of a value in bytes: where data only moves, types do not matter.
var gatherers = map[int]gatherer{
	1: gathererOf[uint8](), 2: gathererOf[uint16](), 4: gathererOf[uint32](), 8: gathererOf[uint64](),
}

func gathererOf[T any]() gatherer {
	return gatherer{
		all: func(out, src []byte, l layout) { store(as[T](out), as[T](src), l) },
		part: func(out, src []byte, l *layout, start int) {
			load(as[T](out), as[T](src), l, start)
		},
	}
}

// store copies all that a merged layout reads to out.
func store[T any](out, src []T, l layout) {
	if len(out) == 0 {
		return
	}
	last := len(l.dims) - 1
	if q := slices.Index(l.strides, 1); q >= 0 && q != last && l.dims[q] >= 4 && l.dims[last] >= 4 {
		storeTiles(out, src, l, q)
		return
	}
	split(len(out), 1<<14, func(from, to int) { load(out[from:to], src, &l, from) })
}

// storeTiles is store where neighbours in memory, along axis q, go apart: small squares of q and the
// last axis are moved at a time, so that both sides stay in the cache.
func storeTiles[T any](out, src []T, l layout, q int) {
	const side = 16
	last := len(l.dims) - 1
	to := plain(l.dims)
	outer := layout{dims: slices.Clone(l.dims), strides: l.strides}
	outer.dims[q], outer.dims[last] = ceilDiv(l.dims[q], side), 1
	tiles := product(outer.dims)
	stepTo, stepFrom := to.strides[q], l.strides[last]
	n, width := l.dims[q], l.dims[last]
	move := func(first, end int) {
		o := newOdometer(outer.dims, first)
		for range end - first {
			a, b := l.offset, 0
			for i, k := range o.index {
				if i == q {
					k *= side
				}
				a += k * l.strides[i]
				b += k * to.strides[i]
			}
			high := min(side, n-o.index[q]*side)
			for w := 0; w < width; w += side {
				wide := min(side, width-w)
				for i := range high {
					line := out[b+i*stepTo+w:][:wide]
					k := a + i + w*stepFrom
					for j := range line {
						line[j] = src[k]
						k += stepFrom
					}
				}
			}
			o.next()
		}
	}
	if len(out) < 1<<14 {
		move(0, tiles)
		return
	}
	pieces := min(tiles, 16)
	kern.Each(pieces, func(i int) { move(i*tiles/pieces, (i+1)*tiles/pieces) })
}
