package optim

import (
	"fmt"
	"log/slog"
	"strings"
)

// Label is a published evolutionary search of a generator's space (BigGAN_Evol_cmp_O2_cluster.py).
type Label struct {
	Name      string
	Generator string // "DeePSim" or "BigGAN"
	Kind      string // "cholesky", "diagonal" or "genetic"
	Parts     []PartLabel
	NoUpdate  bool // A stays the identity (suffix noA)
	Extra     bool // not among the published labels
}

// PartLabel is the search of a part of the code.
type PartLabel struct {
	Part  string // "all", "noise" or "class"
	Sigma float64
	// Hessian searches the eigenvectors of the averaged metric, each scaled by
	// eigenvalue^-Exponent; of them the Cutoff leading ones, 0 for all.
	Hessian  bool
	Cutoff   int
	Exponent float64
}

// hessCMA's exponent for BigGAN.
const exponentBigGAN = 1 / 2.5

// Labels are the searches by name. The published ones come first; the last three of a generator are
// extras: CMA-ES with a diagonal matrix and the genetic algorithm of Ponce et al. 2019.
func Labels() []Label {
	all := func(sigma float64) []PartLabel { return []PartLabel{{Part: "all", Sigma: sigma}} }
	one := func(part string, sigma float64) []PartLabel { return []PartLabel{{Part: part, Sigma: sigma}} }
	hess := func(part string, sigma float64, cutoff int, exponent float64) []PartLabel {
		return []PartLabel{{part, sigma, true, cutoff, exponent}}
	}
	const chol, b, d = "cholesky", "BigGAN", "DeePSim"
	return []Label{
		{"CholCMA", b, chol, all(.2), false, false},
		{"CholCMA_noA", b, chol, all(.2), true, false},
		{"CholCMA_class", b, chol, one("class", .06), false, false},
		{"CholCMA_noise", b, chol, one("noise", .3), false, false},
		{"CholCMA_prod", b, chol, append(one("noise", .1), one("class", .06)...), false, false},
		{"HessCMA", b, chol, hess("all", .2, 0, exponentBigGAN), false, false},
		{"HessCMA_noA", b, chol, hess("all", .2, 0, exponentBigGAN), true, false},
		{"HessCMA_class", b, chol, hess("class", .2, 0, exponentBigGAN), false, false},
		{"DiagCMA", b, "diagonal", all(.2), false, true},
		{"GA", b, "genetic", all(.2), false, true},
		{"CholCMA", d, chol, all(3), false, false},
		{"CholCMA_noA", d, chol, all(3), true, false},
		{"HessCMA500", d, chol, hess("all", .8, 500, 1./5), false, false},
		{"HessCMA800", d, chol, hess("all", .8, 800, 1./5), false, false},
		{"HessCMA500_1", d, chol, hess("all", .4, 500, 1./4), false, false},
		{"DiagCMA", d, "diagonal", all(3), false, true},
		{"GA", d, "genetic", all(3), false, true},
	}
}

// FindLabel finds a generator's search by name; an unknown name is an error that lists the known ones.
func FindLabel(generator, name string) (Label, error) {
	var known []string
	for _, l := range Labels() {
		if l.Generator != generator {
			continue
		}
		if strings.EqualFold(l.Name, name) {
			return l, nil
		}
		known = append(known, l.Name)
	}
	return Label{}, fmt.Errorf("optim: no search %q of %s, known are %s", name, generator,
		strings.Join(known, ", "))
}

// Space is what a label is made a search of.
type Space struct {
	Start []float64 // the code of generation 0
	Noise int       // dimensions of the noise, in front of the class; 0 where there are no such parts
	// Subspace gives a part's scaled eigenvectors, rows of to - from values, for the labels with a
	// Hessian; cutoff 0 means all. Nil where the generator's metric is unknown.
	Subspace   func(from, to, cutoff int, exponent float64) ([]float64, error)
	Population int     // zero means that of the label's dimensions
	Sigma      float64 // zero means the label's; with several parts it scales with theirs
	Seed       uint64
	Logger     *slog.Logger // told what the guard of the matrix does; nil means quiet
}

// Search starts the label's search.
func (l Label) Search(s Space) (Search, error) {
	var parts []Part
	for i, p := range l.Parts {
		part := Part{From: 0, To: len(s.Start)}
		switch {
		case p.Part != "all" && (s.Noise <= 0 || s.Noise >= len(s.Start)):
			return nil, fmt.Errorf("optim: %s searches the %s alone, and this code of %d dimensions has "+
				"no such part", l.Name, p.Part, len(s.Start))
		case p.Part == "noise":
			part.To = s.Noise
		case p.Part == "class":
			part.From = s.Noise
		}
		start := s.Start[part.From:part.To]
		if p.Hessian {
			if s.Subspace == nil {
				return nil, fmt.Errorf("optim: %s needs the eigenvectors of the generator's metric", l.Name)
			}
			rows, err := s.Subspace(part.From, part.To, p.Cutoff, p.Exponent)
			if err != nil {
				return nil, err
			}
			part.Basis, start = rows, make([]float64, len(rows)/(part.To-part.From))
		}
		sigma := p.Sigma
		if s.Sigma > 0 {
			sigma *= s.Sigma / l.Parts[0].Sigma
		}
		var err error
		if part.Search, err = l.part(s, start, sigma, s.Seed+uint64(i)<<32); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 && parts[0].Basis == nil && parts[0].To-parts[0].From == len(s.Start) {
		return parts[0].Search, nil
	}
	return NewJoint(s.Start, parts...)
}

func (l Label) part(s Space, start []float64, sigma float64, seed uint64) (Search, error) {
	switch l.Kind {
	case "diagonal":
		return NewDiagonal(DiagonalConfig{Start: start, Sigma: sigma, Population: s.Population, Seed: seed})
	case "genetic":
		return NewGenetic(GeneticConfig{Start: start, Spread: sigma, Population: s.Population, Seed: seed})
	}
	c := Config{Dim: len(start), Start: start, Sigma: sigma, Population: s.Population, Seed: seed,
		Logger: s.Logger}
	if l.NoUpdate {
		c.UpdateFreq = NeverUpdate
	}
	return New(c)
}
