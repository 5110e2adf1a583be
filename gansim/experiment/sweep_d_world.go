package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/caffenet"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/nn"
)

// The worlds of networks that a sweep can use.
const (
	Miniature = "miniature" // of the program itself
	Published = "published" // the authors' networks, whose weights are fetched
)

// netD is a network as a plan sees it: without tensors.
type netD struct {
	name   string
	family string // networks of a family have one architecture, so that they share programs
	plan   nn.Plan
}

// netsD lists the networks of a world.
func netsD(world string) ([]netD, error) {
	switch world {
	case Miniature:
		return []netD{
			{resnet.Mini.Name, "resnet", resnet.Mini.Plan()},
			{resnet.Robust(resnet.Mini).Name, "resnet", resnet.Robust(resnet.Mini).Plan()},
			{alexnet.Mini.Name, "alexnet", alexnet.Mini.Plan()},
		}, nil
	case Published:
		var all []netD
		for _, name := range slices.Sorted(maps.Keys(resnet.Published())) {
			all = append(all, netD{name, "resnet", resnet.Published()[name].Plan()})
		}
		return append(all, netD{"alexnet", "alexnet", alexnet.ImageNet.Plan()},
			netD{"caffenet", "caffenet", caffenet.ImageNet.Plan()}), nil
	}
	return nil, fmt.Errorf("world %.64q, want %s or %s", world, Miniature, Published)
}

// generatorsD are the generators of both worlds.
func generatorsD() []string { return []string{"BigGAN", "DeePSim"} }

// atlas finds networks and their layers; those of a family are listed once.
type atlas struct {
	nets   []netD
	layers map[string][]gansim.Layer // by family
}

func newAtlas(world string) (*atlas, error) {
	nets, err := netsD(world)
	return &atlas{nets, map[string][]gansim.Layer{}}, err
}

func (a *atlas) net(name string) (netD, error) {
	i := slices.IndexFunc(a.nets, func(n netD) bool { return n.name == name })
	if i < 0 {
		var known []string
		for _, n := range a.nets {
			known = append(known, n.name)
		}
		return netD{}, unknown("network", name, known)
	}
	return a.nets[i], nil
}

// layer finds a layer in either spelling; the error for an unknown one leaves out the modules in blocks.
func (a *atlas) layer(n netD, name string) (gansim.Layer, error) {
	if a.layers[n.family] == nil {
		a.layers[n.family] = n.plan.Layers()
	}
	l, ok := gansim.FindLayer(a.layers[n.family], name)
	if !ok {
		var known []string
		for _, l := range a.layers[n.family] {
			if strings.Count(l.Name, ".") < 2 {
				known = append(known, l.Name)
			}
		}
		known = append(known, "and the modules in them")
		return l, unknown("layer of "+n.name, name, known)
	}
	return l, nil
}

// labelD finds an optimiser by its exact label.
func labelD(name string) (actmax.Method, error) {
	var known []string
	for _, m := range actmax.Labels() {
		if m.Label == name {
			return m, nil
		}
		known = append(known, m.Label)
	}
	return actmax.Method{}, unknown("label", name, known)
}

// unknown is the error for a name that is none of the known.
func unknown(kind, name string, known []string) error {
	return fmt.Errorf("no %s %.64q, known are %s", kind, name, strings.Join(known, ", "))
}
