package mini_test

import (
	"testing"

	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

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
