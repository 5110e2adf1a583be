package mini_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/caffenet"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// TestPublishedNames: at the paper's sizes the tables name exactly the tensors of the published
// state dicts, in their shapes. Spectral norm's parts stand for the folded weight.
func TestPublishedNames(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	type published struct {
		net   string // of the reference set
		table nn.Table
		count int // parameters, 0 where no source prints it
	}
	cases := []published{
		{"alexnet", alexnet.ImageNet.Table(), 61100840},
		{"resnet50", resnet.ImageNet.Table(), 25557032},
		{"caffenet", caffenet.ImageNet.Table(), 60965224},
		{"biggan_deep_128", biggan.Deep128.Table(), 0},
		{"biggan_deep_256", biggan.Deep256.Table(), 55880833},
		{"biggan_deep_512", biggan.Deep512.Table(), 0},
		{"yolov8n", yolov8.COCO(yolov8.Scales()["n"], 256, make([]string, 80)).Table(), 0},
	}
	for name, c := range deepsim.Published() {
		if name == "deepsim_fc6_eucl" || name == "deepsim_fc7" {
			name = "deepsim_fc6" // other weights in the same layers
		}
		cases = append(cases, published{name, c.Table(), 0})
	}
	for _, c := range cases {
		t.Run(c.net, func(t *testing.T) {
			file, err := oracle.LoadWeights(dir, c.net)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]int{}
			for _, f := range file.Tensors {
				name := f.Key
				switch {
				case strings.HasSuffix(name, "num_batches_tracked"),
					strings.HasSuffix(name, ".weight_u"), strings.HasSuffix(name, ".weight_v"):
					continue
				}
				want[strings.TrimSuffix(name, "_orig")] = f.Shape
			}
			for _, p := range c.table.Published() {
				shape, ok := want[p.Name]
				if !ok || !slices.Equal(shape, p.Shape) {
					t.Errorf("%s: %v, checkpoint has %v", p.Name, p.Shape, shape)
				}
				delete(want, p.Name)
			}
			for name := range want {
				t.Errorf("%s of the checkpoint is not in the table", name)
			}
			if c.count != 0 && c.table.Count() != c.count {
				t.Errorf("%d parameters, want %d", c.table.Count(), c.count)
			}
		})
	}
}

// TestPublishedShapes: every activation of the reference set is shown, in its shape. Building a graph
// needs no tensors.
func TestPublishedShapes(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	layers := map[string][]gansim.Layer{
		"caffenet": nn.Trace(caffenet.ImageNet.Table(), func(w gansim.Weights, x *Node, tap gansim.Tap) {
			caffenet.ImageNet.Forward(w, caffenet.ImageNet.Preprocess(x), tap)
		}, 227, 227, 3),
	}
	for name, c := range deepsim.Published() {
		layers[name] = nn.Trace(c.Table(), func(w gansim.Weights, z *Node, tap gansim.Tap) {
			tap("image", "", c.Decode(w, z))
			c.Raw(w, z, tap)
		}, c.Code)
	}
	for name, c := range biggan.Published() {
		layers[name] = nn.Trace(c.Table(), func(w gansim.Weights, z *Node, tap gansim.Tap) {
			tap("image", "", c.Decode(w, z))
			tap("raw", "", c.Forward(w, z, nn.Fixed{}, len(c.Blocks), tap))
		}, c.CodeSize())
	}
	for name, found := range layers {
		c, err := oracle.OpenCase(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // of the same layers as one that is there
		} else if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, l := range found {
			e, err := c.Expected(l.Name)
			if err != nil {
				continue
			}
			compared++
			got := []int{l.Channels, l.Height, l.Width}
			if len(e.Shape) == 2 {
				got = got[:1]
			}
			if !slices.Equal(got, e.Shape[1:]) {
				t.Errorf("%s: %s is %v, want %v", name, l.Name, got, e.Shape[1:])
			}
		}
		if compared < 4 {
			t.Errorf("%s: %d activations compared", name, compared)
		}
	}
}

// TestMiniatureSizes: the miniatures have the sizes of their recipe.
func TestMiniatureSizes(t *testing.T) {
	for _, c := range []struct {
		name  string
		table nn.Table
		least int
		most  int
	}{
		{"alexnet", alexnet.Mini.Table(), 1.61e6, 1.63e6},
		{"resnet50", resnet.Mini.Table(), .340e6, .350e6},
		{"deepsim", deepsim.Mini.Table(), 1.86e6, 1.88e6},
		{"biggan", biggan.Mini.Table(), .560e6, .575e6},
		{"yolov8", yolov8.Mini(make([]string, 12)).Table(), .350e6, .365e6},
	} {
		if n := c.table.Count(); n < c.least || n > c.most {
			t.Errorf("%s has %d parameters, want %d to %d", c.name, n, c.least, c.most)
		}
	}
}
