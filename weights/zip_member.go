package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bits of a member's flags.
const (
	flagEncrypted  = 1<<0 | 1<<6 | 1<<13 // contents, strongly, or headers
	flagDescriptor = 1 << 3              // checksum and sizes follow the contents
)

const sentinel32 = 1<<32 - 1 // "see the ZIP64 extra field"

// readDirectory reads all entries of the directory.
func (a *archive) readDirectory(d directory) error {
	at, end := d.at, d.at+d.size
	a.members = make([]member, 0, d.count)
	for range d.count {
		b := a.raw[at:end]
		if len(b) < centralSize || binary.LittleEndian.Uint32(b) != 0x02014b50 {
			return zipError(at, "ZIP directory entry %d is damaged", len(a.members))
		}
		m, n, err := parseEntry(b, at, d.at)
		if err != nil {
			return err
		}
		if _, twice := a.byName[m.name]; twice {
			return m.errorf(at, "appears twice")
		}
		a.byName[m.name] = len(a.members)
		a.members = append(a.members, m)
		at += n
	}
	if at != end {
		return zipError(at, "%d bytes after the last entry of the ZIP directory", end-at)
	}
	return nil
}

// parseEntry reads the entry of length n that b starts with; it lies at a byte of the file.
// Contents must end before byte limit, where the directory starts.
func parseEntry(b []byte, at, limit int64) (m member, n int64, err error) {
	le := binary.LittleEndian
	name, extra := int(le.Uint16(b[28:])), int(le.Uint16(b[30:]))
	n = int64(centralSize + name + extra + int(le.Uint16(b[32:])))
	if n > int64(len(b)) {
		return m, 0, zipError(at, "ZIP directory entry of %d bytes, %d are left", n, len(b))
	}
	m = member{name: string(b[centralSize : centralSize+name]), flags: le.Uint16(b[8:]),
		crc: le.Uint32(b[16:])}
	if err := checkMemberName(m, at); err != nil {
		return m, 0, err
	}
	if m.flags&flagEncrypted != 0 {
		return m, 0, m.errorf(at, "is encrypted")
	}
	switch method := le.Uint16(b[10:]); method {
	case 0:
	case 8:
		m.deflated = true
	default:
		return m, 0, m.errorf(at, "compression method %d, only 0 (none) and 8 (deflate) are read",
			method)
	}
	sizes := [3]uint64{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	if !zip64(b[centralSize+name:centralSize+name+extra], sizes[:]) {
		return m, 0, m.errorf(at, "its ZIP64 sizes are missing")
	}
	for _, v := range sizes[1:] {
		if v > uint64(limit) {
			return m, 0, m.errorf(at, "%d bytes at byte %d do not fit into the archive",
				sizes[1], sizes[2])
		}
	}
	m.packed, m.header = int64(sizes[1]), int64(sizes[2])
	switch size := sizes[0]; {
	case !m.deflated && size != sizes[1]:
		return m, 0, m.errorf(at, "stored, but %d bytes for %d of contents", m.packed, size)
	case size > freeInflate && size/maxRatio >= sizes[1]:
		return m, 0, m.errorf(at, "inflates from %d to %d bytes, more than %d:1: refused as a bomb",
			m.packed, size, maxRatio)
	}
	m.size = int64(sizes[0])
	return m, n, nil
}

// zip64 replaces those of the values that are the sentinel by those of the ZIP64 extra field, in
// order. It is false if one is not there.
func zip64(extra []byte, values []uint64) bool {
	le := binary.LittleEndian
	var long []byte
	for len(extra) >= 4 {
		n := int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break
		}
		if le.Uint16(extra) == 1 {
			long = extra[4 : 4+n]
			break
		}
		extra = extra[4+n:]
	}
	for i, v := range values {
		if v != sentinel32 {
			continue
		}
		if len(long) < 8 {
			return false
		}
		values[i], long = le.Uint64(long), long[8:]
	}
	return true
}

// checkMemberName refuses names that would lead out of a folder.
func checkMemberName(m member, at int64) error {
	switch {
	case m.name == "":
		return m.errorf(at, "has no name")
	case strings.HasPrefix(m.name, "/") || strings.Contains(m.name, `\`) ||
		len(m.name) > 1 && m.name[1] == ':':
		return m.errorf(at, "an absolute name, or one of another system")
	case slices.Contains(strings.Split(m.name, "/"), ".."):
		return m.errorf(at, "the name leads out of the archive")
	case !utf8.ValidString(m.name) || strings.ContainsFunc(m.name, unicode.IsControl):
		return m.errorf(at, "the name is not plain text")
	}
	return nil
}

// readLocalHeaders finds the contents and compares what stands before them with the directory,
// which starts at byte limit.
func (a *archive) readLocalHeaders(limit int64) error {
	le := binary.LittleEndian
	for i := range a.members {
		m := &a.members[i]
		if m.header > limit-localSize || le.Uint32(a.raw[m.header:]) != 0x04034b50 {
			return m.errorf(m.header, "no local header there")
		}
		b := a.raw[m.header:limit]
		name, extra := int(le.Uint16(b[26:])), int(le.Uint16(b[28:]))
		if localSize+name+extra > len(b) {
			return m.errorf(m.header, "the local header does not fit into the archive")
		}
		m.data = m.header + int64(localSize+name+extra)
		if m.packed > limit-m.data {
			return m.errorf(m.header, "%d bytes at byte %d do not fit into the archive", m.packed,
				m.data)
		}
		flags := le.Uint16(b[6:])
		if flags&flagEncrypted != 0 {
			return m.errorf(m.header, "is encrypted")
		}
		if (flags^m.flags)&flagDescriptor != 0 {
			return m.errorf(m.header, "flags %04x differ from the directory's %04x", flags, m.flags)
		}
		if s := string(b[localSize : localSize+name]); s != m.name {
			return m.errorf(m.header, "is called %.200q in its local header", s)
		}
		sums := [3]uint64{uint64(le.Uint32(b[22:])), uint64(le.Uint32(b[18:])),
			uint64(le.Uint32(b[14:]))}
		descriptor := flags&flagDescriptor != 0
		known := zip64(b[localSize+name:localSize+name+extra], sums[:2])
		for j, want := range [3]uint64{uint64(m.size), uint64(m.packed), uint64(m.crc)} {
			blank := descriptor && (sums[j] == 0 || sums[j] == sentinel32)
			if !blank && (!known || sums[j] != want) {
				return m.errorf(m.header, "sizes or checksum differ from the directory's: %d, want %d",
					sums[j], want)
			}
		}
		if descriptor && !m.describedIn(a.raw[m.data+m.packed:limit]) {
			return m.errorf(m.data+m.packed, "the record after the contents has another checksum")
		}
		if method := le.Uint16(b[8:]); (method == 8) != m.deflated || method != 0 && method != 8 {
			return m.errorf(m.header, "compression method %d differs from the directory's", method)
		}
	}
	return nil
}

// describedIn is true if b starts with a data descriptor that has the member's checksum. The
// descriptor's signature is optional.
func (m member) describedIn(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("PK\x07\x08"))
	return len(b) >= 12 && binary.LittleEndian.Uint32(b) == m.crc
}

// checkOverlap wants no byte to belong to two members.
func (a *archive) checkOverlap() error {
	order := slices.SortedFunc(slices.Values(a.members), func(x, y member) int {
		return cmp.Compare(x.header, y.header)
	})
	for i := 1; i < len(order); i++ {
		if before := order[i-1]; order[i].header < before.data+before.packed {
			return order[i].errorf(order[i].header, "overlaps with %.200q", before.name)
		}
	}
	return nil
}
