package nn

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// PoolOptions describes a pooling window as PyTorch does.
type PoolOptions struct {
	Kernel         [2]int
	Stride         [2]int // zero means the kernel
	Padding        [2]int // symmetric; counts as -inf for the maximum
	Ceil           bool   // round the output size up; a window must start inside image or left padding
	ExcludePadding bool   // averages: divide by the number of pixels inside the image
}

// Pool is a square window of width k at stride s without padding.
func Pool(k, s int) PoolOptions { return PoolOptions{Kernel: [2]int{k, k}, Stride: [2]int{s, s}} }

// extent gives output length and the high padding that it takes.
func (o PoolOptions) extent(axis, n int) (out, high int) {
	k, s, p := o.Kernel[axis], o.Stride[axis], o.Padding[axis]
	if s == 0 {
		s = k
	}
	out = (n+2*p-k)/s + 1
	if o.Ceil {
		out = (n+2*p-k+s-1)/s + 1
		if (out-1)*s >= n+p {
			out--
		}
	}
	return out, max(0, (out-1)*s+k-n-p)
}

// windows pads x with fill and gives each tap of the pooling window as one strided slice.
func (o PoolOptions) windows(x *Node, fill float64) []*Node {
	d := x.Shape().Dimensions
	height, bottom := o.extent(0, d[1])
	width, right := o.extent(1, d[2])
	if o.Padding != [2]int{} || bottom > 0 || right > 0 {
		x = Pad(x, Scalar(x.Graph(), x.DType(), fill), PadAxis{},
			PadAxis{Start: o.Padding[0], End: bottom}, PadAxis{Start: o.Padding[1], End: right},
			PadAxis{})
	}
	var taken []*Node
	for i := range o.Kernel[0] {
		for j := range o.Kernel[1] {
			taken = append(taken, Slice(x, AxisRange(), every(i, height, o.stride(0)),
				every(j, width, o.stride(1))))
		}
	}
	return taken
}

// every selects count positions from start, stride apart.
func every(start, count, stride int) SliceAxisSpec {
	return AxisRange(start, start+(count-1)*stride+1).Stride(stride)
}

func (o PoolOptions) stride(axis int) int {
	if o.Stride[axis] == 0 {
		return o.Kernel[axis]
	}
	return o.Stride[axis]
}

// MaxPool2D takes the maximum of each window of x [n, h, w, c]. All of the gradient goes to the
// first maximum in row-major order, as in PyTorch.
func MaxPool2D(x *Node, o PoolOptions) *Node {
	taken := o.windows(x, math.Inf(-1))
	y := taken[0]
	for _, t := range taken[1:] {
		y = Where(GreaterThan(t, y), t, y)
	}
	return y
}

// AvgPool2D takes the mean of each window of x [n, h, w, c]. Padding counts as zeros, or not at all
// with ExcludePadding; what Ceil adds beyond the padding never counts.
func AvgPool2D(x *Node, o PoolOptions) *Node {
	taken := o.windows(x, 0)
	y := taken[0]
	for _, t := range taken[1:] {
		y = Add(y, t)
	}
	return Mul(y, o.inverseCounts(x))
}

// inverseCounts is 1/(pixels counted) per window, [1, out height, out width, 1].
func (o PoolOptions) inverseCounts(x *Node) *Node {
	d := x.Shape().Dimensions
	var per [2][]float64
	for axis := range 2 {
		n, p, k := d[axis+1], o.Padding[axis], o.Kernel[axis]
		out, _ := o.extent(axis, n)
		for i := range out {
			lo := i*o.stride(axis) - p
			hi := min(lo+k, n+p)
			if o.ExcludePadding {
				lo, hi = max(lo, 0), min(hi, n)
			}
			per[axis] = append(per[axis], float64(hi-lo))
		}
	}
	table := make([]float64, 0, len(per[0])*len(per[1]))
	for _, a := range per[0] {
		for _, b := range per[1] {
			table = append(table, 1/(a*b))
		}
	}
	return Constant(x, table, 1, len(per[0]), len(per[1]), 1)
}

// AdaptiveAvgPool2D averages x [n, h, w, c] to height x width: output i covers input
// floor(i*n/out) to ceil((i+1)*n/out).
func AdaptiveAvgPool2D(x *Node, height, width int) *Node {
	d := x.Shape().Dimensions
	if d[1] == height && d[2] == width {
		return x
	}
	average := func(n, out int) []float64 {
		m := make([]float64, n*out)
		for i := range out {
			lo, hi := i*n/out, ((i+1)*n+out-1)/out
			for j := lo; j < hi; j++ {
				m[i*n+j] = 1 / float64(hi-lo)
			}
		}
		return m
	}
	return alongAxes(x, average(d[1], height), height, average(d[2], width), width)
}

// GlobalAvgPool averages x [n, h, w, c] over space, to [n, c].
func GlobalAvgPool(x *Node) *Node { return ReduceMean(x, 1, 2) }

// Constant makes a node of x's float type from float64 values.
func Constant(x *Node, values []float64, dims ...int) *Node {
	if x.DType() == dtypes.Float64 {
		return Reshape(Const(x.Graph(), values), dims...)
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return ConvertDType(Reshape(Const(x.Graph(), narrow), dims...), x.DType())
}
