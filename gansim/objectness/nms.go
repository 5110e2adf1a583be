package objectness

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// classOffset moves the boxes of each class out of reach of the others, pixels (ultralytics,
// utils/nms.py, max_wh).
const classOffset = 7680

// candidate is a box that passed the threshold. Sizes are float32 as in the original program.
type candidate struct {
	anchor, class int
	score         float32
	box           [4]float32 // moved by its class
	area          float32
}

// Suppress returns the detections of one image, surest first, boxes in pixels of the network's
// input: greedy non-maximum suppression as in ultralytics (utils/nms.py, non_max_suppression)
// with torchvision's nms. Arithmetic is float32, one rounding per operation, because moving boxes
// by 7680 per class rounds them by up to 1/32 pixel and we want the same decisions. Equal scores
// keep the order of anchors, then of classes; the best class is the first of equal ones.
func Suppress(p Prediction, o Options) ([]Detection, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	all := p.candidates(o)
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	all = all[:min(len(all), o.MaxCandidates)]
	kept := make([]candidate, 0, min(len(all), o.MaxDetections))
	for _, c := range all {
		if len(kept) == o.MaxDetections {
			break
		}
		if !slices.ContainsFunc(kept, func(k candidate) bool { return k.overlap(c) > o.IoU }) {
			kept = append(kept, c)
		}
	}
	found := make([]Detection, len(kept))
	for i, c := range kept {
		found[i] = Detection{Confidence: float64(c.score), Class: c.class, Anchor: c.anchor}
		for k, v := range p.Boxes[4*c.anchor : 4*c.anchor+4] {
			found[i].Box[k] = float64(v)
		}
	}
	return found, nil
}

// check refuses wrong lengths and values that are not finite.
func (p Prediction) check() error {
	n := len(p.Boxes) / 4
	if p.Classes <= 0 || len(p.Boxes)%4 != 0 || len(p.Scores) != n*p.Classes {
		return fmt.Errorf("objectness: %d box values and %d scores for %d classes",
			len(p.Boxes), len(p.Scores), p.Classes)
	}
	for i, v := range p.Boxes {
		if !finite(v) {
			return fmt.Errorf("objectness: box %d: coordinate %d is %v", i/4, i%4, v)
		}
	}
	for i, v := range p.Scores {
		if !finite(v) {
			return fmt.Errorf("objectness: box %d: score of class %d is %v", i/p.Classes,
				i%p.Classes, v)
		}
	}
	return nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// candidates lists the boxes above the threshold by anchor, then class.
func (p Prediction) candidates(o Options) []candidate {
	var all []candidate
	threshold := float32(o.Confidence)
	for anchor := range len(p.Boxes) / 4 {
		scores := p.Scores[anchor*p.Classes : (anchor+1)*p.Classes]
		first, last := 0, p.Classes-1
		if !o.MultiLabel {
			first = best(scores)
			last = first
		}
		for class := first; class <= last; class++ {
			wanted := len(o.Classes) == 0 || slices.Contains(o.Classes, class)
			if scores[class] > threshold && wanted {
				all = append(all, p.candidate(anchor, class, o.Agnostic))
			}
		}
	}
	return all
}

// best returns the index of the first largest score.
func best(scores []float32) int {
	at := 0
	for i, v := range scores {
		if v > scores[at] {
			at = i
		}
	}
	return at
}

func (p Prediction) candidate(anchor, class int, agnostic bool) candidate {
	c := candidate{anchor: anchor, class: class, score: p.Scores[anchor*p.Classes+class]}
	offset := float32(classOffset * class)
	if agnostic {
		offset = 0
	}
	for k, v := range p.Boxes[4*anchor : 4*anchor+4] {
		c.box[k] = v + offset
	}
	c.area = float32((c.box[2] - c.box[0]) * (c.box[3] - c.box[1]))
	return c
}

// overlap returns the intersection over the union of two boxes; NaN, which suppresses nothing,
// for two boxes without area.
func (c candidate) overlap(d candidate) float64 {
	width := max(0, min(c.box[2], d.box[2])-max(c.box[0], d.box[0]))
	height := max(0, min(c.box[3], d.box[3])-max(c.box[1], d.box[1]))
	common := float32(width * height)
	return float64(common / (c.area + d.area - common))
}
