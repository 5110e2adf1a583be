package kern

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func naiveConv[T number](x, w []T, g Geometry) (want, size []float64) {
	outH, outW := g.Out()
	perC, perO := g.C/g.Groups, g.O/g.Groups
	for p := range g.N * outH * outW * g.O {
		n, i, j, o := p/(outH*outW*g.O), p/(outW*g.O)%outH, p/g.O%outW, p%g.O
		var s, abs float64
		for kh := range g.KH {
			for kw := range g.KW {
				h := i*g.Stride[0] + kh*g.Dilation[0] - g.Padding[0][0]
				v := j*g.Stride[1] + kw*g.Dilation[1] - g.Padding[1][0]
				if h < 0 || v < 0 || h%g.InputDilation[0] != 0 || v%g.InputDilation[1] != 0 {
					continue
				}
				if h, v = h/g.InputDilation[0], v/g.InputDilation[1]; h >= g.H || v >= g.W {
					continue
				}
				for c := range perC {
					a := float64(x[((n*g.H+h)*g.W+v)*g.C+o/perO*perC+c])
					term := a * float64(w[((kh*g.KW+kw)*perC+c)*g.O+o])
					s, abs = s+term, abs+math.Abs(term)
				}
			}
		}
		want, size = append(want, s), append(size, abs)
	}
	return want, size
}

func randomGeometry(r *rand.Rand) Geometry {
	pick := func(s ...int) int { return s[r.IntN(len(s))] }
	pad := func() int { return pick(0, 0, 1, 2, 3, -1, -2) }
	g := Geometry{N: pick(0, 1, 1, 2, 3),
		H: pick(1, 2, 4, 5, 7, 8, 16), W: pick(1, 2, 4, 5, 8, 9, 13, 17),
		KH: pick(1, 1, 2, 3, 3, 4, 5), KW: pick(1, 1, 2, 3, 3, 4, 5),
		Stride:        [2]int{pick(1, 1, 2, 3), pick(1, 1, 2, 3)},
		Dilation:      [2]int{pick(1, 1, 2, 3), pick(1, 1, 2)},
		InputDilation: [2]int{pick(1, 1, 2, 3, 4), pick(1, 1, 2, 3, 6)},
		Padding:       [2][2]int{{pad(), pad()}, {pad(), pad()}}, Groups: pick(1, 1, 1, 2, 3)}
	g.C, g.O = g.Groups*pick(1, 2, 3, 8, 12, 17), g.Groups*pick(1, 3, 4, 8, 16, 20, 33)
	if r.IntN(5) == 0 {
		g.Groups, g.O = g.C, g.C
	}
	if r.IntN(12) == 0 {
		g.Groups, g.C, g.H, g.W = 1, pick(0, 256, 300, 600), 3, 4
	}
	return g
}

func testConv[T number](t *testing.T, g Geometry) {
	t.Helper()
	outH, outW := g.Out()
	r := rand.New(rand.NewPCG(uint64(g.C), uint64(g.O)))
	x, w := random[T](r, g.N*g.H*g.W*g.C), random[T](r, g.KH*g.KW*g.C/g.Groups*g.O)
	y := random[T](r, g.N*outH*outW*g.O)
	Conv(y, x, w, g)
	want, size := naiveConv(x, w, g)
	near(t, y, want, size)
}

func TestConv(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for range 400 {
			g := randomGeometry(r)
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
				testConv[float32](t, g)
				testConv[float64](t, g)
			})
		}
	})
}

var benchGeometries = []struct {
	name string
	g    Geometry
}{
	{"16x16x16x64_3x3_64", same(16, 16, 64, 3, 64)},
	{"16x32x32x48_3x3_48", same(16, 32, 48, 3, 48)},
	{"16x64x64x24_3x3_24", same(16, 64, 24, 3, 24)},
	{"16x64x64x12_3x3_12", same(16, 64, 12, 3, 12)},
	{"16x64x64x24_3x3_3", same(16, 64, 24, 3, 3)},
	{"16x4x4x256_3x3_256", same(16, 4, 256, 3, 256)},
	{"40x4x4x256_3x3_256", same(40, 4, 256, 3, 256)},
	{"16x8x8x128_4x4t2_64", transposed(16, 8, 128, 64)},
	{"16x32x32x48_4x4t2_24", transposed(16, 32, 48, 24)},
	{"16x64x64x3_5x5s2_32", strided(16, 64, 3, 5, 32)},
	{"16x64x64x64_1x1_32", same(16, 64, 64, 1, 32)},
	{"16x32x32x64_3x3_depthwise", depth(16, 32, 64)},
}

func same(n, size, c, kernel, o int) Geometry {
	p := [2]int{(kernel - 1) / 2, kernel / 2}
	one := [2]int{1, 1}
	return Geometry{n, size, size, c, kernel, kernel, o, one, one, one, [2][2]int{p, p}, 1}
}

func transposed(n, size, c, o int) Geometry {
	g := same(n, size, c, 4, o)
	g.InputDilation, g.Padding = [2]int{2, 2}, [2][2]int{{2, 2}, {2, 2}}
	return g
}

func strided(n, size, c, kernel, o int) Geometry {
	g := same(n, size, c, kernel, o)
	g.Stride = [2]int{2, 2}
	return g
}

func depth(n, size, c int) Geometry {
	g := same(n, size, c, 3, c)
	g.Groups = c
	return g
}

// flops counts the products and sums that reach the output, zeros of padding included.
func flops(g Geometry) int {
	h, w := g.axes()
	rows, cols := 0, 0
	for _, p := range h.phases() {
		rows += p.count * len(p.taps)
	}
	for _, p := range w.phases() {
		cols += p.count * len(p.taps)
	}
	return 2 * g.N * rows * cols * g.C / g.Groups * g.O
}

func TestConvSameBytes(t *testing.T) {
	for _, c := range benchGeometries {
		g := c.g
		g.N, g.H, g.W = 3, min(g.H, 16), min(g.W, 16)
		outH, outW := g.Out()
		r := rand.New(rand.NewPCG(7, 8))
		x, w := random[float32](r, g.N*g.H*g.W*g.C), random[float32](r, g.KH*g.KW*g.C/g.Groups*g.O)
		sameBytes(t, g.N*outH*outW*g.O, func(y []float32) { Conv(y, x, w, g) })
	}
}

// TestConcurrent calls every function from many goroutines; its point is the race detector.
func TestConcurrent(t *testing.T) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			testConv[float32](t, same(2, 9, 8, 3, 20))
			testConv[float64](t, transposed(2, 5, 40, 9))
			testMatMul[float32](t, 2, 70+i, 65, 300, false, i%2 == 0)
			testMatMul[float64](t, 1, 40, 33, 129, i%2 == 0, false)
		})
	}
	group.Wait()
}

func TestPanics(t *testing.T) {
	g := same(1, 4, 2, 3, 2)
	bad := func(change func(g *Geometry)) Geometry {
		b := g
		change(&b)
		return b
	}
	f := func(n int) []float32 { return make([]float32, n) }
	conv := func(g Geometry) func() { return func() { Conv(f(32), f(32), f(36), g) } }
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"MatMul: c has 5 numbers, want 6", func() { MatMul(f(5), f(8), f(12), 1, 2, 3, 4, false, false) }},
		{"MatMul: a has 7 numbers, want 8", func() { MatMul(f(6), f(7), f(12), 1, 2, 3, 4, false, false) }},
		{"MatMul: b has 13 numbers, want 12", func() { MatMul(f(6), f(8), f(13), 1, 2, 3, 4, false, false) }},
		{"negative size", func() { MatMul(f(0), f(0), f(0), -1, 2, 3, 4, false, false) }},
		{"Conv: y has 31 numbers, want 32", func() { Conv(f(31), f(32), f(36), g) }},
		{"Conv: x has 33 numbers, want 32", func() { Conv(f(32), f(33), f(36), g) }},
		{"Conv: w has 35 numbers, want 36", func() { Conv(f(32), f(32), f(35), g) }},
		{"3 groups do not divide", conv(bad(func(g *Geometry) { g.Groups = 3 }))},
		{"groups below 1", conv(bad(func(g *Geometry) { g.Groups = 0 }))},
		{"stride", conv(bad(func(g *Geometry) { g.Stride[1] = 0 }))},
		{"negative size", conv(bad(func(g *Geometry) { g.H = -1 }))},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("panic %q, want %q", got, c.want)
				}
			}()
			c.f()
		}()
	}
}

func FuzzGeometry(f *testing.F) {
	f.Add(uint64(0))
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, bits uint64) {
		take := func(n int) int {
			v := int(bits % uint64(n))
			bits /= uint64(n)
			return v
		}
		g := Geometry{N: take(3), H: take(7), W: take(7), KH: 1 + take(4), KW: 1 + take(4),
			Groups: 1 + take(3), Stride: [2]int{1 + take(3), 1 + take(3)},
			Dilation:      [2]int{1 + take(3), 1 + take(3)},
			InputDilation: [2]int{1 + take(3), 1 + take(3)},
			Padding:       [2][2]int{{take(6) - 2, take(6) - 2}, {take(6) - 2, take(6) - 2}}}
		g.C, g.O = g.Groups*take(5), g.Groups*take(5)
		testConv[float32](t, g)
	})
}
