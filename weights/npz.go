package weights

import (
	"archive/zip"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// ParseNPZ reads an archive of NumPy arrays from memory, as numpy.savez and savez_compressed write
// it. The tensors are called as the arrays, without ".npy"; those that are stored in row-major and
// little-endian order share the memory.
func ParseNPZ(b []byte) (*File, error) {
	a, err := openArchive(b)
	if err != nil {
		return nil, err
	}
	return a.npz()
}

func (a *archive) npz() (*File, error) {
	f := &File{raw: a.raw, Tensors: []Tensor{}}
	for _, m := range a.members {
		name, ok := strings.CutSuffix(m.name, ".npy")
		if !ok {
			return nil, m.errorf(m.header, "is no .npy file")
		}
		b, err := a.contents(m)
		if err != nil {
			return nil, err
		}
		t, err := parseNPY(name, b)
		if err != nil {
			var format *FormatError
			if errors.As(err, &format) {
				if format.Offset += m.data; m.deflated {
					format.Offset = m.data
				}
			}
			return nil, err
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f, f.sort()
}

// WriteNPZ writes tensors as numpy.savez would, uncompressed, and returns the SHA-256 of what it
// wrote, hexadecimal. Equal contents give equal bytes: arrays are ordered by name, and their time
// is that of no time. BF16, which NumPy does not have, is an error.
func WriteNPZ(w io.Writer, tensors []Tensor) (string, error) {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int {
		return cmp.Compare(a.Name, b.Name)
	})
	sum := sha256.New()
	z := zip.NewWriter(io.MultiWriter(w, sum))
	for i, t := range sorted {
		if err := t.check(); err != nil {
			return "", err
		}
		h, err := encodeNPYHeader(t)
		if err != nil {
			return "", err
		}
		name := t.Name + ".npy"
		if err := checkMemberName(member{name: name}, 0); err != nil || t.Name == "" ||
			i > 0 && t.Name == sorted[i-1].Name {
			return "", fmt.Errorf("weights: tensor name %q is no file name, or there twice", t.Name)
		}
		size := uint64(len(h) + len(t.Data))
		body, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store,
			CRC32:              crc32.Update(crc32.ChecksumIEEE(h), crc32.IEEETable, t.Data),
			CompressedSize64:   size,
			UncompressedSize64: size,
		})
		if err == nil {
			_, err = body.Write(h)
		}
		if err == nil {
			_, err = body.Write(t.Data)
		}
		if err != nil {
			return "", fmt.Errorf("weights: tensor %q: %w", t.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// encodeNPYHeader is the header of version 1, filled up so that the data starts at a multiple of 64.
func encodeNPYHeader(t Tensor) ([]byte, error) {
	descr := ""
	for name, d := range npyTypes {
		if d == t.DType {
			descr = name
		}
	}
	if descr == "" || len(t.Shape) > maxRank {
		return nil, fmt.Errorf("weights: tensor %q: %s %v is no NumPy array", t.Name, t.DType, t.Shape)
	}
	order := "<"
	if t.DType.Size() == 1 {
		order = "|"
	}
	var dims strings.Builder
	for i, d := range t.Shape {
		if i > 0 {
			dims.WriteString(" ")
		}
		fmt.Fprintf(&dims, "%d,", d)
	}
	shape := dims.String()
	if len(t.Shape) > 1 {
		shape = strings.TrimSuffix(shape, ",")
	}
	h := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, descr, shape)
	h += strings.Repeat(" ", 63-(10+len(h))%64) + "\n"
	return append([]byte(npyMagic+"\x01\x00"+string([]byte{byte(len(h)), byte(len(h) >> 8)})),
		h...), nil
}
