package nn

import "strings"

// Import permutes a published tensor of the layer to this package's layout: kernels to [kh, kw,
// in, out] (those of transposed convolutions reversed in space), matrices to [in, out] with the
// order of flattened maps changed from [c, h, w] to [h, w, c].
func (l Layer) Import(name string, published []int, values []float32) (shape []int,
	ours []float32) {
	return permute(l, name, published, values)
}

func permute[T any](l Layer, name string, published []int, values []T) (shape []int, ours []T) {
	to, shape := l.permutation(name, published)
	ours = make([]T, len(values))
	for i, v := range values {
		ours[to(i)] = v
	}
	return shape, ours
}

// Export is the inverse of Import: values in this package's layout to the published one.
func (l Layer) Export(name string, published []int, values []float32) []float32 {
	to, _ := l.permutation(name, published)
	out := make([]float32, len(values))
	for i := range out {
		out[i] = values[to(i)]
	}
	return out
}

// permutation maps a flat index of the published tensor to ours and gives our shape.
func (l Layer) permutation(name string, shape []int) (to func(int) int, ours []int) {
	identity := func(i int) int { return i }
	if strings.HasSuffix(name, ".bias") && l.Kind == Linear {
		return flattened(l.ToCHW), shape
	}
	if !strings.HasSuffix(name, ".weight") {
		return identity, shape
	}
	switch l.Kind {
	case Kernel: // [o, i, y, x] to [y, x, i, o]
		o, in, h, w := shape[0], shape[1], shape[2], shape[3]
		return func(i int) int {
			a, b, y, x := i/(in*h*w), i/(h*w)%in, i/w%h, i%w
			return ((y*w+x)*in+b)*o + a
		}, []int{h, w, in, o}
	case TransposedKernel: // [group*i, o, y, x] to [h-1-y, w-1-x, i, group*o]
		groups := max(l.Groups, 1)
		in, o, h, w := shape[0]/groups, shape[1], shape[2], shape[3]
		return func(i int) int {
			a, b, y, x := i/(o*h*w), i/(h*w)%o, i/w%h, i%w
			return (((h-1-y)*w+w-1-x)*in+a%in)*o*groups + a/in*o + b
		}, []int{h, w, in, o * groups}
	case Linear:
		out, in := shape[0], shape[1]
		row, column := flattened(l.FromCHW), flattened(l.ToCHW)
		return func(i int) int { return row(i%in)*out + column(i/in) }, []int{in, out}
	}
	return identity, shape
}

// flattened maps a flat index of a [c, h, w] map to that of [h, w, c]; a zero shape changes
// nothing.
func flattened(chw [3]int) func(int) int {
	c, h, w := chw[0], chw[1], chw[2]
	if c == 0 {
		return func(i int) int { return i }
	}
	return func(i int) int { return i%(h*w)*c + i/(h*w) }
}
