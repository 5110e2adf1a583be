package weights

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// Limits of what a compressed member may unfold to. DEFLATE reaches 1032:1; float weights hardly
// reach 2:1.
const (
	maxRatio     = 250      // bytes out of one byte in, for members above freeInflate
	freeInflate  = 1 << 20  // bytes of a member that are not suspicious whatever the ratio
	baseInflated = 64 << 20 // bytes all members together may unfold to, and ...
	moreInflated = 4        // ... this many times the file's size
)

// archive is a ZIP file in memory. Package archive/zip hides where members and directory lie, so
// it cannot tell overlapping members or a local header that contradicts the directory; this reader
// refuses both (PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5). Nothing is written to disk.
type archive struct {
	raw     []byte
	members []member // in the order of the directory
	byName  map[string]int
	inflate int64 // bytes that may still be inflated
}

// member is one file of an archive.
type member struct {
	name         string
	flags        uint16
	deflated     bool
	crc          uint32
	packed, size int64 // bytes in the file, bytes of contents
	header, data int64 // where local header and contents start
}

// openArchive reads the directory, checks it against the local headers, and compares the checksums
// of all members that are stored as they are. Those of compressed ones are compared by contents.
func openArchive(raw []byte) (*archive, error) {
	a := &archive{raw: raw, byName: map[string]int{},
		inflate: baseInflated + moreInflated*int64(len(raw))}
	d, err := findDirectory(raw)
	if err != nil {
		return nil, err
	}
	if err := a.readDirectory(d); err != nil {
		return nil, err
	}
	if err := a.readLocalHeaders(d.at); err != nil {
		return nil, err
	}
	if err := a.checkOverlap(); err != nil {
		return nil, err
	}
	for _, m := range a.members {
		if m.deflated {
			continue
		}
		if err := m.checkSum(raw[m.data : m.data+m.size]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (m member) errorf(at int64, format string, args ...any) error {
	return zipError(at, "ZIP member %.200q: %s", m.name, fmt.Sprintf(format, args...))
}

func zipError(at int64, format string, args ...any) error {
	return &FormatError{Offset: at, Reason: fmt.Sprintf(format, args...)}
}

func (m member) checkSum(b []byte) error {
	if got := crc32.ChecksumIEEE(b); got != m.crc {
		return m.errorf(m.data, "checksum is %08x, the archive says %08x: the contents are damaged",
			got, m.crc)
	}
	return nil
}

// find returns the member of a name.
func (a *archive) find(name string) (member, bool) {
	i, ok := a.byName[name]
	if !ok {
		return member{}, false
	}
	return a.members[i], true
}

// contents returns a member's bytes: those of the file where it is stored, else new memory.
func (a *archive) contents(m member) ([]byte, error) {
	if !m.deflated {
		return a.raw[m.data : m.data+m.size : m.data+m.size], nil
	}
	if m.size > a.inflate {
		return nil, m.errorf(m.data, "inflates to %d bytes, with the members before more than the %d "+
			"that are accepted", m.size, baseInflated+moreInflated*int64(len(a.raw)))
	}
	a.inflate -= m.size
	in := bytes.NewReader(a.raw[m.data : m.data+m.packed])
	r := flate.NewReader(in)
	out := make([]byte, m.size)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, m.errorf(m.data, "cannot be inflated: %v", err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, m.errorf(m.data, "inflates to more than the %d bytes stated, or is damaged", m.size)
	}
	if in.Len() != 0 {
		return nil, m.errorf(m.data, "%d bytes after the compressed contents", in.Len())
	}
	return out, m.checkSum(out)
}

// directory is where the archive's directory lies.
type directory struct {
	at, size int64
	count    uint64
}

// Lengths of the fixed parts, bytes.
const (
	endSize, end64Size, locatorSize = 22, 56, 20
	centralSize, localSize          = 46, 30
)

// incomplete is the usual reason for a missing end: an interrupted download.
const incomplete = "the ZIP archive has no directory at its end: the file is incomplete (truncated?)"

// findDirectory reads the records at the end of the file. A comment may follow them.
func findDirectory(raw []byte) (directory, error) {
	var d directory
	le := binary.LittleEndian
	end := -1
	for i := len(raw) - endSize; i >= max(0, len(raw)-endSize-1<<16); i-- {
		if raw[i] == 'P' && le.Uint32(raw[i:]) == 0x06054b50 &&
			i+endSize+int(le.Uint16(raw[i+20:])) == len(raw) {
			end = i
			break
		}
	}
	if end < 0 {
		return d, zipError(int64(len(raw)), incomplete)
	}
	e := raw[end:]
	if le.Uint16(e[4:]) != 0 && le.Uint16(e[4:]) != 1<<16-1 {
		return d, zipError(int64(end), "the ZIP archive is part of a set of several files")
	}
	d = directory{int64(le.Uint32(e[16:])), int64(le.Uint32(e[12:])), uint64(le.Uint16(e[10:]))}
	stop := int64(end)
	if at := end - locatorSize; at >= 0 && le.Uint32(raw[at:]) == 0x07064b50 {
		d64, record, err := readEnd64(raw[:end])
		if err != nil {
			return d, err
		}
		for _, v := range [...]struct{ short, sentinel, long uint64 }{
			{uint64(d.at), 1<<32 - 1, uint64(d64.at)}, {uint64(d.size), 1<<32 - 1, uint64(d64.size)},
			{d.count, 1<<16 - 1, d64.count},
		} {
			if v.short != v.sentinel && v.short != v.long {
				return d, zipError(record, "ZIP64 record says %d, the short record %d", v.long, v.short)
			}
		}
		d, stop = d64, record
	}
	if d.at < 0 || d.size < 0 || d.at > stop || d.size != stop-d.at {
		return d, zipError(stop, "ZIP directory of %d bytes at %d does not end at its end record",
			d.size, d.at)
	}
	if d.count > uint64(d.size)/centralSize {
		return d, zipError(d.at, "ZIP directory of %d bytes cannot hold %d members", d.size, d.count)
	}
	return d, nil
}

// readEnd64 reads the ZIP64 record to which the locator at the end of raw points.
func readEnd64(raw []byte) (d directory, record int64, err error) {
	le := binary.LittleEndian
	locator := int64(len(raw)) - locatorSize
	record = int64(le.Uint64(raw[locator+8:]))
	if record < 0 || record > locator-end64Size || le.Uint32(raw[record:]) != 0x06064b50 ||
		le.Uint64(raw[record+4:]) != uint64(locator-record-12) {
		return d, 0, zipError(locator, "ZIP64 record is not where its locator says (byte %d)",
			uint64(record))
	}
	r := raw[record:]
	return directory{int64(le.Uint64(r[48:])), int64(le.Uint64(r[40:])), le.Uint64(r[32:])}, record,
		nil
}
