package ingraph

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Rule is one of torch.optim's optimisers (torch 2.15, the functions _single_tensor_* of
// torch/optim).
type Rule struct {
	Defaults Settings
	// Slots gives the values that the state tensors, each of the shape of what is optimised, start
	// with.
	Slots func(s Settings) []float64
	step  func(s Settings, u Update) (x *Node, slots []*Node)
}

// Update is what a step reads.
type Update struct {
	X, Gradient *Node   // of one shape
	Slots       []*Node // state, each of X's shape
	T           *Node   // number of this step from 1, a scalar
	LR          *Node   // learning rate, a scalar or of X's shape
}

// Step is one step: the new x and the new state.
func (r Rule) Step(s Settings, u Update) (x *Node, slots []*Node) {
	if s.Maximize {
		u.Gradient = Neg(u.Gradient)
	}
	if s.WeightDecay != 0 && s.Decoupled {
		u.X = Sub(u.X, Mul(MulScalar(u.LR, s.WeightDecay), u.X))
	} else if s.WeightDecay != 0 {
		u.Gradient = Add(u.Gradient, MulScalar(u.X, s.WeightDecay))
	}
	return r.step(s, u)
}

// mean is a running mean of x that keeps beta of the old one.
func mean(old, x *Node, beta float64) *Node {
	return Add(MulScalar(old, beta), MulScalar(x, 1-beta))
}

// correction is 1 - beta^t, the share of a running mean that steps have filled.
func (u Update) correction(beta float64) *Node {
	one := ScalarOne(u.X.Graph(), u.X.DType())
	if beta == 0 {
		return one
	}
	return Sub(one, u.power(beta, u.T))
}

func (u Update) power(base float64, exponent *Node) *Node {
	return Pow(Scalar(u.X.Graph(), u.X.DType(), base), exponent)
}

// moments are the running means of the gradient and of its square.
func (u Update) moments(s Settings) (m, v *Node) {
	return mean(u.Slots[0], u.Gradient, s.Betas[0]), mean(u.Slots[1], Square(u.Gradient), s.Betas[1])
}

// sgd is gradient descent with momentum (Sutskever et al. 2013). The first step has no past.
func sgd(s Settings, u Update) (*Node, []*Node) {
	g, buffer := u.Gradient, u.Slots[0]
	if s.Momentum != 0 {
		later := Add(MulScalar(buffer, s.Momentum), MulScalar(g, 1-s.Dampening))
		first := BroadcastToShape(Equal(u.T, OnesLike(u.T)), g.Shape())
		buffer = Where(first, g, later)
		if s.Nesterov {
			g = Add(g, MulScalar(buffer, s.Momentum))
		} else {
			g = buffer
		}
	}
	return Sub(u.X, Mul(u.LR, g)), []*Node{buffer}
}

// adamStep is Adam (Kingma & Ba 2015), with the epsilon outside the root; its third slot holds the
// largest second moment (Reddi et al. 2018).
func adamStep(s Settings, u Update) (*Node, []*Node) {
	m, v := u.moments(s)
	largest := v
	if s.AMSGrad {
		largest = Max(u.Slots[2], v)
	}
	root := Div(Sqrt(largest), Sqrt(u.correction(s.Betas[1])))
	step := Mul(Div(u.LR, u.correction(s.Betas[0])), Div(m, AddScalar(root, s.Eps)))
	return Sub(u.X, step), []*Node{m, v, largest}
}

// adamax is Adam with the largest gradient for the root of the second moment.
func adamax(s Settings, u Update) (*Node, []*Node) {
	m := mean(u.Slots[0], u.Gradient, s.Betas[0])
	largest := Max(MulScalar(u.Slots[1], s.Betas[1]), AddScalar(Abs(u.Gradient), s.Eps))
	step := Mul(Div(u.LR, u.correction(s.Betas[0])), Div(m, largest))
	return Sub(u.X, step), []*Node{m, largest}
}

// nadamStep is Adam with Nesterov momentum (Dozat 2016); its third slot is the product of the
// momenta so far, which torch keeps in float32 whatever the rest is in.
func nadamStep(s Settings, u Update) (*Node, []*Node) {
	m, v := u.moments(s)
	momentum := func(t *Node) *Node {
		return MulScalar(OneMinus(MulScalar(u.power(.96, MulScalar(t, s.MomentumFade)), .5)), s.Betas[0])
	}
	now, next := momentum(u.T), momentum(AddScalar(u.T, 1))
	single := func(x *Node) *Node { return ConvertDType(x, dtypes.Float32) }
	product := ConvertDType(Mul(single(u.Slots[2]), single(now)), u.X.DType())
	root := AddScalar(Sqrt(Div(v, u.correction(s.Betas[1]))), s.Eps)
	part := func(x, share, filled *Node) *Node {
		return Mul(Mul(u.LR, Div(share, OneMinus(filled))), Div(x, root))
	}
	x := Sub(u.X, part(u.Gradient, OneMinus(now), product))
	return Sub(x, part(m, next, Mul(product, next))), []*Node{m, v, product}
}

// radam is Adam that leaves the second moment out while it is too uncertain (Liu et al. 2020).
func radam(s Settings, u Update) (*Node, []*Node) {
	m, v := u.moments(s)
	b := s.Betas[1]
	filled, most := u.correction(b), 2/(1-b)-1
	length := AddScalar(Neg(Div(MulScalar(Mul(u.T, u.power(b, u.T)), 2), filled)), most)
	sure := GreaterThan(length, Scalar(length.Graph(), length.DType(), 5))
	safe := Where(sure, length, Scalar(length.Graph(), length.DType(), 6)) // a root of no negative
	ratio := Div(Mul(AddScalar(safe, -4), AddScalar(safe, -2)), safe)
	rectify := Sqrt(MulScalar(ratio, most/((most-4)*(most-2))))
	adaptive := Div(Mul(rectify, Sqrt(filled)), AddScalar(Sqrt(v), s.Eps))
	step := Where(BroadcastToShape(sure, adaptive.Shape()), adaptive, OnesLike(adaptive))
	step = Mul(step, Div(m, u.correction(s.Betas[0])))
	return Sub(u.X, Mul(u.LR, step)), []*Node{m, v}
}

// rmsprop divides by the root of a running mean of squares (Tieleman & Hinton 2012; centred: Graves
// 2013). Slots: squares, gradients, momentum.
func rmsprop(s Settings, u Update) (*Node, []*Node) {
	g, gradients, buffer := u.Gradient, u.Slots[1], u.Slots[2]
	squares := mean(u.Slots[0], Square(g), s.Alpha)
	variance := squares
	if s.Centered {
		gradients = mean(gradients, g, s.Alpha)
		variance = Sub(squares, Square(gradients))
	}
	step := Div(g, AddScalar(Sqrt(variance), s.Eps))
	if s.Momentum != 0 {
		buffer = Add(MulScalar(buffer, s.Momentum), step)
		step = buffer
	}
	return Sub(u.X, Mul(u.LR, step)), []*Node{squares, gradients, buffer}
}

// adagrad divides by the root of the sum of squares (Duchi et al. 2011).
func adagrad(s Settings, u Update) (*Node, []*Node) {
	sum := Add(u.Slots[0], Square(u.Gradient))
	rate := Div(u.LR, AddScalar(MulScalar(AddScalar(u.T, -1), s.LRDecay), 1))
	return Sub(u.X, Mul(rate, Div(u.Gradient, AddScalar(Sqrt(sum), s.Eps)))), []*Node{sum}
}

// adadelta scales by the ratio of running root mean squares of steps and gradients (Zeiler 2012).
func adadelta(s Settings, u Update) (*Node, []*Node) {
	root := func(x *Node) *Node { return Sqrt(AddScalar(x, s.Eps)) }
	squares := mean(u.Slots[0], Square(u.Gradient), s.Rho)
	step := Mul(Div(root(u.Slots[1]), root(squares)), u.Gradient)
	return Sub(u.X, Mul(u.LR, step)), []*Node{squares, mean(u.Slots[1], Square(step), s.Rho)}
}

// rprop steps by the gradient's sign (Riedmiller & Braun 1993, without weight backtracking). Slots:
// the last gradient, 0 after a turn, and the step sizes.
func rprop(s Settings, u Update) (*Node, []*Node) {
	g := u.Gradient
	zero := ZerosLike(g)
	agreement := Mul(g, u.Slots[0])
	turned := LessThan(agreement, zero)
	factor := Where(GreaterThan(agreement, zero), AddScalar(zero, s.Etas[1]), OnesLike(g))
	factor = Where(turned, AddScalar(zero, s.Etas[0]), factor)
	size := ClipScalar(Mul(u.Slots[1], factor), s.StepSizes[0], s.StepSizes[1])
	g = Where(turned, zero, g)
	return Sub(u.X, Mul(Sign(g), size)), []*Node{g, size}
}
