package objectness_test

import (
	"math"
	"testing"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/objectness"
	"gansim.example/kernels"
)

// TestDetectorFamilies: both families of networks, with random weights at the smallest published size,
// give every picture the same boxes alone and among others.
func TestDetectorFamilies(t *testing.T) {
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	v5 := yolov5.COCO(yolov5.Scales()["n"], 640, objectness.COCO())
	v8 := yolov8.COCO(yolov8.Scales()["n"], 640, objectness.COCO())
	five, err := v5.Load(v5.Table().Random(1), nn.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eight, err := v8.Load(v8.Table().Random(1), nn.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var pictures []imaging.RGB
	for i := range 5 {
		m := imaging.NewRGB(40+30*i, 90-10*i)
		for k := range m.Pix {
			m.Pix[k] = uint8(k*(i+3) ^ k/7)
		}
		pictures = append(pictures, m)
	}
	// Few random boxes are sure of anything: a low threshold lets some pass.
	o := objectness.Options{Confidence: 1e-9, MaxDetections: 5}
	for name, net := range map[string]any{"yolov5n": five, "yolov8n": eight} {
		var alone []objectness.Image
		for _, batch := range []int{1, 4} {
			d, err := objectness.OpenDetector(b, net, 96, batch)
			if err != nil {
				t.Fatal(err)
			}
			var boxed []objectness.Boxed
			for _, m := range pictures {
				p, err := d.Fit(m)
				if err != nil {
					t.Fatal(err)
				}
				boxed = append(boxed, p)
			}
			found, err := d.DetectBoxed(t.Context(), boxed, o)
			if err != nil {
				t.Fatal(err)
			}
			d.Close()
			if alone == nil {
				alone = found
			}
			for i, f := range found {
				if f.Objects == 0 || f.Objects != alone[i].Objects ||
					math.Abs(f.Confidence-alone[i].Confidence) > 1e-5 {
					t.Errorf("%s, batch %d: picture %d: %d objects at %g, alone %d at %g", name, batch, i, f.Objects,
						f.Confidence, alone[i].Objects, alone[i].Confidence)
				}
			}
		}
	}
	for _, c := range []struct {
		net         any
		size, batch int
	}{{five, 100, 1}, {eight, 16, 1}, {eight, 64, 0}, {"yolo", 64, 1}} {
		if _, err := objectness.OpenDetector(b, c.net, c.size, c.batch); err == nil {
			t.Errorf("%T at %d pixels in batches of %d: no error", c.net, c.size, c.batch)
		}
	}
	if n := len(objectness.COCO()); n != 80 {
		t.Errorf("%d classes of COCO, want 80", n)
	}
}
