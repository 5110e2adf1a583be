package kern

import (
	"slices"
	"unsafe"
)

// direct is one phase of a convolution whose patches the micro-kernels read straight from a padded
// copy of a band of the input. It avoids the copying of patches, which for few output channels
// costs as much as the sums.
type direct[T number] struct {
	*patches[T]
	k             *kernels[T]
	y             []T
	top, left     int // smallest row and column that a tap reads for the first output
	height, width int // rows of output and columns of input in a band
	span          int // rows that the taps reach over
	runs          []uintptr
	n             int // terms of a run
	packed        []T
	panels        int // that the columns are cut into
	column        int // numbers of a column for dot
	stride        int // numbers from one pixel of a tile to the next
}

const (
	maxDirect = 1 << 11 // terms of a sum, so that a panel stays in the second cache
	maxBand   = 1 << 15 // numbers of a band, likewise
)

// newDirect returns nil where the matrix product is faster.
func newDirect[T number](q *patches[T], y []T) *direct[T] {
	depth := len(q.weights)
	if q.g.Groups > 1 || depth == 0 || depth > maxDirect || q.g.O > 96 {
		return nil
	}
	count, k := q.cols.count, choose[T]()
	if (k.padded(count)-count)*8 > count {
		return nil
	}
	d := &direct[T]{patches: q, k: k, y: y, stride: q.cols.stride * q.g.C,
		top: slices.Min(q.rows.from), left: slices.Min(q.cols.from)}
	d.span = slices.Max(q.rows.from) - d.top + 1
	d.width = (count-1)*q.cols.stride + slices.Max(q.cols.from) - d.left + 1
	line := d.width * q.g.C
	if d.span*line > maxBand {
		return nil
	}
	d.height = min(1+(maxBand/line-d.span)/q.rows.stride, max(1, 512/count), q.rows.count)
	joined := 1
	if taps := q.cols.from; len(taps) > 1 && taps[1] == taps[0]+1 {
		joined = len(taps)
	}
	d.n = joined * q.g.C
	for _, row := range q.rows.from {
		for j := 0; j < len(q.cols.from); j += joined {
			at := (row-d.top)*line + (q.cols.from[j]-d.left)*q.g.C
			d.runs = append(d.runs, uintptr(at)*unsafe.Sizeof(q.x[0]))
		}
	}
	return d
}

func (d *direct[T]) run() {
	p := d.product(d.y, []int{0, len(d.weights)})
	each := Each
	if p.rows*p.cols*len(d.weights) < 2*smallWork {
		each = serial
	}
	d.panels = p.panels()
	d.column = len(d.runs) * ((d.n + d.k.lanes - 1) / d.k.lanes * d.k.lanes)
	store := takeBuffer[T](max((len(d.weights)+1)*d.panels*2*d.k.lanes, (dotCols+1)*d.column))
	defer giveBuffer(store)
	d.packed = *store
	if d.dot() {
		d.packColumns()
	} else {
		p.packAll(d.packed, each)
	}
	bands := (d.rows.count + d.height - 1) / d.height
	each(d.g.N*bands, func(i int) {
		first := i % bands * d.height
		d.band(p, i/bands, first, min(d.height, d.rows.count-first))
	})
}

// band computes n rows of output from the row first on.
func (d *direct[T]) band(p *product[T], image, first, n int) {
	s := takeScratch[T]()
	defer giveScratch(s)
	d.pad(s, image, first*d.rows.stride+d.top, (n-1)*d.rows.stride+d.span)
	var zero T
	size := unsafe.Sizeof(zero)
	count, t := d.cols.count, &s.tile
	t.rowA, t.stepA, t.n, t.runs, t.add = uintptr(d.stride)*size, size, d.n, d.runs, false
	s.at = slices.Grow(s.at[:0], count)[:count]
	if d.dot() {
		d.dots(s, image, first, n)
		return
	}
	// The only panel may write behind its columns where the next tile writes later.
	loose := d.panels == 1 && d.rows.step == 1 && d.cols.step == 1
	for panel := range d.panels {
		col, cols, width := p.panel(panel)
		t.b, t.stepB = unsafe.Pointer(&d.packed[col*len(d.weights)]), uintptr(width)*size
		for i := range n {
			d.line(s.at, image, first+i)
			for j := 0; j < count; j += d.k.height() {
				at := s.at[j:min(j+d.k.height(), count)]
				t.a = unsafe.Pointer(&s.image[(i*d.rows.stride*d.width+j*d.cols.stride)*d.g.C])
				room := cols
				later := (n-i)*count - j - len(at) // pixels of the band
				if loose && len(at) == d.k.heights[d.k.fit(len(at))] && (later+1)*cols >= width {
					room = width
				}
				s.store(d.k, d.y[col:], at, 1, room, width)
			}
		}
	}
}

// line writes to at where in y the pixels of row i begin.
func (d *direct[T]) line(at []int, image, i int) {
	outH, outW := d.g.Out()
	from := ((image*outH+d.rows.first+i*d.rows.step)*outW + d.cols.first) * d.g.O
	for j := range at {
		at[j] = from + j*d.cols.step*d.g.O
	}
}

// pad copies n rows of an image from the row top on to s.image, with zeros around.
func (d *direct[T]) pad(s *scratch[T], image, top, n int) {
	g, line := &d.g, d.width*d.g.C
	room := n*line + d.k.height()*d.stride + line + 16
	s.image = slices.Grow(s.image[:0], room)[:room]
	from, to := min(max(0, -d.left), d.width), max(0, min(d.width, g.W-d.left))
	for i := range n {
		dst, h := s.image[i*line:(i+1)*line], top+i
		if h < 0 || h >= g.H || from >= to {
			clear(dst)
			continue
		}
		clear(dst[:from*g.C])
		copy(dst[from*g.C:to*g.C], d.x[((image*g.H+h)*g.W+d.left+from)*g.C:])
		clear(dst[to*g.C:])
	}
}

// dot reports whether there are so few columns that the kernels had better add up along the terms.
func (d *direct[T]) dot() bool { return d.k.dot != nil && d.g.O <= dotCols && d.n >= d.k.lanes/2 }

// packColumns packs the right operand for the kernel dot.
func (d *direct[T]) packColumns() {
	clear(d.packed[:dotCols*d.column])
	each := d.column / len(d.runs)
	for i, from := range d.weights {
		for j := range d.g.O {
			d.packed[j*d.column+i/d.n*each+i%d.n] = d.w[from+j]
		}
	}
}

// dots is band by the kernel dot.
func (d *direct[T]) dots(s *scratch[T], image, first, n int) {
	var zero T
	size := unsafe.Sizeof(zero)
	count, t := d.cols.count, &s.tile
	clear(s.mask[:])
	for i := range d.n % d.k.lanes * int(size) {
		s.mask[i] = 255
	}
	t.mask = unsafe.Pointer(&s.mask)
	t.b, t.stepB = unsafe.Pointer(&d.packed[0]), uintptr(d.column)*size
	t.c, t.rowC = unsafe.Pointer(&s.c), (dotCols+1)*size
	for i := range n {
		d.line(s.at, image, first+i)
		for j := 0; j < count; j += dotRows {
			t.a = unsafe.Pointer(&s.image[(i*d.rows.stride*d.width+j*d.cols.stride)*d.g.C])
			d.k.dot(t)
			for r, at := range s.at[j:min(j+dotRows, count)] {
				for c := range d.y[at : at+d.g.O] {
					d.y[at+c] = s.c[r*(dotCols+1)+c]
				}
			}
		}
	}
}
