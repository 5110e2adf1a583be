// Package ingraph holds gradient optimisers as graph functions, so that a whole step stays on the
// device. They follow torch.optim: [Rules] lists all of its optimisers that need no more than the
// gradient; [Adam] and [SGD] are short forms of the two that the paper uses.
package ingraph

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Adam are Adam's constants; zero means the default of torch.optim.
type Adam struct {
	Beta1, Beta2 float64 // zero means 0.9 and 0.999; a negative Beta1 means none
	Epsilon      float64 // zero means 1e-8
	Decay        float64 // decoupled weight decay (AdamW); zero means none
}

// Step updates x of any shape by its gradient. m and v are the moments, of x's shape and zero at
// the start; t is the number of this step from 1 and lr the learning rate, both scalars.
func (a Adam) Step(x, m, v, gradient, t, lr *Node) (newX, newM, newV *Node) {
	s := adam(0)
	for _, c := range []struct {
		given float64
		to    *float64
	}{{a.Beta1, &s.Betas[0]}, {a.Beta2, &s.Betas[1]}, {a.Epsilon, &s.Eps}} {
		if c.given != 0 {
			*c.to = max(c.given, 0)
		}
	}
	s.WeightDecay, s.Decoupled = a.Decay, true
	newX, slots := Rule{step: adamStep}.Step(s,
		Update{X: x, Gradient: gradient, Slots: []*Node{m, v}, T: t, LR: lr})
	return newX, slots[0], slots[1]
}

// SGD is one step of plain gradient descent, without momentum.
func SGD(x, gradient, lr *Node) *Node {
	newX, _ := sgd(Settings{}, Update{X: x, Gradient: gradient, Slots: []*Node{nil}, LR: lr})
	return newX
}
