package nn

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
)

// LoadOptions choose among what a checkpoint offers.
type LoadOptions struct {
	// Truncation picks the row of BigGAN's statistics tables, up to 1; zero means 0.7.
	Truncation float64
	// Interpolate mixes the two rows that Truncation falls between as interpolation should: near a
	// row, mostly that row. By default they are mixed as the published program does, which has the
	// two weights swapped; at multiples of 0.02 that is mostly the same, see [TruncationRows].
	Interpolate bool
	// Warn is told of tensors with values that are not finite; nil makes them an error.
	Warn func(text string)
	// Float64 keeps the tensors in float64, so that folding rounds nothing.
	Float64 bool
}

// Load reads a network's tensors, checks names and shapes, permutes them to the layout of this
// package and folds norms to a scale and an offset (in float64). The names of the result are those
// of the checkpoint; a norm gives NAME.scale and NAME.offset, a row norm NAME.mean and
// NAME.inverse_std. A checkpoint that has other tensors than the table is a [*MismatchError].
func (t Table) Load(src Source, o LoadOptions) (gansim.Params, error) {
	if o.Truncation == 0 {
		o.Truncation = .7
	}
	if !(o.Truncation > 0 && o.Truncation <= 1) {
		return gansim.Params{}, fmt.Errorf("nn: truncation is %g, want at most 1, above 0",
			o.Truncation)
	}
	var ps gansim.Params
	r := t.open(src)
	r.warn = o.Warn
	for _, l := range t {
		ts := l.read(r)
		if r.err() != nil {
			continue // but find out what else is wrong
		}
		for _, nt := range l.fold(ts, o) {
			ps.Names = append(ps.Names, nt.name)
			ps.Tensors = append(ps.Tensors, nt.tensor(o.Float64))
		}
	}
	if err := r.err(); err != nil {
		return gansim.Params{}, err
	}
	return ps, nil
}

// Values copies a loaded tensor.
func Values(ps gansim.Params, name string) ([]float64, error) {
	i := slices.Index(ps.Names, name)
	if i < 0 {
		return nil, fmt.Errorf("nn: no tensor %q", name)
	}
	if ps.Tensors[i].DType() == dtypes.Float64 {
		return tensors.CopyFlatData[float64](ps.Tensors[i])
	}
	v, err := tensors.CopyFlatData[float32](ps.Tensors[i])
	return convert[float64](v), err
}

// named is a tensor: as published, or folded with wide values. Tensors are as large as the file, so that
// values are divided, permuted and stored in one go.
type named struct {
	name    string
	shape   []int
	values  []float32
	wide    []float64       // in place of values
	divisor float64         // of all values; zero means 1
	to      func(i int) int // the place of a value; nil means its own
}

func (n named) tensor(float64s bool) *tensors.Tensor {
	switch {
	case float64s && n.wide != nil:
		return stored[float64](n, n.wide)
	case float64s:
		return stored[float64](n, n.values)
	case n.wide != nil:
		return stored[float32](n, n.wide)
	}
	return stored[float32](n, n.values)
}

func stored[To, From float32 | float64](n named, values []From) *tensors.Tensor {
	t := tensors.FromShape(shapes.Make(dtypes.FromGenericsType[To](), n.shape...))
	tensors.MustMutableFlatData(t, func(flat []To) {
		for i, v := range values {
			x := float64(v)
			if n.divisor != 0 {
				x /= n.divisor
			}
			at := i
			if n.to != nil {
				at = n.to(i)
			}
			flat[at] = To(x)
		}
	})
	return t
}

func convert[To, From float32 | float64](v []From) []To {
	out := make([]To, len(v))
	for i, x := range v {
		out[i] = To(x)
	}
	return out
}

// shapes maps the names that graphs ask for to the shapes that Load gives.
func (t Table) shapes() map[string][]int {
	all := map[string][]int{}
	for _, l := range t {
		published := l.Published()
		switch l.Kind {
		case Norm:
			published = []Published{{l.Name + ".scale", []int{l.Out}, false},
				{l.Name + ".offset", []int{l.Out}, false}}
		case RowNorm, RowNormAffine:
			published = append(published[2:], Published{l.Name + ".mean", []int{l.Out}, false},
				Published{l.Name + ".inverse_std", []int{l.Out}, false})
		}
		for _, p := range published {
			shape := p.Shape
			if l.Kind != Norm {
				_, shape = l.permutation(p.Name, p.Shape)
			}
			all[p.Name] = shape
		}
	}
	return all
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
