package weights

import "strings"

// Rename returns the file with other names of its tensors: those that rename returns, without the
// tensors for which keep is false. Two tensors of one name are an error.
func (f *File) Rename(rename func(name string) (s string, keep bool)) (*File, error) {
	out := &File{Metadata: f.Metadata, raw: f.raw, Tensors: []Tensor{}}
	for _, t := range f.Tensors {
		name, keep := rename(t.Name)
		if !keep {
			continue
		}
		t.Name = name
		out.Tensors = append(out.Tensors, t)
	}
	return out, out.sort()
}

// Under returns the tensors below the first of the prefixes that a name starts with, without the
// prefix: Under("module.model.", "module.") of an adversarial-training checkpoint is the model in
// it, and of a file whose names have neither prefix the file itself.
func (f *File) Under(prefixes ...string) *File {
	for _, prefix := range prefixes {
		out, err := f.Rename(func(name string) (string, bool) { return strings.CutPrefix(name, prefix) })
		if err == nil && len(out.Tensors) > 0 { // names that differ still do without the prefix
			return out
		}
	}
	return f
}
