package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/objectness"
	"gansim.example/weights"
)

// detection is one run of gansim detect; what is exported is its result as JSON.
type detection struct {
	Detector   string        `json:"detector"`
	Weights    string        `json:"weights"` // SHA-256
	Miniature  bool          `json:"miniature"`
	Backend    string        `json:"backend"`
	Size       int           `json:"size"` // of what the detector reads, pixels
	Confidence float64       `json:"confidence"`
	IoU        float64       `json:"iou"`
	Classes    []string      `json:"classes"`
	Sets       []detectedSet `json:"sets"`

	net, out string
	drawn    int
	batch    int
	model    any // *yolov8.Network or *yolov5.Network
	options  objectness.Options
}

// detectedSet is one image set.
type detectedSet struct {
	Name          string          `json:"name"`
	N             int             `json:"n"`
	Seed          uint64          `json:"seed"`
	Detected      int             `json:"detected"` // images with an object
	Rate          float64         `json:"rate"`
	Lo            float64         `json:"lo"` // Wilson's 95 % interval of the rate
	Hi            float64         `json:"hi"`
	Confidence    *float64        `json:"confidence"` // mean of the surest, of images with an object
	ConfidenceSEM *float64        `json:"confidence_sem"`
	Fill0         *float64        `json:"confidence_fill0"` // of all images, 0 without an object
	Fill0SEM      *float64        `json:"confidence_fill0_sem"`
	Skipped       int             `json:"skipped"`
	Images        []detectedImage `json:"images"`
}

// detectedImage is one image; boxes are [x0, y0, x1, y1, confidence, class], in its pixels.
type detectedImage struct {
	Image      string                 `json:"image"`
	SHA256     string                 `json:"sha256,omitempty"` // of its file
	Objects    int                    `json:"n_objects"`
	Confidence *float64               `json:"confidence"` // of the surest
	Boxes      []objectness.Detection `json:"boxes"`
	Drawn      string                 `json:"drawn,omitempty"` // file with the boxes on it
}

// miniDetector is the miniature's name.
const miniDetector = "yolov8"

func detectors() []string {
	all := []string{miniDetector}
	for _, m := range models.All() {
		if _, err := weights.Find(m.Name); err == nil && strings.HasPrefix(m.Name, "yolo") {
			all = append(all, m.Name)
		}
	}
	return all
}

func detectCommand() *cobra.Command {
	d := &detection{}
	c := &cobra.Command{
		Use:   "detect SET...",
		Short: "Find objects in image sets",
		Long: "Find objects in every image, and the share of images that have one, with Wilson's interval.\n" +
			setSpecs + "An image's boxes\ndo not depend on the others. Pictures are letterboxed.",
		Example: "  gansim detect gen:BigGAN gen:DeePSim/std4 mini:coco\n" +
			"  gansim detect photos --net yolov8x --size 640 --draw 20 --out results/detect",
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misused(c, "%s: no SET given", c.CommandPath())
		}
		return nil
	}
	c.Flags().StringVar(&d.net, "net", "", "`network`: yolov8n to yolov8x, yolov5x, or the miniature yolov8 (default:\n"+
		"yolov8n if its weights are here, else the miniature)")
	complete(c, "net", detectors())
	c.Flags().IntVar(&d.Size, "size", 0, "of what the network reads, `pixels` (default: 256; the miniature 64)")
	c.Flags().Float64Var(&d.Confidence, "conf", .25, "least confidence of an object")
	c.Flags().Float64Var(&d.IoU, "iou", 0, "largest overlap of two boxes (default: .7, yolov5 .45)")
	c.Flags().IntVar(&d.drawn, "draw", 0, "of images of each set to write with their boxes")
	n, seed := countFlag(c, 0, "of images of each set (default: all, or 2000 drawn)"), seedFlag(c, "of samples")
	c.Flags().IntVar(&d.batch, "batch", 8, "images computed together")
	c.Flags().StringVar(&d.out, "out", "", "`folder` for detect.csv, detect.json and drawn images")
	asJSON, backend, files := jsonFlag(c), backendFlag(c), weightsFlag(c)
	c.Flags().Lookup("strict").Usage = strictSets
	c.RunE = func(c *cobra.Command, args []string) error {
		d.Backend = *backend
		if err := d.check(c, *n); err != nil {
			return err
		}
		o := dataset.Options{N: *n, Seed: *seed, Strict: *files.strict}
		if err := d.run(c, files, args, o); err != nil {
			return interrupted(err, "the same command: it starts over and finds the same")
		}
		if d.out != "" {
			if err := d.write(); err != nil {
				return err
			}
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), d)
		}
		return d.show(c.OutOrStdout())
	}
	return c
}

func (d *detection) check(c *cobra.Command, n int) error {
	switch {
	case n < 0:
		return misused(c, "-n %d: want at least 1", n)
	case d.batch < 1:
		return misused(c, "--batch %d: want at least 1", d.batch)
	case !(d.Confidence > 0 && d.Confidence < 1):
		return misused(c, "--conf %g: want a number between 0 and 1", d.Confidence)
	case !(d.IoU >= 0 && d.IoU < 1):
		return misused(c, "--iou %g: want a number between 0 and 1", d.IoU)
	case d.drawn < 0:
		return misused(c, "--draw %d: want a number from 0 up", d.drawn)
	case d.drawn > 0 && d.out == "":
		return misused(c, "--draw needs --out, a folder for the images")
	case d.out != "":
		return checkOut(d.out)
	}
	return nil
}

func (d *detection) run(c *cobra.Command, files *networkFiles, specs []string, o dataset.Options) error {
	cast, err := newCast(files)
	if err != nil {
		return err
	}
	if err := d.network(c, cast); err != nil {
		return err
	}
	b, err := openBackend(c, d.Backend)
	if err != nil {
		return err
	}
	defer b.Finalize()
	d.Backend = b.Description()
	sets, err := setOpener{c, cast, b, o}.open(specs)
	defer closeSets(sets)
	if err != nil {
		return err
	}
	return d.detect(c, b, sets)
}

// network chooses the detector, and says so where it is not one of those published.
func (d *detection) network(c *cobra.Command, cast *cast) error {
	d.Detector = d.net
	if d.net == "" {
		d.Detector = "yolov8n"
		if cast.files.absent(d.Detector) {
			d.Detector = miniDetector
			fmt.Fprintln(c.ErrOrStderr(), "gansim: the weights of yolov8n are not here: the miniature yolov8, "+
				"which knows the objects of the miniature world alone")
		}
	}
	if d.Detector == miniDetector {
		net := cast.world.YOLOv8
		d.model, d.Weights, d.Miniature, d.Classes = net, cast.world.Hashes[miniDetector], true, net.Classes
		d.Size = cmp.Or(d.Size, net.Input)
	} else {
		if !slices.Contains(detectors(), d.Detector) {
			return known("--net", d.Detector, detectors())
		}
		net, hash, err := cast.files.open(d.Detector, nn.LoadOptions{})
		if err != nil {
			return err
		}
		d.model, d.Weights, d.Classes, d.Size = net, hash, objectness.COCO(), cmp.Or(d.Size, 256)
	}
	d.settle()
	return nil
}

// settle takes what the flags leave open from the detector's program.
func (d *detection) settle() {
	d.options = objectness.Defaults(d.model)
	d.IoU = cmp.Or(d.IoU, d.options.IoU)
	d.options.Confidence, d.options.IoU = d.Confidence, d.IoU
}
