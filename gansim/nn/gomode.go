package nn

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The pure Go backend broadcasts, reduces and scatters element by element through an iterator, five
// to ten times slower than it adds arrays of one shape or multiplies matrices. These forms of the
// layers avoid that; each is the same function as its namesake.

// spread repeats v [c] or [n, c] over the pixels of a map of shape [n, h, w, c], by a product with
// ones.
func spread(v *Node, dims []int) *Node {
	pixels := dims[1] * dims[2]
	if v.Rank() == 2 && v.Shape().Dimensions[0] == dims[0] {
		ones := Ones(v.Graph(), shapes.Make(v.DType(), dims[0], pixels, 1))
		y := DotGeneral(ones, []int{2}, []int{0}, ExpandAxes(v, 1), []int{1}, []int{0})
		return Reshape(y, dims...)
	}
	ones := Ones(v.Graph(), shapes.Make(v.DType(), dims[0]*pixels, 1))
	return Reshape(Dot(ones, Reshape(v, 1, -1)).Product(), dims...)
}

// gather is the adjoint of spread: the sums of v [n, h, w, c] over pixels, to the shape of like.
func gather(v, like *Node) *Node {
	d := v.Shape().Dimensions
	if like.Rank() == 2 && like.Shape().Dimensions[0] == d[0] {
		ones := Ones(v.Graph(), shapes.Make(v.DType(), d[0], 1, d[1]*d[2]))
		rows := Reshape(v, d[0], d[1]*d[2], d[3])
		return Reshape(DotGeneral(ones, []int{2}, []int{0}, rows, []int{1}, []int{0}),
			like.Shape().Dimensions...)
	}
	ones := Ones(v.Graph(), shapes.Make(v.DType(), 1, d[0]*d[1]*d[2]))
	return Reshape(Dot(ones, Reshape(v, -1, d[3])).Product(), like.Shape().Dimensions...)
}

func goBias(x, b *Node) *Node {
	return withGradient(Add(x, spread(b, x.Shape().Dimensions)), func(v *Node) []*Node {
		return []*Node{v, gather(v, b)}
	}, x, b)
}

func goScaleOffset(x, scale, offset *Node) *Node {
	wide := spread(scale, x.Shape().Dimensions)
	y := Add(Mul(x, wide), spread(offset, x.Shape().Dimensions))
	return withGradient(y, func(v *Node) []*Node {
		return []*Node{Mul(v, wide), gather(Mul(v, x), scale), gather(v, offset)}
	}, x, scale, offset)
}

// goRectify is x where it is positive and slope*x elsewhere.
func goRectify(x *Node, slope float64) *Node {
	positive := GreaterThan(x, ScalarZero(x.Graph(), x.DType()))
	weak := func(v *Node) *Node {
		if slope == 0 {
			return ScalarZero(x.Graph(), x.DType())
		}
		return MulScalar(v, slope)
	}
	return withGradient(Where(positive, x, weak(x)), func(v *Node) []*Node {
		return []*Node{Where(positive, v, weak(v))}
	}, x)
}

// interleave joins tiles[i][j] [n, h, w, c] to [n, h*rows, w*columns, c], tile (i, j) giving the
// pixels i, i+rows, ... and j, j+columns, ...
func interleave(tiles [][]*Node) *Node {
	d := tiles[0][0].Shape().Dimensions
	rows := make([]*Node, len(tiles))
	for i, row := range tiles {
		columns := make([]*Node, len(row))
		for j, tile := range row {
			columns[j] = Reshape(tile, d[0], d[1], d[2], 1, d[3])
		}
		rows[i] = Reshape(join(columns, 3), d[0], d[1], 1, d[2]*len(row)*d[3])
	}
	return Reshape(join(rows, 2), d[0], d[1]*len(tiles), d[2]*len(tiles[0]), d[3])
}

// goUpsample repeats pixels by joining copies.
func goUpsample(x *Node, factor int) *Node {
	tiles := make([][]*Node, factor)
	for i := range tiles {
		tiles[i] = make([]*Node, factor)
		for j := range tiles[i] {
			tiles[i][j] = x
		}
	}
	return withGradient(interleave(tiles), func(v *Node) []*Node {
		taken := PoolOptions{Kernel: [2]int{factor, factor}}.windows(v, 0)
		sum := taken[0]
		for _, t := range taken[1:] {
			sum = Add(sum, t)
		}
		return []*Node{sum}
	}, x)
}

// goMaxPool is a maximum over windows that do not overlap and leave no pixel out.
func goMaxPool(x *Node, o PoolOptions) *Node {
	taken := o.windows(x, 0)
	y := taken[0]
	for _, t := range taken[1:] {
		y = Max(y, t)
	}
	return withGradient(y, func(v *Node) []*Node {
		zero := ScalarZero(v.Graph(), v.DType())
		tiles := make([][]*Node, o.Kernel[0])
		for i, t := range taken {
			// The first maximum takes what is left of v; the others find nothing.
			at := Equal(t, y)
			row := i / o.Kernel[1]
			tiles[row] = append(tiles[row], Where(at, v, zero))
			v = Where(at, zero, v)
		}
		return []*Node{interleave(tiles)}
	}, x)
}
