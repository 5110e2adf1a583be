package nn

import "math"

// read takes a layer's tensors from a checkpoint.
func (l Layer) read(r *reader) []named {
	var ts []named
	for _, p := range l.Published() {
		if l.Spectral && p.Name == l.Name+".weight" {
			ts = append(ts, l.spectral(r, p.Shape))
			continue
		}
		ts = append(ts, named{name: p.Name, shape: p.Shape, values: r.read(p.Name, p.Shape)})
	}
	return ts
}

// spectral reads a weight under spectral norm (Miyato et al. 2018 as in torch.nn.utils): weight_orig
// divided by sigma = u.W.v with the stored u and v, W being [out, rest] (no power iteration in
// evaluation). Checkpoints of PyTorch 1.0 have no weight_v, but the weight as it was last used,
// which is taken as it is; without either, v is found from u as at conversion.
func (l Layer) spectral(r *reader, shape []int) named {
	folded := named{name: l.Name + ".weight", shape: shape}
	orig, nameU, nameV := l.Name+".weight_orig", l.Name+".weight_u", l.Name+".weight_v"
	if !r.has(orig) || r.has(folded.name) && !r.has(nameV) {
		folded.values = r.read(folded.name, shape)
		return folded
	}
	w, u := r.read(orig, shape), convert[float64](r.read(nameU, shape[:1]))
	var v []float64
	if r.has(nameV) {
		v = convert[float64](r.read(nameV, []int{size(shape[1:])}))
	}
	if r.err() != nil {
		return folded
	}
	if v == nil {
		u, v = iterate(w, u)
	}
	sigma := 0.
	for i, x := range rows(w, v) {
		sigma += u[i] * x
	}
	folded.values, folded.divisor = w, sigma
	return folded
}

// rows gives W.v for W [len(w)/len(v), len(v)].
func rows(w []float32, v []float64) []float64 {
	out := make([]float64, len(w)/len(v))
	for i := range out {
		for j, x := range v {
			out[i] += float64(w[i*len(v)+j]) * x
		}
	}
	return out
}

// iterate is one step of power iteration, v along Wᵀ.u and then u along W.v, as
// pytorch-pretrained-biggan converts TensorFlow's checkpoints (convert_tf_to_pytorch.py).
func iterate(w []float32, u []float64) (nextU, v []float64) {
	v = make([]float64, len(w)/len(u))
	for i, x := range u {
		for j := range v {
			v[j] += x * float64(w[i*len(v)+j])
		}
	}
	normalise(v)
	nextU = rows(w, v)
	normalise(nextU)
	return nextU, v
}

func normalise(v []float64) {
	const least = 1e-4 // the eps of BigGAN's spectral norm
	norm := 0.
	for _, x := range v {
		norm += x * x
	}
	norm = max(math.Sqrt(norm), least)
	for i := range v {
		v[i] /= norm
	}
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
		row, weight, next := TruncationRows(o.Truncation, l.Shape[0], o.Interpolate)
		at := func(table []float32, i int) float64 {
			v := weight * float64(table[row*l.Out+i])
			if next != 0 {
				v += next * float64(table[(row+1)*l.Out+i])
			}
			return v
		}
		for i := range mean {
			mean[i] = at(ts[0].values, i)
			inverse[i] = 1 / math.Sqrt(at(ts[1].values, i)+l.Eps)
		}
		return append([]named{{name: l.Name + ".mean", shape: []int{l.Out}, wide: mean},
			{name: l.Name + ".inverse_std", shape: []int{l.Out}, wide: inverse}}, ts[2:]...)
	}
	for i, t := range ts {
		ts[i].to, ts[i].shape = l.permutation(t.name, t.shape)
	}
	return ts
}

// TruncationRows looks a truncation, above 0 and up to 1, up in a table of statistics: the row and
// the weights of that row and of the next. Between two rows the published program has the weights
// swapped (pytorch-pretrained-biggan, model.py, BigGANBatchNorm.forward), which is reproduced; so
// five multiples of 0.02 that do not divide exactly land on the next row: 0.14, 0.28, 0.56, 0.58
// and 0.94. With interpolate the weights are those of an interpolation.
func TruncationRows(truncation float64, rows int, interpolate bool) (row int, weight, next float64) {
	whole, part := math.Modf(truncation / (1 / float64(rows-1)))
	switch {
	case part == 0:
		return int(whole), 1, 0
	case interpolate:
		return int(whole), 1 - part, part
	}
	return int(whole), part, 1 - part
}
