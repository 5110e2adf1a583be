package serve

import (
	"fmt"
	"math"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/objectness"
)

// detectBatch is the number of images of a compiled call.
const detectBatch = 8

// featuresOf are the pooled features of the network Model, the miniature ResNet if none.
func (c *call) featuresOf(i int) (*model, metric.Features, error) {
	m, s, err := c.scorer(either(c.Model, "resnet50"))
	if err != nil {
		return nil, metric.Features{}, err
	}
	l, err := featureLayer(s)
	if err != nil {
		return nil, metric.Features{}, err
	}
	images, err := c.images(i)
	if err != nil {
		return nil, metric.Features{}, err
	}
	x, err := c.layer(m, s, l, images)
	return m, metric.Features{N: images.N, Dim: l.Channels, X: x}, err
}

// features gives the pooled features of the images, float32 [n, dimensions].
func features(c *call) (a wire.Answer, err error) {
	m, f, err := c.featuresOf(0)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	a.Layers = []wire.Layer{{Name: "avgpool", Channels: f.Dim}}
	c.out = append(c.out, wire.Floats(f.X))
	return a, nil
}

// fid gives the Fréchet distance of two batches of images with its interval.
func fid(c *call) (a wire.Answer, err error) {
	if _, err := c.images(1); err != nil { // before the first is looked at
		return a, err
	}
	var m *model
	var sets [2]*metric.Moments
	for i := range sets {
		var f metric.Features
		if m, f, err = c.featuresOf(i); err != nil {
			return a, err
		}
		if sets[i], err = metric.MomentsOf(f); err != nil {
			return a, err
		}
	}
	e, err := metric.FIDInterval(sets[0], sets[1])
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	a.Estimate = &wire.Estimate{Value: e.Value, NA: sets[0].N, NB: sets[1].N}
	if !math.IsNaN(e.Lo) && !math.IsNaN(e.Hi) {
		a.Estimate.Lo, a.Estimate.Hi = &e.Lo, &e.Hi
	}
	for _, w := range e.Warnings {
		a.Notes = append(a.Notes, strings.TrimPrefix(oneLine(w), "metric: "))
	}
	return a, nil
}

// distance gives the distance Loss of each pair of images.
func distance(c *call) (a wire.Answer, err error) {
	d, key, err := c.distance()
	if err != nil {
		return a, err
	}
	first, err := c.images(0)
	if err != nil {
		return a, err
	}
	second, err := c.images(1)
	if err != nil {
		return a, err
	}
	r, err := hold(c, "distance "+key, func() (*invert.Ruler, error) {
		return invert.NewRuler(c.server.backend, d)
	})
	if err != nil {
		return a, err
	}
	values, err := r.Measure(c, first, second)
	a.Values, a.Names = [][]float64{values}, []string{d.Name}
	return a, err
}

// detectorSize is the size of images for published detectors, as in the research code; a miniature has
// its own.
const detectorSize = 256

// detector is a network that finds objects, its classes by name and the size of its images.
func (m *model) detector() (classes []string, size int, err error) {
	switch n := m.net.(type) {
	case *yolov8.Network:
		classes, size = n.Classes, n.Input
	case *yolov5.Network:
		classes = n.Classes
	default:
		return nil, 0, fmt.Errorf("%s is not a detector, which are YOLOv8 and YOLOv5", m.name)
	}
	if !m.mini {
		size = detectorSize
	}
	return classes, size, nil
}

// detect finds objects with the detector Model, the miniature YOLOv8 if none. Boxes are in pixels of
// the images; Values are the confidences of the surest, 0 where there is no object.
func detect(c *call) (a wire.Answer, err error) {
	m, err := c.model(either(c.Model, "yolov8"))
	if err != nil {
		return a, err
	}
	classes, size, err := m.detector()
	if err != nil {
		return a, err
	}
	images, err := c.images(0)
	if err != nil {
		return a, err
	}
	d, err := hold(c, "detect "+m.key, func() (*objectness.Detector, error) {
		return objectness.OpenDetector(c.server.backend, m.net, size, detectBatch)
	})
	if err != nil {
		return a, err
	}
	o := objectness.Defaults(m.net)
	var surest []float64
	for from := 0; from < images.N; from += detectBatch {
		found, err := detectIn(c, d, images.Slice(from, min(from+detectBatch, images.N)), size, o)
		if err != nil {
			return a, err
		}
		for _, f := range found {
			boxes := []wire.Box{}
			for _, x := range f.Detections {
				boxes = append(boxes, wire.Box{Corners: x.Box, Confidence: x.Confidence, Class: classes[x.Class]})
			}
			a.Boxes, surest = append(a.Boxes, boxes), append(surest, f.Fill0())
		}
		c.tell(min(from+detectBatch, images.N), images.N, nil, nil)
	}
	a.Origin, a.Values, a.Names = c.origin(m), [][]float64{surest}, []string{"confidence"}
	return a, nil
}

// detectIn detects in images of any size; those of the detector's size are left as they are, others
// are quantised and letterboxed.
func detectIn(c *call, d *objectness.Detector, m gansim.Images, size int, o objectness.Options) (
	[]objectness.Image, error) {
	if m.Height == size && m.Width == size {
		return d.Detect(c, m, o)
	}
	var boxed []objectness.Boxed
	for i := range m.N {
		p, err := imaging.FromImages(m, i)
		if err != nil {
			return nil, err
		}
		b, err := d.Fit(p)
		if err != nil {
			return nil, err
		}
		boxed = append(boxed, b)
	}
	return d.DetectBoxed(c, boxed, o)
}
