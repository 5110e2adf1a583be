package weights

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// WriteSafetensors writes tensors and metadata (which may be nil) and returns the SHA-256 of what
// it wrote, hexadecimal. Equal contents give equal bytes: tensors are ordered by element size,
// largest first (so that all are aligned, as the reference implementation does), then by name.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string) (string, error) {
	sorted := slices.Clone(tensors)
	slices.SortFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(-cmp.Compare(a.DType.Size(), b.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(sorted, metadata)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	w = io.MultiWriter(w, sum)
	if _, err := w.Write(header); err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	for _, t := range sorted {
		if _, err := w.Write(t.Data); err != nil {
			return "", fmt.Errorf("weights: tensor %q: %w", t.Name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// encodeHeader gives the length and the header, filled up with spaces to a multiple of 8 bytes.
func encodeHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	if metadata != nil {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("weights: metadata %q is not UTF-8", k)
			}
		}
		writeMember(b, metadataKey, metadata) // encoding/json sorts the keys
	}
	seen := map[string]bool{metadataKey: true}
	at := 0
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return nil, err
		}
		if seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("weights: tensor name %q is not UTF-8, reserved or there twice", t.Name)
		}
		seen[t.Name] = true
		writeMember(b, t.Name, struct {
			DType   DType  `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int{at, at + len(t.Data)}})
		at += len(t.Data)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, fmt.Errorf("weights: header of %d bytes, at most %d are read", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}

// writeMember appends one key and its value to an object. Strings, maps of strings and the structs
// above always have a JSON form.
func writeMember(b *bytes.Buffer, key string, value any) {
	if b.Bytes()[b.Len()-1] != '{' {
		b.WriteByte(',')
	}
	for i, v := range [2]any{key, value} {
		if i == 1 {
			b.WriteByte(':')
		}
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v)
		b.Truncate(b.Len() - 1) // the newline that Encode adds
	}
}
