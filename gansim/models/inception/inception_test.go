package inception_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/inception"
	"gansim.example/kernels"
)

// rounding is the largest relative L2 difference allowed: the fixtures are float32 numbers.
const rounding = 1e-6

// TestResized: images are resized as pytorch-fid and torch-fidelity do.
func TestResized(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config inception.Config
	}{{"fid_inception", inception.FID}, {"fidelity_inception", inception.Fidelity}} {
		file, err := oracle.OpenCase(dir, c.name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := file.Expected("resized")
		if err != nil {
			t.Fatal(err)
		}
		images, err := file.Input("img")
		if err != nil {
			t.Fatal(err)
		}
		p, err := graphx.New(b, nil, func(_ []gansim.Weights, in []*Node) []*Node {
			x := c.config.Resized(TransposeAllAxes(in[0], 0, 2, 3, 1))
			return []*Node{TransposeAllAxes(x, 0, 3, 1, 2)}
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Call(tensors.FromFlatDataAndDimensions(images.Data, images.Shape...))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tensors.CopyFlatData[float64](out[0])
		if err != nil {
			t.Fatal(err)
		}
		d, err := want.Difference(got)
		if err != nil {
			t.Fatal(err)
		}
		if d.RelL2 > rounding {
			t.Errorf("%s: relative difference %.2g, want at most %g", c.name, d.RelL2, rounding)
		}
	}
}

// TestLayers: activations have the names and sizes of the paper's table 1.
func TestLayers(t *testing.T) {
	layers := inception.FID.Plan().Layers()
	for _, want := range []gansim.Layer{
		{Name: "Conv2d_1a_3x3", Class: "BasicConv2d", Height: 149, Width: 149, Channels: 32},
		{Name: "maxpool1", Class: "MaxPool2d", Height: 73, Width: 73, Channels: 64},
		{Name: "maxpool2", Class: "MaxPool2d", Height: 35, Width: 35, Channels: 192},
		{Name: "Mixed_5b.branch_pool", Class: "BasicConv2d", Height: 35, Width: 35, Channels: 32},
		{Name: "Mixed_6e", Class: "InceptionC", Height: 17, Width: 17, Channels: 768},
		{Name: "Mixed_7c", Class: "InceptionE", Height: 8, Width: 8, Channels: 2048},
		{Name: "avgpool", Class: "AdaptiveAvgPool2d", Channels: 2048},
		{Name: "logits_unbiased", Channels: 1008},
		{Name: "fc", Class: "Linear", Channels: 1008},
	} {
		if got, ok := gansim.FindLayer(layers, want.Name); !ok || got != want {
			t.Errorf("%s is %+v, want %+v", want.Name, got, want)
		}
	}
	if got := gansim.PaperNames(layers)["Mixed_6e"]; got != ".InceptionCMixed_6e" {
		t.Errorf("the paper's name of Mixed_6e is %q", got)
	}
}
