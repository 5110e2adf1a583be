package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// Limits of what a pickle may ask for. A pickle has no loops: its steps are at most its bytes.
const (
	maxPickle    = 64 << 20 // bytes of one pickle
	maxStack     = 1 << 17  // values on the stack, so also the depth of nesting
	maxMemo      = 1 << 20  // slots, ...
	memoChunk    = 1 << 10  // of which so many are made at a time
	maxName      = 1000     // bytes of a module's or class's name
	basePickle   = 32 << 20 // bytes the values may take up, and ...
	morePickle   = 4        // ... this many times the pickle's size
	lastProtocol = 5
)

// The values of a pickle are nil, bool, int64, float64, string, []byte, and the types below. A
// value may occur several times, and contain itself: whoever walks it counts its steps.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ pairs []pair } // in the order of the pickle; a key may occur twice
	pair   struct{ key, value any }
	bigInt []byte // an integer of more than 64 bits, little-endian two's complement
	unset  struct{}
)

// record stands for an object that is not built: what a pickle says about it, and nothing more.
type record struct {
	class *class
	args  tuple // what its class was to be called with
	state any   // what was to be put into it
	dict        // entries, if it was to be a dictionary
	list        // items, if it was to be a list or set
}

// machine interprets one pickle. Its instructions are those of Python's Lib/pickletools.py. It
// builds the values above and tensors, and nothing else: a global that is not accepted
// (see findClass) is an error, any other without a meaning here becomes a record.
type machine struct {
	name     string // of the pickle, for errors
	base     int64  // where it starts in the file
	b        []byte
	at, op   int // next byte; start of the instruction that runs
	protocol int // 0 until it is stated
	stack    []any
	marks    []int             // heights of the stack
	memo     []*[memoChunk]any // unset slots hold unset{} or, beyond memoized, nil
	memoized int               // slots in use
	classes  map[string]*class
	refused  bool // a global was refused
	budget   int  // bytes that values may still take up
	storages map[storageKey]*storage
}

func newMachine(name string, b []byte, base int64) *machine {
	return &machine{name: name, base: base, b: b, budget: basePickle + morePickle*len(b),
		classes: map[string]*class{}, storages: map[storageKey]*storage{}}
}

func (m *machine) errorf(format string, args ...any) error {
	return &FormatError{Offset: m.base + int64(m.op),
		Reason: fmt.Sprintf(format, args...) + fmt.Sprintf(" (offset %d of %s)", m.op, m.name)}
}

// run interprets the pickle up to its STOP and returns the value it leaves.
func (m *machine) run() (any, error) {
	if len(m.b) > maxPickle {
		m.b = m.b[:maxPickle] // no STOP before that is an error below
	}
	for m.at < len(m.b) {
		m.op = m.at
		m.at++
		code := m.b[m.op]
		if code == '.' {
			break
		}
		o := opcodes[code]
		if o.run == nil {
			return nil, m.errorf("unknown pickle instruction 0x%02x", code)
		}
		if err := o.run(m); err != nil {
			return nil, err
		}
		if len(m.stack)+len(m.marks) > maxStack {
			return nil, m.errorf("pickle nests values more than %d deep", maxStack)
		}
	}
	switch {
	case m.at == 0 || m.b[m.op] != '.' || m.op+1 != m.at:
		m.op = m.at
		return nil, m.errorf("pickle ends without STOP (truncated?)")
	case m.protocol == 0:
		return nil, m.errorf("pickle of protocol 0 or 1, not of 2 to %d", lastProtocol)
	case len(m.stack) != 1 || len(m.marks) != 0:
		return nil, m.errorf("pickle leaves %d values and %d marks, not 1 value",
			len(m.stack), len(m.marks))
	}
	return m.stack[0], nil
}

// spend counts bytes of memory; the numbers are those of Go on 64 bits, rounded up.
func (m *machine) spend(n int) error {
	if m.budget -= n; m.budget < 0 {
		return m.errorf("pickle wants more than %d bytes of memory", basePickle+morePickle*len(m.b))
	}
	return nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// floor is the height of the stack that no instruction may go below.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// pop takes values off the stack, the last one first.
func (m *machine) pop(into ...*any) error {
	for _, v := range into {
		top := len(m.stack) - 1
		if top < m.floor() {
			return m.errorf("pickle takes from an empty stack")
		}
		*v = m.stack[top]
		m.stack[top] = nil
		m.stack = m.stack[:top]
	}
	return nil
}

// top is the value that an instruction changes in place.
func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, m.errorf("pickle takes from an empty stack")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark takes what lies above the last mark, valid until the next push, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, m.errorf("pickle uses a mark that is not there")
	}
	from := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[from:]
	m.stack = m.stack[:from]
	return items, nil
}

// take reads n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.b)-m.at) {
		return nil, m.errorf("pickle speaks of %d bytes, %d are left (truncated?)", n, len(m.b)-m.at)
	}
	b := m.b[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number reads a little-endian number of so many bytes, at most 8.
func (m *machine) number(bytes int) (uint64, error) {
	b, err := m.take(uint64(bytes))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted reads a length of so many bytes and that many bytes.
func (m *machine) counted(bytes int) ([]byte, error) {
	n, err := m.number(bytes)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line reads up to a newline.
func (m *machine) line() (string, error) {
	rest := m.b[m.at:]
	i := bytes.IndexByte(rest[:min(len(rest), maxName+1)], '\n')
	if i < 0 {
		return "", m.errorf("pickle has a line of more than %d bytes", min(len(rest), maxName))
	}
	m.at += i + 1
	return string(rest[:i]), nil
}

// integer makes a value of little-endian two's complement.
func (m *machine) integer(b []byte) (any, error) {
	if len(b) > 8 {
		return bigInt(b), m.spend(len(b) + 24)
	}
	var wide [8]byte
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		wide = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:])), m.spend(8)
}

// textValue reads the value of a line as protocol 0 writes it: plain cases only.
func textValue(code byte, s string) (any, error) {
	switch code {
	case 'I':
		if s == "00" || s == "01" {
			return s == "01", nil
		}
		return strconv.ParseInt(s, 10, 64)
	case 'L':
		if n := len(s); n > 0 && s[n-1] == 'L' {
			s = s[:n-1]
		}
		return strconv.ParseInt(s, 10, 64)
	case 'F':
		return strconv.ParseFloat(s, 64)
	}
	if code == 'S' {
		n := len(s)
		if n < 2 || s[0] != s[n-1] || s[0] != '\'' && s[0] != '"' {
			return nil, strconv.ErrSyntax
		}
		s = s[1 : n-1]
	}
	if bytes.IndexByte([]byte(s), '\\') >= 0 {
		return nil, strconv.ErrSyntax
	}
	return s, nil
}

// float reads BINFLOAT: 8 bytes, big-endian.
func (m *machine) float() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	if err := m.spend(8); err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}
