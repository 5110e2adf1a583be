package main

import (
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/objectness"
)

// fitted is a picture on its way to the detector.
type fitted struct {
	objectness.Boxed
	picture imaging.RGB // only where it is to be drawn
}

// converter prepares pictures as the programs do: photographs turned upright, then letterboxed.
func (d *detection) converter(x *objectness.Detector) dataset.Convert[fitted] {
	return features.FromPicture(func(m imaging.RGB) (fitted, error) {
		b, err := x.Fit(m)
		f := fitted{Boxed: b}
		if d.drawn > 0 {
			f.picture = m
		}
		return f, err
	})
}

func (d *detection) detect(c *cobra.Command, b compute.Backend, sets []*dataset.Set) error {
	x, err := objectness.OpenDetector(b, d.model, d.Size, d.batch)
	if err != nil {
		return misused(c, "%w", err)
	}
	defer x.Close()
	for i, s := range sets {
		if s.Statistics != "" {
			return misused(c, "%s holds statistics, not images", s.Name)
		}
		found, err := d.set(c, x, s, i)
		if err != nil {
			return err
		}
		d.Sets = append(d.Sets, *found)
	}
	return nil
}

// set looks through the images of one set, batch by batch.
func (d *detection) set(c *cobra.Command, x *objectness.Detector, s *dataset.Set, number int) (*detectedSet,
	error) {
	out := &detectedSet{Name: s.Name, Seed: s.Seed, Images: []detectedImage{}, Skipped: len(s.Skipped)}
	skip := func(name string, reason error) {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: %s: skipped %s: %v\n", s.Name, name, reason)
	}
	for _, k := range s.Skipped {
		skip(k.Name, k.Reason)
	}
	progress := newProgress(c.ErrOrStderr(), "detect "+s.Name)
	var batch []dataset.Item[fitted]
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := d.piece(c, x, batch, out, number)
		batch = batch[:0]
		progress(len(out.Images), s.Len())
		return err
	}
	for item, err := range dataset.Stream(c.Context(), s, d.converter(x), dataset.Span{}) {
		if err != nil {
			return nil, err
		}
		if item.Err != nil {
			out.Skipped++
			skip(item.Name, item.Err)
			continue
		}
		if batch = append(batch, item); len(batch) == d.batch {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return out, out.summarize()
}

// piece finds the objects of some images and draws them where that is asked for.
func (d *detection) piece(c *cobra.Command, x *objectness.Detector, batch []dataset.Item[fitted],
	out *detectedSet, number int) error {
	var boxed []objectness.Boxed
	for _, item := range batch {
		boxed = append(boxed, item.Value.Boxed)
	}
	found, err := x.DetectBoxed(c.Context(), boxed, d.options)
	if err != nil {
		return fmt.Errorf("%s: images %s to %s: %w", out.Name, batch[0].Name, batch[len(batch)-1].Name, err)
	}
	for i, f := range found {
		row := detectedImage{Image: batch[i].Name, SHA256: batch[i].SHA256, Objects: f.Objects,
			Confidence: finite(f.Confidence), Boxes: f.Detections}
		if row.Boxes == nil {
			row.Boxes = []objectness.Detection{}
		}
		if len(out.Images) < d.drawn {
			row.Drawn = filepath.Join(d.out, fmt.Sprintf("%d_%06d.png", number, len(out.Images)))
			if err := d.draw(row, batch[i].Value.picture); err != nil {
				return err
			}
		}
		out.Images = append(out.Images, row)
	}
	return nil
}
