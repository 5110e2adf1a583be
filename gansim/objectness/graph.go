package objectness

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// Detector runs a detection network over images of one size.
type Detector struct {
	name    string
	classes int
	size    int  // height and width of images, pixels
	yolov5  bool // boxes are brought back by that program's rule
	program *graphx.Program
	batch   int
}

// NewDetector compiles a YOLOv8 for batches of the given size, and images of its own.
func NewDetector(backend compute.Backend, n *yolov8.Network, batch int) (*Detector, error) {
	return OpenDetector(backend, n, n.Input, batch)
}

// OpenDetector compiles a *yolov8.Network or *yolov5.Network for batches of images of size x size
// pixels, which must be a multiple of its largest stride.
func OpenDetector(backend compute.Backend, net any, size, batch int) (*Detector, error) {
	d := &Detector{size: size, batch: batch}
	var params gansim.Params
	var predict func(w gansim.Weights, images *Node) (boxes, scores *Node)
	stride := 1
	switch n := net.(type) {
	case *yolov8.Network:
		d.name, d.classes, params = n.Config.Name, len(n.Classes), n.Params()
		for _, s := range n.Strides {
			stride = max(stride, s)
		}
		predict = func(w gansim.Weights, images *Node) (*Node, *Node) {
			boxes, logits := n.Predict(w, images, nn.Fixed{})
			return boxes, Sigmoid(logits)
		}
	case *yolov5.Network:
		d.name, d.classes, params, d.yolov5 = n.Config.Name, len(n.Classes), n.Params(), true
		for _, h := range n.Heads {
			stride = max(stride, h.Stride)
		}
		predict = func(w gansim.Weights, images *Node) (*Node, *Node) {
			boxes, object, classes := n.Predict(w, images)
			return boxes, Mul(classes, object)
		}
	default:
		return nil, fmt.Errorf("objectness: %T is neither a YOLOv8 nor a YOLOv5", net)
	}
	if size < stride || size%stride != 0 || batch < 1 {
		return nil, fmt.Errorf("objectness: %s: images of %d pixels in batches of %d, want a multiple of %d "+
			"and at least one", d.name, size, batch, stride)
	}
	var err error
	d.program, err = graphx.New(backend, []gansim.Params{params},
		func(nets []gansim.Weights, in []*Node) []*Node {
			boxes, scores := predict(nets[0], in[0])
			return []*Node{boxes, scores}
		})
	return d, err
}

// Name is the network's.
func (d *Detector) Name() string { return d.name }

// Bytes is what the detector's networks take on the device.
func (d *Detector) Bytes() int64 { return d.program.Bytes() }

// Close frees the device's memory; the detector is not to be used afterwards.
func (d *Detector) Close() { d.program.Close() }

// Boxed is a picture fitted into a detector's square.
type Boxed struct {
	Images gansim.Images // one, [1, size, size, 3]
	Frame  Frame         // that brings boxes back
}

// Fit letterboxes a picture into the detector's square, with margins of grey on both sides, whatever
// the pictures beside it: so that it gives the same boxes in every batch. (YOLOv5's own wrapper pads
// to the smallest shape that holds all pictures of a batch, see [AutoShape]; a square picture meets
// the same pixels in both.)
func (d *Detector) Fit(m imaging.RGB) (Boxed, error) {
	b := Boxed{Frame: Frame{Width: m.Width, Height: m.Height, InputWidth: d.size, InputHeight: d.size,
		YOLOv5: d.yolov5}}
	if m.Width != d.size || m.Height != d.size {
		var err error
		m, _, err = imaging.Letterbox(m, imaging.LetterboxOptions{Width: d.size, Height: d.size})
		if err != nil {
			return b, err
		}
	}
	var err error
	b.Images, err = imaging.ToImages(m)
	return b, err
}

// Detect finds objects in images of the detector's size, each by itself: neighbours and batch size do
// not matter.
func (d *Detector) Detect(ctx context.Context, images gansim.Images, o Options) ([]Image, error) {
	if images.Height != d.size || images.Width != d.size {
		return nil, fmt.Errorf("objectness: images are %dx%d, %s reads %dx%d; letterbox them first",
			images.Height, images.Width, d.name, d.size, d.size)
	}
	frames := make([]Frame, images.N)
	for i := range frames {
		frames[i] = Frame{Width: d.size, Height: d.size, InputWidth: d.size, InputHeight: d.size}
	}
	return d.detect(ctx, images, frames, o)
}

// DetectBoxed is Detect for pictures of any size that [Detector.Fit] has prepared; boxes are in pixels
// of the pictures.
func (d *Detector) DetectBoxed(ctx context.Context, pictures []Boxed, o Options) ([]Image, error) {
	images := gansim.NewImages(len(pictures), d.size, d.size)
	frames := make([]Frame, len(pictures))
	for i, p := range pictures {
		copy(images.At(i), p.Images.Pix)
		frames[i] = p.Frame
	}
	return d.detect(ctx, images, frames, o)
}

func (d *Detector) detect(ctx context.Context, images gansim.Images, frames []Frame, o Options) ([]Image,
	error) {
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
			p := Prediction{Classes: d.classes, Boxes: boxes[i*nb : (i+1)*nb],
				Scores: scores[i*ns : (i+1)*ns]}
			if found[rows[i]], err = Find(p, frames[rows[i]], o); err != nil {
				return fmt.Errorf("image %d: %w", rows[i], err)
			}
		}
		return nil
	})
	return found, err
}
