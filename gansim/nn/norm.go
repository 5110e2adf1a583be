package nn

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
)

// Normalizer is how a network normalises: by the statistics of its checkpoint ([Fixed]), or by
// those of the batch while it is trained ([Batch]).
type Normalizer interface {
	// Affine normalises x [n, h, w, c] as layer name and applies its weight and bias.
	Affine(w gansim.Weights, name string, x *Node) *Node
	// Statistics gives the mean and the inverse standard deviation of layer name, each [c].
	Statistics(w gansim.Weights, name string, x *Node) (mean, inverse *Node)
}

// Fixed normalises by folded statistics.
type Fixed struct{}

// Affine applies NAME.scale and NAME.offset.
func (Fixed) Affine(w gansim.Weights, name string, x *Node) *Node {
	return ScaleOffset(x, w(name+".scale"), w(name+".offset"))
}

// Statistics are NAME.mean and NAME.inverse_std.
func (Fixed) Statistics(w gansim.Weights, name string, _ *Node) (mean, inverse *Node) {
	return w(name + ".mean"), w(name + ".inverse_std")
}

// Batch normalises by the moments of the batch and remembers them for the running statistics.
type Batch struct {
	Eps         float64
	Names       []string // layers, in order of execution
	Means, Vars []*Node  // [c] each; variances are biased
}

// Affine normalises by the batch and applies NAME.weight and NAME.bias.
func (b *Batch) Affine(w gansim.Weights, name string, x *Node) *Node {
	mean, inverse := b.Statistics(w, name, x)
	scale := Mul(inverse, w(name+".weight"))
	return ScaleOffset(x, scale, Sub(w(name+".bias"), Mul(mean, scale)))
}

// Statistics are those of the batch.
func (b *Batch) Statistics(_ gansim.Weights, name string, x *Node) (mean, inverse *Node) {
	mean, variance := Moments(x)
	b.Names = append(b.Names, name)
	b.Means, b.Vars = append(b.Means, mean), append(b.Vars, variance)
	return mean, Inverse(Sqrt(AddScalar(variance, b.Eps)))
}
