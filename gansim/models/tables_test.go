// Package models_test checks the networks' tables against the published checkpoints.
package models_test

import (
	"slices"
	"strings"
	"testing"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
)

// TestPublishedNames: the tables name exactly the tensors of the published state dicts, in their
// shapes. Spectral norm's parts stand for the folded weight.
func TestPublishedNames(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, m := range models.All() {
		if _, err := oracle.LoadWeights(dir, m.Name); err != nil {
			continue // other weights in the same layers as another's, or a size without a case
		}
		tried++
		t.Run(m.Name, func(t *testing.T) {
			want := published(t, dir, m.Name)
			for _, p := range m.Table.Published() {
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
	if tried < 20 {
		t.Errorf("%d networks compared", tried)
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
	for name, want := range map[string]int{
		"alexnet": 61100840, "resnet50": 25557032, "caffenet": 60965224, "inception_v3": 27161264,
		"biggan_deep_256": 55880833,
		"yolov8n":         3157200, "yolov8s": 11166560, "yolov8m": 25902640, "yolov8l": 43691520,
		"yolov8x": 68229648,
		"yolov5n": 1867405, "yolov5s": 7225885, "yolov5m": 21172173, "yolov5l": 46533693,
		"yolov5x": 86705005,
	} {
		m, err := models.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Table.Count()
		for _, l := range m.Table {
			if l.Kind == nn.Norm && strings.HasPrefix(name, "yolov5") {
				got -= l.Out
			}
		}
		if got != want {
			t.Errorf("%s: %d parameters, want %d", name, got, want)
		}
	}
}

// TestShapes: every activation of the reference set is shown, in its shape. Building a graph needs no
// tensors.
func TestShapes(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range models.All() {
		c, err := oracle.OpenCase(dir, m.Name)
		if err != nil {
			continue // of the same layers as one that is there
		}
		image := len(c.Inputs[0].Shape) == 4 && c.Inputs[0].Shape[1] == 3
		if image && !slices.Contains(c.Tensors, "resized") { // of another size than the network's own
			m.Plan.Input = []int{c.Inputs[0].Shape[2], c.Inputs[0].Shape[3], 3}
		}
		for _, l := range m.Plan.Layers() {
			e, err := c.Expected(l.Name)
			if err != nil {
				continue
			}
			compared++
			got := []int{l.Channels, l.Height, l.Width}
			if l.Height == 0 {
				got = got[:1]
			}
			want := slices.DeleteFunc(e.Shape[1:], func(n int) bool { return n == 1 })
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s is %v, want %v", m.Name, l.Name, got, want)
			}
		}
	}
	if compared < 150 {
		t.Errorf("%d activations compared", compared)
	}
}
