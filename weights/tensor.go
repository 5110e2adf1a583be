// Package weights reads and writes files of named tensors. It imports no engine and runs no code
// found in a file: every size is checked against the file before memory is asked for.
//
// Reading gives a [File]; its tensors share the file's memory and are not to be written to.
package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// DType names the type of a tensor's elements, in the spelling of safetensors.
type DType string

// The element types that are read and written. All are little-endian; Bool is one byte.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 half
	BF16 DType = "BF16" // the upper half of a float32
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Size is the number of bytes of one element, 0 for a type that is not known.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// Tensor is one named array in row-major order.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // empty for a scalar
	Data  []byte // little-endian, Len()*DType.Size() bytes
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// check says whether type, shape and data agree.
func (t Tensor) check() error {
	size := t.DType.Size()
	if size == 0 {
		return fmt.Errorf("weights: tensor %q: unknown dtype %q", t.Name, t.DType)
	}
	n, ok := product(t.Shape, size)
	if !ok {
		return fmt.Errorf("weights: tensor %q: bad shape %v", t.Name, t.Shape)
	}
	if n != len(t.Data) {
		return fmt.Errorf("weights: tensor %q: %s %v is %d bytes, has %d",
			t.Name, t.DType, t.Shape, n, len(t.Data))
	}
	return nil
}

// product is size times all dimensions; false if one is negative or the product overflows.
func product(shape []int, size int) (int, bool) {
	n := uint64(size)
	for _, d := range shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if d < 0 || hi != 0 || lo > math.MaxInt {
			return 0, false
		}
		n = lo
	}
	return int(n), true
}

// Float32s returns the elements of a floating-point tensor as float32 in new memory. F64 is rounded
// to the nearest. Other types give an error.
func (t Tensor) Float32s() ([]float32, error) { return floats[float32](t) }

// Float64s returns the elements of a floating-point tensor as float64 in new memory, exactly.
// Other types give an error.
func (t Tensor) Float64s() ([]float64, error) { return floats[float64](t) }

func floats[T float32 | float64](t Tensor) ([]T, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	out := make([]T, len(t.Data)/t.DType.Size())
	le := binary.LittleEndian
	switch t.DType {
	case F64:
		for i := range out {
			out[i] = T(math.Float64frombits(le.Uint64(t.Data[8*i:])))
		}
	case F32:
		for i := range out {
			out[i] = T(math.Float32frombits(le.Uint32(t.Data[4*i:])))
		}
	case BF16:
		for i := range out {
			out[i] = T(math.Float32frombits(uint32(le.Uint16(t.Data[2*i:])) << 16))
		}
	case F16:
		for i := range out {
			out[i] = T(fromHalf(le.Uint16(t.Data[2*i:])))
		}
	default:
		return nil, fmt.Errorf("weights: tensor %q: %s where floats are wanted", t.Name, t.DType)
	}
	return out, nil
}

// Int64s returns the elements of an integer or boolean tensor in new memory. Floating-point types
// and U64 values above the largest int64 give an error.
func (t Tensor) Int64s() ([]int64, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	size := t.DType.Size()
	out := make([]int64, len(t.Data)/size)
	for i := range out {
		v, ok := integer(t.DType, t.Data[size*i:])
		if !ok {
			return nil, fmt.Errorf("weights: tensor %q: element %d of type %s is no int64",
				t.Name, i, t.DType)
		}
		out[i] = v
	}
	return out, nil
}

func integer(d DType, b []byte) (v int64, ok bool) {
	le := binary.LittleEndian
	switch d {
	case I64:
		return int64(le.Uint64(b)), true
	case U64:
		v = int64(le.Uint64(b))
		return v, v >= 0
	case I32:
		return int64(int32(le.Uint32(b))), true
	case U32:
		return int64(le.Uint32(b)), true
	case I16:
		return int64(int16(le.Uint16(b))), true
	case U16:
		return int64(le.Uint16(b)), true
	case I8:
		return int64(int8(b[0])), true
	case U8, Bool:
		return int64(b[0]), true
	}
	return 0, false
}

// NonFinite counts the NaN and the infinite elements; both are 0 for integers.
func (t Tensor) NonFinite() (nan, inf int) {
	le := binary.LittleEndian
	count := func(exponent, mantissa uint64) {
		switch {
		case exponent != 0:
		case mantissa != 0:
			nan++
		default:
			inf++
		}
	}
	switch t.DType {
	case F64:
		for b := t.Data; len(b) >= 8; b = b[8:] {
			v := le.Uint64(b)
			count(^v&(0x7ff<<52), v&(1<<52-1))
		}
	case F32:
		for b := t.Data; len(b) >= 4; b = b[4:] {
			v := uint64(le.Uint32(b))
			count(^v&(0xff<<23), v&(1<<23-1))
		}
	case F16, BF16:
		exponent, mantissa := uint64(0x1f<<10), uint64(1<<10-1)
		if t.DType == BF16 {
			exponent, mantissa = 0xff<<7, 1<<7-1
		}
		for b := t.Data; len(b) >= 2; b = b[2:] {
			v := uint64(le.Uint16(b))
			count(^v&exponent, v&mantissa)
		}
	}
	return nan, inf
}

// FromFloats makes a tensor of type F64, F32, F16 or BF16 from its values, rounded to nearest, ties
// to even. A finite value that the type cannot hold is an error.
func FromFloats[T float32 | float64](name string, d DType, shape []int, v []T) (Tensor, error) {
	size := d.Size()
	t := Tensor{Name: name, DType: d, Shape: slices.Clone(shape), Data: make([]byte, size*len(v))}
	if err := t.check(); err != nil {
		return Tensor{}, err
	}
	for i, x := range v {
		if !store(d, t.Data[size*i:], float64(x)) {
			return Tensor{}, fmt.Errorf("weights: tensor %q: element %d is %g, which no %s holds",
				name, i, x, d)
		}
	}
	return t, nil
}

// store writes x to b; false if the type holds no such number.
func store(d DType, b []byte, x float64) bool {
	le := binary.LittleEndian
	var back float64
	switch d {
	case F64:
		le.PutUint64(b, math.Float64bits(x))
		return true
	case F32:
		y := float32(x)
		le.PutUint32(b, math.Float32bits(y))
		back = float64(y)
	case F16:
		y := toHalf(x)
		le.PutUint16(b, y)
		back = fromHalf(y)
	case BF16:
		y := toBFloat(x)
		le.PutUint16(b, y)
		back = float64(math.Float32frombits(uint32(y) << 16))
	default:
		return false
	}
	return math.IsInf(back, 0) == math.IsInf(x, 0)
}
