package experiment

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/mini"
	"gansim.example/gansim/mini/world"
)

// World is what a figure is computed with. Networks must be safe for concurrent use; those of panels
// that are not computed may be nil.
type World struct {
	Name            string // Miniature or Published
	DeePSim, BigGAN gansim.Generator
	AlexNet         gansim.Scorer // panel B
	ResNet, Robust  gansim.Scorer // panel D, the latter adversarially trained
	// Features of panel A's FIDs.
	Features features.Network
	// Detector of panel A, a *yolov8.Network or *yolov5.Network, and the size that it reads, pixels.
	Detector     any
	DetectorSize int
	// Natural lists panel A's sets of photographs.
	Natural []NaturalSet
	// Basis gives the eigenvectors of a generator's metric as columns, [CodeSize, CodeSize] row-major.
	Basis func(generator string) ([]float64, error)
	// Hashes gives the SHA-256 of each network's file.
	Hashes map[string]string
}

// NaturalSet is a set of panel A by the spec of dataset.Open; "mini:" is known beside those.
type NaturalSet struct{ Name, Spec string }

// layoutNames are the paper's names of the reference sets.
var layoutNames = map[string]string{"imagenet": "ImageNet", "things": "THINGS", "coco": "COCO",
	"ecoset": "EcoSet"}

// Natural names the set of a spec: that of a reference set by its layout, others by their last part.
func Natural(spec string) NaturalSet {
	path, _, _ := strings.Cut(spec, "?")
	prefix, _, _ := strings.Cut(path, ":")
	if name, ok := layoutNames[prefix]; ok {
		return NaturalSet{name, spec}
	}
	return NaturalSet{filepath.Base(path), spec}
}

// MiniatureWorld opens the networks in the program.
func MiniatureWorld() (*World, error) {
	m, err := mini.Open()
	if err != nil {
		return nil, err
	}
	w := &World{Name: Miniature, DeePSim: m.DeePSim, BigGAN: m.BigGAN, AlexNet: m.AlexNet,
		ResNet: m.ResNet, Robust: m.Robust, Detector: m.YOLOv8, DetectorSize: m.YOLOv8.Input,
		Features: features.Network{Scorer: m.ResNet, Hash: m.Hashes[m.ResNet.Name()], Miniature: true},
		Basis: func(generator string) ([]float64, error) {
			return actmax.Widen(m.Bases[generator]), nil
		},
		Hashes: m.Hashes,
	}
	for _, layout := range []string{"imagenet", "things", "coco", "ecoset"} {
		w.Natural = append(w.Natural, NaturalSet{layoutNames[layout] + "-like", "mini:" + layout})
	}
	return w, nil
}

// miniature draws the sets of the miniature world.
func miniature(_ context.Context, q dataset.Query) (dataset.Drawn, error) {
	set, err := world.ParseSet(q.Name)
	return DrawRenders(set, q.N, world.DefaultSize, q.Seed), err
}

// named finds one of a few networks.
func named[N interface{ Name() string }](kind, name string, all ...N) (N, error) {
	var none N
	var known []string
	for _, n := range all {
		if any(n) == nil {
			continue
		}
		if n.Name() == name {
			return n, nil
		}
		known = append(known, n.Name())
	}
	return none, fmt.Errorf("experiment: no %s %q, want one of %s", kind, name, strings.Join(known, ", "))
}

// ofD is the world as panel D's plans ask for it.
func (w *World) ofD() WorldD {
	return WorldD{
		Scorer: func(name string) (gansim.Scorer, error) {
			return named("network", name, w.ResNet, w.Robust)
		},
		Generator: func(name string) (gansim.Generator, error) {
			return named("generator", name, w.DeePSim, w.BigGAN)
		},
		Basis: w.Basis, Weights: combined(w.Hashes),
	}
}

// The names of the generators, which rows hold.
const (
	deepSim = "DeePSim"
	bigGAN  = "BigGAN"
)
