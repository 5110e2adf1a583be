package yolov5_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/nn"
	"gansim.example/kernels"
)

// small is YOLOv5n for two classes: 64 by 96 pixels give 3*(8*12 + 4*6 + 2*3) anchors.
var small = yolov5.COCO(yolov5.Scales()["n"], 64, []string{"a", "b"})

const (
	height, width = 64, 96
	anchors       = 3 * (8*12 + 4*6 + 2*3)
	values        = 5 + 2
)

// formula fills the table's tensors by the reference set's formula, at its rules for YOLOv8n.
func formula() nn.Source {
	shapes := map[string][]int{}
	for _, p := range small.Table().Published() {
		shapes[p.Name] = p.Shape
	}
	return nn.Source{Names: slices.Sorted(maps.Keys(shapes)),
		Read: func(name string) ([]int, []float32, error) {
			shape := shapes[name]
			n := 1
			for _, d := range shape {
				n *= d
			}
			offset, scale := 0., .125
			switch {
			case len(shape) == 4:
				scale = 1.6 * math.Sqrt(3*float64(shape[0])/float64(n))
			case strings.HasSuffix(name, "weight"), strings.HasSuffix(name, "var"):
				offset, scale = 1, .5
			}
			v := make([]float32, n)
			h := oracle.Hash("", name)
			for i := range v {
				v[i] = float32(offset + float64(scale*oracle.U(h, uint64(i))))
			}
			return shape, v, nil
		}}
}

// TestPredict: boxes and probabilities follow from the heads' outputs by the published formula, and
// every output depends on the image.
func TestPredict(t *testing.T) {
	n, err := small.Load(formula(), nn.LoadOptions{Float64: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	p, err := graphx.New(b, []gansim.Params{n.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			boxes, objectness, classes := n.Predict(nets[0], in[0])
			return []*Node{n.Forward(nets[0], in[0], nn.NoTap), boxes, objectness, classes}
		})
	if err != nil {
		t.Fatal(err)
	}
	images := make([]float64, 2*height*width*3)
	for i, v := range oracle.Image("", "img/yolov5", 2, height, width) {
		images[i] = float64(v) / 255
	}
	results, err := p.Call(tensors.FromFlatDataAndDimensions(images, 2, height, width, 3))
	if err != nil {
		t.Fatal(err)
	}
	var out [4][]float64
	for i, r := range results {
		if out[i], err = tensors.CopyFlatData[float64](r); err != nil {
			t.Fatal(err)
		}
	}
	raw, boxes, objectness, classes := out[0], out[1], out[2], out[3]
	if len(raw) != 2*anchors*values {
		t.Fatalf("%d outputs, want %d", len(raw), 2*anchors*values)
	}
	for item := range 2 {
		for a := range anchors {
			k := item*anchors + a
			p := make([]float64, values)
			for i := range p {
				p[i] = 1 / (1 + math.Exp(-raw[k*values+i]))
			}
			want := append(box(a, p), p[4:]...)
			got := slices.Concat(boxes[4*k:4*k+4], objectness[k:k+1], classes[2*k:2*k+2])
			if d := oracle.Compare(got, want); d.MaxAbs > 1e-9 {
				t.Fatalf("image %d, anchor %d: %v, want %v", item, a, got, want)
			}
			if item == 1 && raw[k*values+4] == raw[a*values+4] {
				t.Fatalf("anchor %d does not depend on the image", a)
			}
		}
	}
}

// box decodes anchor a of an image: three shapes per level, and for each all cells by rows.
func box(a int, p []float64) []float64 {
	for _, h := range small.Heads {
		rows, columns := height/h.Stride, width/h.Stride
		if a >= 3*rows*columns {
			a -= 3 * rows * columns
			continue
		}
		shape, x, y := h.Anchors[a/(rows*columns)], a%columns, a/columns%rows
		cx := (2*p[0] - .5 + float64(x)) * float64(h.Stride)
		cy := (2*p[1] - .5 + float64(y)) * float64(h.Stride)
		w, ht := 4*p[2]*p[2]*shape[0], 4*p[3]*p[3]*shape[1]
		return []float64{cx - w/2, cy - ht/2, cx + w/2, cy + ht/2}
	}
	return nil
}

// TestAnchors: a checkpoint with other anchors is refused.
func TestAnchors(t *testing.T) {
	with := func(first float32) nn.Source {
		src := formula()
		return nn.Source{Names: append(src.Names, "model.24.anchors"),
			Read: func(name string) ([]int, []float32, error) {
				if name != "model.24.anchors" {
					return src.Read(name)
				}
				return []int{3, 3, 2}, []float32{first, 1.625, 2, 3.75, 4.125, 2.875, 1.875, 3.8125,
					3.875, 2.8125, 3.6875, 7.4375, 3.625, 2.8125, 4.875, 6.1875, 11.65625, 10.1875}, nil
			}}
	}
	if _, err := small.Load(with(1.25), nn.LoadOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := small.Load(with(1.5), nn.LoadOptions{}); err == nil {
		t.Error("other anchors were accepted")
	}
}
