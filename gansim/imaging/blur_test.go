package imaging

import (
	"math"
	"testing"

	"gansim.example/gansim"
)

// TestGaussianBlur compares with the definition, pixel by pixel: a kernel in two dimensions over a
// mirrored picture.
func TestGaussianBlur(t *testing.T) {
	const w, h, radius, sigma = 9, 7, 5, 2.5
	m := gansim.NewImages(2, h, w)
	for i := range m.Pix {
		m.Pix[i] = float32(i*i%101) / 101
	}
	got, err := GaussianBlur(m, radius, sigma)
	if err != nil {
		t.Fatal(err)
	}
	fold := func(i, n int) int {
		if i < 0 {
			i = -i
		}
		if i >= n {
			i = 2*(n-1) - i
		}
		return i
	}
	for n := range 2 {
		for y := range h {
			for x := range w {
				sum, norm := 0., 0.
				for dy := -radius; dy <= radius; dy++ {
					for dx := -radius; dx <= radius; dx++ {
						g := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
						sum += g * float64(m.At(n)[3*(fold(y+dy, h)*w+fold(x+dx, w))+1])
						norm += g
					}
				}
				if v := got.At(n)[3*(y*w+x)+1]; math.Abs(float64(v)-sum/norm) > 1e-6 {
					t.Fatalf("image %d, pixel %d, %d: %v, want %v", n, x, y, v, sum/norm)
				}
			}
		}
	}
	for _, bad := range []struct {
		radius int
		sigma  float64
	}{{7, 1}, {-1, 1}, {2, 0}, {2, math.NaN()}} {
		if _, err := GaussianBlur(m, bad.radius, bad.sigma); err == nil {
			t.Errorf("radius %d, sigma %v: no error", bad.radius, bad.sigma)
		}
	}
}
