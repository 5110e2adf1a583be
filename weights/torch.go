package weights

import (
	"fmt"
	"slices"
	"strings"
)

// Copies of tensors that are not contiguous (and of byte-swapped ones) may take up so much memory
// in all: a view can be far larger than its storage.
const (
	baseCopies = 64 << 20
	moreCopies = 2 // times the file's size
)

// checkpoint is a PyTorch file before its tensors are looked for.
type checkpoint struct {
	raw       []byte
	root      any // the value of its pickle
	bigEndian bool
	record    func(s *storage) ([]byte, error) // a storage's bytes
	copies    int64                            // bytes that may still be copied
}

// ParseTorch reads a PyTorch file from memory, which it keeps and shares with tensors that lie in
// it contiguously: the ZIP layout of PyTorch 1.6 and later and the one before, pickle protocols 2
// to 5. Nothing in the file is run: its pickles can only make tensors and plain values, and any
// other object is inert.
//
// The tensors are those of the first dictionary or module found: under one of the keys given
// ("state_dict", "model_state_dict" and "model" if none is), or else at the top. Their names are
// those of the state dict. Metadata says under "container" where that was, under "class" what
// class a whole module has, and under "names" its names of classes, as a JSON object.
func ParseTorch(b []byte, containers ...string) (*File, error) {
	parse := parseLegacy
	if isZip(b) {
		parse = parseTorchZip
	}
	c, err := parse(b)
	if err != nil {
		return nil, err
	}
	return c.file(containers)
}

func parseTorchZip(b []byte) (*checkpoint, error) {
	a, err := openArchive(b)
	if err != nil {
		return nil, err
	}
	return torchArchive(a)
}

// torchArchive reads what PyTorch's _save in torch/serialization.py writes: under one folder of any
// name data.pkl, byteorder, and a record data/KEY for each storage, as it lay in memory.
func torchArchive(a *archive) (*checkpoint, error) {
	folder := ""
	for _, m := range a.members {
		dir, base, _ := strings.Cut(m.name, "/")
		switch {
		case base == "constants.pkl" || strings.HasPrefix(base, "code/"):
			return nil, m.errorf(m.header, "this is a TorchScript archive, which is not supported: "+
				"save the state dict of the model instead")
		case base != "data.pkl":
		case folder != "":
			return nil, m.errorf(m.header, "a second data.pkl")
		default:
			folder = dir
		}
	}
	if folder == "" {
		return nil, zipError(0, "ZIP archive without data.pkl: not a PyTorch file")
	}
	c := &checkpoint{raw: a.raw}
	if m, ok := a.find(folder + "/byteorder"); ok {
		b, err := a.contents(m)
		if err != nil {
			return nil, err
		}
		if c.bigEndian = string(b) == "big"; !c.bigEndian && string(b) != "little" {
			return nil, m.errorf(m.data, "byte order %.20q is unknown", b)
		}
	}
	m, _ := a.find(folder + "/data.pkl")
	if m.size > maxPickle {
		return nil, m.errorf(m.data, "pickle of %d bytes, at most %d are read", m.size, maxPickle)
	}
	b, err := a.contents(m)
	if err != nil {
		return nil, err
	}
	if c.root, err = newMachine(m.name, b, m.data).run(); err != nil {
		return nil, err
	}
	inflated := map[string][]byte{}
	c.record = func(s *storage) ([]byte, error) {
		m, ok := a.find(folder + "/data/" + s.key)
		switch want, fits := product([]int{int(s.numel)}, s.dtype.Size()); {
		case !ok:
			return nil, fmt.Errorf("record %.200q is not in the archive", folder+"/data/"+s.key)
		case !fits || int64(want) != m.size:
			return nil, fmt.Errorf("record %.200q holds %d bytes, the pickle says %d elements of %s",
				m.name, m.size, s.numel, s.dtype)
		}
		if b, ok := inflated[m.name]; ok {
			return b, nil
		}
		b, err := a.contents(m)
		if err == nil && m.deflated {
			inflated[m.name] = b
		}
		return b, err
	}
	return c, nil
}

// file finds the state dict and gives its tensors their memory.
func (c *checkpoint) file(containers []string) (*File, error) {
	if len(containers) == 0 {
		containers = []string{"state_dict", "model_state_dict", "model"}
	}
	found, err := findState(c.root, containers)
	if err != nil {
		return nil, err
	}
	c.copies = baseCopies + moreCopies*int64(len(c.raw))
	f := &File{Metadata: found.metadata, raw: c.raw, Tensors: make([]Tensor, len(found.tensors))}
	for i, t := range found.tensors {
		if f.Tensors[i], err = c.tensor(t.name, t.view); err != nil {
			return nil, err
		}
	}
	if err := f.sort(); err != nil {
		return nil, err
	}
	return f, nil
}

// sort orders the tensors by name and wants the names to differ.
func (f *File) sort() error {
	slices.SortFunc(f.Tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(f.Tensors); i++ {
		if name := f.Tensors[i].Name; name == f.Tensors[i-1].Name {
			return &FormatError{Tensor: name, Reason: "appears twice"}
		}
	}
	return nil
}

func (c *checkpoint) tensor(name string, v *view) (Tensor, error) {
	fail := func(err error) (Tensor, error) {
		if _, ok := err.(*FormatError); ok {
			return Tensor{}, err
		}
		return Tensor{}, &FormatError{Offset: v.at, Tensor: name, Reason: err.Error()}
	}
	if v.unsupported != "" {
		return fail(fmt.Errorf("element type: %s", v.unsupported))
	}
	from, err := c.record(v.storage)
	if err != nil {
		return fail(err)
	}
	n, at, contiguous, err := v.extent(int64(len(from)))
	if err != nil {
		return fail(err)
	}
	t := Tensor{Name: name, DType: v.dtype, Shape: make([]int, len(v.size))}
	for i, d := range v.size {
		t.Shape[i] = int(d)
	}
	swap := c.bigEndian && v.dtype.Size() > 1
	if contiguous && !swap {
		t.Data = from[at : at+n : at+n]
		return t, nil
	}
	if c.copies -= n; c.copies < 0 {
		return fail(fmt.Errorf("%v elements of %s: with the tensors before, copies of views would "+
			"take more than %d bytes", v.size, v.dtype, baseCopies+moreCopies*len(c.raw)))
	}
	t.Data = make([]byte, n)
	if contiguous {
		copy(t.Data, from[at:at+n])
	} else {
		v.gather(t.Data, from)
	}
	if swap {
		swapBytes(t.Data, v.dtype.Size())
	}
	return t, nil
}

// swapBytes turns elements of so many bytes from one byte order to the other, in place.
func swapBytes(b []byte, element int) {
	for ; len(b) >= element; b = b[element:] {
		slices.Reverse(b[:element])
	}
}
