package nn

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// ruleKey finds the gradient rule of a node in its graph's own state, so that a rule lives exactly
// as long as the graph.
type ruleKey struct{ id NodeId }

// rule gives the gradients at a node's inputs for v, the gradient at the node.
type rule func(v *Node) []*Node

// withGradient is y with a gradient rule of our own at inputs, in place of what follows from the
// operations that y was computed with. It is meant for the pure Go backend, where the barrier is a
// plain hand-over of memory.
func withGradient(y *Node, r rule, inputs ...*Node) *Node {
	out := SchedulingBarrier(y, inputs...)
	out.Graph().AttachState(ruleKey{out.Id()}, r)
	return out
}

// GoMLX keeps its gradient rules in a plain map, which has to be complete before any gradient is
// built; so ours are installed here and not on first use. They act on nodes of this package alone.
// Its rule for convolutions is shifted by one for even kernels and missing for dilated inputs.
func init() {
	convolution := VJPRegistration[NodeTypeConvGeneral]
	VJPRegistration[NodeTypeConvGeneral] = func(y *Node, v []*Node, s shapes.Shape) []*Node {
		if p, ok := y.Graph().State(convKey{y.Id()}).(convParams); ok {
			return convGradient(y, v[0], p)
		}
		return convolution(y, v, s)
	}
	barrier := VJPRegistration[NodeTypeSchedulingBarrier]
	VJPRegistration[NodeTypeSchedulingBarrier] = func(y *Node, v []*Node, s shapes.Shape) []*Node {
		if r, ok := y.Graph().State(ruleKey{y.Id()}).(rule); ok {
			return append([]*Node{nil}, r(v[0])...)
		}
		return barrier(y, v, s)
	}
}
