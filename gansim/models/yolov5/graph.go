package yolov5

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Predict runs images [n, h, w, 3] in [0, 1] and gives, for each anchor of all cells, its box [n,
// anchors, 4] as x0, y0, x1, y1 in pixels, the probability that there is an object [n, anchors, 1],
// and those of the classes if so [n, anchors, classes]. A detection's confidence is their product.
func (c Config) Predict(w gansim.Weights, images *Node) (boxes, objectness, classes *Node) {
	p := Sigmoid(c.Forward(w, images, nn.NoTap))
	part := func(from, to int) *Node { return Slice(p, AxisRange(), AxisRange(), AxisRange(from, to)) }
	d := images.Shape().Dimensions
	return c.decode(part(0, 4), d[1], d[2]), part(4, 5), part(5, 5+len(c.Classes))
}

// Forward runs images [n, h, w, 3] in [0, 1] to the heads' outputs before the sigmoid, [n, anchors,
// 5+classes]: x, y, width, height, objectness, classes. Within a level the anchors' shapes come
// first, then rows, then columns.
func (c Config) Forward(w gansim.Weights, images *Node, tap gansim.Tap) *Node {
	outs := make([]*Node, len(c.Blocks))
	x := images
	for i, b := range c.Blocks {
		name := fmt.Sprintf("model.%d", i)
		if i > 0 {
			x = outs[c.from(i)[0]]
		}
		switch b.Kind {
		case Conv:
			outs[i] = convUnit(w, name, x, nn.ConvOptions{Stride: [2]int{b.Stride, b.Stride},
				Padding: [2][2]int{{b.Padding, b.Padding}, {b.Padding, b.Padding}}})
		case C3:
			outs[i] = c3(w, name, x, b)
		case SPPF:
			outs[i] = sppf(w, name, x)
		case Upsample:
			outs[i] = nn.UpsampleNearest(x, 2)
		case Concat:
			var parts []*Node
			for _, j := range b.From {
				parts = append(parts, outs[j])
			}
			outs[i] = Concatenate(parts, 3)
		case Detect:
			return c.detect(w, name, outs, b.From)
		}
		tap(name, b.Kind.String(), outs[i])
	}
	exceptions.Panicf("yolov5: the table has no Detect block")
	return nil
}

func convUnit(w gansim.Weights, name string, x *Node, o nn.ConvOptions) *Node {
	return nn.SiLU(nn.Fixed{}.Affine(w, name+".bn", nn.Conv(x, w(name+".conv.weight"), o)))
}

func c3(w gansim.Weights, name string, x *Node, b Block) *Node {
	y := convUnit(w, name+".cv1", x, nn.Same(1, 1))
	for j := range b.Repeats {
		m := fmt.Sprintf("%s.m.%d", name, j)
		z := convUnit(w, m+".cv2", convUnit(w, m+".cv1", y, nn.Same(1, 1)), nn.Same(3, 1))
		if b.Shortcut {
			z = Add(y, z)
		}
		y = z
	}
	side := convUnit(w, name+".cv2", x, nn.Same(1, 1))
	return convUnit(w, name+".cv3", Concatenate([]*Node{y, side}, 3), nn.Same(1, 1))
}

func sppf(w gansim.Weights, name string, x *Node) *Node {
	pool := nn.PoolOptions{Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, Padding: [2]int{2, 2}}
	parts := []*Node{convUnit(w, name+".cv1", x, nn.Same(1, 1))}
	for range 3 {
		parts = append(parts, nn.MaxPool2D(parts[len(parts)-1], pool))
	}
	return convUnit(w, name+".cv2", Concatenate(parts, 3), nn.Same(1, 1))
}

func (c Config) detect(w gansim.Weights, name string, outs []*Node, from []int) *Node {
	var levels []*Node
	for level, j := range from {
		m := fmt.Sprintf("%s.m.%d", name, level)
		y := nn.Bias(nn.Conv(outs[j], w(m+".weight"), nn.ConvOptions{}), w(m+".bias"))
		d := y.Shape().Dimensions
		shapes, values := len(c.Heads[level].Anchors), 5+len(c.Classes)
		y = Transpose(Reshape(y, d[0], d[1]*d[2], shapes, values), 1, 2) // [n, shapes, cells, values]
		levels = append(levels, Reshape(y, d[0], shapes*d[1]*d[2], values))
	}
	return Concatenate(levels, 1)
}

// decode turns sigmoids [n, anchors, 4] for images of height x width into corners in pixels: centre
// (2p - 0.5 + cell)*stride, size (2p)^2*anchor (models/yolo.py, Detect).
func (c Config) decode(p *Node, height, width int) *Node {
	var corner, stride, size []float64
	for _, h := range c.Heads {
		st := float64(h.Stride)
		for _, a := range h.Anchors {
			for y := range height / h.Stride {
				for x := range width / h.Stride {
					corner = append(corner, (float64(x)-.5)*st, (float64(y)-.5)*st)
					stride = append(stride, 2*st, 2*st)
					size = append(size, 2*a[0], 2*a[1])
				}
			}
		}
	}
	table := func(v []float64) *Node { return nn.Constant(p, v, 1, len(v)/2, 2) }
	half := func(from int) *Node { return Slice(p, AxisRange(), AxisRange(), AxisRange(from, from+2)) }
	centre := Add(Mul(half(0), table(stride)), table(corner))
	reach := Mul(Square(half(2)), table(size)) // half of width and height
	return Concatenate([]*Node{Sub(centre, reach), Add(centre, reach)}, 2)
}
