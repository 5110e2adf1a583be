package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxHeader is the largest header read, bytes: the limit of the reference implementation
// (huggingface/safetensors, MAX_HEADER_SIZE).
const maxHeader = 100_000_000

// File is the contents of a weight file. It is safe for concurrent reading.
type File struct {
	Metadata map[string]string // free text of the file's author, nil if there is none
	Tensors  []Tensor          // sorted by name
	raw      []byte
}

// Tensor returns the tensor of a name.
func (f *File) Tensor(name string) (t Tensor, ok bool) {
	i, ok := slices.BinarySearchFunc(f.Tensors, name, func(t Tensor, name string) int {
		return strings.Compare(t.Name, name)
	})
	if !ok {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// SHA256 is the hash of the whole file as it was read, hexadecimal.
func (f *File) SHA256() string {
	sum := sha256.Sum256(f.raw)
	return hex.EncodeToString(sum[:])
}

// FormatError says where a file breaks the rules of its format.
type FormatError struct {
	Path   string // empty when parsed from memory
	Offset int64  // bytes from the start of the file
	Tensor string // the tensor concerned, if any
	Reason string
}

// Error gives path, byte, tensor and reason.
func (e *FormatError) Error() string {
	s := "weights: "
	if e.Path != "" {
		s += e.Path + ": "
	}
	s += fmt.Sprintf("byte %d: ", e.Offset)
	if e.Tensor != "" {
		s += fmt.Sprintf("tensor %q: ", e.Tensor)
	}
	return s + e.Reason
}

// ParseSafetensors reads a safetensors file from memory, which it keeps and shares with the
// tensors. What is wrong with the file is reported as a [*FormatError].
func ParseSafetensors(b []byte) (*File, error) {
	n, err := headerLength(b, int64(len(b)))
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(b[8:8+n], int64(len(b))-8-n)
	if err != nil {
		return nil, err
	}
	return h.file(b, 8+n), nil
}

// OpenSafetensors reads a safetensors file. The header is checked against the file's size before
// the tensors are read. What is wrong with the file is reported as a [*FormatError].
func OpenSafetensors(path string) (*File, error) {
	f, err := openSafetensors(path)
	return f, atPath(path, err)
}

func openSafetensors(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("weights: %s: not a regular file", path)
	}
	size := info.Size()
	start := make([]byte, min(size, 512))
	if _, err := io.ReadFull(in, start); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	n, err := headerLength(start, size)
	if err != nil {
		return nil, err
	}
	header := make([]byte, n)
	if _, err := in.ReadAt(header, 8); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	h, err := parseHeader(header, size-8-n)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, size)
	if _, err := in.ReadAt(raw, 0); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	if string(raw[8:8+n]) != string(header) {
		return nil, fmt.Errorf("weights: %s: changed while being read", path)
	}
	return h.file(raw, 8+n), nil
}

// headerLength reads the length of the header from the first bytes of a file of a given size.
func headerLength(start []byte, size int64) (int64, error) {
	if size < 8 || len(start) < 8 {
		return 0, &FormatError{Reason: fmt.Sprintf("file of %d bytes is too short", size)}
	}
	n := binary.LittleEndian.Uint64(start)
	switch {
	case n > uint64(size-8):
		if what := otherFormat(start); what != "" {
			return 0, &FormatError{Reason: "this is " + what + ", not safetensors"}
		}
		return 0, &FormatError{Reason: fmt.Sprintf(
			"header of %d bytes, but only %d follow (truncated?)", n, size-8)}
	case n > maxHeader:
		return 0, &FormatError{Reason: fmt.Sprintf("header of %d bytes, at most %d are read",
			n, maxHeader)}
	case n < 2:
		return 0, &FormatError{Reason: "empty header"}
	}
	return int64(n), nil
}
