package weights

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestHalfRoundTrip takes all 65,536 patterns of both formats through float64 and back.
func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		bfloat := float64(math.Float32frombits(uint32(h) << 16))
		if x := fromHalf(h); math.IsNaN(x) {
			if !math.IsNaN(fromHalf(toHalf(x))) {
				t.Errorf("half %04x: NaN became %04x", h, toHalf(x))
			}
		} else if got := toHalf(x); got != h {
			t.Errorf("half %04x is %v, back %04x", h, x, got)
		}
		if !math.IsNaN(bfloat) && toBFloat(bfloat) != h {
			t.Errorf("bfloat %04x is %v, back %04x", h, bfloat, toBFloat(bfloat))
		}
	}
	for h, want := range map[uint16]float64{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 1: 0x1p-24,
		0x3ff: 1023 * 0x1p-24, 0x400: 0x1p-14, 0x3555: 0.333251953125} {
		if got := fromHalf(h); got != want {
			t.Errorf("fromHalf(%04x) = %v, want %v", h, got, want)
		}
	}
}

// TestHalfRounding checks numbers between neighbours: the nearer one, and the even one at ties.
func TestHalfRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	bfloat := func(h uint16) float64 { return float64(math.Float32frombits(uint32(h) << 16)) }
	for range 100_000 {
		for _, format := range []struct {
			name string
			to   func(float64) uint16
			from func(uint16) float64
			top  uint16
		}{{"half", toHalf, fromHalf, 0x7bff}, {"bfloat", toBFloat, bfloat, 0x7f7f}} {
			h := uint16(rng.IntN(int(format.top)))
			low, high := format.from(h), format.from(h+1)
			middle := (low + high) / 2
			even := h + h&1
			for _, c := range []struct {
				x    float64
				want uint16
			}{{middle, even}, {math.Nextafter(middle, 0), h}, {math.Nextafter(middle, high), h + 1}} {
				if got := format.to(c.x); got != c.want {
					t.Fatalf("%s of %v = %04x, want %04x", format.name, c.x, got, c.want)
				}
				if got := format.to(-c.x); got != c.want|0x8000 {
					t.Fatalf("%s of %v = %04x, want %04x", format.name, -c.x, got, c.want|0x8000)
				}
			}
		}
	}
	for x, want := range map[float64]uint16{65519.99: 0x7bff, 65520: 0x7c00, math.Inf(1): 0x7c00,
		1e300: 0x7c00, 5e-324: 0, 0x1p-25: 0, 0x1.0001p-25: 1} {
		if got := toHalf(x); got != want {
			t.Errorf("toHalf(%v) = %04x, want %04x", x, got, want)
		}
	}
}
