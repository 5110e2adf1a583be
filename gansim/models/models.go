// Package models lists the published networks by the names of the weights manifest.
package models

import (
	"fmt"
	"slices"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/caffenet"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/inception"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov5"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// Network is a loaded network of any kind: a generator, a scorer, a detector or a metric.
type Network interface {
	Params() gansim.Params
	Layers() []gansim.Layer
}

// Model is a published network.
type Model struct {
	Name  string   // in the manifest, such as "resnet50_linf8"
	Table nn.Table // its checkpoint's tensors
	Plan  nn.Plan
	// Load reads a checkpoint. The network is a *deepsim.Generator, *biggan.Generator, ... as the
	// name says.
	Load func(src nn.Source, o nn.LoadOptions) (Network, error)

	join func(files ...nn.Source) nn.Source // of a network whose tensors lie in several files
}

// All lists the published networks that gansim can run, by name.
func All() []Model {
	all := slices.Concat(
		family(alexnet.Published()), family(caffenet.Published()), family(resnet.Published()),
		family(deepsim.Published()), family(biggan.Published()), family(yolov8.Published()),
		family(yolov5.Published()), family(inception.Published()), family(lpips.Published()),
	)
	slices.SortFunc(all, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// config is the shape of a network of type N.
type config[N Network] interface {
	Table() nn.Table
	Plan() nn.Plan
	Load(src nn.Source, o nn.LoadOptions) (N, error)
}

// family lists the published networks of an architecture.
func family[C config[N], N Network](configs map[string]C) []Model {
	var all []Model
	for name, c := range configs {
		m := Model{Name: name, Table: c.Table(), Plan: c.Plan()}
		m.Load = func(src nn.Source, o nn.LoadOptions) (Network, error) {
			n, err := c.Load(src, o)
			if err != nil {
				return nil, err
			}
			return n, nil
		}
		if j, ok := any(c).(interface {
			Join(files ...nn.Source) nn.Source
		}); ok {
			m.join = j.Join
		}
		all = append(all, m)
	}
	return all
}

// Find gives a network by its name; an unknown name is an error that lists the known ones.
func Find(name string) (Model, error) {
	var known []string
	for _, m := range All() {
		if m.Name == name {
			return m, nil
		}
		known = append(known, m.Name)
	}
	return Model{}, fmt.Errorf("models: no network %q, known are %s", name, strings.Join(known, ", "))
}
