package parity

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/objectness"
	"gansim.example/weights"
)

// detectorFile is detector.json: ultralytics' letterbox, boxes, suppression and a whole detector.
type detectorFile struct {
	Salt      string
	Letterbox []struct {
		Image         string
		H, W          int
		NewShape      [2]int `json:"new_shape"`
		Auto, ScaleUp bool
		Stride        int
		Out           []int
		CRC32         uint32
		Tensor        string       // its pixels, if kept
		In            [][4]float64 `json:"boxes_in"`
		Back          [][4]float64 `json:"boxes_scaled_back"`
	}
	Input nmsInput `json:"nms_input"`
	NMS   []struct {
		Args struct {
			Conf       float64 `json:"conf_thres"`
			IoU        float64 `json:"iou_thres"`
			Agnostic   bool
			MultiLabel bool `json:"multi_label"`
			Classes    []int
			MaxDet     int `json:"max_det"`
		}
		Counts []int
		Rows   [][][]float64
		Kept   [][]int `json:"kept_box_index"`
	}
	Network []detectedItem `json:"yolov8n"`
}

// detectedItem is what the detector finds in one picture.
type detectedItem struct {
	Item       int
	Conf       float64 `json:"conf_thres"`
	IoU        float64 `json:"iou_thres"`
	N          int
	MaxConf    float64 `json:"max_conf"`
	ClassOfMax *int    `json:"class_of_max"`
	Rows       [][]float64
}

// detector compares preparation, suppression and detections.
func detector(r *run) error {
	var f detectorFile
	if err := r.read(&f); err != nil {
		return err
	}
	kept, err := weights.OpenSafetensors(filepath.Join(r.dir, r.name+".safetensors"))
	if err != nil {
		return err
	}
	if err := f.letterboxes(r, kept); err != nil {
		return err
	}
	if err := f.suppressions(r); err != nil {
		return err
	}
	return f.network(r)
}

func (f detectorFile) letterboxes(r *run, kept *weights.File) error {
	for _, c := range f.Letterbox {
		stage := fmt.Sprintf("%s auto %v scaleup %v ", c.Image, c.Auto, c.ScaleUp)
		got, _, err := imaging.Letterbox(formulaPicture(f.Salt, c.Image, c.H, c.W),
			imaging.LetterboxOptions{Width: c.NewShape[1], Height: c.NewShape[0], Auto: c.Auto,
				NoEnlarge: !c.ScaleUp, Stride: c.Stride})
		if err != nil {
			return err
		}
		shape := []int{got.Height, got.Width, 3}
		r.exact(stage+"shape", slices.Equal(shape, c.Out), fmt.Sprintf("got %v, want %v", shape, c.Out))
		sum := crc32.ChecksumIEEE(got.Pix)
		r.exact(stage+"pixels", sum == c.CRC32, fmt.Sprintf("crc32 %08x, want %08x", sum, c.CRC32))
		if c.Tensor != "" {
			if err := comparePixels(r, stage+"picture", kept, c.Tensor, 1, got); err != nil {
				return err
			}
		}
		compareBack(r, stage+"boxes", objectness.Frame{Width: c.W, Height: c.H, InputWidth: got.Width,
			InputHeight: got.Height}, c.In, c.Back)
	}
	return nil
}

func (f detectorFile) suppressions(r *run) error {
	predictions, err := f.Input.predictions(f.Salt)
	if err != nil {
		return err
	}
	for _, c := range f.NMS {
		o := objectness.Options{Confidence: c.Args.Conf, IoU: c.Args.IoU, Agnostic: c.Args.Agnostic,
			MultiLabel: c.Args.MultiLabel, Classes: c.Args.Classes, MaxDetections: c.Args.MaxDet}
		for b, p := range predictions {
			found, err := objectness.Suppress(p, o)
			if err != nil {
				return err
			}
			anchors := []int{}
			for _, d := range found {
				anchors = append(anchors, d.Anchor)
			}
			stage := fmt.Sprintf("nms item %d %+v ", b, c.Args)
			r.exact(stage+"count", len(found) == c.Counts[b],
				fmt.Sprintf("got %d, want %d", len(found), c.Counts[b]))
			r.exact(stage+"kept", slices.Equal(anchors, c.Kept[b]),
				fmt.Sprintf("got %v, want %v", anchors, c.Kept[b]))
			r.absolute(stage+"rows", detectionRows(found), slices.Concat(c.Rows[b]...), 0)
		}
	}
	return nil
}

// network runs the detector on formula weights in float64, on the pictures of its own case, and
// rounds to float32 before the suppression, as the reference does.
func (f detectorFile) network(r *run) error {
	const name = "yolov8n"
	c, err := oracle.OpenCase(r.dir, name)
	if err != nil {
		return err
	}
	images, err := c.Input(c.Inputs[0].Name)
	if err != nil {
		return err
	}
	found, err := formulaNetwork(r.dir, name)
	if err != nil {
		return err
	}
	net, ok := found.(*yolov8.Network)
	if !ok {
		return fmt.Errorf("%s is no YOLOv8", name)
	}
	program, err := graphx.New(r.backend, []gansim.Params{net.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			boxes, logits := net.Predict(nets[0], in[0], nn.Fixed{})
			low, high := Slice(boxes, AxisRange(), AxisRange(), AxisRange(0, 2)),
				Slice(boxes, AxisRange(), AxisRange(), AxisRange(2, 4))
			centre := MulScalar(Add(low, high), .5)
			return []*Node{Concatenate([]*Node{centre, Sub(high, low), Sigmoid(logits)}, 2)}
		})
	if err != nil {
		return err
	}
	out, err := program.Call(rawLayout.tensor(images, graphx.Precision(net.Params())))
	if err != nil {
		return err
	}
	d := out[0].Shape().Dimensions
	values, err := graphx.Float64s(out[0])
	if err != nil {
		return err
	}
	for _, want := range f.Network {
		columns := make([][]float32, d[2])
		for i, v := range values[want.Item*d[1]*d[2] : (want.Item+1)*d[1]*d[2]] {
			columns[i%d[2]] = append(columns[i%d[2]], float32(v))
		}
		if err := want.compare(r, name, byBox(columns)); err != nil {
			return err
		}
	}
	return nil
}

func (want detectedItem) compare(r *run, name string, p objectness.Prediction) error {
	found, err := objectness.Suppress(p, objectness.Options{Confidence: want.Conf, IoU: want.IoU})
	if err != nil {
		return err
	}
	stage := fmt.Sprintf("%s item %d ", name, want.Item)
	r.exact(stage+"count", len(found) == want.N, fmt.Sprintf("got %d, want %d", len(found), want.N))
	confidence, class := surest(found)
	r.absolute(stage+"max_conf", []float64{confidence}, []float64{want.MaxConf}, stepTolerance)
	wantClass := -1
	if want.ClassOfMax != nil {
		wantClass = *want.ClassOfMax
	}
	r.exact(stage+"class_of_max", class == wantClass, fmt.Sprintf("got %d, want %d", class, wantClass))
	r.relative(stage+"rows", detectionRows(found), slices.Concat(want.Rows...), stepTolerance)
	return nil
}

// formulaNetwork is a published network with formula weights, in float64.
func formulaNetwork(dir, name string) (models.Network, error) {
	m, err := models.Find(name)
	if err != nil {
		return nil, err
	}
	src, err := source(dir, name)
	if err != nil {
		return nil, err
	}
	return m.Load(src, nn.LoadOptions{Float64: true})
}
