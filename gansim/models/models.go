// Package models lists the published networks by the names of the weights manifest.
package models

import (
	"fmt"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
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
	// Load reads a checkpoint. The network is a *deepsim.Generator, *biggan.Generator, ... as the
	// name says.
	Load func(src nn.Source, o nn.LoadOptions) (Network, error)
}

// All lists the published networks that gansim can run.
func All() []Model {
	all := []Model{
		model("alexnet", alexnet.ImageNet.Table(), alexnet.ImageNet.Load),
		model("resnet50", resnet.ImageNet.Table(), resnet.ImageNet.Load),
		model("resnet50_linf8", resnet.ImageNet.Table(), resnet.Robust(resnet.ImageNet).Load),
		model("deepsim_fc6", deepsim.FC6.Table(), deepsim.FC6.Load),
		model("biggan_deep_256", biggan.Deep256.Table(), biggan.Deep256.Load),
	}
	for _, s := range []string{"n", "s", "m", "l", "x"} {
		c := yolov8.COCO(yolov8.Scales()[s], 640, make([]string, 80))
		all = append(all, model("yolov8"+s, c.Table(), c.Load))
	}
	return all
}

// model hides a network's own type.
func model[N Network](name string, t nn.Table, load func(nn.Source, nn.LoadOptions) (N, error)) Model {
	return Model{name, t, func(src nn.Source, o nn.LoadOptions) (Network, error) {
		n, err := load(src, o)
		if err != nil {
			return nil, err
		}
		return n, nil
	}}
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
