package oracle

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Difference says how far two arrays are apart.
type Difference struct {
	RelL2  float64 // |got - want| / |want|; |got| where want is 0
	MaxAbs float64
	Cosine float64 // 1 where both are 0
}

// Compare compares two arrays of one length; with another length, NaN, or an infinity that only one
// of them has, the differences are infinite.
func Compare(got, want []float64) Difference {
	bad := Difference{RelL2: math.Inf(1), MaxAbs: math.Inf(1), Cosine: -1}
	if len(got) != len(want) {
		return bad
	}
	diff := make([]float64, len(want))
	for i := range want {
		if got[i] != want[i] { // equal infinities have difference 0
			diff[i] = got[i] - want[i]
		}
		if math.IsNaN(diff[i]) || math.IsInf(diff[i], 0) {
			return bad
		}
	}
	if len(want) == 0 {
		return Difference{Cosine: 1}
	}
	d := Difference{RelL2: floats.Norm(diff, 2), MaxAbs: floats.Norm(diff, math.Inf(1)), Cosine: 1}
	g, w := floats.Norm(got, 2), floats.Norm(want, 2)
	if w > 0 {
		d.RelL2 /= w
	}
	if g > 0 || w > 0 {
		d.Cosine = 0
	}
	if g > 0 && w > 0 {
		d.Cosine = floats.Dot(got, want) / g / w
	}
	return d
}

// Loss is what the reference program itself lost in float32.
type Loss struct {
	MaxAbs float64 `json:"max_abs"`
	RelL2  float64 `json:"rel_l2"`
}

// ToleranceF32 is the largest relative L2 difference allowed to values computed in float32: 1e-5,
// or 20 times what the reference program lost.
func (l Loss) ToleranceF32() float64 { return max(1e-5, 20*l.RelL2) }

// GradientToleranceF32 is the same for gradients through whole networks, where a unit at a kink may
// change sides: 2e-2, or 3 times what the reference program lost.
func (l Loss) GradientToleranceF32() float64 { return max(2e-2, 3*l.RelL2) }

// Stats describe a whole tensor.
type Stats struct {
	Mean, Std, Min, Max float64
	L2                  float64  `json:"l2"`
	Probe               *float64 // operators only, see [Probe]
}

// Expected is a tensor of the reference program, of which every Stride-th element was kept.
type Expected struct {
	Name   string
	Shape  []int
	Stride int
	Stats  Stats
	F32    Loss
	Values []float64 // elements 0, Stride, 2*Stride, ... of the flattened tensor
}

// Kept picks from a whole tensor, in the layout of Shape, the elements that were kept. Another
// number of elements is an error.
func (e Expected) Kept(full []float64) ([]float64, error) {
	n, err := count(e.Shape)
	if err != nil {
		return nil, fmt.Errorf("oracle: %s: %w", e.Name, err)
	}
	if len(full) != n {
		return nil, fmt.Errorf("oracle: %s: %d elements, want %d %v", e.Name, len(full), n, e.Shape)
	}
	kept := make([]float64, 0, len(e.Values))
	for i := 0; i < n; i += e.Stride {
		kept = append(kept, full[i])
	}
	return kept, nil
}

// Difference compares a whole tensor, in the layout of Shape, with the kept elements. Another
// number of elements is an error.
func (e Expected) Difference(full []float64) (Difference, error) {
	kept, err := e.Kept(full)
	if err != nil {
		return Difference{}, err
	}
	return Compare(kept, e.Values), nil
}
