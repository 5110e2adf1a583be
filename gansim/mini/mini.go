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
	// Hashes gives the SHA-256 of each network's file.
	Hashes map[string]string
}

// Open reads the embedded networks.
func Open() (*World, error) {
	w := &World{Hashes: map[string]string{}, Bases: map[string][]float32{}}
	var err error
	read := func(name string) nn.Source {
		f, e := file(name)
		if e != nil {
			err = e
			return func(string) ([]int, []float32, bool) { return nil, nil, false }
		}
		w.Hashes[name] = f.SHA256()
		return nn.FromFile(f)
	}
	load := func(fn func() error) {
		if err == nil {
			err = fn()
		}
	}
	load(func() (e error) { w.DeePSim, e = deepsim.Mini.Load(read("deepsim"), nn.LoadOptions{}); return e })
	load(func() (e error) { w.BigGAN, e = biggan.Mini.Load(read("biggan"), nn.LoadOptions{}); return e })
	load(func() (e error) { w.AlexNet, e = alexnet.Mini.Load(read("alexnet"), nn.LoadOptions{}); return e })
	load(func() (e error) { w.ResNet, e = resnet.Mini.Load(read("resnet50"), nn.LoadOptions{}); return e })
	load(func() (e error) {
		w.Robust, e = resnet.Robust(resnet.Mini).Load(read("resnet50_linf8"), nn.LoadOptions{})
		return e
	})
	load(func() (e error) {
		w.YOLOv8, e = yolov8.Mini(world.Classes()[:world.NumObjects]).Load(read("yolov8"), nn.LoadOptions{})
		return e
	})
	load(func() error { return w.bases(read("metric")) })
	if err != nil {
		return nil, fmt.Errorf("mini: %w", err)
	}
	return w, nil
}

func (w *World) bases(src nn.Source) error {
	for _, g := range w.Generators() {
		name := strings.ToLower(g.Name()) + ".eigenvectors"
		shape, v, ok := src(name)
		if n := g.CodeSize(); !ok || len(shape) != 2 || shape[0] != n || shape[1] != n {
			return fmt.Errorf("tensor %q has shape %v, want [%d %d]", name, shape, n, n)
		}
		w.Bases[g.Name()] = v
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
