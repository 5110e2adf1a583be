// Package models_test checks the networks' tables against the published checkpoints.
package models_test

import (
	"slices"
	"strings"
	"testing"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/inception"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// coco is the number of classes of the published detectors.
const coco = 80

func v8(scale string) nn.Table {
	return yolov8.COCO(yolov8.Scales()[scale], 640, make([]string, coco)).Table()
}

func v5(scale string) nn.Table {
	return yolov5.COCO(yolov5.Scales()[scale], 640, make([]string, coco)).Table()
}

// TestPublishedNames: the tables name exactly the tensors of the published state dicts, in their
// shapes. Spectral norm's parts stand for the folded weight.
func TestPublishedNames(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		net   string
		table nn.Table
	}{
		{"alexnet", alexnet.ImageNet.Table()},
		{"resnet50", resnet.ImageNet.Table()},
		{"inception_v3", inception.ImageNet.Table()},
		{"fid_inception", inception.FID.Table()},
		{"deepsim_fc6", deepsim.FC6.Table()},
		{"biggan_deep_256", biggan.Deep256.Table()},
		{"lpips_squeeze", lpips.SqueezeNet.Table()},
		{"lpips_alex", lpips.AlexNet.Table()},
		{"lpips_vgg", lpips.VGG16.Table()},
		{"yolov8n", v8("n")},
		{"yolov8m", v8("m")},
		{"yolov8x", v8("x")},
	} {
		t.Run(c.net, func(t *testing.T) {
			want := published(t, dir, c.net)
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
		})
	}
}

// published are the shapes of a checkpoint's tensors.
func published(t *testing.T, dir, net string) map[string][]int {
	t.Helper()
	file, err := oracle.LoadWeights(dir, net)
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, f := range file.Tensors {
		name := f.Key
		switch {
		case strings.HasSuffix(name, "num_batches_tracked"),
			strings.HasSuffix(name, ".weight_u"), strings.HasSuffix(name, ".weight_v"):
			continue
		}
		shapes[strings.TrimSuffix(name, "_orig")] = f.Shape
	}
	return shapes
}

// TestParameters: the tables have the numbers of parameters that the networks' authors print. For
// YOLOv5 that is the number with the norms folded into the convolutions, which leaves one offset of
// their two parameters per channel.
func TestParameters(t *testing.T) {
	for _, c := range []struct {
		net           string
		table         nn.Table
		folded, count int
	}{
		{"alexnet", alexnet.ImageNet.Table(), 0, 61100840},
		{"resnet50", resnet.ImageNet.Table(), 0, 25557032},
		{"inception_v3", inception.ImageNet.Table(), 0, 27161264},
		{"biggan_deep_256", biggan.Deep256.Table(), 0, 55880833},
		{"yolov8n", v8("n"), 0, 3157200},
		{"yolov8s", v8("s"), 0, 11166560},
		{"yolov8m", v8("m"), 0, 25902640},
		{"yolov8l", v8("l"), 0, 43691520},
		{"yolov8x", v8("x"), 0, 68229648},
		{"yolov5n", v5("n"), 1867405, 1872157},
		{"yolov5s", v5("s"), 7225885, 7235389},
		{"yolov5m", v5("m"), 21172173, 21190557},
		{"yolov5l", v5("l"), 46533693, 46563709},
		{"yolov5x", v5("x"), 86705005, 86749405},
	} {
		count, norms := c.table.Count(), 0
		for _, l := range c.table {
			if l.Kind == nn.Norm {
				norms += l.Out
			}
		}
		if c.count != 0 && count != c.count {
			t.Errorf("%s: %d parameters, want %d", c.net, count, c.count)
		}
		if c.folded != 0 && count-norms != c.folded {
			t.Errorf("%s: %d parameters with folded norms, want %d", c.net, count-norms, c.folded)
		}
	}
}
