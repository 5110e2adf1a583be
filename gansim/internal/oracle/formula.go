package oracle

import (
	"math"
	"strconv"
)

// Hash is FNV-1a, 64 bits, of salt + name. It starts every stream of [U].
func Hash(salt, name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, s := range [...]string{salt, name} {
		for i := range len(s) {
			h ^= uint64(s[i])
			h *= 0x100000001b3
		}
	}
	return h
}

// U is element i of the stream h: uniform in [-1, 1), the same bits on every machine (SplitMix64,
// Steele, Lea and Flood 2014).
func U(h, i uint64) float64 {
	z := h + i + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11)*0x1p-52 - 1
}

// Gauss4 is element i of a bell-shaped stream with variance 1: four of U added.
func Gauss4(h uint64, i int) float64 {
	j := uint64(4 * i)
	return (((U(h, j) + U(h, j+1)) + U(h, j+2)) + U(h, j+3)) * math.Sqrt(0.75)
}

// Probe is the sum of x[i]*U(name, i): one number that every element moves.
func Probe(salt, name string, x []float64) float64 {
	h, sum := Hash(salt, name), 0.0
	for i, v := range x {
		sum += float64(v * U(h, uint64(i)))
	}
	return sum
}

// Image is a batch of 8-bit pictures, [n, height, width, 3], with structure at four scales.
func Image(salt, name string, n, height, width int) []byte {
	blocks := [...]int{64, 16, 4, 1}
	weights := [...]float64{0.5, 0.25, 0.125, 0.125}
	var h [4]uint64
	for q, b := range blocks {
		h[q] = Hash(salt, name+"/b"+strconv.Itoa(b))
	}
	out := make([]byte, 0, n*height*width*3)
	for i := range n {
		for y := range height {
			for x := range width {
				for c := range 3 {
					s := 0.0
					for q, b := range blocks {
						plane := i*3 + c
						if q%2 == 1 { // the same in all colours
							plane = i
						}
						rows, columns := (height+b-1)/b, (width+b-1)/b
						at := (plane*rows+y/b)*columns + x/b
						s += float64(weights[q] * U(h[q], uint64(at)))
					}
					out = append(out, byte(math.Floor((s+1)*128)))
				}
			}
		}
	}
	return out
}

// Basis is an orthogonal matrix, [d, d]: the product of d Householder reflections at the rows of a
// Gauss4 matrix.
func Basis(salt, name string, d int) []float64 { return Reflections(salt, name, d, d) }

// Reflections is the product of the first k reflections of a basis.
func Reflections(salt, name string, k, d int) []float64 {
	h := Hash(salt, name)
	q, v := make([]float64, d*d), make([]float64, d)
	for i := range d {
		q[i*d+i] = 1
	}
	for j := range k {
		norm := 0.0
		for c := range d {
			v[c] = Gauss4(h, j*d+c)
			norm += float64(v[c] * v[c])
		}
		for r := range d {
			row, dot := q[r*d:(r+1)*d], 0.0
			for c := range d {
				dot += float64(row[c] * v[c])
			}
			for c := range d {
				row[c] -= float64(dot * v[c] * (2 / norm))
			}
		}
	}
	return q
}
