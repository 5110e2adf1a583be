package weights

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

const npyMagic = "\x93NUMPY"

// maxNPYHeader is the longest header read, bytes. NumPy itself stops at 10,000 characters.
const maxNPYHeader = 1 << 16

// npyTypes are the element types by NumPy's names of them, without the byte order.
var npyTypes = map[string]DType{
	"f8": F64, "f4": F32, "f2": F16, "i8": I64, "i4": I32, "i2": I16, "i1": I8,
	"u8": U64, "u4": U32, "u2": U16, "u1": U8, "b1": Bool,
}

// ParseNPY reads an array of NumPy from memory (numpy/lib/format.py, versions 1 to 3). Arrays in
// row-major and little-endian order share the memory; others are copied. The tensor has no name.
func ParseNPY(b []byte) (*File, error) {
	t, err := parseNPY("", b)
	if err != nil {
		return nil, err
	}
	return &File{Tensors: []Tensor{t}, raw: b}, nil
}

// parseNPY reads an array; offsets in errors count from its start.
func parseNPY(name string, b []byte) (Tensor, error) {
	fail := func(at int, format string, args ...any) (Tensor, error) {
		return Tensor{}, &FormatError{Offset: int64(at), Tensor: name,
			Reason: fmt.Sprintf(format, args...)}
	}
	if len(b) < 8 || string(b[:6]) != npyMagic {
		return fail(0, "not a NumPy array")
	}
	at, length := 10, 0
	switch version := b[6]; {
	case version < 1 || version > 3 || b[7] != 0:
		return fail(6, "NumPy array of unknown version %d.%d", b[6], b[7])
	case version == 1 && len(b) >= 10:
		length = int(binary.LittleEndian.Uint16(b[8:]))
	case version > 1 && len(b) >= 12:
		at, length = 12, int(min(binary.LittleEndian.Uint32(b[8:]), maxNPYHeader+1))
	default:
		return fail(len(b), "NumPy array ends within its header (truncated?)")
	}
	switch {
	case length > maxNPYHeader:
		return fail(8, "NumPy header of more than %d bytes", maxNPYHeader)
	case length > len(b)-at:
		return fail(8, "NumPy header of %d bytes, %d are left (truncated?)", length, len(b)-at)
	}
	h, err := parseNPYHeader(string(b[at : at+length]))
	if err != nil {
		return fail(at, "NumPy header: %v", err)
	}
	data := b[at+length:]
	n, ok := product(h.shape, h.dtype.Size())
	switch {
	case !ok:
		return fail(at, "shape %v overflows", h.shape)
	case n > len(data):
		return fail(len(b), "%s %v is %d bytes, but the data ends early: %d are there (truncated?)",
			h.dtype, h.shape, n, len(data))
	case n < len(data):
		return fail(at+length+n, "%d bytes after the array", len(data)-n)
	}
	t := Tensor{Name: name, DType: h.dtype, Shape: h.shape, Data: data[:n:n]}
	if h.fortran && len(h.shape) > 1 && n > 0 {
		v := view{dtype: h.dtype}
		step := int64(1)
		for _, d := range h.shape {
			v.size, v.stride = append(v.size, int64(d)), append(v.stride, step)
			step *= int64(d)
		}
		t.Data = make([]byte, n)
		v.gather(t.Data, data)
	}
	if h.bigEndian && h.dtype.Size() > 1 {
		t.Data = append([]byte(nil), t.Data...)
		swapBytes(t.Data, h.dtype.Size())
	}
	return t, nil
}

// npyHeader is what stands before an array.
type npyHeader struct {
	dtype     DType
	bigEndian bool
	fortran   bool
	shape     []int
}

// parseNPYHeader reads the Python dictionary that is the header, with the three keys that NumPy
// writes and no others. It is read as text; nothing else that Python can express is accepted.
func parseNPYHeader(s string) (h npyHeader, err error) {
	p := literal{rest: strings.TrimRight(s, " \n")}
	p.want("{")
	seen := map[string]bool{}
	for p.err == nil && !p.take("}") {
		key := p.text()
		p.want(":")
		if seen[key] {
			p.fail("key %q occurs twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			p.descr(&h)
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.shape()
		default:
			p.fail("unknown key %.40q", key)
		}
		if !p.take(",") && !strings.HasPrefix(p.rest, "}") {
			p.fail("no comma before %.20q", p.rest)
		}
	}
	if p.rest != "" {
		p.fail("%.20q after its end", p.rest)
	}
	for _, key := range [...]string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			p.fail("key %s is missing", key)
		}
	}
	return h, p.err
}

// literal reads Python literals from the start of a text. After an error nothing more is read.
type literal struct {
	rest string
	err  error
}

// fail keeps the first error.
func (p *literal) fail(format string, args ...any) {
	if p.err == nil {
		p.err, p.rest = fmt.Errorf(format, args...), ""
	}
}

// take reads a token, if it is next.
func (p *literal) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = strings.TrimLeft(rest, " ")
	}
	return ok
}

func (p *literal) want(token string) {
	if !p.take(token) {
		p.fail("not a plain literal: %.20q where %q is wanted", p.rest, token)
	}
}

// text reads a string in single or double quotes, without escapes.
func (p *literal) text() string {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		p.fail("not a plain literal: %.20q where a string is wanted", p.rest)
		return ""
	}
	s, _, ok := strings.Cut(p.rest[1:], p.rest[:1])
	if !ok || strings.Contains(s, `\`) {
		p.fail("not a plain literal: string %.20q", p.rest)
		return ""
	}
	p.rest = strings.TrimLeft(p.rest[len(s)+2:], " ")
	return s
}

func (p *literal) boolean() bool {
	if p.take("True") {
		return true
	}
	p.want("False")
	return false
}

// shape reads a tuple of dimensions. Python 2 wrote an L after long ones.
func (p *literal) shape() []int {
	p.want("(")
	shape := []int{}
	for p.err == nil && !p.take(")") {
		n := 0
		for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
			n++
		}
		d, err := strconv.Atoi(p.rest[:n])
		if err != nil || len(shape) == maxRank {
			p.fail("shape holds %.20q, want at most %d integers from 0 up", p.rest, maxRank)
			return nil
		}
		p.rest = strings.TrimLeft(strings.TrimPrefix(p.rest[n:], "L"), " ")
		if shape = append(shape, d); !p.take(",") {
			p.want(")")
			break
		}
	}
	return shape
}

// descr reads the element type.
func (p *literal) descr(h *npyHeader) {
	if strings.HasPrefix(p.rest, "[") {
		p.fail("structured arrays are not supported")
		return
	}
	s := p.text()
	order, name := "", s
	if s != "" && strings.Contains("<>|=", s[:1]) {
		order, name = s[:1], s[1:]
	}
	h.dtype, h.bigEndian = npyTypes[name], order == ">"
	switch {
	case p.err != nil:
	case strings.HasPrefix(name, "O"):
		p.fail("an array of Python objects, which hold pickles and are not read")
	case h.dtype == "":
		p.fail("element type %.20q is not supported", s)
	case h.dtype.Size() > 1 && order != "<" && order != ">":
		p.fail("element type %.20q does not say its byte order", s)
	}
}
