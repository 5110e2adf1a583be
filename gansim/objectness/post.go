// Package objectness turns the predictions of a YOLO detector into what panel A shows: per image
// the number of detected objects and the confidence of the surest, per set the rate of images with
// an object.
//
// This part works on the host and image by image, so that neighbours in a batch cannot matter.
// Boxes are x0, y0, x1, y1 in pixels, x to the right and y down; scores are probabilities.
package objectness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"

	"gansim.example/gansim/models/yolov5"
)

// Prediction is what the network says of one image, for every anchor a box and a score per class.
type Prediction struct {
	Classes int
	Boxes   []float32 // [n, 4], x0 y0 x1 y1 in pixels of the network's input
	Scores  []float32 // [n, Classes] in [0, 1]; YOLOv5's are its class scores times its objectness
}

// Options of post-processing. The zero value has the defaults of YOLOv8's predict mode
// (ultralytics, cfg/default.yaml).
type Options struct {
	// Confidence is what a score must exceed. Zero means 0.25; negative lets every box pass.
	Confidence float64
	// IoU is the overlap, intersection over union, above which the less sure of two boxes is
	// dropped. Zero means 0.7 (YOLOv5 has 0.45); negative keeps the first box only.
	IoU float64
	// MaxDetections per image. Zero means 300 (YOLOv5 has 1000).
	MaxDetections int
	// MaxCandidates that enter the suppression, the surest first. Zero means 30,000.
	MaxCandidates int
	// Classes are the ones to look for. Empty means all.
	Classes []int
	// Agnostic lets boxes of different classes suppress each other.
	Agnostic bool
	// MultiLabel lets a box stand for every class whose score passes, not only for the best.
	MultiLabel bool
}

// resolve fills in the defaults.
func (o Options) resolve() (Options, error) {
	unknown := math.IsNaN(o.Confidence) || math.IsNaN(o.IoU)
	if unknown || o.MaxDetections < 0 || o.MaxCandidates < 0 {
		return o, fmt.Errorf("objectness: confidence %v, IoU %v, "+
			"at most %d detections of %d candidates", o.Confidence, o.IoU,
			o.MaxDetections, o.MaxCandidates)
	}
	d := YOLOv8()
	o.Confidence, o.IoU = cmp.Or(o.Confidence, d.Confidence), cmp.Or(o.IoU, d.IoU)
	o.MaxDetections = cmp.Or(o.MaxDetections, d.MaxDetections)
	o.MaxCandidates = cmp.Or(o.MaxCandidates, d.MaxCandidates)
	return o, nil
}

// YOLOv8 are the defaults of that program (ultralytics: cfg/default.yaml, and max_nms of
// non_max_suppression), and of [Options].
func YOLOv8() Options {
	return Options{Confidence: 0.25, IoU: 0.7, MaxDetections: 300, MaxCandidates: 30000}
}

// Defaults are those of the program that a network of [OpenDetector] comes from.
func Defaults(net any) Options {
	if _, ok := net.(*yolov5.Network); ok {
		return YOLOv5()
	}
	return YOLOv8()
}

// Detection is one object found.
type Detection struct {
	Box        [4]float64 // x0, y0, x1, y1, pixels
	Confidence float64    // score of its class
	Class      int
	Anchor     int // row of the [Prediction] that it came from
}

// MarshalJSON writes [x0, y0, x1, y1, confidence, class].
func (d Detection) MarshalJSON() ([]byte, error) {
	return json.Marshal([6]float64{d.Box[0], d.Box[1], d.Box[2], d.Box[3], d.Confidence,
		float64(d.Class)})
}

// Image is what was found in one image.
type Image struct {
	Objects    int         // number of detections
	Confidence float64     // of the surest; NaN, in JSON null, where there is none
	Detections []Detection // surest first
}

// MarshalJSON writes null for a confidence that is missing, and a list even where it is empty.
func (m Image) MarshalJSON() ([]byte, error) {
	row := struct {
		Objects    int         `json:"n_objects"`
		Confidence *float64    `json:"confidence"`
		Detections []Detection `json:"detections"`
	}{Objects: m.Objects, Detections: m.Detections}
	if m.Objects > 0 {
		row.Confidence = &m.Confidence
	} else {
		row.Detections = []Detection{}
	}
	return json.Marshal(row)
}

// Find returns the objects in one image, boxes in pixels of the original picture.
func Find(p Prediction, f Frame, o Options) (Image, error) {
	if err := f.check(); err != nil {
		return Image{}, err
	}
	found, err := Suppress(p, o)
	if err != nil {
		return Image{}, err
	}
	m := Image{Objects: len(found), Confidence: math.NaN(), Detections: found}
	for i := range found {
		found[i].Box = f.Back(found[i].Box)
	}
	if len(found) > 0 {
		m.Confidence = found[0].Confidence
	}
	return m, nil
}

// Frame says how a picture lies in the network's input: scaled to fit, with margins on both sides.
type Frame struct {
	Width, Height           int // of the original picture, pixels
	InputWidth, InputHeight int // of the network's input, pixels
	// YOLOv5 brings boxes back as that program does: one scale for both axes and margins that
	// are not rounded. The default is YOLOv8's rule, which knows that the scaled picture and its
	// margins are whole pixels.
	YOLOv5 bool
}

func (f Frame) check() error {
	if min(f.Width, f.Height, f.InputWidth, f.InputHeight) <= 0 {
		return fmt.Errorf("objectness: picture of %dx%d in an input of %dx%d",
			f.Width, f.Height, f.InputWidth, f.InputHeight)
	}
	return nil
}

// Back brings a box from the network's input to the picture, cut at its edges (ultralytics,
// utils/ops.py, scale_boxes; yolov5, utils/general.py). All four sizes must be positive.
func (f Frame) Back(box [4]float64) [4]float64 {
	ratio := min(float64(f.InputWidth)/float64(f.Width),
		float64(f.InputHeight)/float64(f.Height))
	sides := [2][2]int{{f.Width, f.InputWidth}, {f.Height, f.InputHeight}}
	for axis, side := range sides {
		size := float64(side[0])
		scale, margin := ratio, (float64(side[1])-size*ratio)/2
		if !f.YOLOv5 {
			scaled := math.RoundToEven(size * ratio)
			scale, margin = scaled/size, math.RoundToEven((float64(side[1])-scaled)/2-0.1)
		}
		for _, k := range [2]int{axis, axis + 2} {
			box[k] = min(max((box[k]-margin)/scale, 0), size)
		}
	}
	return box
}
