// Package train trains the miniature world's networks and writes them as checkpoints under the
// published tensor names. Every step is one compiled graph; data and noise are drawn on the host
// from the seed and the step's number, so that a resumed run continues exactly.
package train

import (
	"math"
	"math/rand/v2"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/nn"
)

// entry is one tensor within a flat vector.
type entry struct {
	name      string
	shape     []int // ours
	layer     nn.Layer
	published []int
}

// layout packs named tensors into one flat vector: an optimiser then has one state tensor a moment.
type layout []entry

// trainable lists the trainable tensors of a table in our layout.
func trainable(t nn.Table) layout {
	var l layout
	for _, layer := range t {
		for _, p := range layer.Published() {
			if !p.Trainable {
				continue
			}
			shape, _ := layer.Import(p.Name, p.Shape, make([]float32, count(p.Shape)))
			l = append(l, entry{p.Name, shape, layer, p.Shape})
		}
	}
	return l
}

// statistics lists the running means and variances of a table's norms.
func statistics(t nn.Table) layout {
	var l layout
	for _, layer := range t {
		if layer.Kind == nn.Norm {
			shape := []int{layer.Out}
			l = append(l, entry{layer.Name + ".running_mean", shape, layer, shape},
				entry{layer.Name + ".running_var", shape, layer, shape})
		}
	}
	return l
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func (l layout) size() int {
	n := 0
	for _, e := range l {
		n += count(e.shape)
	}
	return n
}

// leaves cuts a flat vector [size] into its tensors.
func (l layout) leaves(flat *Node) []*Node {
	var nodes []*Node
	at := 0
	for _, e := range l {
		n := count(e.shape)
		nodes = append(nodes, Reshape(Slice(flat, AxisRange(at, at+n)), e.shape...))
		at += n
	}
	return nodes
}

// view looks leaves up by name.
func (l layout) view(leaves []*Node) gansim.Weights {
	names := make([]string, len(l))
	for i, e := range l {
		names[i] = e.name
	}
	return graphx.View(names, leaves)
}

// flatten is the inverse of leaves.
func flatten(nodes []*Node) *Node {
	flat := make([]*Node, len(nodes))
	for i, n := range nodes {
		flat[i] = Reshape(n, -1)
	}
	return Concatenate(flat, 0)
}

// values cuts a flat vector on the host.
func (l layout) values(flat []float32, fn func(e entry, v []float32)) {
	for _, e := range l {
		n := count(e.shape)
		fn(e, flat[:n])
		flat = flat[n:]
	}
}

// initialise fills a flat vector: kernels and matrices by rule, norms' weights 1, the rest 0.
func (l layout) initialise(rng *rand.Rand, rule func(e entry, v []float32, rng *rand.Rand)) []float32 {
	flat := make([]float32, l.size())
	l.values(flat, func(e entry, v []float32) {
		switch {
		case strings.HasSuffix(e.name, ".running_var"),
			strings.HasSuffix(e.name, ".weight") && isNorm(e.layer.Kind):
			for i := range v {
				v[i] = 1
			}
		case strings.HasSuffix(e.name, ".weight"):
			rule(e, v, rng)
		}
	})
	return flat
}

func isNorm(k nn.Kind) bool { return k == nn.Norm || k == nn.RowNormAffine }

// fanIn is the number of inputs that meet in one output; overlapping kernels of a stride-2
// transposed convolution share them.
func (e entry) fanIn() float64 {
	switch e.layer.Kind {
	case nn.TransposedKernel:
		k := e.layer.Size[0]
		if k%2 == 0 {
			k /= 2
		}
		return float64(e.layer.In * k * k)
	case nn.Kernel:
		return float64(e.layer.In * e.layer.Size[0] * e.layer.Size[1])
	}
	return float64(e.layer.In)
}

// heNormal is He et al.'s (2015) initialisation for rectifiers of the given negative slope.
func heNormal(slope float64) func(e entry, v []float32, rng *rand.Rand) {
	return func(e entry, v []float32, rng *rand.Rand) {
		std := math.Sqrt(2 / (1 + slope*slope) / e.fanIn())
		for i := range v {
			v[i] = float32(std * rng.NormFloat64())
		}
	}
}

// orthogonal fills a matrix [rows, columns] (columns = the last axis) with orthonormal rows or
// columns, whichever are fewer (Saxe et al. 2014), by Gram-Schmidt on normal vectors.
func orthogonal(e entry, v []float32, rng *rand.Rand) {
	columns := e.shape[len(e.shape)-1]
	rows := len(v) / columns
	n, d := min(rows, columns), max(rows, columns)
	basis := make([][]float64, n)
	for i := range basis {
		basis[i] = make([]float64, d)
		for j := range basis[i] {
			basis[i][j] = rng.NormFloat64()
		}
		for range 2 { // twice is enough
			for _, b := range basis[:i] {
				project(basis[i], b)
			}
		}
		normalise(basis[i])
	}
	for r := range rows {
		for c := range columns {
			if rows <= columns {
				v[r*columns+c] = float32(basis[r][c])
			} else {
				v[r*columns+c] = float32(basis[c][r])
			}
		}
	}
}

// project takes the part along the unit vector b away from a.
func project(a, b []float64) {
	dot := 0.0
	for i := range a {
		dot += a[i] * b[i]
	}
	for i := range a {
		a[i] -= dot * b[i]
	}
}

func normalise(a []float64) {
	sum := 0.0
	for _, x := range a {
		sum += x * x
	}
	for i := range a {
		a[i] /= math.Sqrt(sum)
	}
}
