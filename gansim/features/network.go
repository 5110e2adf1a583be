package features

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/inception"
)

// Network is what features are read from.
type Network struct {
	Scorer gansim.Scorer
	Hash   string // SHA-256 of its weights
	// Layer is the activation that is read; a map is averaged over space. Empty means avgpool.
	Layer string
	// Logits is the layer whose softmax the inception score takes; empty means that it is not read.
	Logits string
	// Miniature says that the numbers cannot be compared with published ones.
	Miniature bool
}

// pooled is the layer of FID's features.
const pooled = "avgpool"

// LogitsOf is the layer that the inception score reads: without its bias where the network has it so,
// as torch-fidelity does, else the last.
func LogitsOf(s gansim.Scorer) string {
	all := s.Layers()
	const unbiased = "logits_unbiased"
	if slices.ContainsFunc(all, func(l gansim.Layer) bool { return l.Name == unbiased }) &&
		s.Name() == inception.FID.Name {
		return unbiased
	}
	return all[len(all)-1].Name
}

// Label names the features: the network, and which layer of it.
func (n Network) Label() string {
	label := n.Scorer.Name() + "/" + n.layer()
	if n.Miniature {
		label = "miniature " + label
	}
	return label
}

func (n Network) layer() string {
	if n.Layer == "" {
		return pooled
	}
	return n.Layer
}

// check finds the layers; width is the number of features.
func (n Network) check() (size, width, logits int, err error) {
	inner, ok := n.Scorer.(interface{ InputSize() int })
	if !ok {
		return 0, 0, 0, fmt.Errorf("features: %s does not say the size of its input", n.Scorer.Name())
	}
	if width, err = n.channels(n.layer()); err == nil && n.Logits != "" {
		logits, err = n.channels(n.Logits)
	}
	return inner.InputSize(), width, logits, err
}

func (n Network) channels(layer string) (int, error) {
	var known []string
	for _, l := range n.Scorer.Layers() {
		if l.Name == layer {
			return l.Channels, nil
		}
		known = append(known, l.Name)
	}
	return 0, fmt.Errorf("features: %s has no layer %q, it has %s", n.Scorer.Name(), layer,
		strings.Join(known, ", "))
}

// program compiles the network for prepared images [batch, size, size, 3] in [0, 1]: features
// [batch, width], and logits where they are wanted.
func (n Network) program(backend compute.Backend, c Convention) (*graphx.Program, error) {
	return graphx.New(backend, []gansim.Params{n.Scorer.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			layers := []string{n.layer()}
			if n.Logits != "" {
				layers = append(layers, n.Logits)
			}
			out := n.activations(nets[0], in[0], c, layers)
			out[0] = mean(out[0])
			return out
		})
}

// activations reads layers; those of the FID network in one go, by the convention's rule for its input.
func (n Network) activations(w gansim.Weights, x *Node, c Convention, layers []string) []*Node {
	var out []*Node
	if net, ok := n.Scorer.(*inception.Network); ok {
		config := net.Config
		if config.Name == inception.FID.Name && c.fidelity {
			config.Gain, config.Offset = inception.Fidelity.Gain, inception.Fidelity.Offset
		}
		taps := config.Taps(w, x, layers...)
		for _, l := range layers {
			out = append(out, taps[l])
		}
		return out
	}
	for _, l := range layers {
		out = append(out, n.Scorer.Activations(w, x, l))
	}
	return out
}

// mean averages a map over space.
func mean(x *Node) *Node {
	if x.Rank() == 4 {
		return ReduceMean(x, 1, 2)
	}
	return x
}
