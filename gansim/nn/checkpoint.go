package nn

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"gansim.example/weights"
)

// Source is a checkpoint: named tensors, row-major.
type Source struct {
	Names []string // of all its tensors, whatever their type
	// Read gives the tensor of one of the names; one that is not floating-point is an error.
	Read func(name string) (shape []int, values []float32, err error)
}

// FromFile is the source of a weight file's tensors.
func FromFile(f *weights.File) Source {
	var names []string
	for _, t := range f.Tensors {
		names = append(names, t.Name)
	}
	return Source{names, func(name string) ([]int, []float32, error) {
		t, ok := f.Tensor(name)
		if !ok {
			return nil, nil, fmt.Errorf("nn: no tensor %q", name)
		}
		v, err := t.Float32s()
		return t.Shape, v, err
	}}
}

// MismatchError lists everything that keeps a checkpoint from being a network's.
type MismatchError struct {
	Missing []string // names and shapes of tensors that the network needs
	Unknown []string // names of tensors that it has no use for
	Wrong   []string // what is wrong with others: shape, type, values that are not finite
}

// Error names the first ten of each kind and says how many more there are.
func (e *MismatchError) Error() string {
	const most = 10
	var parts []string
	for _, k := range []struct {
		title string
		items []string
	}{{"missing ", e.Missing}, {"unknown ", e.Unknown}, {"", e.Wrong}} {
		if len(k.items) == 0 {
			continue
		}
		s := k.title + strings.Join(k.items[:min(most, len(k.items))], ", ")
		if more := len(k.items) - most; more > 0 {
			s += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, s)
	}
	return "nn: the checkpoint is not this network's: " + strings.Join(parts, "; ")
}

// reader reads a checkpoint for a table and collects what does not fit.
type reader struct {
	src      Source
	names    map[string]string // of the table to those of the checkpoint
	mismatch MismatchError
	warn     func(text string) // of values that are not finite; nil makes them a mismatch
}

// open finds the checkpoint's name of each tensor of the table.
func (t Table) open(src Source) *reader {
	r := &reader{src: src, names: map[string]string{}}
	known := map[string]bool{}
	var ignored []string
	for _, l := range t {
		names, patterns := l.accepts()
		for _, n := range names {
			known[n] = true
		}
		ignored = append(ignored, patterns...)
	}
	for _, name := range slices.Sorted(slices.Values(src.Names)) {
		ours := spelling(name, known)
		switch other, taken := r.names[ours]; {
		case ours == "" && !matches(ignored, name):
			r.mismatch.Unknown = append(r.mismatch.Unknown, name)
		case taken:
			r.wrong("%s and %s are one tensor", other, name)
		case ours != "":
			r.names[ours] = name
		}
	}
	return r
}

// accepts lists the names that a checkpoint may have for a layer, and patterns of those that are
// not read.
func (l Layer) accepts() (names, ignored []string) {
	for _, p := range l.Published() {
		names = append(names, p.Name)
	}
	switch {
	case l.Kind == Ignored:
		ignored = append(ignored, l.Name)
	case l.Kind == Norm:
		ignored = append(ignored, l.Name+".num_batches_tracked")
	case l.Spectral:
		for _, part := range []string{".weight_orig", ".weight_u", ".weight_v"} {
			names = append(names, l.Name+part)
		}
	}
	return names, ignored
}

// spelling is the table's name for a checkpoint's, empty if there is none. Networks that were
// trained on several devices have "module." before every name, and those translated from Caffe may
// have ".1." for a dot (GAN_utils.py, load_statedict_from_online).
func spelling(name string, known map[string]bool) string {
	name = strings.TrimPrefix(name, "module.")
	for _, s := range []string{name, strings.ReplaceAll(name, ".1.", ".")} {
		if known[s] {
			return s
		}
	}
	return ""
}

func matches(patterns []string, name string) bool {
	name = strings.TrimPrefix(name, "module.")
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

func (r *reader) wrong(format string, args ...any) {
	r.mismatch.Wrong = append(r.mismatch.Wrong, fmt.Sprintf(format, args...))
}

func (r *reader) has(name string) bool { return r.names[name] != "" }

// read gives a tensor, or nil and keeps the reason.
func (r *reader) read(name string, want []int) []float32 {
	theirs, ok := r.names[name]
	if !ok {
		r.mismatch.Missing = append(r.mismatch.Missing, fmt.Sprintf("%s %v", name, want))
		return nil
	}
	shape, values, err := r.src.Read(theirs)
	if err != nil {
		r.wrong("%s: %v", theirs, err)
		return nil
	}
	if !slices.Equal(shape, want) || len(values) != size(want) {
		r.wrong("%s has shape %v, want %v", theirs, shape, want)
		return nil
	}
	nan, inf := 0, 0
	for _, v := range values {
		switch {
		case v != v:
			nan++
		case v > math.MaxFloat32 || v < -math.MaxFloat32:
			inf++
		}
	}
	switch {
	case nan+inf > 0 && r.warn == nil:
		r.wrong("%s has %d NaN, %d Inf", theirs, nan, inf)
		return nil
	case nan+inf > 0:
		r.warn(fmt.Sprintf("tensor %s has %d NaN, %d Inf", theirs, nan, inf))
	}
	return values
}

func (r *reader) err() error {
	if m := &r.mismatch; len(m.Missing)+len(m.Unknown)+len(m.Wrong) > 0 {
		return m
	}
	return nil
}
