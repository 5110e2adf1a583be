package native

import (
	"cmp"
	"slices"
)

// source is the stored array that a node's value lies in, and how. Nodes in stored lie in arrays
// of their own.
func (n *node) source(stored map[*node]bool) (*node, layout) {
	if !stored[n] {
		switch n.kind {
		case reading:
			s, l := n.inputs[0].source(stored)
			return s, n.read(l)
		case reshaping:
			s, l := n.inputs[0].source(stored)
			if l, ok := l.reshaped(n.dims()); ok {
				return s, l
			}
		}
	}
	return n, plain(n.dims())
}

// planner turns the nodes that outputs need into steps.
type planner struct {
	f      *function
	live   []*node        // in order
	stored map[*node]bool // views that need an array of their own
	levels map[*node]int  // see setLevels
	users  map[*node][]*node
	loops  map[*node]*loopNodes
	steps  []*step
	maker  map[*node]*step // of each stored array but parameters and constants
}

// loopNodes are pointwise nodes that one loop computes, in order.
type loopNodes struct{ nodes []*node }

func newPlanner(f *function) *planner {
	p := &planner{f: f, stored: make(map[*node]bool), levels: make(map[*node]int),
		users: make(map[*node][]*node), loops: make(map[*node]*loopNodes),
		maker: make(map[*node]*step)}
	seen := make(map[*node]bool)
	var visit func(n *node)
	visit = func(n *node) {
		if !seen[n] {
			seen[n] = true
			for _, in := range n.inputs {
				visit(in)
			}
			p.live = append(p.live, n)
		}
	}
	for _, n := range f.outputs {
		visit(n)
	}
	slices.SortFunc(p.live, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	return p
}

// linear is the node that gives n its values in linear order: n itself, or what it reshapes.
func (p *planner) linear(n *node) *node {
	for n.kind == reshaping && !p.stored[n] {
		n = n.inputs[0]
	}
	return n
}

// array is the stored array that has the values of n in linear order, and how they lie there. The
// layout is merged.
func (p *planner) array(n *node) (*node, layout) {
	s, l := p.linear(n).source(p.stored)
	return s, l.merged()
}

// store finds the views that must be arrays: outputs, inputs of nodes that want arrays, and reshaped
// views that are read in another order. Each one changes how others lie, hence the repetition.
func (p *planner) store() {
	for before := -1; before < len(p.stored); {
		before = len(p.stored)
		for _, n := range p.f.outputs {
			p.need(p.linear(n), true)
		}
		for _, n := range p.live {
			for _, in := range n.inputs {
				switch {
				case n.kind == working:
					p.need(p.linear(in), false)
				case n.kind == pointwise, n.kind == reshaping && p.stored[n]:
					s, _ := p.array(in)
					p.need(s, false)
				case n.kind == reading && p.stored[n]:
					s, _ := in.source(p.stored)
					p.need(s, false)
				}
			}
		}
	}
}

// need stores n unless it lies in one piece in some array.
func (p *planner) need(n *node, alone bool) {
	s, l := n.source(p.stored)
	if s != n && (alone || !l.dense()) || s == n && s.kind == reshaping {
		p.stored[n] = true
	}
	if s.kind == reshaping {
		p.stored[s] = true
	}
}

// isStep tells whether n is computed by a step of its own or in a loop.
func (p *planner) isStep(n *node) bool {
	return n.kind == pointwise || n.kind == working || p.stored[n]
}

// setLevels gives nodes numbers such that loops may join all that have the same number: a path from
// a pointwise node through anything but other pointwise nodes leads to a higher one.
func (p *planner) setLevels() {
	for _, n := range p.live {
		level := 0
		if !p.isStep(n) {
			continue
		}
		for _, in := range n.inputs {
			s, direct := p.reads(n, in)
			after := p.levels[s]
			if s.kind == pointwise && !direct {
				after++
			}
			level = max(level, after)
			if isArray(s) {
				p.users[s] = append(p.users[s], n)
			}
		}
		p.levels[n] = level
	}
	outputs := make(map[*node]bool)
	for _, n := range p.f.outputs {
		outputs[p.linear(n)] = true
	}
	for i := len(p.live) - 1; i >= 0; i-- {
		if n := p.live[i]; n.kind == pointwise && !outputs[n] {
			p.sink(n)
		}
	}
}

func isArray(n *node) bool { return n.kind != parameter && n.kind != constant }

// reads gives the array that a step reads for an input; direct means element by element, by a loop
// that might compute it too.
func (p *planner) reads(n, in *node) (s *node, direct bool) {
	if from := p.linear(in); n.kind == pointwise && from.kind == pointwise {
		return from, true
	}
	s, _ = p.array(in)
	return s, false
}

// sink moves a node that computes one array from another to the loop that needs it.
func (p *planner) sink(n *node) {
	whole := 0
	for _, in := range n.inputs {
		if s, l := p.array(in); s.kind == pointwise || l.period() == n.shape.Size() {
			whole++
		}
	}
	if whole > 1 || len(p.users[n]) == 0 {
		return
	}
	level := p.levels[p.users[n][0]]
	for _, u := range p.users[n] {
		direct := false
		for _, in := range u.inputs {
			s, d := p.reads(u, in)
			if s == n && !d {
				return
			}
			direct = direct || s == n
		}
		if !direct || p.levels[u] != level {
			return
		}
	}
	p.levels[n] = level
}

// setLoops joins pointwise nodes of one level that read each other.
func (p *planner) setLoops() {
	for _, n := range p.live {
		if n.kind != pointwise {
			continue
		}
		loop := &loopNodes{nodes: []*node{n}}
		p.loops[n] = loop
		for _, in := range n.inputs {
			s, direct := p.reads(n, in)
			other := p.loops[s]
			if !direct || p.levels[s] != p.levels[n] || other == loop {
				continue
			}
			if len(other.nodes) > len(loop.nodes) {
				other, loop = loop, other
			}
			for _, m := range other.nodes {
				p.loops[m] = loop
			}
			loop.nodes = append(loop.nodes, other.nodes...)
		}
	}
}

// plan does all of it.
func (p *planner) plan() error {
	p.store()
	p.setLevels()
	p.setLoops()
	return p.setSteps()
}
