package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// legacyMagic is PyTorch's MAGIC_NUMBER 0x1950a86a20f9469cfc6c, little-endian.
var legacyMagic = bigInt{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

const legacyProtocol = 1001 // PROTOCOL_VERSION of the same file

// legacyParts are the pickles that a file before PyTorch 1.6 starts with, as _legacy_save in
// torch/serialization.py writes them. Then for each key of the last one follow the number of
// elements, as an int64, and the elements, both little-endian whatever the machine was.
var legacyParts = [...]string{"magic number", "protocol version", "system information",
	"object", "storage keys"}

func parseLegacy(b []byte) (*checkpoint, error) {
	var parts [len(legacyParts)]any
	at := 0
	var m *machine
	storages := map[string]*storage{}
	for i, name := range legacyParts {
		m = newMachine("the "+name, b[at:], int64(at))
		v, err := m.run()
		if err != nil {
			return nil, err
		}
		if err := checkLegacy(i, v, m); err != nil {
			return nil, err
		}
		if i == 3 {
			if err := legacyStorages(m, storages); err != nil {
				return nil, err
			}
		}
		parts[i] = v
		at += m.at
	}
	places, err := legacyPlaces(b, at, parts[4].(*list).items, storages)
	if err != nil {
		return nil, err
	}
	return &checkpoint{raw: b, root: parts[3], record: func(s *storage) ([]byte, error) {
		p, ok := places[s.key]
		if !ok {
			return nil, fmt.Errorf("storage %.100q is not in the file", s.key)
		}
		return p, nil
	}}, nil
}

// checkLegacy looks at one of the pickles around the object.
func checkLegacy(part int, v any, m *machine) error {
	m.op = 0
	switch part {
	case 0:
		if n, ok := v.(bigInt); !ok || !bytes.Equal(n, legacyMagic) {
			return m.errorf("not a PyTorch file: it is a pickle, but does not start with PyTorch's " +
				"magic number")
		}
	case 1:
		if v != any(int64(legacyProtocol)) {
			return m.errorf("PyTorch file of an unknown version, want %d", legacyProtocol)
		}
	case 2:
		d, ok := v.(*dict)
		if !ok {
			return m.errorf("%s is %s, want a dictionary", m.name, kind(v))
		}
		if order, ok := d.get("little_endian"); ok && order != true {
			return m.errorf("PyTorch file of a big-endian machine, which is not supported")
		}
	case 4:
		if _, ok := v.(*list); !ok {
			return m.errorf("%s are %s, want a list", m.name, kind(v))
		}
	}
	return nil
}

// get returns the value of a key, the last one if it is there several times, as in Python.
func (d *dict) get(key string) (v any, ok bool) {
	for _, p := range d.pairs {
		if p.key == any(key) {
			v, ok = p.value, true
		}
	}
	return v, ok
}

// legacyStorages wants one description for each key.
func legacyStorages(m *machine, storages map[string]*storage) error {
	for _, s := range m.storages {
		if before := storages[s.key]; before != nil {
			return &FormatError{Offset: s.at, Reason: fmt.Sprintf(
				"storage %.100q is described in two ways", s.key)}
		}
		storages[s.key] = s
	}
	return nil
}

// legacyPlaces cuts the rest of the file into storages.
func legacyPlaces(b []byte, at int, keys []any, storages map[string]*storage) (map[string][]byte,
	error) {
	places := map[string][]byte{}
	fail := func(format string, args ...any) (map[string][]byte, error) {
		return nil, &FormatError{Offset: int64(at), Reason: fmt.Sprintf(format, args...)}
	}
	for _, k := range keys {
		key, ok := k.(string)
		s := storages[key]
		if !ok || s == nil {
			return fail("storage %.100q belongs to no tensor", key)
		}
		if _, twice := places[key]; twice {
			return fail("storage %.100q appears twice", key)
		}
		if s.unsupported != "" {
			return fail("storage %.100q, element type: %s", key, s.unsupported)
		}
		if len(b)-at < 8 {
			return fail("the file ends before storage %.100q (truncated?)", key)
		}
		if n := binary.LittleEndian.Uint64(b[at:]); n != uint64(s.numel) {
			return fail("storage %.100q has %d elements, the pickle says %d", key, n, s.numel)
		}
		at += 8
		n, fits := product([]int{int(s.numel)}, s.dtype.Size())
		if !fits || n > len(b)-at {
			return fail("storage %.100q of %d elements of %s, but only %d bytes are left: its data "+
				"ends early (truncated?)", key, s.numel, s.dtype, len(b)-at)
		}
		places[key] = b[at : at+n : at+n]
		at += n
	}
	if at != len(b) {
		return fail("%d bytes after the last storage", len(b)-at)
	}
	return places, nil
}
