package actmax

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

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
	Box   Box    // receptive field, pixels of the network's input
	Input int    // height and width of that input; Full needs neither
}

// Apply is a graph function: images [n, h, w, 3] to what the network is shown.
func (p Placement) Apply(images *Node) *Node {
	d := images.Shape().Dimensions
	switch p.Kind {
	case RF:
		return place(images, p.Box, p.Input, p.Input)
	case RFPaper:
		return place(images, Box{X: p.Box.Y, Y: p.Box.X}, d[1], d[2])
	}
	return images
}

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
	switch p.Kind {
	case "", Full:
		return s, nil
	case RF, RFPaper:
	default:
		return nil, fmt.Errorf("actmax: no placement %q, want %s, %s or %s", p.Kind, Full, RF, RFPaper)
	}
	w, h := p.Box.Size()
	if w <= 0 || h <= 0 || min(p.Box.X[0], p.Box.Y[0]) < 0 || max(p.Box.X[1], p.Box.Y[1]) > p.Input {
		return nil, fmt.Errorf("actmax: box %v outside of an input of %d pixels", p.Box, p.Input)
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
