package native

import (
	"cmp"
	"fmt"
	"slices"
)

// step is what runs at a time.
type step struct {
	nodes []*node // one, or those of a loop
	last  int     // the highest number of a node
	needs []*node // arrays that it reads
	gives []*node // arrays that it writes
	run   func(m memory)

	reuse func(to *node) []*node // arrays that to may overwrite if nobody needs them any more, or nil
}

// memory has the bytes of each array while a graph runs.
type memory [][]byte

// setSteps makes the steps and puts them in order.
func (p *planner) setSteps() error {
	done := make(map[*loopNodes]bool)
	for _, n := range p.live {
		var s *step
		var err error
		switch {
		case n.kind == pointwise && !done[p.loops[n]]:
			done[p.loops[n]] = true
			s, err = p.loopStep(p.loops[n].nodes)
		case n.kind == working:
			s = p.workStep(n)
		case p.stored[n]:
			s, err = p.copyStep(n)
		}
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		p.steps = append(p.steps, s)
		for _, m := range s.gives {
			p.maker[m] = s
		}
		for _, m := range s.nodes {
			s.last = max(s.last, m.id)
		}
	}
	return p.order()
}

// order sorts steps so that each comes after those it needs, and early nodes come early.
func (p *planner) order() error {
	var sorted []*step
	done := make(map[*step]bool)
	waiting := slices.Clone(p.steps)
	slices.SortStableFunc(waiting, func(a, b *step) int { return cmp.Compare(a.last, b.last) })
	for len(waiting) > 0 {
		next := slices.IndexFunc(waiting, func(s *step) bool {
			for _, n := range s.needs {
				if m := p.maker[n]; m != nil && !done[m] {
					return false
				}
			}
			return true
		})
		if next < 0 {
			return fmt.Errorf("native: graph %q: %d steps wait for each other", p.f.owner.name,
				len(waiting))
		}
		done[waiting[next]] = true
		sorted = append(sorted, waiting[next])
		waiting = slices.Delete(waiting, next, next+1)
	}
	p.steps = sorted
	return nil
}

// workStep runs the code of a working node.
func (p *planner) workStep(n *node) *step {
	s := &step{nodes: []*node{n}, gives: []*node{n}}
	var from []part
	for _, in := range n.inputs {
		source, l := p.array(in)
		s.needs = append(s.needs, source)
		from = append(from, part{source.id, l.offset * in.shape.DType.Size(), bytesOf(in.shape)})
	}
	s.run = func(m memory) {
		in := make([][]byte, len(from))
		for i, p := range from {
			in[i] = m[p.array][p.offset : p.offset+p.size]
		}
		n.work(m[n.id], in)
	}
	return s
}

// part is a part of an array, in bytes.
type part struct{ array, offset, size int }

// copyStep stores a view.
func (p *planner) copyStep(n *node) (*step, error) {
	var source *node
	var l layout
	if n.kind == reading {
		source, l = n.inputs[0].source(p.stored)
		l = n.read(l).merged()
	} else {
		source, l = p.array(n.inputs[0])
	}
	if len(l.dims) > maxRank {
		return nil, missing("%s of %d axes", n.op, len(l.dims))
	}
	g := gatherers[n.shape.DType.Size()]
	return &step{nodes: []*node{n}, needs: []*node{source}, gives: []*node{n},
		run: func(m memory) { g.all(m[n.id], m[source.id], l) }}, nil
}
