package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/features"
	"gansim.example/gansim/models/inception"
	"gansim.example/gansim/nn"
)

// publishedFlags are those of gansim figure that the published networks alone take.
type publishedFlags struct {
	sets     []string
	bases    map[string]string
	detector string
	size     int
	files    *networkFiles
}

func publishedFlagsOf(c *cobra.Command) *publishedFlags {
	f := &publishedFlags{files: weightsFlag(c)}
	c.Flags().StringArrayVar(&f.sets, "set", nil, "natural `SET` of panel a, as imagenet:DIR; may be repeated")
	c.Flags().StringToStringVar(&f.bases, "basis", nil, "`GAN=FILE` of gansim hessian, for panel d")
	c.Flags().StringVar(&f.detector, "net", "yolov8n", "`network` of panel a that looks for objects")
	complete(c, "net", detectors()[1:])
	c.Flags().IntVar(&f.size, "size", 256, "of what it reads, `pixels`")
	return f
}

// names are the flags.
func (f *publishedFlags) names() []string {
	return []string{"set", "basis", "net", "size", "weights", "rows"}
}

// needed lists the weight files of panels.
func (f *publishedFlags) needed(panels []string) []string {
	byPanel := map[string][]string{"a": {inception.FID.Name, f.detector}, "b": {"alexnet"},
		"d": {"resnet50", "resnet50_linf8"}}
	names := []string{publishedGenerator["DeePSim"], publishedGenerator["BigGAN"]}
	for _, p := range panels {
		names = append(names, byPanel[p]...)
	}
	return names
}

// open opens what panels need. What is missing is told at once, before anything is loaded.
func (f *publishedFlags) open(c *cobra.Command, panels []string) (*experiment.World, error) {
	if len(panels) == 0 {
		panels = experiment.Panels()
	}
	if !slices.Contains(detectors()[1:], f.detector) {
		return nil, known("--net", f.detector, detectors()[1:])
	}
	var missing []string
	for _, name := range f.needed(panels) {
		if f.files.absent(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, hinted{fmt.Errorf("the weights of %s are not here", strings.Join(missing, ", ")),
			fmt.Sprintf("gansim weights fetch %s, or --weights NAME=PATH", strings.Join(missing, " "))}
	}
	cast, err := newCast(f.files)
	if err != nil {
		return nil, err
	}
	w := &experiment.World{Name: experiment.Published, Hashes: map[string]string{}, DetectorSize: f.size}
	for _, spec := range f.sets {
		w.Natural = append(w.Natural, experiment.Natural(spec))
	}
	if err := f.generators(cast, w, slices.Contains(panels, "d")); err != nil {
		return nil, err
	}
	return w, f.networks(cast, w, panels)
}

// generators opens both; panel D needs their metrics.
func (f *publishedFlags) generators(cast *cast, w *experiment.World, metrics bool) error {
	vectors := map[string][]float64{}
	for name, to := range map[string]*gansim.Generator{"DeePSim": &w.DeePSim, "BigGAN": &w.BigGAN} {
		g, err := cast.published(name, f.bases[name])
		if err != nil {
			return err
		}
		if g.metric != nil {
			vectors[name] = g.metric.Vectors
		} else if metrics {
			return g.errNoMetric("panel d, half of whose runs are in the Hessian's basis,")
		}
		*to, w.Hashes[publishedGenerator[name]] = g.Generator, g.hash
	}
	w.Basis = func(name string) ([]float64, error) {
		if vectors[name] == nil {
			return nil, errors.New("no metric of " + name)
		}
		return vectors[name], nil
	}
	return nil
}

// networks opens the others.
func (f *publishedFlags) networks(cast *cast, w *experiment.World, panels []string) error {
	for _, n := range []struct {
		panel, name string
		to          *gansim.Scorer
	}{
		{"a", inception.FID.Name, &w.Features.Scorer},
		{"b", "alexnet", &w.AlexNet},
		{"d", "resnet50", &w.ResNet},
		{"d", "resnet50_linf8", &w.Robust},
	} {
		if !slices.Contains(panels, n.panel) {
			continue
		}
		s, hash, err := cast.scorer(publishedPrefix + n.name)
		if err != nil {
			return err
		}
		*n.to, w.Hashes[n.name] = s, hash
	}
	if !slices.Contains(panels, "a") {
		return nil
	}
	w.Features = features.Network{Scorer: w.Features.Scorer, Hash: w.Hashes[inception.FID.Name]}
	net, hash, err := f.files.open(f.detector, nn.LoadOptions{})
	w.Detector, w.Hashes[f.detector] = net, hash
	return err
}
