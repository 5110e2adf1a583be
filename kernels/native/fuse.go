package native

import (
	"slices"

	"github.com/gomlx/compute"
)

// setGives finds the nodes that something outside the loop reads.
func (c *loopCompiler) setGives(nodes []*node) {
	for _, n := range c.p.f.outputs {
		c.gives[c.p.linear(n)] = true
	}
	for _, n := range nodes {
		for _, u := range c.p.users[n] {
			for _, in := range u.inputs {
				if from, direct := c.p.reads(u, in); from == n && !(direct && c.inside[u]) {
					c.gives[n] = true
				}
			}
		}
	}
}

// instruction is a node's kernel on inputs that are nodes.
type instruction struct {
	node   *node
	kernel kernel
	inputs []*node
}

// fuse lists the instructions for nodes. A Where whose condition is a comparison that nobody else
// needs becomes one instruction, where there is a kernel for both.
func (c *loopCompiler) fuse(nodes []*node) []instruction {
	uses := make(map[*node]int) // other than as conditions that are compared on the spot
	merged := make(map[*node]kernel)
	for _, n := range nodes {
		for i, in := range n.inputs {
			from := c.p.linear(in)
			if !c.inside[from] {
				continue
			}
			if k := selectForms[n.shape.DType][from.op]; i == 0 && n.op == compute.OpTypeWhere &&
				from.kind == pointwise && from.inputs[0].shape.DType == n.shape.DType && k != nil {
				merged[n] = k
				continue
			}
			uses[from]++
		}
	}
	var program []instruction
	for _, n := range nodes {
		in := instruction{n, n.kernel, n.inputs}
		if k := merged[n]; k != nil {
			condition := c.p.linear(n.inputs[0])
			if uses[condition] == 0 && !c.gives[condition] {
				in.kernel = k
				in.inputs = slices.Concat(condition.inputs, n.inputs[1:])
			}
		}
		if uses[n] > 0 || c.gives[n] {
			program = append(program, in)
		}
	}
	return program
}
