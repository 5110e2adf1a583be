package kern

import "sort"

// patches is one phase of a convolution as a matrix product: a row of the left operand is the patch
// of the input that an output pixel sees.
type patches[T number] struct {
	g          Geometry
	x, w       []T
	rows, cols phase
	group      int
	segments   []segment
	weights    []int // where in w the row of each term begins
}

// segment is a piece of a patch that lies in one piece in the input too: width pixels with channels
// numbers each, from the given place relative to the first output of the phase on. Only one of
// width 1 may leave out channels.
type segment struct {
	start                int // first term
	row, col             int
	width                int
	channel, channels, n int // n = width·channels
}

// newPatches cuts the patch into segments and their terms into blocks for product.
func newPatches[T number](g Geometry, x, w []T, rows, cols phase, group int) (*patches[T], []int) {
	q := &patches[T]{g: g, x: x, w: w, rows: rows, cols: cols, group: group}
	per := g.C / g.Groups
	terms, cuts := 0, []int{0}
	add := func(s segment) {
		if s.start, s.n = terms, s.width*s.channels; s.n == 0 {
			return
		}
		if terms += s.n; terms-cuts[len(cuts)-1] > maxDepth {
			cuts = append(cuts, s.start)
		}
		q.segments = append(q.segments, s)
	}
	for i, kh := range rows.taps {
		for j := 0; j < len(cols.taps); {
			width := 1
			for g.Groups == 1 && j+width < len(cols.taps) && (width+1)*per <= maxDepth &&
				cols.from[j+width] == cols.from[j]+width {
				width++
			}
			for c := 0; c < per; c += maxDepth {
				add(segment{row: rows.from[i], col: cols.from[j], width: width,
					channel: group*per + c, channels: min(maxDepth, per-c)})
			}
			for _, kw := range cols.taps[j : j+width] {
				for c := range per {
					q.weights = append(q.weights, ((kh*g.KW+kw)*per+c)*g.O+group*g.O/g.Groups)
				}
			}
			j += width
		}
	}
	return q, append(cuts, terms)
}

// product is the matrix product that writes the phase to y.
func (q *patches[T]) product(y []T, cuts []int) *product[T] {
	g := q.g
	return &product[T]{k: choose[T](), out: y, rows: g.N * q.rows.count * q.cols.count,
		cols: g.O / g.Groups, colStep: 1, cuts: cuts, fill: q.fill, pack: q.pack, place: q.place}
}

func (q *patches[T]) pack(dst []T, first, n, width, next, lo, hi int) {
	for i, from := range q.weights[lo:hi] {
		packRow(dst[i*width:], q.w[from+first:from+first+n], width, next)
	}
}

func (q *patches[T]) place(at []int, first, _ int) {
	outH, outW := q.g.Out()
	for r := range at {
		n, i, j := q.pixel(first + r)
		at[r] = ((n*outH+q.rows.first+i*q.rows.step)*outW+q.cols.first+j*q.cols.step)*q.g.O +
			q.group*q.g.O/q.g.Groups
	}
}

// pixel is the image and the place within the phase of a row of the product.
func (q *patches[T]) pixel(r int) (n, i, j int) {
	r, j = r/q.cols.count, r%q.cols.count
	return r / q.rows.count, r % q.rows.count, j
}

func (q *patches[T]) fill(s *scratch[T], first, rows, lo, hi int) (row, step int) {
	g := &q.g
	from := sort.Search(len(q.segments), func(i int) bool { return q.segments[i].start >= lo })
	end := sort.Search(len(q.segments), func(i int) bool { return q.segments[i].start >= hi })
	n, i, j := q.pixel(first)
	for r := range rows {
		dst := s.a[r*pitch:]
		for _, seg := range q.segments[from:end] {
			part := dst[seg.start-lo:][:seg.n]
			h, w := i*q.rows.stride+seg.row, j*q.cols.stride+seg.col
			if uint(h) >= uint(g.H) {
				clear(part)
				continue
			}
			line := q.x[(n*g.H+h)*g.W*g.C:][:g.W*g.C]
			if w >= 0 && w+seg.width <= g.W {
				copy(part, line[w*g.C+seg.channel:])
				continue
			}
			left, right := min(max(0, -w), seg.width), max(0, min(seg.width, g.W-w))
			if left >= right {
				clear(part)
				continue
			}
			clear(part[:left*seg.channels])
			copy(part[left*seg.channels:right*seg.channels], line[(w+left)*g.C+seg.channel:])
			clear(part[right*seg.channels:])
		}
		if j++; j == q.cols.count {
			if i, j = i+1, 0; i == q.rows.count {
				n, i = n+1, 0
			}
		}
	}
	return pitch, 1
}
