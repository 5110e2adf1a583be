package objectness

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// Detector runs a detection network over images of its own input size.
type Detector struct {
	network *yolov8.Network
	program *graphx.Program
	batch   int
}

// NewDetector compiles a network for batches of the given size.
func NewDetector(backend compute.Backend, n *yolov8.Network, batch int) (*Detector, error) {
	program, err := graphx.New(backend, []gansim.Params{n.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			boxes, logits := n.Predict(nets[0], in[0], nn.Fixed{})
			return []*Node{boxes, Sigmoid(logits)}
		})
	if err != nil {
		return nil, err
	}
	return &Detector{n, program, batch}, nil
}

// Bytes is what the detector's networks take on the device.
func (d *Detector) Bytes() int64 { return d.program.Bytes() }

// Close frees the device's memory; the detector is not to be used afterwards.
func (d *Detector) Close() { d.program.Close() }

// Detect finds objects in images, each by itself: neighbours and batch size do not matter.
func (d *Detector) Detect(ctx context.Context, images gansim.Images, o Options) ([]Image, error) {
	size := d.network.Input
	if images.Height != size || images.Width != size {
		return nil, fmt.Errorf("objectness: images are %dx%d, %s reads %dx%d; letterbox them first",
			images.Height, images.Width, d.network.Name, size, size)
	}
	frame := Frame{Width: size, Height: size, InputWidth: size, InputHeight: size}
	found := make([]Image, images.N)
	err := graphx.Padded(images.N, d.batch, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objectness: image %d of %d: %w", rows[0], images.N, err)
		}
		out, err := d.program.Call(graphx.Gather(images, rows))
		if err != nil {
			return err
		}
		defer graphx.Free(out...)
		boxes, err := graphx.Floats(out[0])
		if err != nil {
			return err
		}
		scores, err := graphx.Floats(out[1])
		if err != nil {
			return err
		}
		for i := range valid {
			nb, ns := len(boxes)/len(rows), len(scores)/len(rows)
			p := Prediction{Classes: len(d.network.Classes), Boxes: boxes[i*nb : (i+1)*nb],
				Scores: scores[i*ns : (i+1)*ns]}
			if found[rows[i]], err = Find(p, frame, o); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
