package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/objectness"
)

// Goal is one property of the trained networks, measured on renders that none of them learned from.
type Goal struct {
	Network string  `json:"network"`
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	// Goal is what the value should at least be, or at most if AtMost; 0 where there is none.
	Goal   float64 `json:"goal,omitempty"`
	AtMost bool    `json:"at_most,omitempty"`
	N      int     `json:"n"` // images
}

// Met says whether the value is as good as its goal.
func (g Goal) Met() bool {
	if g.AtMost {
		return g.Value <= g.Goal
	}
	return g.Value >= g.Goal
}

// Sizes of the report's samples.
const (
	attackedRenders = 512
	detectedRenders = 512
	invertedRenders = 16
	sampledImages   = 1200
	invertedRate    = .1 // of Adam, as in panel C on the miniature world
)

// reporter measures networks.
type reporter struct {
	*runner
	ctx   context.Context
	held  world.Renders
	goals []Goal
}

func (m *reporter) add(network, name string, value, goal float64, n int) {
	m.goals = append(m.goals, Goal{Network: network, Name: name, Value: value, Goal: goal, N: n})
}

// Report measures the networks of a folder against the goals of the miniature world. Seed is that of
// their training; renders come from another one.
func Report(ctx context.Context, backend compute.Backend, dir string, seed uint64) ([]Goal, error) {
	held, err := render(ctx, world.Train, seed+heldOut, heldRenders)
	if err != nil {
		return nil, err
	}
	m := &reporter{runner: &runner{backend: backend, seed: seed, dir: dir}, ctx: ctx, held: held}
	for _, measure := range []func() error{m.classifiers, m.detector, m.deepsim, m.biggan} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("train: report: %w", err)
		}
		if err := measure(); err != nil {
			return nil, fmt.Errorf("train: report: %w", err)
		}
	}
	return m.goals, nil
}

// classifiers measures accuracies, plain and under attack.
func (m *reporter) classifiers() error {
	for _, c := range []struct {
		network  string
		trained  classifier
		accuracy float64 // goals
		attacked Goal
	}{
		{"alexnet", alexNet(), .97, Goal{}},
		{"resnet50", resNet(resnet.Mini), .97, Goal{Goal: .05, AtMost: true}},
		{"resnet50_linf8", resNet(resnet.Mini), 0, Goal{Goal: .60}},
	} {
		k := c.trained
		if c.network == "alexnet" {
			k.params = trainable(alexnet.Mini.Table())
			k.logits = func(w gansim.Weights, images *Node, _ nn.Normalizer) (logits, extra *Node) {
				return alexnet.Mini.Taps(w, images, "fc8")["fc8"], nil
			}
		}
		state, err := k.read(m.dir, c.network)
		if err != nil {
			return err
		}
		accuracy, err := k.accuracy(m.runner, m.held, state, 0)
		if err != nil {
			return err
		}
		m.add(c.network, "accuracy", accuracy, c.accuracy, m.held.N)
		if c.attacked.Goal == 0 {
			continue
		}
		k.epsilon = 8. / 255
		robust, err := k.accuracy(m.runner, m.held.Slice(0, attackedRenders), state, 20)
		if err != nil {
			return err
		}
		m.add(c.network, "accuracy under PGD-20 at 8/255", robust, c.attacked.Goal, attackedRenders)
		m.goals[len(m.goals)-1].AtMost = c.attacked.AtMost
	}
	return nil
}

// detector measures recall and precision at confidence 0.25 and an overlap of 0.5, boxes of the right
// class alone.
func (m *reporter) detector() error {
	net, err := loaded(m.dir, "yolov8", yolov8.Mini(world.Classes()[:world.NumObjects]).Load)
	if err != nil {
		return err
	}
	scenes, err := render(m.ctx, world.Detector, m.seed+heldOut, detectedRenders)
	if err != nil {
		return err
	}
	d, err := objectness.NewDetector(m.backend, net, 32)
	if err != nil {
		return err
	}
	defer d.Close()
	found, err := d.Detect(m.ctx, scenes.Images(), objectness.Options{})
	if err != nil {
		return err
	}
	hits, objects, boxes := 0, 0, 0
	for i, f := range found {
		objects += len(scenes.Boxes[i])
		boxes += len(f.Detections)
		hits += matches(scenes.Boxes[i], f.Detections)
	}
	m.add("yolov8", "recall at IoU 0.5", float64(hits)/float64(objects), .9, scenes.N)
	m.add("yolov8", "precision at IoU 0.5", float64(hits)/float64(max(boxes, 1)), .9, scenes.N)
	return nil
}

// matches counts the objects that a detection of their class covers, each detection used once, the
// surest first.
func matches(objects []world.Box, found []objectness.Detection) int {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b objectness.Detection) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	taken := make([]bool, len(objects))
	hits := 0
	for _, d := range found {
		best, at := .5, -1
		for j, o := range objects {
			if iou := overlap(d.Box, o); !taken[j] && o.Class == d.Class && iou >= best {
				best, at = iou, j
			}
		}
		if at >= 0 {
			taken[at] = true
			hits++
		}
	}
	return hits
}

// overlap is the intersection over union of two boxes.
func overlap(a [4]float64, b world.Box) float64 {
	inner := max(0, min(a[2], b.X1)-max(a[0], b.X0)) * max(0, min(a[3], b.Y1)-max(a[1], b.Y0))
	return inner / ((a[2]-a[0])*(a[3]-a[1]) + (b.X1-b.X0)*(b.Y1-b.Y0) - inner)
}
