package native

import (
	"cmp"
	"slices"
	"sync"
	"unsafe"
)

// place is where an operand of a loop lies: in a stored array, or in the loop's scratch memory,
// which holds one block.
type place struct {
	array  int // number of the array's node, or inScratch
	offset int // bytes
	item   int // bytes of a value
}

const inScratch = -1

// loopOp is one operation of a loop on a block: a kernel, or what a layout reads of an array.
type loopOp struct {
	kernel kernel
	in     [4]place
	to     place

	load   func(out, src []byte, l *layout, start int) // without a kernel
	layout layout
}

// loop computes pointwise nodes block by block: values that no other step needs stay in scratch
// memory.
type loop struct {
	size, block int      // elements
	fixed       []loopOp // loads that give the same for each block
	ops         []loopOp
	scratch     int // bytes
	pool        sync.Pool
}

const (
	blockSize  = 1024 // elements of a block, about
	widestLoad = 2048 // longest block, elements
	loopGrain  = 32   // operations on blocks that make a piece of work
)

// run computes all blocks.
func (l *loop) run(m memory) {
	blocks := ceilDiv(l.size, l.block)
	split(blocks, ceilDiv(loopGrain, len(l.ops)), func(from, to int) {
		buffer, _ := l.pool.Get().(*[]byte)
		if buffer == nil {
			b := make([]byte, l.scratch+64)
			buffer = &b
		}
		scratch, in := unsafe.Pointer(unsafe.SliceData(*buffer)), new(operands)
		for i := range l.fixed {
			l.fixed[i].do(m, scratch, in, 0, min(l.block, l.size))
		}
		for b := from; b < to; b++ {
			start := b * l.block
			n := min(l.block, l.size-start)
			for i := range l.ops {
				l.ops[i].do(m, scratch, in, start, n)
			}
		}
		l.pool.Put(buffer)
	})
}

// do runs the operation on the n elements from start on; it uses in.
func (o *loopOp) do(m memory, scratch unsafe.Pointer, in *operands, start, n int) {
	to := o.to.at(m, scratch, start)
	if o.kernel == nil {
		o.load(unsafe.Slice((*byte)(to), n*o.to.item), m[o.in[0].array], &o.layout, start)
		return
	}
	for i := range in {
		in[i] = nil
		if o.in[i].item > 0 {
			in[i] = o.in[i].at(m, scratch, start)
		}
	}
	o.kernel(to, in, n)
}

func (p *place) at(m memory, scratch unsafe.Pointer, start int) unsafe.Pointer {
	if p.array == inScratch {
		return unsafe.Add(scratch, p.offset)
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(m[p.array])), p.offset+start*p.item)
}

// loopStep compiles the loop over some nodes.
func (p *planner) loopStep(nodes []*node) (*step, error) {
	slices.SortFunc(nodes, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	c := &loopCompiler{p: p, loop: &loop{size: nodes[0].shape.Size()}, inside: make(map[*node]bool),
		gives: make(map[*node]bool), places: make(map[string]place), left: make(map[place]int),
		free: make(map[int][]int), lastRead: make(map[int]int), written: make(map[int]int)}
	for _, n := range nodes {
		c.inside[n] = true
	}
	c.setGives(nodes)
	c.program = c.fuse(nodes)
	if err := c.compile(); err != nil {
		return nil, err
	}
	s := &step{nodes: nodes, needs: c.needs, run: c.loop.run, reuse: c.reuse}
	for _, n := range nodes {
		if c.gives[n] {
			s.gives = append(s.gives, n)
		}
	}
	return s, nil
}
