package models

import (
	"fmt"

	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// Open reads a published network from a weight file of any format that [weights.Open] knows.
func (m Model) Open(path string, o nn.LoadOptions) (Network, *weights.File, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	net, err := m.Load(m.Source(f), o)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not %s: %w", path, m.Name, err)
	}
	return net, f, nil
}

// Source is the network's tensors in a file. Checkpoints of adversarial training hold the network
// twice and its normaliser: only what is under module.model. counts (resnet50_robust.py).
func (m Model) Source(f *weights.File) nn.Source {
	return nn.FromFile(f.Under("module.model."))
}
