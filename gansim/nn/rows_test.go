package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/kernels"
)

// TestRows compares the two forms of a strided convolution and of its gradient at the kernel: by
// rows of the kernel, and by whole patches, which package parity compares with PyTorch.
func TestRows(t *testing.T) {
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	one := [2]int{1, 1}
	for _, c := range []struct {
		name   string
		image  [2]int
		kernel [2]int
		win    window
	}{
		{"k1", [2]int{4, 5}, one, window{stride: one}},
		{"k1 s2", [2]int{7, 8}, one, window{stride: [2]int{2, 2}}},
		{"k3 p1", [2]int{6, 7}, [2]int{3, 3},
			window{stride: one, padding: [2][2]int{{1, 1}, {1, 1}}}},
		{"k3 s2 p1", [2]int{9, 8}, [2]int{3, 3},
			window{stride: [2]int{2, 2}, padding: [2][2]int{{1, 1}, {1, 1}}}},
		{"k4 s2 p1", [2]int{8, 8}, [2]int{4, 4},
			window{stride: [2]int{2, 2}, padding: [2][2]int{{1, 1}, {1, 1}}}},
		{"k2 s3", [2]int{9, 8}, [2]int{2, 2}, window{stride: [2]int{3, 3}}},
		{"k1x7", [2]int{5, 9}, [2]int{1, 7},
			window{stride: one, padding: [2][2]int{{0, 0}, {3, 3}}}},
		{"four paddings", [2]int{6, 5}, [2]int{3, 2},
			window{stride: [2]int{2, 1}, padding: [2][2]int{{2, 0}, {1, 3}}}},
		{"cropped", [2]int{8, 9}, [2]int{3, 3},
			window{stride: one, padding: [2][2]int{{-1, 0}, {1, -2}}}},
		{"dilated", [2]int{10, 9}, [2]int{3, 3}, window{stride: [2]int{2, 2},
			padding: [2][2]int{{1, 1}, {1, 1}}, kernelDilation: [2]int{2, 2}}},
		{"image under kernel", [2]int{2, 3}, [2]int{7, 7},
			window{stride: one, padding: [2][2]int{{3, 3}, {3, 3}}}},
		{"k11 s4", [2]int{24, 30}, [2]int{11, 11},
			window{stride: [2]int{4, 4}, padding: [2][2]int{{2, 2}, {2, 2}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.win.inputDilation, c.win.kernelDilation = one, ones(c.win.kernelDilation)
			x := noise(2, c.image[0], c.image[1], 3)
			w := noise(c.kernel[0], c.kernel[1], 3, 4)
			outs, err := MustNewExec(backend, func(x, w *Node) []*Node {
				k := w.Shape().Dimensions
				columns := patches(x, k, c.win)
				y := product(columns, taps{w: w}, nil)
				dw := crossProduct(y, columns, []int{k[0], k[1], k[3], k[2]})
				return []*Node{y, convTiles(x, taps{w: w}, c.win),
					TransposeAllAxes(dw, 0, 1, 3, 2), rowsGradient(x, y, k, c.win)}
			}).Call(x, w)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(outs); i += 2 {
				if got := distance(outs[i+1], outs[i]); got > 1e-14 {
					t.Errorf("result %d differs by %.2g, want at most 1e-14", i/2, got)
				}
			}
		})
	}
}

func noise(dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(1, uint64(len(dims))))
	values := make([]float64, size(dims))
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// distance is |got - want| / |want|.
func distance(got, want *tensors.Tensor) float64 {
	if !got.Shape().Equal(want.Shape()) {
		return math.Inf(1)
	}
	g, w := tensors.MustCopyFlatData[float64](got), tensors.MustCopyFlatData[float64](want)
	above, below := 0., 0.
	for i := range g {
		above += (g[i] - w[i]) * (g[i] - w[i])
		below += w[i] * w[i]
	}
	return math.Sqrt(above / below)
}
