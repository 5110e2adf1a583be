package actmax

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// The kinds of placement.
const (
	// Full shows the image as large as the network's input.
	Full = "full"
	// RF shows it in the receptive field, on grey of the size of the network's input.
	RF = "rf"
	// RFPaper is what the original scripts of the evolutions do: the box, in pixels of the network's
	// input, is laid on grey of the image's own size, and its corner (X, Y) is read as row and
	// column. So the image is smaller than the field and off towards the top left; the authors call
	// it an error in a comment (BigGAN_Evol_cmp_O2_cluster.py).
	RFPaper = "rf-paper"
)

// grey is the canvas around an image.
const grey = 0.5

// Placement says where an image lies when a network sees it.
type Placement struct {
	Kind  string // Full, RF or RFPaper; empty means Full
	Box   Box    // receptive field, pixels of the network's input; Full needs none
	Input int    // height and width of that input; Full needs none
}

// Placements lists the kinds.
func Placements() []string { return []string{Full, RF, RFPaper} }

// check refuses an unknown kind and a box outside of the input.
func (p Placement) check() error {
	switch p.Kind {
	case "", Full:
		return nil
	case RF, RFPaper:
	default:
		return fmt.Errorf("actmax: no placement %q, want %s, %s or %s", p.Kind, Full, RF, RFPaper)
	}
	w, h := p.Box.Size()
	if w <= 0 || h <= 0 || min(p.Box.X[0], p.Box.Y[0]) < 0 || max(p.Box.X[1], p.Box.Y[1]) > p.Input {
		return fmt.Errorf("actmax: box %v outside of an input of %d pixels", p.Box, p.Input)
	}
	return nil
}

// Apply is a graph function: images [n, h, w, 3] to what the network is shown.
func (p Placement) Apply(images *Node) *Node {
	d := images.Shape().Dimensions
	switch p.Kind {
	case RF:
		return place(images, p.Box, p.Input, p.Input)
	case RFPaper:
		return place(images, p.Box.turned(), d[1], d[2])
	}
	return images
}

// turned reads a box's (X, Y) as (row, column).
func (b Box) turned() Box { return Box{X: b.Y, Y: b.X} }

// place resizes images to the box (bilinear, corners kept) on grey.
func place(images *Node, b Box, height, width int) *Node {
	w, h := b.Size()
	x := AddScalar(nn.ResizeBilinear(images, h, w, true), -grey)
	x = Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{}, PadAxis{Start: b.Y[0], End: height - b.Y[1]},
		PadAxis{Start: b.X[0], End: width - b.X[1]}, PadAxis{})
	return AddScalar(x, grey)
}

// Scorer is the network shown placed images. A box outside of the input, and an unknown kind, are
// errors.
func (p Placement) Scorer(s gansim.Scorer) (gansim.Scorer, error) {
	if err := p.check(); err != nil || p.Kind == "" || p.Kind == Full {
		return s, err
	}
	return placed{s, p}, nil
}

type placed struct {
	gansim.Scorer
	placement Placement
}

func (s placed) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return s.Scorer.Activations(w, s.placement.Apply(images), layer)
}

// matrices are the same placement as run-time inputs of a program: placed = grey + rows (images -
// grey) columns', with rows and columns [input, size], for images of size pixels and a network's
// input of that many. What the network's own preprocessing does to the canvas is in them, since it
// normalises each colour by itself; so one program serves all kinds.
func (p Placement) matrices(size, input int) (rows, columns []float64) {
	axis := func(side [2]int, canvas int) []float64 {
		small := nn.Corners.Matrix(size, side[1]-side[0])
		m := make([]float64, canvas*size)
		copy(m[side[0]*size:], small)
		return m
	}
	switch p.Kind {
	case RF:
		return axis(p.Box.Y, input), axis(p.Box.X, input)
	case RFPaper: // on a canvas of the image's size, which is then resized to the input
		b := p.Box.turned()
		return shrink(axis(b.Y, size), size, input), shrink(axis(b.X, size), size, input)
	}
	m := nn.Corners.Matrix(size, input)
	return m, m
}

// shrink resizes the canvas of a placement's matrix [size, size] to the input.
func shrink(m []float64, size, input int) []float64 {
	var out mat.Dense
	out.Mul(mat.NewDense(input, size, nn.Corners.Matrix(size, input)), mat.NewDense(size, size, m))
	return out.RawMatrix().Data
}

// placeEach is the graph function of [Placement.matrices], one pair for each image: images
// [n, size, size, 3], rows and columns [n, input, size].
func placeEach(images, rows, columns *Node) *Node {
	x := AddScalar(images, -grey)
	x = Einsum("nyh,nhwc->nywc", rows, x)
	x = Einsum("nxw,nywc->nyxc", columns, x)
	return AddScalar(x, grey)
}
