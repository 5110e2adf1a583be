package native

import (
	"fmt"
	"slices"
)

// loopCompiler finds places for the operands of a loop.
type loopCompiler struct {
	p       *planner
	loop    *loop
	inside  map[*node]bool // nodes of the loop
	gives   map[*node]bool // nodes that are stored
	needs   []*node
	program []instruction

	places map[string]place // of nodes and loads, by name
	left   map[place]int    // how often a place in scratch memory will still be read
	free   map[int][]int    // offsets in scratch memory by the size of values

	lastRead map[int]int // by array: the last operation that reads it in order, or never
	written  map[int]int // by array: the operation that writes it
}

// never marks arrays that are read in another order than that of the loop.
const never = 1 << 30

// operand is what an instruction reads: a value of the loop, an array in order, or a layout of one.
type operand struct {
	name   string
	node   *node // of the loop, or the array
	inside bool
	layout layout // of the array
	item   int
}

func (c *loopCompiler) operand(in *node) operand {
	from := c.p.linear(in)
	if c.inside[from] {
		return operand{name: fmt.Sprint("node ", from.id), node: from, inside: true,
			item: from.shape.DType.Size()}
	}
	source, l := c.p.array(in)
	return operand{name: fmt.Sprint("array ", source.id, l), node: source, layout: l,
		item: source.shape.DType.Size()}
}

// compile lays out blocks, then operations.
func (c *loopCompiler) compile() error {
	uses := make(map[string]int)
	periods := []int{}
	for _, i := range c.program {
		for _, in := range i.inputs {
			o := c.operand(in)
			uses[o.name]++
			if !o.inside && len(o.layout.dims) > maxRank {
				return missing("%s of %d axes", i.node.op, len(o.layout.dims))
			}
			if !o.inside && !o.layout.dense() {
				periods = append(periods, o.layout.period())
			}
		}
	}
	c.setBlock(periods)
	for at, i := range c.program {
		op := loopOp{kernel: i.kernel}
		for k, in := range i.inputs {
			o := c.operand(in)
			op.in[k] = c.read(o, uses[o.name], at)
		}
		for k := range i.inputs {
			c.release(op.in[k])
		}
		n := i.node
		name := fmt.Sprint("node ", n.id)
		op.to = place{array: n.id, item: n.shape.DType.Size()}
		if c.gives[n] {
			c.written[n.id] = at
		} else {
			op.to = c.scratch(op.to.item)
			c.left[op.to] = uses[name]
		}
		c.places[name] = op.to
		c.loop.ops = append(c.loop.ops, op)
	}
	return nil
}

// setBlock makes blocks a multiple of the periods of what is repeated, where that is possible: such
// operands need to be loaded once.
func (c *loopCompiler) setBlock(periods []int) {
	slices.Sort(periods)
	common := 8 // for whole vectors
	for _, p := range periods {
		if m := common / gcd(common, p) * p; m <= widestLoad {
			common = m
		}
	}
	c.loop.block = common * max(1, blockSize/common)
	if c.loop.size <= widestLoad {
		c.loop.block = max(1, c.loop.size)
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// read gives the place of an operand at operation at, loading it there before if need be.
func (c *loopCompiler) read(o operand, uses, at int) place {
	if p, ok := c.places[o.name]; ok {
		if p.array != inScratch && !o.inside {
			c.lastRead[p.array] = max(c.lastRead[p.array], at)
		}
		return p
	}
	if !slices.Contains(c.needs, o.node) {
		c.needs = append(c.needs, o.node)
	}
	if o.layout.dense() {
		p := place{array: o.node.id, offset: o.layout.offset * o.item, item: o.item}
		c.places[o.name] = p
		c.lastRead[p.array] = max(c.lastRead[p.array], at)
		if o.layout.offset != 0 || o.node.shape.Size() != c.loop.size {
			c.lastRead[p.array] = never
		}
		return p
	}
	c.lastRead[o.node.id] = never
	load := loopOp{load: gatherers[o.item].part, layout: o.layout,
		in: [4]place{{array: o.node.id, item: o.item}}}
	if c.loop.block%o.layout.period() == 0 || c.loop.block >= c.loop.size {
		load.to = c.extend(o.item)
		c.left[load.to] = -1 // for good
		c.loop.fixed = append(c.loop.fixed, load)
	} else {
		load.to = c.scratch(o.item)
		c.left[load.to] = uses
		c.loop.ops = append(c.loop.ops, load)
	}
	c.places[o.name] = load.to
	return load.to
}

// release counts a read; after the last one the place is free.
func (c *loopCompiler) release(p place) {
	if p.array != inScratch || c.left[p] < 0 {
		return
	}
	if c.left[p]--; c.left[p] == 0 {
		c.free[p.item] = append(c.free[p.item], p.offset)
	}
}

// scratch finds a place for values of a size in bytes.
func (c *loopCompiler) scratch(item int) place {
	if f := c.free[item]; len(f) > 0 {
		p := place{array: inScratch, offset: f[len(f)-1], item: item}
		c.free[item] = f[:len(f)-1]
		return p
	}
	return c.extend(item)
}

// extend makes a new place.
func (c *loopCompiler) extend(item int) place {
	p := place{array: inScratch, offset: c.loop.scratch, item: item}
	c.loop.scratch += alignUp(c.loop.block * item)
	return p
}

// reuse lists arrays that are read in order, as wide as those of to, and not after to is written.
func (c *loopCompiler) reuse(to *node) []*node {
	var arrays []*node
	for _, n := range c.needs {
		if n.shape.DType.Size() == to.shape.DType.Size() && c.lastRead[n.id] <= c.written[to.id] {
			arrays = append(arrays, n)
		}
	}
	return arrays
}
