package weights

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// metadataKey is the one name in a header that is no tensor.
const metadataKey = "__metadata__"

// maxRank is the largest number of dimensions read.
const maxRank = 32

// entry is a tensor as the header describes it: without memory, but with its place.
type entry struct {
	Tensor
	from, to int64 // bytes of the data part
	at       int64 // where the header speaks of it, for errors
}

// header is what stands before the data of a safetensors file.
type header struct {
	metadata map[string]string
	entries  []entry // sorted by name
}

// file gives the tensors their memory; the data part starts at byte data of raw.
func (h header) file(raw []byte, data int64) *File {
	f := &File{Metadata: h.metadata, Tensors: make([]Tensor, len(h.entries)), raw: raw}
	for i, e := range h.entries {
		f.Tensors[i] = e.Tensor
		f.Tensors[i].Data = raw[data+e.from : data+e.to : data+e.to]
	}
	return f
}

// parseHeader reads a header and checks it against the number of bytes that follow it.
func parseHeader(b []byte, data int64) (header, error) {
	var h header
	p := headerParser{dec: json.NewDecoder(bytes.NewReader(b))}
	p.dec.UseNumber()
	if !utf8.Valid(b) {
		return h, p.errorf("header is not UTF-8")
	}
	err := p.object(func(key string) (err error) {
		if key == metadataKey {
			h.metadata, err = p.metadata()
			return err
		}
		e, err := p.entry(key)
		h.entries = append(h.entries, e)
		return err
	})
	if err != nil {
		return h, err
	}
	if rest := bytes.Trim(b[p.dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return h, p.errorf("%d bytes after the end of the header's object", len(rest))
	}
	if err := checkPlaces(h.entries, data, 8+int64(len(b))); err != nil {
		return h, err
	}
	slices.SortFunc(h.entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	return h, nil
}

// checkPlaces sorts the entries by place and wants them to fill the data part without hole or
// overlap. dataAt is the data's first byte in the file.
func checkPlaces(entries []entry, data, dataAt int64) error {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var end int64
	for _, e := range entries {
		reason := ""
		switch {
		case e.to > data:
			reason = fmt.Sprintf("ends at byte %d of the data, which has %d (truncated?)", e.to, data)
		case e.from > end:
			reason = fmt.Sprintf("starts at byte %d of the data, after a hole from %d", e.from, end)
		case e.from < end:
			reason = fmt.Sprintf("starts at byte %d of the data, but the one before ends at %d: "+
				"they overlap", e.from, end)
		}
		if reason != "" {
			return &FormatError{Offset: e.at, Tensor: e.Name, Reason: reason}
		}
		end = e.to
	}
	if end != data {
		return &FormatError{Offset: dataAt + end,
			Reason: fmt.Sprintf("%d bytes after the last tensor", data-end)}
	}
	return nil
}

// headerParser reads JSON token by token, as encoding/json's structs accept duplicate keys, null
// and keys of another case.
type headerParser struct {
	dec    *json.Decoder
	tensor string
}

func (p *headerParser) errorf(format string, args ...any) error {
	return &FormatError{Offset: 8 + p.dec.InputOffset(), Tensor: p.tensor,
		Reason: fmt.Sprintf(format, args...)}
}

func (p *headerParser) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, p.errorf("header is not JSON: %v", err)
	}
	return t, nil
}

// open reads a delimiter that starts something.
func (p *headerParser) open(d json.Delim, what string) error {
	t, err := p.token()
	if err == nil && t != d {
		err = p.errorf("%s is not %s", what, map[json.Delim]string{'{': "an object", '[': "a list"}[d])
	}
	return err
}

// object reads an object with different keys and calls value to read the value of each.
func (p *headerParser) object(value func(key string) error) error {
	if err := p.open('{', "header or entry"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return p.errorf("key is not a string")
		}
		if seen[key] {
			return p.errorf("key %q occurs twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	_, err := p.token()
	return err
}

func (p *headerParser) text(what string) (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", p.errorf("%s is not a string", what)
	}
	return s, nil
}

func (p *headerParser) metadata() (map[string]string, error) {
	m := map[string]string{}
	err := p.object(func(key string) (err error) {
		m[key], err = p.text("metadata " + strconv.Quote(key))
		return err
	})
	return m, err
}

// integers reads a list of integers from 0 up.
func (p *headerParser) integers(what string, most int) ([]int64, error) {
	if err := p.open('[', what); err != nil {
		return nil, err
	}
	out := []int64{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, p.errorf("%s holds something that is not a number", what)
		}
		v, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || v < 0 || v > math.MaxInt {
			return nil, p.errorf("%s holds %.40s, want an integer from 0 to %d", what, n, math.MaxInt)
		}
		if len(out) == most {
			return nil, p.errorf("%s has more than %d numbers", what, most)
		}
		out = append(out, v)
	}
	_, err := p.token()
	return out, err
}

// entry reads the description of one tensor and checks that type, shape and place agree.
func (p *headerParser) entry(name string) (entry, error) {
	p.tensor = name
	e := entry{Tensor: Tensor{Name: name}, at: 8 + p.dec.InputOffset()}
	var shape, place []int64
	err := p.object(func(key string) (err error) {
		switch key {
		case "dtype":
			var s string
			s, err = p.text("dtype")
			e.DType = DType(s)
		case "shape":
			shape, err = p.integers("shape", maxRank)
		case "data_offsets":
			place, err = p.integers("data_offsets", 2)
		default:
			err = p.errorf("unknown field %q", key)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	switch {
	case e.DType == "" || shape == nil || len(place) != 2:
		return e, p.errorf("needs dtype, shape and two data_offsets")
	case e.DType.Size() == 0:
		return e, p.errorf("unknown dtype %.20q", e.DType)
	case place[0] > place[1]:
		return e, p.errorf("data_offsets [%d, %d] run backwards", place[0], place[1])
	}
	e.Shape = make([]int, len(shape))
	for i, d := range shape {
		e.Shape[i] = int(d)
	}
	n, ok := product(e.Shape, e.DType.Size())
	if !ok {
		return e, p.errorf("shape %v overflows", shape)
	}
	if e.from, e.to = place[0], place[1]; int64(n) != e.to-e.from {
		return e, p.errorf("%s %v is %d bytes, data_offsets hold %d", e.DType, shape, n, e.to-e.from)
	}
	p.tensor = ""
	return e, nil
}
