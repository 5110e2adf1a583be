package nn

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
	Ignored                      // not read, may be there; the name is a pattern as of path.Match
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
	case Ignored:
		return nil
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
