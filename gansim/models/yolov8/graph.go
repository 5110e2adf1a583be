package yolov8

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Predict runs images [n, h, w, 3] in [0, 1] and gives, for each cell of all heads, its box [n,
// cells, 4] as x0, y0, x1, y1 in pixels and the logits of its classes [n, cells, classes].
func (c Config) Predict(w gansim.Weights, images *Node, norm nn.Normalizer) (boxes, logits *Node) {
	distances, logits := c.Forward(w, images, norm, nn.NoTap)
	d := images.Shape().Dimensions
	return c.decode(distances, cells(c.Strides, d[1], d[2])), logits
}

// Forward runs images [n, h, w, 3] in [0, 1] to the heads' outputs: per cell the logits of the
// distances' bins [n, cells, 4*bins] and of the classes [n, cells, classes].
func (c Config) Forward(w gansim.Weights, images *Node, norm nn.Normalizer, tap gansim.Tap) (
	distances, logits *Node) {
	outs := make([]*Node, len(c.Blocks))
	x := images
	for i, b := range c.Blocks {
		name := fmt.Sprintf("model.%d", i)
		if i > 0 {
			x = outs[c.from(i)[0]]
		}
		switch b.Kind {
		case Conv:
			outs[i] = convUnit(w, name, x, norm, 3, b.Stride)
		case C2f:
			outs[i] = c2f(w, name, x, norm, b)
		case Upsample:
			outs[i] = nn.UpsampleNearest(x, 2)
		case Concat:
			var parts []*Node
			for _, j := range b.From {
				parts = append(parts, outs[j])
			}
			outs[i] = Concatenate(parts, 3)
		case SPPF:
			outs[i] = sppf(w, name, x, norm)
		case Detect:
			return c.detect(w, name, outs, norm, b.From)
		}
		tap(name, b.Kind.String(), outs[i])
	}
	exceptions.Panicf("yolov8: the table has no Detect block")
	return nil, nil
}

func convUnit(w gansim.Weights, name string, x *Node, norm nn.Normalizer, size, stride int) *Node {
	return nn.SiLU(norm.Affine(w, name+".bn", nn.Conv(x, w(name+".conv.weight"), nn.Same(size, stride))))
}

func c2f(w gansim.Weights, name string, x *Node, norm nn.Normalizer, b Block) *Node {
	parts := Split(convUnit(w, name+".cv1", x, norm, 1, 1), 3, 2)
	for j := range b.Repeats {
		m := fmt.Sprintf("%s.m.%d", name, j)
		y := parts[len(parts)-1]
		z := convUnit(w, m+".cv2", convUnit(w, m+".cv1", y, norm, 3, 1), norm, 3, 1)
		if b.Shortcut {
			z = Add(y, z)
		}
		parts = append(parts, z)
	}
	return convUnit(w, name+".cv2", Concatenate(parts, 3), norm, 1, 1)
}

func (c Config) detect(w gansim.Weights, name string, outs []*Node, norm nn.Normalizer,
	from []int) (distances, logits *Node) {
	joined := make([][]*Node, 2)
	for k, b := range c.branches(name) {
		for level, j := range from {
			n := fmt.Sprintf("%s.%d", b.name, level)
			y := convUnit(w, n+".1", convUnit(w, n+".0", outs[j], norm, 3, 1), norm, 3, 1)
			y = nn.Bias(nn.Conv(y, w(n+".2.weight"), nn.ConvOptions{}), w(n+".2.bias"))
			d := y.Shape().Dimensions
			joined[k] = append(joined[k], Reshape(y, d[0], d[1]*d[2], d[3]))
		}
	}
	return Concatenate(joined[0], 1), Concatenate(joined[1], 1)
}

// decode turns distances from the cells' centres [n, cells, 4*bins] into corners in pixels.
func (c Config) decode(d *Node, cells [][3]float64) *Node {
	if c.Bins == 1 {
		d = Softplus(d)
	} else {
		d = expectation(d, c.Bins)
	}
	centres := make([]float64, 0, len(cells)*4)
	signs := make([]float64, 0, len(cells)*4)
	for _, cell := range cells {
		x, y, stride := cell[0], cell[1], cell[2]
		centres = append(centres, x, y, x, y)
		signs = append(signs, -stride, -stride, stride, stride)
	}
	return Add(nn.Constant(d, centres, 1, len(cells), 4),
		Mul(nn.Constant(d, signs, 1, len(cells), 4), d))
}

// expectation turns logits [n, cells, 4*bins] into mean distances [n, cells, 4] (Li et al. 2020).
func expectation(d *Node, bins int) *Node {
	s := d.Shape().Dimensions
	values := make([]float64, bins)
	for i := range values {
		values[i] = float64(i)
	}
	p := Softmax(Reshape(d, s[0], s[1], 4, bins), -1)
	return ReduceSum(Mul(p, nn.Constant(d, values, 1, 1, 1, bins)), -1)
}

func sppf(w gansim.Weights, name string, x *Node, norm nn.Normalizer) *Node {
	pool := nn.PoolOptions{Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, Padding: [2]int{2, 2}}
	parts := []*Node{convUnit(w, name+".cv1", x, norm, 1, 1)}
	for range 3 {
		parts = append(parts, nn.MaxPool2D(parts[len(parts)-1], pool))
	}
	return convUnit(w, name+".cv2", Concatenate(parts, 3), norm, 1, 1)
}

// Cells lists the centre of each cell and its stride, in the order of Predict's rows.
func (c Config) Cells() [][3]float64 { return cells(c.Strides, c.Input, c.Input) }

func cells(strides []int, height, width int) [][3]float64 {
	var all [][3]float64
	for _, s := range strides {
		for y := range height / s {
			for x := range width / s {
				st := float64(s)
				all = append(all, [3]float64{(float64(x) + .5) * st, (float64(y) + .5) * st, st})
			}
		}
	}
	return all
}
