// Package mini is the miniature world: small networks of the paper's architectures, trained on
// rendered pictures (package world) by package train and embedded in the program, so that the whole
// figure can be computed with no download. What it shows is the mechanism, not the paper's numbers.
package mini

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

//go:embed weights/*.safetensors weights/*.json
var files embed.FS

// World holds all networks. They share nothing and are safe for concurrent use.
type World struct {
	DeePSim *deepsim.Generator
	BigGAN  *biggan.Generator
	AlexNet *alexnet.Network
	ResNet  *resnet.Network
	Robust  *resnet.Network
	YOLOv8  *yolov8.Network
	// Bases holds, per generator, the eigenvectors of its averaged metric as columns, row-major
	// [CodeSize, CodeSize], eigenvalues ascending.
	Bases map[string][]float32
	// Spectra holds the eigenvalues.
	Spectra map[string][]float32
	// Hashes gives the SHA-256 of each network's file.
	Hashes map[string]string
}

// Open reads the embedded networks.
func Open() (*World, error) {
	w := &World{Hashes: map[string]string{}, Bases: map[string][]float32{},
		Spectra: map[string][]float32{}}
	detector := yolov8.Mini(world.Classes()[:world.NumObjects])
	for _, load := range []func() error{
		reading(w, "deepsim", &w.DeePSim, deepsim.Mini.Load),
		reading(w, "biggan", &w.BigGAN, biggan.Mini.Load),
		reading(w, "alexnet", &w.AlexNet, alexnet.Mini.Load),
		reading(w, "resnet50", &w.ResNet, resnet.Mini.Load),
		reading(w, "resnet50_linf8", &w.Robust, resnet.Robust(resnet.Mini).Load),
		reading(w, "yolov8", &w.YOLOv8, detector.Load),
		w.bases,
	} {
		if err := load(); err != nil {
			return nil, fmt.Errorf("mini: %w", err)
		}
	}
	return w, nil
}

// reading reads a network of the world from its file.
func reading[T any](w *World, name string, to *T,
	load func(nn.Source, nn.LoadOptions) (T, error)) func() error {
	return func() error {
		src, err := w.source(name)
		if err != nil {
			return err
		}
		*to, err = load(src, nn.LoadOptions{})
		return err
	}
}

func (w *World) source(name string) (nn.Source, error) {
	f, err := file(name)
	if err != nil {
		return nn.Source{}, err
	}
	w.Hashes[name] = f.SHA256()
	return nn.FromFile(f), nil
}

func (w *World) bases() error {
	src, err := w.source("metric")
	if err != nil {
		return err
	}
	for _, g := range w.Generators() {
		name := strings.ToLower(g.Name()) + ".eigenvectors"
		shape, v, err := src.Read(name)
		if err != nil {
			return err
		}
		if n := g.CodeSize(); len(shape) != 2 || shape[0] != n || shape[1] != n {
			return fmt.Errorf("tensor %q has shape %v, want [%d %d]", name, shape, n, n)
		}
		_, values, err := src.Read(strings.ToLower(g.Name()) + ".eigenvalues")
		if err != nil {
			return err
		}
		w.Bases[g.Name()], w.Spectra[g.Name()] = v, values
	}
	return nil
}

func file(name string) (*weights.File, error) {
	b, err := files.ReadFile("weights/" + name + ".safetensors")
	if err != nil {
		return nil, err
	}
	return weights.ParseSafetensors(b)
}

// Record is the training record of a network as JSON, with the command, seed, data and curve.
func Record(network string) (json.RawMessage, error) {
	b, err := files.ReadFile("weights/" + network + ".json")
	if err != nil {
		return nil, fmt.Errorf("mini: %w", err)
	}
	return b, nil
}

// Generators lists the generators, DeePSim first.
func (w *World) Generators() []gansim.Generator { return []gansim.Generator{w.DeePSim, w.BigGAN} }

// Scorers lists the networks whose units can be read.
func (w *World) Scorers() []gansim.Scorer { return []gansim.Scorer{w.AlexNet, w.ResNet, w.Robust} }

// Generator finds a generator by name, in any case; an unknown name is an error that lists the known.
func (w *World) Generator(name string) (gansim.Generator, error) {
	return byName("generator", name, w.Generators())
}

// Scorer finds a network by name.
func (w *World) Scorer(name string) (gansim.Scorer, error) {
	return byName("network", name, w.Scorers())
}

func byName[T interface{ Name() string }](kind, name string, all []T) (T, error) {
	var known []string
	for _, v := range all {
		if strings.EqualFold(v.Name(), name) {
			return v, nil
		}
		known = append(known, v.Name())
	}
	var none T
	return none, fmt.Errorf("mini: no %s %q, want one of %s", kind, name, strings.Join(known, ", "))
}

// Size is the length of a network's embedded file, bytes; 0 if there is none.
func Size(network string) int {
	b, err := files.ReadFile("weights/" + network + ".safetensors")
	if err != nil {
		return 0
	}
	return len(b)
}
