package weights

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipAt are places in an archive of zipOf: of member 0's local header and of its directory entry.
func zipAt(b []byte) (local, entry, end int) {
	return 0, bytes.Index(b, []byte("PK\x01\x02")), bytes.LastIndex(b, []byte("PK\x05\x06"))
}

// TestZipRefuses changes a good archive in one place each; all errors differ.
func TestZipRefuses(t *testing.T) {
	le := binary.LittleEndian
	seen := map[string]string{}
	zeros := strings.Repeat("\x00", 4<<20)
	for _, c := range []struct {
		name, want string
		change     func(b []byte, local, entry, end int) []byte
	}{
		{"encrypted", "is encrypted",
			func(b []byte, _, entry, _ int) []byte { b[entry+8] |= 1; return b }},
		{"encrypted locally", "first\": is encrypted", func(b []byte, local, _, _ int) []byte {
			b[local+6] |= 1
			return b
		}},
		{"checksum", "checksum is",
			func(b []byte, local, _, _ int) []byte { b[local+35] ^= 1; return b }},
		{"checksum stated", "differ from the directory's", func(b []byte, _, entry, _ int) []byte {
			b[entry+16] ^= 1
			return b
		}},
		{"method", "compression method 12",
			func(b []byte, _, entry, _ int) []byte { b[entry+10] = 12; return b }},
		{"local method", "method 8 differs",
			func(b []byte, local, _, _ int) []byte { b[local+8] = 8; return b }},
		{"descriptor", "flags 0000 differ", func(b []byte, _, entry, _ int) []byte {
			b[entry+8] |= 8
			return b
		}},
		{"twice", "appears twice", nil},
		{"absolute", "absolute", func(b []byte, _, _, _ int) []byte {
			return bytes.ReplaceAll(b, []byte("first"), []byte("/etc/"))
		}},
		{"other system", "absolute", func(b []byte, _, _, _ int) []byte {
			return bytes.ReplaceAll(b, []byte("first"), []byte(`..\rt`))
		}},
		{"upwards", "leads out", func(b []byte, _, _, _ int) []byte {
			return bytes.ReplaceAll(b, []byte("first"), []byte("../xt"))
		}},
		{"control character", "not plain text", func(b []byte, _, _, _ int) []byte {
			return bytes.ReplaceAll(b, []byte("first"), []byte("fi\x1bst"))
		}},
		{"other local name", `is called "fisrt"`, func(b []byte, local, _, _ int) []byte {
			copy(b[local+30:], "fisrt")
			return b
		}},
		{"ZIP64 without sizes", "ZIP64 sizes are missing", func(b []byte, _, entry, _ int) []byte {
			le.PutUint32(b[entry+20:], 1<<32-1)
			return b
		}},
		{"past the end", "do not fit", func(b []byte, _, entry, _ int) []byte {
			le.PutUint32(b[entry+20:], 1<<30)
			return b
		}},
		{"stored sizes", "stored, but",
			func(b []byte, _, entry, _ int) []byte { b[entry+24]++; return b }},
		{"local header", "no local header",
			func(b []byte, _, entry, _ int) []byte { b[entry+42] += 3; return b }},
		{"overlap", "overlaps with", nil},
		{"ZIP64 lies", "do not fit", nil},
		{"bomb", "refused as a bomb", nil},
		{"bombs", "with the members before", nil},
		{"more than stated", "inflates to more", nil},
		{"several files", "several files",
			func(b []byte, _, _, end int) []byte { b[end+4] = 1; return b }},
		{"count too small", "after the last entry",
			func(b []byte, _, _, end int) []byte { b[end+10]--; return b }},
		{"count too large", "cannot hold",
			func(b []byte, _, _, end int) []byte { b[end+11]++; return b }},
		{"directory moved", "does not end at",
			func(b []byte, _, _, end int) []byte { b[end+16]--; return b }},
		{"bytes in front", "does not end at", func(b []byte, _, _, _ int) []byte {
			return append([]byte("PK\x03\x04"), b...)
		}},
		{"bytes behind", "incomplete", func(b []byte, _, _, _ int) []byte { return append(b, 0) }},
		{"entry", "entry 0 is damaged",
			func(b []byte, _, entry, _ int) []byte { b[entry] = 0; return b }},
	} {
		var b []byte
		switch c.name {
		case "twice":
			b = zipOf(t, zip.Store, contents{"first", "12345"}, contents{"first", "1234567"})
		case "overlap":
			b = overlapping(t)
		case "ZIP64 lies":
			b = lying64(t)
		case "bomb":
			b = zipOf(t, zip.Deflate, contents{"a.npy", zeros})
		case "bombs": // each of 1 MiB is let through, all of them are not
			b = bombs(t, npyOf(t, zeros[:1<<20-128]), 80)
		case "more than stated":
			b = zipOf(t, zip.Deflate, contents{"a.npy", string(npyOf(t, zeros[:800]))})
			_, entry, _ := zipAt(b)
			le.PutUint32(b[entry+24:], 100)
		default:
			b = zipOf(t, zip.Store, contents{"first", "12345"}, contents{"second", "1234567"})
			local, entry, end := zipAt(b)
			b = c.change(b, local, entry, end)
		}
		var err error
		seconds, size := cost(func() {
			var a *archive
			if a, err = openArchive(b); err == nil {
				_, err = a.npz()
			}
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
			continue
		}
		if seconds > limit || size > 128<<20 {
			t.Errorf("%s: %.2f s and %d bytes", c.name, seconds, size)
		}
		if before := seen[err.Error()]; before != "" {
			t.Errorf("%s and %s give one error: %v", c.name, before, err)
		}
		seen[err.Error()] = c.name
	}
}

func npyOf(t *testing.T, data string) []byte {
	t.Helper()
	h, err := encodeNPYHeader(Tensor{DType: U8, Shape: []int{len(data)}})
	if err != nil {
		t.Fatal(err)
	}
	return append(h, data...)
}

// bombs is an archive of so many members with the same contents, deflated.
func bombs(t *testing.T, contents []byte, count int) []byte {
	t.Helper()
	var packed, b bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(contents)
	}
	if err == nil {
		err = w.Close()
	}
	z := zip.NewWriter(&b)
	for i := 0; i < count && err == nil; i++ {
		var w io.Writer
		w, err = z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%d.npy", i), Method: zip.Deflate,
			CRC32: crc32.ChecksumIEEE(contents), CompressedSize64: uint64(packed.Len()),
			UncompressedSize64: uint64(len(contents))})
		if err == nil {
			_, err = w.Write(packed.Bytes())
		}
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// overlapping is an archive whose second member lies within the first one's contents.
func overlapping(t *testing.T) []byte {
	inner := zipOf(t, zip.Store, contents{"in", "12345"})
	_, innerEntry, innerEnd := zipAt(inner)
	b := zipOf(t, zip.Store, contents{"out", string(inner[:innerEntry])})
	_, entry, end := zipAt(b)
	second := bytes.Clone(inner[innerEntry:innerEnd])
	binary.LittleEndian.PutUint32(second[42:], 30+3)
	out := append(bytes.Clone(b[:end]), second...)
	out = append(out, b[end:]...)
	e := out[len(out)-endSize:]
	e[8], e[10] = 2, 2
	binary.LittleEndian.PutUint32(e[12:], uint32(end-entry+len(second)))
	return out
}

// lying64 is an archive with a ZIP64 extra field of 2^62 bytes.
func lying64(t *testing.T) []byte {
	b := zipOf(t, zip.Store, contents{"first", "12345"})
	_, entry, end := zipAt(b)
	le := binary.LittleEndian
	extra := le.AppendUint64([]byte{1, 0, 16, 0}, 1<<62)
	extra = le.AppendUint64(extra, 1<<62)
	out := append(bytes.Clone(b[:end]), extra...)
	out = append(out, b[end:]...)
	le.PutUint32(out[entry+20:], 1<<32-1)
	le.PutUint32(out[entry+24:], 1<<32-1)
	le.PutUint16(out[entry+30:], uint16(len(extra)))
	le.PutUint32(out[len(out)-endSize+12:], uint32(end-entry+len(extra)))
	return out
}

// FuzzZip wants what is accepted to be what archive/zip reads too.
func FuzzZip(f *testing.F) {
	for _, e := range fixtures(f) {
		b, err := os.ReadFile(filepath.Join(formats(f), e.File))
		if err == nil && isZip(b) && len(b) < 20_000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a *archive
		var err error
		if _, size := cost(func() { a, err = openArchive(b) }); size > uint64(100*len(b)+1<<16) {
			t.Errorf("%d bytes allocated for a directory in a file of %d", size, len(b))
		}
		if err != nil {
			return
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(z.File) != len(a.members) {
			t.Fatalf("archive/zip: %v", err)
		}
		for i, m := range a.members {
			got, err := a.contents(m)
			if err != nil {
				continue
			}
			if strings.HasSuffix(m.name, "/") && len(got) > 0 {
				continue // archive/zip takes this for a folder
			}
			r, err := z.File[i].Open()
			if err != nil {
				t.Fatalf("archive/zip: %v", err)
			}
			want, err := io.ReadAll(r)
			if err != nil || z.File[i].Name != m.name || !bytes.Equal(got, want) {
				t.Fatalf("%q: %q, want %q, %v", m.name, got, want, err)
			}
		}
	})
}
