package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/weights"
)

// Kind says what a layer's tensors are and how they are stored in a published checkpoint.
type Kind int

// The kinds of layers that hold tensors.
const (
	Kernel           Kind = iota // weight [out, in/groups, kh, kw]
	TransposedKernel             // weight [in, out/groups, kh, kw] of a transposed convolution
	Linear                       // weight [out, in]
	Norm                         // weight, bias, running_mean, running_var [out]
	RowNorm                      // running_means, running_vars [rows, out], one row per truncation
	RowNormAffine                // the same with weight and bias [out]
	Raw                          // one tensor under the layer's own name, kept as it is
)

// Layer is a line of a network's table: a layer that holds tensors, under its published name.
type Layer struct {
	Name            string
	Kind            Kind
	In, Out, Groups int    // channels; zero groups means 1
	Size            [2]int // of a kernel
	Bias            bool
	Spectral        bool    // may come as weight_orig, weight_u, weight_v (spectral norm)
	Eps             float64 // of a norm
	FromCHW, ToCHW  [3]int  // a linear layer reads or writes a flattened [c, h, w] map
	Shape           []int   // of a Raw tensor; {rows, out} of row norms
}

// Table lists a network's layers in the order of the checkpoint.
type Table []Layer

// Published is a tensor as the checkpoint has it.
type Published struct {
	Name      string
	Shape     []int
	Trainable bool // false for running statistics
}

// Published lists the checkpoint's tensors of a layer. Spectral norm's parts are not listed: the
// folded weight stands for them.
func (l Layer) Published() []Published {
	weight := func(shape ...int) []Published {
		ps := []Published{{l.Name + ".weight", shape, true}}
		if l.Bias {
			ps = append(ps, Published{l.Name + ".bias", []int{l.Out}, true})
		}
		return ps
	}
	out := []int{l.Out}
	affine := []Published{{l.Name + ".weight", out, true}, {l.Name + ".bias", out, true}}
	rows := []Published{{l.Name + ".running_means", l.Shape, false},
		{l.Name + ".running_vars", l.Shape, false}}
	switch l.Kind {
	case Kernel:
		return weight(l.Out, l.In/max(l.Groups, 1), l.Size[0], l.Size[1])
	case TransposedKernel:
		return weight(l.In, l.Out/max(l.Groups, 1), l.Size[0], l.Size[1])
	case Linear:
		return weight(l.Out, l.In)
	case Norm:
		return append(affine, Published{l.Name + ".running_mean", out, false},
			Published{l.Name + ".running_var", out, false})
	case RowNorm:
		return rows
	case RowNormAffine:
		return append(rows, affine...)
	}
	return []Published{{l.Name, l.Shape, true}}
}

// Published lists all tensors of the table.
func (t Table) Published() []Published {
	var all []Published
	for _, l := range t {
		all = append(all, l.Published()...)
	}
	return all
}

// Count is the number of trainable parameters.
func (t Table) Count() int {
	n := 0
	for _, p := range t.Published() {
		if p.Trainable {
			n += size(p.Shape)
		}
	}
	return n
}

// Source gives a checkpoint's tensor by its published name, row-major; ok is false if it has none.
type Source func(name string) (shape []int, values []float32, ok bool)

// LoadOptions choose among what a checkpoint offers.
type LoadOptions struct {
	// Truncation picks the row of BigGAN's statistics tables; zero means 0.7.
	Truncation float64
}

// Load reads a network's tensors, checks names and shapes, permutes them to the layout of this
// package and folds norms to a scale and an offset (in float64). The names of the result are those
// of the checkpoint; a norm gives NAME.scale and NAME.offset, a row norm NAME.mean and
// NAME.inverse_std.
func (t Table) Load(src Source, o LoadOptions) (gansim.Params, error) {
	var ps gansim.Params
	for _, l := range t {
		ts, err := l.read(src)
		if err != nil {
			return ps, err
		}
		for _, nt := range l.fold(ts, o) {
			ps.Names = append(ps.Names, nt.name)
			ps.Tensors = append(ps.Tensors,
				tensors.FromFlatDataAndDimensions(nt.values, nt.shape...))
		}
	}
	return ps, nil
}

type named struct {
	name   string
	shape  []int
	values []float32
}

// read takes a layer's tensors from a checkpoint and checks their shapes.
func (l Layer) read(src Source) ([]named, error) {
	var ts []named
	for _, p := range l.Published() {
		shape, values, ok := src(p.Name)
		if !ok && l.Spectral && p.Name == l.Name+".weight" {
			w, err := l.foldSpectral(src, p.Shape)
			if err != nil {
				return nil, err
			}
			shape, values, ok = p.Shape, w, true
		}
		if !ok {
			return nil, fmt.Errorf("nn: no tensor %q, want shape %v", p.Name, p.Shape)
		}
		if !slices.Equal(shape, p.Shape) {
			return nil, fmt.Errorf("nn: tensor %q has shape %v, want %v", p.Name, shape, p.Shape)
		}
		ts = append(ts, named{p.Name, shape, values})
	}
	return ts, nil
}

// foldSpectral divides weight_orig by sigma = u.W.v with the stored u and v (no power iteration in
// evaluation; Miyato et al. 2018 as in torch.nn.utils.spectral_norm).
func (l Layer) foldSpectral(src Source, shape []int) ([]float32, error) {
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
		return nil, fmt.Errorf("nn: no tensor %q and %w", l.Name+".weight", err)
	}
	u, err := part("weight_u", out)
	if err != nil {
		return nil, err
	}
	v, err := part("weight_v", rest)
	if err != nil {
		return nil, err
	}
	sigma := 0.0
	for i := range out {
		row := 0.0
		for j := range rest {
			row += float64(w[i*rest+j]) * float64(v[j])
		}
		sigma += float64(u[i]) * row
	}
	folded := make([]float32, len(w))
	for i, x := range w {
		folded[i] = float32(float64(x) / sigma)
	}
	return folded, nil
}

// fold turns a layer's published tensors into those that graphs use.
func (l Layer) fold(ts []named, o LoadOptions) []named {
	switch l.Kind {
	case Norm:
		scale, offset := make([]float32, l.Out), make([]float32, l.Out)
		for i := range scale {
			s := float64(ts[0].values[i]) / math.Sqrt(float64(ts[3].values[i])+l.Eps)
			scale[i] = float32(s)
			offset[i] = float32(float64(ts[1].values[i]) - float64(ts[2].values[i])*s)
		}
		return []named{{l.Name + ".scale", []int{l.Out}, scale},
			{l.Name + ".offset", []int{l.Out}, offset}}
	case RowNorm, RowNormAffine:
		mean, inverse := make([]float32, l.Out), make([]float32, l.Out)
		at := truncationRow(o.Truncation, l.Shape[0])
		for i := range mean {
			mean[i] = float32(at(ts[0].values, l.Out, i))
			inverse[i] = float32(1 / math.Sqrt(at(ts[1].values, l.Out, i)+l.Eps))
		}
		return append([]named{{l.Name + ".mean", []int{l.Out}, mean},
			{l.Name + ".inverse_std", []int{l.Out}, inverse}}, ts[2:]...)
	}
	for i := range ts {
		ts[i].shape, ts[i].values = l.Import(ts[i].name, ts[i].shape, ts[i].values)
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
