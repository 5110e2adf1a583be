package main

import (
	"testing"

	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
)

// TestSettle: what the flags say holds for every detector, and each has its program's own defaults.
func TestSettle(t *testing.T) {
	for _, test := range []struct {
		net         any
		given, want float64
		most        int
	}{
		{&yolov8.Network{}, 0, .7, 300}, {&yolov8.Network{}, .6, .6, 300},
		{&yolov5.Network{}, 0, .45, 1000}, {&yolov5.Network{}, .6, .6, 1000},
	} {
		d := detection{model: test.net}
		d.IoU, d.Confidence = test.given, .3
		d.settle()
		if d.IoU != test.want || d.options.IoU != test.want || d.options.Confidence != .3 ||
			d.options.MaxDetections != test.most {
			t.Errorf("%T, IoU %g: %+v, want IoU %g and %d detections", test.net, test.given, d.options,
				test.want, test.most)
		}
	}
}
