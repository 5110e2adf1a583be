package actmax_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/nn"
)

// window is a network that averages 3x3 pixels; unit (i, j) sees rows i to i+2, columns j to j+2.
type window struct{}

func (window) Name() string           { return "window" }
func (window) InputSize() int         { return 9 }
func (window) Params() gansim.Params  { return gansim.Params{} }
func (window) Layers() []gansim.Layer { return []gansim.Layer{{Name: "mean", Channels: 3}} }
func (window) Activations(w gansim.Weights, images *Node, layer string) *Node {
	return window{}.Inner(w, images, layer)
}
func (window) Inner(_ gansim.Weights, x *Node, _ string) *Node {
	return nn.AvgPool2D(x, nn.PoolOptions{Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}})
}

func TestField(t *testing.T) {
	const size = 9
	f, err := actmax.NewField(t.Context(), open(t), window{},
		gansim.Unit{Layer: "mean", Row: 4, Col: 1}, actmax.FieldConfig{Size: size, Reps: 2})
	if err != nil {
		t.Fatal(err)
	}
	square, _, _, err := actmax.FindBox(f.Map, size)
	if want := (actmax.Box{X: [2]int{1, 4}, Y: [2]int{4, 7}}); err != nil || square != want {
		t.Errorf("box %v, want %v (%v)", square, want, err)
	}
	if want := 1. / 9 / 3; f.Counted != 2 || math.Abs(f.Map[4*size+1]-want) > 1e-6 {
		t.Errorf("%d inputs, map %v, want 2, %v", f.Counted, f.Map[4*size+1], want)
	}
	box, err := actmax.UnitBox(t.Context(), open(t), window{},
		gansim.Unit{Layer: "mean", Row: 4, Col: 1}, actmax.FieldConfig{Reps: 2})
	if err != nil || box != square {
		t.Errorf("box of the unit %v, want %v (%v)", box, square, err)
	}
	box, err = actmax.UnitBox(t.Context(), open(t), window{}, gansim.Unit{Layer: "mean", Row: -1},
		actmax.FieldConfig{})
	if err != nil || box != actmax.WholeBox(size) {
		t.Errorf("box of a dense unit %v, want all (%v)", box, err)
	}
	if _, err := actmax.NewField(t.Context(), open(t), window{}, gansim.Unit{Layer: "mean", Row: -1},
		actmax.FieldConfig{Size: size}); err == nil {
		t.Error("a dense layer was taken")
	}
	if _, _, _, err := actmax.FindBox(make([]float64, 12), 4); err == nil {
		t.Error("a map of zeros has a box")
	}
}

// TestPlacement: white images fill the box; the paper's kind turns it and keeps the image's size.
func TestPlacement(t *testing.T) {
	box := actmax.Box{X: [2]int{1, 3}, Y: [2]int{2, 4}}
	white := make([]float32, 4*4*3)
	for i := range white {
		white[i] = 1
	}
	for _, c := range []struct {
		kind                string
		size, row, col, end int
	}{{actmax.Full, 4, 0, 0, 4}, {actmax.RF, 6, 2, 1, 2}, {actmax.RFPaper, 4, 1, 2, 2}} {
		p := actmax.Placement{Kind: c.kind, Box: box, Input: 6}
		program, err := graphx.New(open(t), nil, func(_ []gansim.Weights, in []*Node) []*Node {
			return []*Node{p.Apply(in[0])}
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := program.Call(tensors.FromFlatDataAndDimensions(white, 1, 4, 4, 3))
		if err != nil {
			t.Fatal(err)
		}
		got, err := graphx.Floats(out[0])
		if err != nil || len(got) != c.size*c.size*3 {
			t.Fatalf("%s: %d values (%v)", c.kind, len(got), err)
		}
		for i, v := range got {
			y, x := i/3/c.size-c.row, i/3%c.size-c.col
			inside := min(x, y) >= 0 && max(x, y) < c.end
			if want := map[bool]float32{true: 1, false: .5}[inside]; v != want {
				t.Errorf("%s: row %d, column %d is %v, want %v", c.kind, y+c.row, x+c.col, v, want)
			}
		}
	}
	for _, p := range []actmax.Placement{{Kind: "left"}, {Kind: actmax.RF, Box: box, Input: 3}} {
		if _, err := p.Scorer(window{}); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}
