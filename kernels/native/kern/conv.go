package kern

import "fmt"

// Geometry is the shape of a convolution: input [N, H, W, C], kernel [KH, KW, C/Groups, O], output
// [N, OutH, OutW, O].
type Geometry struct {
	N, H, W, C    int
	KH, KW, O     int
	Stride        [2]int    // step of the window over the padded input; at least 1
	Dilation      [2]int    // distance between the kernel's taps; at least 1
	InputDilation [2]int    // distance between input pixels, with zeros between; at least 1
	Padding       [2][2]int // zeros above, below; left, right of the dilated input; negative crops
	Groups        int       // divides C and O; at least 1
}

// Out is the height and width of the output.
func (g Geometry) Out() (h, w int) {
	out := func(size, kernel, axis int) int {
		padded := (size-1)*g.InputDilation[axis] + 1
		if size == 0 {
			padded = 0
		}
		padded += g.Padding[axis][0] + g.Padding[axis][1]
		span := (kernel-1)*g.Dilation[axis] + 1
		if padded < span {
			return 0
		}
		return (padded-span)/g.Stride[axis] + 1
	}
	return out(g.H, g.KH, 0), out(g.W, g.KW, 1)
}

func (g Geometry) check() error {
	for _, v := range []int{g.N, g.H, g.W, g.C, g.O} {
		if v < 0 {
			return fmt.Errorf("negative size in %+v", g)
		}
	}
	for _, v := range []int{g.KH, g.KW, g.Stride[0], g.Stride[1], g.Dilation[0], g.Dilation[1],
		g.InputDilation[0], g.InputDilation[1], g.Groups} {
		if v < 1 {
			return fmt.Errorf("kernel, stride, dilation or groups below 1 in %+v", g)
		}
	}
	if g.C%g.Groups != 0 || g.O%g.Groups != 0 {
		return fmt.Errorf("%d groups do not divide %d and %d channels", g.Groups, g.C, g.O)
	}
	return nil
}

// Conv writes the convolution of x with w to y, as XLA counts it: the kernel is not flipped. It
// panics if the geometry makes no sense or a slice is not of its length. y must not overlap x or w.
func Conv[T float32 | float64](y, x, w []T, g Geometry) {
	if err := g.check(); err != nil {
		panic("kern: Conv: " + err.Error())
	}
	outH, outW := g.Out()
	checkLen("Conv", "y", len(y), g.N*outH*outW*g.O)
	checkLen("Conv", "x", len(x), g.N*g.H*g.W*g.C)
	checkLen("Conv", "w", len(w), g.KH*g.KW*g.C/g.Groups*g.O)
	if len(x) == 0 || len(y) == 0 {
		clear(y)
		return
	}
	if g.Groups > 1 && g.Groups == g.C && g.Groups == g.O {
		depthwise(y, x, w, g)
		return
	}
	if g.pointwise() && g.O > dotCols {
		MatMul(y, x, w, 1, g.N*g.H*g.W, g.O, g.C, false, false)
		return
	}
	each := Each
	if g.Groups > 1 {
		each = serial
	}
	h, v := g.axes()
	for _, rows := range h.phases() {
		for _, cols := range v.phases() {
			part := func(group int) {
				q, cuts := newPatches(g, x, w, rows, cols, group)
				if d := newDirect(q, y); d != nil {
					d.run()
					return
				}
				q.product(y, cuts).run(each)
			}
			if g.Groups > 1 {
				Each(g.Groups, part)
			} else {
				part(0)
			}
		}
	}
}

// pointwise reports whether the convolution is a product of matrices as they lie in memory.
func (g Geometry) pointwise() bool {
	one := [2]int{1, 1}
	return g.KH == 1 && g.KW == 1 && g.Groups == 1 && g.Stride == one && g.InputDilation == one &&
		g.Padding == [2][2]int{}
}
