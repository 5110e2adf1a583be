// Package experiment holds one recipe per panel of Extended Data Fig. 1 of Wang & Ponce (Nature
// Neuroscience 2026): what to compute (rows), what to test, the paper's numbers, and what to draw.
// Figures and tests are made from rows alone.
package experiment

import (
	"fmt"
	"strings"
)

// Preset sets the size of an experiment.
type Preset struct {
	Name  string
	World string // Miniature or Published
	A     SizeA
	B     SizeB
	C     SizeC
	D     SizeD
}

// SizeA is the size of panel A.
type SizeA struct {
	Images int // per set
}

// SizeB is the size of panel B.
type SizeB struct {
	Units, Generations int
	// Population is the number of codes in each generation, in both spaces; zero means that of CMA-ES
	// for each (40 and 28 in the paper's spaces).
	Population int
}

// SizeC is the size of panel C.
type SizeC struct {
	Photos, Steps int
}

// SizeD is the size of panel D: networks are both, units are channels 0 to Channels-1.
type SizeD struct {
	Sweep    bool // the runs are those of the sweep with the preset's name, not the following grid
	Layers   []string
	Channels int
	Labels   []string // methods by label; nil means all that the paper's sweep ran
	Steps    int
}

// presets: smoke touches every line in a minute on the pure Go backend, class is the lecture's
// figure; both use the miniature world. With the published networks, lab takes a night on a
// workstation and paper is the figure at its own size.
func presets() []Preset {
	return []Preset{
		{
			Name: "smoke", World: Miniature,
			A: SizeA{Images: 64},
			B: SizeB{Units: 4, Generations: 20},
			C: SizeC{Photos: 12, Steps: 100},
			D: SizeD{Layers: []string{"layer1", "layer3", "fc"}, Channels: 2, Steps: 40,
				Labels: []string{"Adam01", "Adam01Hess", "Adam001", "SGD001Hess"}},
		},
		{
			Name: "class", World: Miniature,
			A: SizeA{Images: 2000},
			B: SizeB{Units: 24, Generations: 60},
			C: SizeC{Photos: 101, Steps: 401},
			D: SizeD{Sweep: true},
		},
		{
			Name: "lab", World: Published,
			A: SizeA{Images: 5000},
			B: SizeB{Units: 20, Generations: 100, Population: paperPopulationDeePSim},
			C: SizeC{Photos: paperPhotos, Steps: 401},
			D: SizeD{Sweep: true},
		},
		{
			Name: "paper", World: Published,
			A: SizeA{Images: 50000},
			B: SizeB{Units: paperUnits, Generations: 100, Population: paperPopulationDeePSim},
			C: SizeC{Photos: paperPhotos, Steps: 401},
			D: SizeD{Sweep: true},
		},
	}
}

// PresetNames lists the presets.
func PresetNames() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, p.Name)
	}
	return names
}

// FindPreset gives a preset by name; an unknown name is an error that lists the known ones.
func FindPreset(name string) (Preset, error) {
	for _, p := range presets() {
		if p.Name == name {
			return p, nil
		}
	}
	return Preset{}, fmt.Errorf("experiment: no preset %q, want one of %s", name,
		strings.Join(PresetNames(), ", "))
}

// Panels lists the panels' letters.
func Panels() []string { return []string{"a", "b", "c", "d"} }
