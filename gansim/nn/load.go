package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/weights"
)

// Source gives a checkpoint's tensor by its published name, row-major; ok is false if it has none.
type Source func(name string) (shape []int, values []float32, ok bool)

// LoadOptions choose among what a checkpoint offers.
type LoadOptions struct {
	// Truncation picks the row of BigGAN's statistics tables; zero means 0.7.
	Truncation float64
	// Float64 keeps the tensors in float64, so that folding rounds nothing.
	Float64 bool
}

// Load reads a network's tensors, checks names and shapes, permutes them to the layout of this
// package and folds norms to a scale and an offset (in float64). The names of the result are those
// of the checkpoint; a norm gives NAME.scale and NAME.offset, a row norm NAME.mean and
// NAME.inverse_std.
func (t Table) Load(src Source, o LoadOptions) (gansim.Params, error) {
	var ps gansim.Params
	for _, l := range t {
		ts, err := l.read(src, o.Float64)
		if err != nil {
			return ps, err
		}
		for _, nt := range l.fold(ts, o) {
			ps.Names = append(ps.Names, nt.name)
			ps.Tensors = append(ps.Tensors, nt.tensor(o.Float64))
		}
	}
	return ps, nil
}

// named is a tensor: as published, or folded with wide values.
type named struct {
	name   string
	shape  []int
	values []float32
	wide   []float64 // in place of values
}

func (n named) tensor(float64s bool) *tensors.Tensor {
	switch {
	case float64s && n.wide == nil:
		return tensors.FromFlatDataAndDimensions(convert[float64](n.values), n.shape...)
	case float64s:
		return tensors.FromFlatDataAndDimensions(n.wide, n.shape...)
	case n.wide != nil:
		return tensors.FromFlatDataAndDimensions(convert[float32](n.wide), n.shape...)
	}
	return tensors.FromFlatDataAndDimensions(n.values, n.shape...)
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

// read takes a layer's tensors from a checkpoint and checks their shapes.
func (l Layer) read(src Source, wide bool) ([]named, error) {
	var ts []named
	for _, p := range l.Published() {
		shape, values, ok := src(p.Name)
		if !ok && l.Spectral && p.Name == l.Name+".weight" {
			w, err := l.foldSpectral(src, p.Shape, wide)
			if err != nil {
				return nil, err
			}
			ts = append(ts, w)
			continue
		}
		if !ok {
			return nil, fmt.Errorf("nn: no tensor %q, want shape %v", p.Name, p.Shape)
		}
		if !slices.Equal(shape, p.Shape) {
			return nil, fmt.Errorf("nn: tensor %q has shape %v, want %v", p.Name, shape, p.Shape)
		}
		ts = append(ts, named{name: p.Name, shape: shape, values: values})
	}
	return ts, nil
}

// foldSpectral divides weight_orig by sigma = u.W.v with the stored u and v (no power iteration in
// evaluation; Miyato et al. 2018 as in torch.nn.utils.spectral_norm).
func (l Layer) foldSpectral(src Source, shape []int, wide bool) (named, error) {
	folded := named{name: l.Name + ".weight", shape: shape}
	part := func(name string, want ...int) ([]float32, error) {
		got, v, ok := src(l.Name + "." + name)
		if !ok || !slices.Equal(got, want) {
			return nil, fmt.Errorf("nn: tensor %q has shape %v, want %v", l.Name+"."+name, got, want)
		}
		return v, nil
	}
	out, rest := shape[0], size(shape[1:])
	w, err := part("weight_orig", shape...)
	if err != nil {
		return folded, fmt.Errorf("nn: no tensor %q and %w", l.Name+".weight", err)
	}
	u, err := part("weight_u", out)
	if err != nil {
		return folded, err
	}
	v, err := part("weight_v", rest)
	if err != nil {
		return folded, err
	}
	sigma := 0.0
	for i := range out {
		row := 0.0
		for j := range rest {
			row += float64(w[i*rest+j]) * float64(v[j])
		}
		sigma += float64(u[i]) * row
	}
	if wide {
		folded.wide = make([]float64, len(w))
		for i, x := range w {
			folded.wide[i] = float64(x) / sigma
		}
		return folded, nil
	}
	folded.values = make([]float32, len(w))
	for i, x := range w {
		folded.values[i] = float32(float64(x) / sigma)
	}
	return folded, nil
}

// fold turns a layer's published tensors into those that graphs use.
func (l Layer) fold(ts []named, o LoadOptions) []named {
	switch l.Kind {
	case Norm:
		scale, offset := make([]float64, l.Out), make([]float64, l.Out)
		for i := range scale {
			s := float64(ts[0].values[i]) / math.Sqrt(float64(ts[3].values[i])+l.Eps)
			scale[i] = s
			offset[i] = float64(ts[1].values[i]) - float64(ts[2].values[i])*s
		}
		return []named{{name: l.Name + ".scale", shape: []int{l.Out}, wide: scale},
			{name: l.Name + ".offset", shape: []int{l.Out}, wide: offset}}
	case RowNorm, RowNormAffine:
		mean, inverse := make([]float64, l.Out), make([]float64, l.Out)
		at := truncationRow(o.Truncation, l.Shape[0])
		for i := range mean {
			mean[i] = at(ts[0].values, l.Out, i)
			inverse[i] = 1 / math.Sqrt(at(ts[1].values, l.Out, i)+l.Eps)
		}
		return append([]named{{name: l.Name + ".mean", shape: []int{l.Out}, wide: mean},
			{name: l.Name + ".inverse_std", shape: []int{l.Out}, wide: inverse}}, ts[2:]...)
	}
	for i, t := range ts {
		if t.wide != nil {
			ts[i].shape, ts[i].wide = permute(l, t.name, t.shape, t.wide)
		} else {
			ts[i].shape, ts[i].values = permute(l, t.name, t.shape, t.values)
		}
	}
	return ts
}

// truncationRow looks a truncation up in a table of statistics as pytorch-pretrained-biggan does:
// between two rows its weights are swapped (model.py, BigGANBatchNorm.forward), which is
// reproduced.
func truncationRow(truncation float64, rows int) func(table []float32, width, i int) float64 {
	if truncation == 0 {
		truncation = .7
	}
	whole, part := math.Modf(truncation / (1 / float64(rows-1)))
	row := int(whole)
	return func(table []float32, width, i int) float64 {
		if part == 0 {
			return float64(table[row*width+i])
		}
		return float64(table[row*width+i])*part + float64(table[(row+1)*width+i])*(1-part)
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// FromFile is the source of a weight file's tensors; tensors that are not floating-point are
// missing.
func FromFile(f *weights.File) Source {
	return func(name string) ([]int, []float32, bool) {
		t, ok := f.Tensor(name)
		if !ok {
			return nil, nil, false
		}
		v, err := t.Float32s()
		return t.Shape, v, err == nil
	}
}
