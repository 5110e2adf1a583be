package native

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// errFinalized answers uses of what was finalized.
var errFinalized = errors.New("native: used after Finalize")

// missing says what the engine lacks.
func missing(format string, args ...any) error {
	return fmt.Errorf("native: %s: %w", fmt.Sprintf(format, args...), compute.ErrNotImplemented)
}

// buffer is an array in Go's own memory. Its bytes never change, so that executions may read them
// at the same time.
type buffer struct {
	owner *engine
	shape shapes.Shape

	mu   sync.Mutex
	data []byte // nil once finalized, unless the array is empty
	gone bool
}

var _ compute.Buffer = (*buffer)(nil)

// Backend is the engine that made the buffer.
func (b *buffer) Backend() compute.Backend { return b.owner }

// Finalize forgets the data; executions under way keep theirs.
func (b *buffer) Finalize() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data, b.gone = nil, true
	return nil
}

// bytes gives the data.
func (b *buffer) bytes() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return nil, errFinalized
	}
	return b.data, nil
}

// Shape is the array's shape.
func (b *buffer) Shape() (shapes.Shape, error) { return b.shape, nil }

// DeviceNum is 0.
func (b *buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData copies the data to a slice of the buffer's type and size.
func (b *buffer) ToFlatData(flat any) error {
	data, err := b.bytes()
	if err != nil {
		return err
	}
	if got := typeOf(flat); got != b.shape.DType {
		return fmt.Errorf("native: buffer of %s read into %T", b.shape, flat)
	}
	to := dtypes.UnsafeByteSliceFromAny(flat)
	if len(to) != len(data) {
		return fmt.Errorf("native: buffer of %s read into %d bytes, want %d",
			b.shape, len(to), len(data))
	}
	copy(to, data)
	return nil
}

// Data is refused: buffers are not shared.
func (b *buffer) Data() (any, error) { return nil, missing("shared buffers") }

// CopyToDevice is refused: there is one device.
func (b *buffer) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	return nil, missing("copies between devices")
}

// bytesOf is the size of an array.
func bytesOf(s shapes.Shape) int { return s.Size() * s.DType.Size() }

// as sees bytes as values of type T.
func as[T any](b []byte) []T {
	var t T
	n := len(b) / int(unsafe.Sizeof(t))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// arenas are blocks of memory between executions. The engine keeps few of them, so that what it
// holds is bounded by the largest graphs that run at once.
type arenas struct {
	mu   sync.Mutex
	free [][]byte
}

const (
	keptArenas = 2       // most blocks that are kept
	smallArena = 1 << 16 // bytes from which on a block is worth keeping
)

// get hands out a block of at least n bytes; the bytes are arbitrary.
func (a *arenas) get(n int) []byte {
	if n < smallArena {
		return make([]byte, n)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	best := -1
	for i, b := range a.free {
		if cap(b) >= n && (best < 0 || cap(b) < cap(a.free[best])) {
			best = i
		}
	}
	if best < 0 {
		if len(a.free) > 0 { // too small: let a larger one take its place
			a.free = a.free[1:]
		}
		return make([]byte, n)
	}
	b := a.free[best]
	a.free = append(a.free[:best], a.free[best+1:]...)
	return b[:n]
}

// put takes a block back.
func (a *arenas) put(b []byte) {
	if len(b) < smallArena {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) < keptArenas {
		a.free = append(a.free, b)
	}
}

func (a *arenas) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = nil
}

// typeOf is the type of a slice's values.
func typeOf(flat any) dtypes.DType {
	if t := reflect.TypeOf(flat); t != nil && t.Kind() == reflect.Slice {
		return dtypes.FromGoType(t.Elem())
	}
	return dtypes.InvalidDType
}
