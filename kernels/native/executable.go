package native

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// executable is a planned graph. It is safe for concurrent use: what an execution writes is its own.
type executable struct {
	engine    *engine
	f         *function
	nodes     int // that there are
	steps     []*step
	shared    []allocation // arrays in the arena
	arena     int          // its bytes
	results   []*node      // array of each output
	constants []*node
	gone      atomic.Bool
}

var _ compute.Executable = (*executable)(nil)

// compile plans a complete graph.
func compile(e *engine, f *function) (compute.Executable, error) {
	p := newPlanner(f)
	if err := p.plan(); err != nil {
		return nil, err
	}
	x := &executable{engine: e, f: f, nodes: len(f.nodes), steps: p.steps}
	outside := make(map[*node]bool)
	for _, n := range f.outputs {
		x.results = append(x.results, p.linear(n))
		outside[p.linear(n)] = true
	}
	for _, n := range p.live {
		if n.kind == constant {
			x.constants = append(x.constants, n)
		}
	}
	x.shared, x.arena = assign(p.steps, outside)
	for _, s := range x.steps { // lets go of the plan
		*s = step{run: s.run}
	}
	return x, nil
}

// Finalize makes the executable unusable.
func (x *executable) Finalize() { x.gone.Store(true) }

// Inputs lists the parameters.
func (x *executable) Inputs() (names []string, inputs []shapes.Shape) {
	for _, n := range x.f.parameters {
		names, inputs = append(names, n.name), append(inputs, n.shape)
	}
	return names, inputs
}

// Outputs lists the shapes of the results.
func (x *executable) Outputs() (outputs []shapes.Shape) {
	for _, n := range x.f.outputs {
		outputs = append(outputs, n.shape)
	}
	return outputs
}

// Execute runs the graph. Results are new buffers; donated inputs are finalized.
func (x *executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) (
	[]compute.Buffer, error) {
	if x.gone.Load() || x.engine.IsFinalized() {
		return nil, errFinalized
	}
	m, err := x.load(inputs)
	if err != nil {
		return nil, err
	}
	arena := x.engine.arenas.get(x.arena)
	for _, a := range x.shared {
		m[a.node] = arena[a.offset : a.offset+a.size]
	}
	for _, n := range x.results {
		if m[n.id] == nil {
			m[n.id] = make([]byte, bytesOf(n.shape))
		}
	}
	for _, s := range x.steps {
		s.run(m)
	}
	x.engine.arenas.put(arena)
	for i, d := range donate {
		if d {
			if err := inputs[i].Finalize(); err != nil {
				return nil, err
			}
		}
	}
	return x.take(m), nil
}

// load puts inputs and constants in their places.
func (x *executable) load(inputs []compute.Buffer) (memory, error) {
	m := make(memory, x.nodes)
	if len(inputs) != len(x.f.parameters) {
		return nil, fmt.Errorf("native: graph %q: %d inputs, want %d", x.f.owner.name, len(inputs),
			len(x.f.parameters))
	}
	for i, n := range x.f.parameters {
		b, ok := inputs[i].(*buffer)
		if !ok || b.owner != x.engine {
			return nil, fmt.Errorf("native: graph %q: input %q is no buffer of this backend",
				x.f.owner.name, n.name)
		}
		if !b.shape.Equal(n.shape) {
			return nil, fmt.Errorf("native: graph %q: input %q is %s, want %s", x.f.owner.name,
				n.name, b.shape, n.shape)
		}
		data, err := b.bytes()
		if err != nil {
			return nil, fmt.Errorf("graph %q: input %q: %w", x.f.owner.name, n.name, err)
		}
		m[n.id] = data
	}
	for _, n := range x.constants {
		m[n.id] = n.data
	}
	return m, nil
}

// take makes buffers of the results. An array becomes a buffer once; further outputs that lie in
// it, and those that are inputs or constants, are copies.
func (x *executable) take(m memory) []compute.Buffer {
	buffers := make([]compute.Buffer, len(x.results))
	taken := make(map[*node]bool)
	for i, n := range x.results {
		data := m[n.id]
		if !isArray(n) || taken[n] {
			data = slices.Clone(data)
		}
		taken[n] = true
		buffers[i] = &buffer{owner: x.engine, shape: x.f.outputs[i].shape, data: data}
	}
	return buffers
}

// allocation is the part of the arena that holds an array. Arrays that are not needed at the same
// time may share it.
type allocation struct {
	node, offset, size int
	first, last        int // steps from making it to the last one that needs it
}

// alignUp rounds bytes up to whole cache lines.
func alignUp(n int) int { return (n + 63) &^ 63 }

// assign finds places in the arena for all arrays that steps make, but for those outside.
func assign(steps []*step, outside map[*node]bool) (all []allocation, size int) {
	last := make(map[*node]int)
	for i, s := range steps {
		for _, n := range append(slices.Clone(s.needs), s.gives...) {
			last[n] = i
		}
	}
	hosts := make(map[*node]*allocation) // by array; those that overwrite each other share one
	members := make(map[*allocation][]*node)
	var order []*allocation
	for i, s := range steps {
		used := make(map[*allocation]bool)
		for _, n := range s.gives {
			if outside[n] {
				continue
			}
			var host *allocation
			if s.reuse != nil {
				for _, old := range s.reuse(n) {
					if h := hosts[old]; h != nil && last[old] == i && h.last == i && !used[h] {
						host = h
						break
					}
				}
			}
			if host == nil {
				host = &allocation{node: n.id, size: bytesOf(n.shape), first: i}
				order = append(order, host)
			}
			used[host] = true
			hosts[n] = host
			members[host] = append(members[host], n)
			host.last = last[n]
		}
	}
	size = pack(order)
	for host, nodes := range members {
		for _, n := range nodes {
			all = append(all, allocation{node: n.id, offset: host.offset, size: bytesOf(n.shape)})
		}
	}
	return all, size
}

// pack places allocations so that those alive at the same time do not overlap, the largest first,
// each as low as it goes, and returns the size of it all.
func pack(all []*allocation) (size int) {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *allocation) int { return cmp.Compare(b.size, a.size) })
	var placed []*allocation // by offset
	for _, a := range order {
		at := 0
		for _, b := range placed {
			if b.first > a.last || b.last < a.first {
				continue
			}
			if at+a.size <= b.offset {
				break
			}
			at = max(at, alignUp(b.offset+b.size))
		}
		a.offset = at
		size = max(size, at+a.size)
		i, _ := slices.BinarySearchFunc(placed, a, func(b, a *allocation) int {
			return cmp.Compare(b.offset, a.offset)
		})
		placed = slices.Insert(placed, i, a)
	}
	return size
}
