package oracle

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
)

// Fill tells how to make a tensor: a weight, or an input of an operator. It is one record of a
// file.
type Fill struct {
	Name   string // of an input
	Key    string // names the stream; a weight's name in the checkpoint
	Kind   string // affine gauss4 steps values index zero sn_weight sn_u sn_v
	Shape  []int
	Offset float64
	Scale  float64
	Spike  float64   // sn_weight: size of the component of rank one
	M, Q   float64   // steps: floor(u*M)*Q
	Values []float64 // values: written out
	ReLU   bool      `json:"relu"` // negative values become 0
	DType  string    `json:"dtype"`
	CRC32  uint32    `json:"crc32"` // IEEE, of the little-endian elements
}

// Tensor is an array in row-major order. The values are float32 numbers, widened.
type Tensor struct {
	Shape []int
	Data  []float64
}

// Tensor makes the tensor and checks its CRC-32.
func (f Fill) Tensor(salt string) (Tensor, error) {
	v, err := f.Float32s(salt)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Shape: f.Shape, Data: make([]float64, len(v))}
	for i, x := range v {
		t.Data[i] = float64(x)
	}
	return t, nil
}

// Float32s makes the tensor's elements and checks their CRC-32. Kind zero, an int64 counter, comes
// back as zeros.
func (f Fill) Float32s(salt string) ([]float32, error) {
	n, err := count(f.Shape)
	if err != nil {
		return nil, fmt.Errorf("oracle: %s: %w", f.label(), err)
	}
	at, err := f.formula(salt, n)
	if err != nil {
		return nil, fmt.Errorf("oracle: %s: %w", f.label(), err)
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(at(i))
		if f.ReLU && out[i] <= 0 {
			out[i] = 0
		}
	}
	got := checksum(out)
	if f.Kind == "zero" {
		got = crc32.ChecksumIEEE(make([]byte, 8*n))
	}
	if got != f.CRC32 {
		return nil, fmt.Errorf("oracle: %s: crc32 is %08x, want %08x", f.label(), got, f.CRC32)
	}
	return out, nil
}

func (f Fill) label() string {
	if f.Key != "" {
		return f.Key
	}
	return f.Name
}

// formula gives the value at a flat index, before the rounding to float32. The conversions around
// products keep compilers from fusing them with the sum.
func (f Fill) formula(salt string, n int) (func(i int) float64, error) {
	h := Hash(salt, f.Key)
	switch f.Kind {
	case "affine":
		return func(i int) float64 { return f.Offset + float64(f.Scale*U(h, uint64(i))) }, nil
	case "gauss4":
		return func(i int) float64 { return f.Offset + float64(f.Scale*Gauss4(h, i)) }, nil
	case "steps":
		return func(i int) float64 { return float64(math.Floor(U(h, uint64(i))*f.M) * f.Q) }, nil
	case "index":
		return func(i int) float64 { return float64(i) }, nil
	case "zero":
		return func(int) float64 { return 0 }, nil
	case "values":
		if len(f.Values) != n {
			return nil, fmt.Errorf("%d values for shape %v", len(f.Values), f.Shape)
		}
		return func(i int) float64 { return f.Values[i] }, nil
	case "sn_u", "sn_v":
		size := 1 / math.Sqrt(float64(n))
		return func(i int) float64 { return size * sign(h, i) }, nil
	case "sn_weight":
		if len(f.Shape) == 0 || n == 0 {
			return nil, fmt.Errorf("sn_weight of shape %v", f.Shape)
		}
		base := strings.TrimSuffix(f.Key, "weight_orig")
		hu, hv := Hash(salt, base+"weight_u"), Hash(salt, base+"weight_v")
		columns := n / f.Shape[0]
		return func(i int) float64 {
			u, v := sign(hu, i/columns), sign(hv, i%columns)
			return float64(f.Scale*U(h, uint64(i))) + float64(float64(f.Spike*u)*v)
		}, nil
	}
	return nil, fmt.Errorf("unknown kind %q of fill", f.Kind)
}

func sign(h uint64, i int) float64 {
	if U(h, uint64(i)) >= 0 {
		return 1
	}
	return -1
}

// count is the number of elements of a shape.
func count(shape []int) (int, error) {
	const most = 1 << 31
	n := 1
	for _, d := range shape {
		if d < 0 || d > most || n*d > most {
			return 0, fmt.Errorf("bad shape %v", shape)
		}
		n *= d
	}
	return n, nil
}

// checksum is the CRC-32 of the little-endian bytes.
func checksum(v []float32) uint32 {
	var sum uint32
	var buffer [4096]byte
	for len(v) > 0 {
		n := min(len(v), len(buffer)/4)
		for i, x := range v[:n] {
			binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(x))
		}
		sum = crc32.Update(sum, crc32.IEEETable, buffer[:4*n])
		v = v[n:]
	}
	return sum
}
