package nn

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
)

// LRNOptions describes local response normalisation: x / (K + Alpha*sum)^Beta, where the sum is
// that of the squares of Size neighbouring channels; one more of them lies below when Size is
// even.
type LRNOptions struct {
	Size           int
	Alpha, Beta, K float64
	// Divide divides Alpha by Size, also where the window is cut, as torch and Caffe do. The papers
	// and TensorFlow do not.
	Divide bool
}

// LocalResponseNorm normalises x [n, h, w, c] over channels (Krizhevsky et al. 2012). The sums are
// a product with a band matrix.
func LocalResponseNorm(x *Node, o LRNOptions) *Node {
	d := x.Shape().Dimensions
	alpha := o.Alpha
	if o.Divide {
		alpha /= float64(o.Size)
	}
	band := make([]float64, d[3]*d[3])
	for c := range d[3] {
		for i := max(0, c-o.Size/2); i < min(d[3], c+(o.Size+1)/2); i++ {
			band[i*d[3]+c] = alpha
		}
	}
	sums := Dot(Reshape(Square(x), -1, d[3]), Constant(x, band, d[3], d[3])).Product()
	base := AddScalar(Reshape(sums, d...), o.K)
	return Mul(x, Pow(base, Scalar(x.Graph(), x.DType(), -o.Beta)))
}

// DFL turns x [..., sides*bins] into the expectation of 0..bins-1 under the softmax over the bins
// of each side, [..., sides] (distribution focal loss; Li et al. 2020).
func DFL(x *Node, bins int) *Node {
	d := x.Shape().Dimensions
	values := make([]float64, bins)
	for i := range values {
		values[i] = float64(i)
	}
	y := Dot(Softmax(Reshape(x, -1, bins), 1), Constant(x, values, bins, 1)).Product()
	out := append([]int{}, d...)
	out[len(d)-1] /= bins
	return Reshape(y, out...)
}

// UnitNormalise divides x [..., c] by its length over channels plus eps, as LPIPS does (Zhang et
// al. 2018). A pixel of zeros stays zero and has no gradient through its length.
func UnitNormalise(x *Node, eps float64) *Node {
	squares := ReduceAndKeep(Square(x), ReduceSum, -1)
	empty := LessOrEqual(squares, ZerosLike(squares))
	length := Where(empty, ZerosLike(squares), Sqrt(Where(empty, OnesLike(squares), squares)))
	return Div(x, AddScalar(length, eps))
}

// MSE is the mean squared difference of x and y per item of the batch, [n].
func MSE(x, y *Node) *Node {
	d := Square(Sub(x, y))
	return ReduceMean(Reshape(d, d.Shape().Dimensions[0], -1), 1)
}

// PixelMSE is the mean over pixels and colours of the squared difference of images.
func PixelMSE() gansim.Distance {
	return gansim.Distance{Name: "mse", Graph: func(_ gansim.Weights, images, reference *Node) *Node {
		return MSE(images, reference)
	}}
}
