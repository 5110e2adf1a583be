package models

import (
	"fmt"

	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// Open reads a published network from weight files of any format that [weights.Open] knows: its own, and
// those that it is used with. The first one's hash becomes that of the network.
func (m Model) Open(o nn.LoadOptions, paths ...string) (Network, *weights.File, error) {
	var files []*weights.File
	for _, path := range paths {
		f, err := weights.Open(path)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
	}
	net, err := m.Load(m.Source(files...), o)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not %s: %w", paths[0], m.Name, err)
	}
	return net, files[0], nil
}

// Source is the network's tensors in its files. Checkpoints of adversarial training hold the network
// twice and its normaliser: only what is under module.model. counts (resnet50_robust.py).
func (m Model) Source(files ...*weights.File) nn.Source {
	var all []nn.Source
	for _, f := range files {
		all = append(all, nn.FromFile(f.Under("module.model.")))
	}
	if m.join != nil {
		return m.join(all...)
	}
	return all[0]
}
