package imstat

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOrientationBySymmetry compares the halved loop with turning by every angle.
func TestOrientationBySymmetry(t *testing.T) {
	for _, size := range []int{2, 3, 16, 17} {
		plane := randomPlane(size, size)
		r, err := NewRotator(size)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Orientation(plane)
		if err != nil {
			t.Fatal(err)
		}
		for theta, s := range got {
			turned, _ := r.Rotate(plane, float64(theta))
			var want float64
			for row := range slices.Chunk(turned, size) {
				var sum float64
				for _, v := range row {
					sum += v
				}
				want += sum * sum
			}
			near(t, fmt.Sprintf("size %d, %d degrees", size, theta), []float64{s}, []float64{want},
				1e-12)
		}
	}
}

func TestQuarterTurnsAreExact(t *testing.T) {
	const n = 5
	plane := randomPlane(n, n)
	r, _ := NewRotator(n)
	for _, degrees := range []float64{0, 90, 180, 270, 360, -90} {
		got, err := r.Rotate(plane, degrees)
		if err != nil {
			t.Fatal(err)
		}
		want := plane
		for range (int(degrees)/90 + 4) % 4 {
			turned := make([]float64, n*n)
			for y := range n {
				for x := range n {
					turned[y*n+x] = want[x*n+n-1-y] // numpy.rot90
				}
			}
			want = turned
		}
		near(t, fmt.Sprint(degrees), got, want, 1e-12)
	}
}

// TestRingsByDefinition compares with a plain Fourier sum, odd and oblong sizes too.
func TestRingsByDefinition(t *testing.T) {
	for _, s := range [][2]int{{6, 6}, {7, 7}, {5, 8}, {8, 5}} {
		h, w := s[0], s[1]
		plane := randomPlane(h, w)
		want := make([]float64, min(h, w)/2)
		counts := make([]float64, len(want))
		for fy := range h {
			for fx := range w {
				var sum complex128
				for i, v := range plane {
					turn := float64(fy*(i/w))/float64(h) + float64(fx*(i%w))/float64(w)
					sum += complex(v, 0) * cmplx.Exp(complex(0, -2*math.Pi*turn))
				}
				ky, kx := min(fy, h-fy), min(fx, w-fx)
				k := int(math.Floor(math.Hypot(float64(ky), float64(kx)) + 0.5))
				if k >= 1 && k <= len(want) {
					want[k-1] += real(sum)*real(sum) + imag(sum)*imag(sum)
					counts[k-1]++
				}
			}
		}
		for i := range want {
			want[i] /= counts[i]
		}
		got, n := newTransform(h, w).rings(plane)
		near(t, fmt.Sprint(s), got, want, 1e-10)
		for i := range n {
			if float64(n[i]) != counts[i] {
				t.Errorf("%v: ring %d holds %d, want %g", s, i+1, n[i], counts[i])
			}
		}
	}
}

func randomPlane(height, width int) []float64 {
	rng := rand.New(rand.NewPCG(uint64(height), uint64(width)))
	out := make([]float64, height*width)
	for i := range out {
		out[i] = rng.Float64()
	}
	return out
}

func TestBand(t *testing.T) {
	mean, sem, err := Band([][]float64{{1, 5}, {3, 5}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", mean, []float64{2, 5}, 1e-15)
	near(t, "sem", sem, []float64{math.Sqrt(0.5), 0}, 1e-15)
	_, sem, _ = Band([][]float64{{1}}, 1)
	if !math.IsNaN(sem[0]) {
		t.Errorf("SEM of one row is %g, want NaN", sem[0])
	}
	if _, _, err := Band([][]float64{{1}, {1, 2}}, 0); err == nil {
		t.Error("unequal rows were taken")
	}
	if _, _, err := Band(nil, 0); err == nil {
		t.Error("no rows were taken")
	}
}

func benchmarkPicture(b *testing.B, n int) *Picture {
	b.Helper()
	p, err := NewBytes(n, n, randomBytes(0, n, n))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkOrientation(b *testing.B) {
	for _, n := range []int{64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := benchmarkPicture(b, n)
			r, err := NewRotator(n)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := r.Orientation(p.Plane(Gray)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSpectrum(b *testing.B) {
	for _, n := range []int{64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := benchmarkPicture(b, n)
			for b.Loop() {
				if _, err := p.Spectrum(Gray); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStatistics(b *testing.B) {
	pix := make([]float32, 256*256*3)
	for i, v := range randomBytes(0, 256, 256) {
		pix[i] = float32(v) / 255
	}
	p := new(Picture)
	for b.Loop() {
		if err := p.Reset(256, 256, pix); err != nil {
			b.Fatal(err)
		}
		for _, s := range Statistics() {
			s.Value(p)
		}
	}
}

// TestCoefficients: the spline through them takes the plane's values, weights 1 4 1 over 6 each way.
func TestCoefficients(t *testing.T) {
	const n = 6
	plane := randomPlane(n, n)
	r, _ := NewRotator(n)
	c, err := r.Coefficients(plane)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, n*n)
	for i := range got {
		for dy, wy := range []float64{1, 4, 1} {
			for dx, wx := range []float64{1, 4, 1} {
				got[i] += wy * wx / 36 * c[mirror(i/n+dy-1, n)*n+mirror(i%n+dx-1, n)]
			}
		}
	}
	near(t, "values", got, plane, 1e-12)
	if _, err := r.Coefficients(plane[1:]); err == nil {
		t.Error("a plane of another size was taken")
	}
}
