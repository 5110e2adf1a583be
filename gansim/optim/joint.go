package optim

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Search is a running search without gradients: Ask for codes, score them, Tell the scores in their
// order. Higher is better.
type Search interface {
	Ask() [][]float64
	Tell(scores []float64) error
}

// Part is the search of some dimensions of a code, or of a subspace of them.
type Part struct {
	From, To int // dimensions of the code, To apart
	// Search gives K coordinates y. Without a Basis K is To - From and y are those dimensions.
	Search Search
	// Basis holds K rows of To - From values; the dimensions are the start's plus y times Basis. Its
	// rows are eigenvectors, scaled, for HessCMA: A = diag(s) E' in the full space is A = I here.
	Basis []float64
}

// Joint searches parts of a code side by side with shared scores; dimensions in no part stay as in the
// start. One part gives the variants of the published labels that search the class or the noise alone
// or a subspace, two give the product.
type Joint struct {
	start []float64
	parts []Part
}

// NewJoint puts parts together; start is copied. Every generation of all parts must have as many codes
// as the first part's.
func NewJoint(start []float64, parts ...Part) (*Joint, error) {
	if len(parts) == 0 {
		return nil, errors.New("optim: a joint search has no parts")
	}
	for i, p := range parts {
		if p.From < 0 || p.To > len(start) || p.From >= p.To {
			return nil, fmt.Errorf("optim: part %d has dimensions %d to %d of %d", i, p.From, p.To, len(start))
		}
		if len(p.Basis)%(p.To-p.From) != 0 {
			return nil, fmt.Errorf("optim: basis of part %d has %d values, want rows of %d", i,
				len(p.Basis), p.To-p.From)
		}
	}
	return &Joint{slices.Clone(start), slices.Clone(parts)}, nil
}

// Ask puts the codes of the current generation together. The caller owns them.
func (j *Joint) Ask() [][]float64 {
	var codes [][]float64
	for _, p := range j.parts {
		rows := p.Search.Ask()
		if codes == nil {
			codes = newRows(len(rows), len(j.start))
			for _, z := range codes {
				copy(z, j.start)
			}
		}
		for i, y := range rows[:min(len(rows), len(codes))] {
			p.place(codes[i][p.From:p.To], y)
		}
	}
	return codes
}

// place writes a part's dimensions, which hold the start.
func (p Part) place(z, y []float64) {
	if p.Basis == nil {
		copy(z, y)
		return
	}
	for k, v := range y {
		floats.AddScaled(z, v, p.Basis[k*len(z):(k+1)*len(z)])
	}
}

// Tell gives the scores to all parts. After an error the parts are not to be used any more.
func (j *Joint) Tell(scores []float64) error {
	for i, p := range j.parts {
		if err := p.Search.Tell(scores); err != nil {
			return fmt.Errorf("part %d of %d: %w", i+1, len(j.parts), err)
		}
	}
	return nil
}
