package objectness

import (
	"fmt"

	"gansim.example/gansim/imaging"
)

// YOLOv5 are the defaults of that program's wrapper (ultralytics/yolov5, models/common.py,
// AutoShape).
func YOLOv5() Options { return Options{Confidence: 0.25, IoU: 0.45, MaxDetections: 1000} }

// FromYOLOv5 reads rows of YOLOv5's output: centre, width and height of a box, its objectness and a
// score per class. A class counts with its score times the objectness. Rows whose objectness does
// not exceed the threshold count as empty, as in utils/general.py, non_max_suppression, which drops
// them first. Arithmetic is float32 as there.
func FromYOLOv5(rows []float32, classes int, threshold float64) (Prediction, error) {
	width := 5 + classes
	if classes <= 0 || len(rows)%width != 0 {
		return Prediction{}, fmt.Errorf("objectness: %d values of YOLOv5 for %d classes",
			len(rows), classes)
	}
	p := Prediction{Classes: classes}
	for ; len(rows) > 0; rows = rows[width:] {
		p.Boxes = append(p.Boxes, Corners([4]float32(rows))...)
		for _, score := range rows[5:width] {
			if rows[4] > float32(threshold) {
				p.Scores = append(p.Scores, score*rows[4])
			} else {
				p.Scores = append(p.Scores, 0)
			}
		}
	}
	return p, nil
}

// Corners turns centre, width and height of a box into x0, y0, x1, y1.
func Corners(box [4]float32) []float32 {
	x, y, w, h := box[0], box[1], box[2]/2, box[3]/2
	return []float32{x - w, y - h, x + w, y + h}
}

// AutoShape prepares a batch of pictures for YOLOv5 as its wrapper does: all letterboxed to a common
// shape, the smallest that holds each picture scaled to size, in multiples of 32. The frames bring
// boxes back by YOLOv5's rule.
func AutoShape(pictures []imaging.RGB, size int) ([]imaging.RGB, []Frame, error) {
	var sizes []imaging.Size
	for _, m := range pictures {
		sizes = append(sizes, imaging.Size{Width: m.Width, Height: m.Height})
	}
	shape, err := imaging.BatchShape(sizes, size)
	if err != nil {
		return nil, nil, err
	}
	var boxed []imaging.RGB
	var frames []Frame
	for _, m := range pictures {
		b, _, err := imaging.Letterbox(m,
			imaging.LetterboxOptions{Width: shape.Width, Height: shape.Height})
		if err != nil {
			return nil, nil, err
		}
		boxed = append(boxed, b)
		frames = append(frames, Frame{Width: m.Width, Height: m.Height, InputWidth: b.Width,
			InputHeight: b.Height, YOLOv5: true})
	}
	return boxed, frames, nil
}
