// Package ingraph holds gradient optimisers as graph functions, so that a whole step stays on the
// device. They follow torch.optim: Adam (Kingma & Ba 2015) with bias correction and the epsilon
// outside the root, decoupled weight decay as in AdamW, and plain SGD.
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
	b1, b2, eps := a.constants()
	newM = Add(MulScalar(m, b1), MulScalar(gradient, 1-b1))
	newV = Add(MulScalar(v, b2), MulScalar(Square(gradient), 1-b2))
	one := ScalarOne(x.Graph(), x.DType())
	power := func(b float64) *Node { // 1 - b^t
		if b == 0 {
			return one
		}
		return Sub(one, Pow(Scalar(x.Graph(), x.DType(), b), t))
	}
	root := Div(Sqrt(newV), Sqrt(power(b2)))
	step := Mul(Div(lr, power(b1)), Div(newM, AddScalar(root, eps)))
	if a.Decay != 0 {
		x = Sub(x, Mul(MulScalar(lr, a.Decay), x))
	}
	return Sub(x, step), newM, newV
}

func (a Adam) constants() (b1, b2, eps float64) {
	b1, b2, eps = a.Beta1, a.Beta2, a.Epsilon
	if b1 == 0 {
		b1 = .9
	}
	if b2 == 0 {
		b2 = .999
	}
	if eps == 0 {
		eps = 1e-8
	}
	return max(b1, 0), b2, eps
}

// SGD is one step of plain gradient descent, without momentum.
func SGD(x, gradient, lr *Node) *Node { return Sub(x, Mul(lr, gradient)) }
