// Package wire is what the model server and its clients say to each other: frames on a unix socket,
// where that socket is, and a client that starts the server when there is none. It imports the
// standard library alone, because every notebook cell links it.
//
// A frame is the length of its head (4 bytes, big endian), the head as JSON, and parts of raw bytes
// whose sizes the head lists. Numbers in parts are little endian.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Version of the protocol; client and server must agree.
const Version = 1

// Limits of a frame. A peer that exceeds one is refused, before anything of that size is allocated.
const (
	MaxHead  = 4 << 20 // bytes of the head
	MaxParts = 64
	MaxBytes = 4 << 30 // bytes of all parts
)

// The kinds of frames.
const (
	Hello    = "hello"    // both ways, first: the body is a [Greeting]
	Request  = "request"  // to the server: verb, body, parts
	Cancel   = "cancel"   // to the server: gives the request up
	Progress = "progress" // from the server: the body is a [Step]; a part may hold a preview as PNG
	Result   = "result"   // from the server, last: body and parts
	Failure  = "failure"  // from the server, last: the body is a [Fault]
)

// Head describes a frame.
type Head struct {
	Kind  string          `json:"kind"`
	ID    uint64          `json:"id,omitempty"` // of the request, chosen by the client
	Verb  string          `json:"verb,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
	Sizes []int64         `json:"sizes,omitempty"` // of the parts, bytes
}

// Frame is a message.
type Frame struct {
	Head
	Parts [][]byte
}

// ErrFrame is wrapped by the errors for bytes that are no frame.
var ErrFrame = errors.New("wire: not a frame")

// Read reads a frame. At the end of the stream it gives io.EOF; within a frame, io.ErrUnexpectedEOF.
// Memory grows with what has arrived, not with what the frame claims.
func Read(r io.Reader) (Frame, error) {
	var f Frame
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return f, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > MaxHead {
		return f, fmt.Errorf("%w: head of %d bytes, want at most %d", ErrFrame, n, MaxHead)
	}
	head, err := take(r, int64(n))
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(head, &f.Head); err != nil {
		return Frame{}, fmt.Errorf("%w: %v", ErrFrame, err)
	}
	if err := check(f.Sizes); err != nil {
		return Frame{}, err
	}
	for _, size := range f.Sizes {
		part, err := take(r, size)
		if err != nil {
			return Frame{}, err
		}
		f.Parts = append(f.Parts, part)
	}
	return f, nil
}

func check(sizes []int64) error {
	if len(sizes) > MaxParts {
		return fmt.Errorf("%w: %d parts, want at most %d", ErrFrame, len(sizes), MaxParts)
	}
	var total int64
	for _, s := range sizes {
		if s < 0 || s > MaxBytes-total {
			return fmt.Errorf("%w: parts of %v bytes, want at most %d", ErrFrame, sizes, int64(MaxBytes))
		}
		total += s
	}
	return nil
}

// step is how much memory is asked for before more bytes have arrived.
const step = 1 << 20

// take reads n bytes.
func take(r io.Reader, n int64) ([]byte, error) {
	b := make([]byte, 0, min(n, step))
	for int64(len(b)) < n {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(n, 4*int64(cap(b)))), b...)
		}
		k, err := r.Read(b[len(b):min(int64(cap(b)), n)])
		b = b[:len(b)+k]
		if err == io.EOF && int64(len(b)) < n {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
	return b, nil
}

// Write writes a frame; its sizes are set from its parts.
func Write(w io.Writer, f Frame) error {
	f.Sizes = nil
	for _, p := range f.Parts {
		f.Sizes = append(f.Sizes, int64(len(p)))
	}
	if err := check(f.Sizes); err != nil {
		return err
	}
	head, err := json.Marshal(f.Head)
	if err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	if len(head) > MaxHead {
		return fmt.Errorf("wire: head of %d bytes, want at most %d", len(head), MaxHead)
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	if _, err := w.Write(append(length, head...)); err != nil {
		return err
	}
	for _, p := range f.Parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// Floats makes a part of float32 values.
func Floats(v []float32) []byte {
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

// ToFloats reads a part of float32 values.
func ToFloats(b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("wire: %d bytes are no float32 values", len(b))
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}
