package imstat

import (
	"encoding/json"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

// spectraFile is spectra.json.
type spectraFile struct {
	Salt, Name string
	N, Side    int
	CRC        uint32 `json:"crc32"`
	K          []number
	Images     []json.RawMessage
	Group      map[string]struct {
		Mean, SEM json.RawMessage
		Fit       *line `json:"fit_of_mean"`
	}
}

func readSpectra(t testing.TB) (spectraFile, []*Picture) {
	t.Helper()
	var file spectraFile
	if err := json.Unmarshal(oracleFile(t, "spectra.json"), &file); err != nil {
		t.Fatal(err)
	}
	all := formulaImages(file.Salt+file.Name, file.N, file.Side, file.Side)
	if got := crcOf(all); got != file.CRC {
		t.Fatalf("formula images: crc %d, want %d", got, file.CRC)
	}
	var pictures []*Picture
	size := file.Side * file.Side * 3
	for i := range file.N {
		p, err := NewBytes(file.Side, file.Side, all[i*size:][:size])
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, p)
	}
	return file, pictures
}

// vectors are the spectra under the names of spectra.json.
func vectors(t *testing.T, p *Picture) map[string][]float64 {
	t.Helper()
	must := func(v []float64, err error) []float64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	out := map[string][]float64{
		"spectrum":              must(p.Spectrum(Gray)),
		"spectrum_per_variance": must(p.PerVariance()),
		"normalised_spectrum":   must(p.Spectrum(Normalised)),
		"orientation":           must(p.Orientation()),
	}
	out["spectrum_share"] = Share(out["spectrum"])
	return out
}

func tolerance(name string) float64 {
	if name == "orientation" || name == "orientation_max" {
		return splineTol
	}
	return relTol
}

func TestAgreesWithSpectra(t *testing.T) {
	file, pictures := readSpectra(t)
	near(t, "k", Frequencies(file.Side/2), floats64(file.K), 0)
	rows := make(map[string][][]float64)
	for i, p := range pictures {
		var fields map[string]json.RawMessage
		var fits struct{ Fit map[string]line }
		if err := json.Unmarshal(file.Images[i], &fields); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(file.Images[i], &fits); err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, s := range Statistics() {
			raw, ok := fields[s.Name]
			if !ok {
				continue
			}
			compared++
			rows[s.Name] = append(rows[s.Name], []float64{s.Value(p)})
			near(t, fmt.Sprintf("image %d: %s", i, s.Name), []float64{s.Value(p)},
				numbers(t, raw), tolerance(s.Name))
		}
		if compared != 11 {
			t.Errorf("image %d: %d statistics compared, want 11", i, compared)
		}
		for name, v := range vectors(t, p) {
			rows[name] = append(rows[name], v)
			if raw, ok := fields[name]; ok {
				near(t, fmt.Sprintf("image %d: %s", i, name), v, numbers(t, raw), tolerance(name))
			}
			if want, ok := fits.Fit[name]; ok {
				near(t, name+" fit", Fit(v).floats(), want.floats(), relTol)
			}
		}
		got, _ := Lookup("spectrum_slope")
		near(t, "slope", []float64{got.Value(p)}, fits.Fit["spectrum"].floats()[:1], relTol)
	}
	for name, want := range file.Group {
		mean, sem, err := Band(rows[name], 1)
		if err != nil {
			t.Fatal(name, err)
		}
		near(t, "group mean of "+name, mean, numbers(t, want.Mean), tolerance(name))
		near(t, "group SEM of "+name, sem, numbers(t, want.SEM), tolerance(name))
		if want.Fit != nil {
			near(t, "fit of mean "+name, Fit(mean).floats(), want.Fit.floats(), relTol)
		}
	}
}

// numbers reads a JSON number or list.
func numbers(t *testing.T, raw json.RawMessage) []float64 {
	t.Helper()
	var list []number
	if raw[0] != '[' {
		list = make([]number, 1)
		if err := json.Unmarshal(raw, &list[0]); err != nil {
			t.Fatal(err)
		}
	} else if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return floats64(list)
}

func TestAgreesWithRotation(t *testing.T) {
	file, pictures := readSpectra(t)
	stored := readTensors(t, "spectra.safetensors")
	gray := pictures[0].Plane(Gray)
	r, err := NewRotator(file.Side)
	if err != nil {
		t.Fatal(err)
	}
	rotated := func(degrees float64) []float64 {
		out, err := r.Rotate(gray, degrees)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	near(t, "gray", gray, stored["gray_item0"], mapTol)
	near(t, "rotated by 30", rotated(30), stored["rotated_30"], splineTol)
	var corner, coefficients []float64
	quarter := rotated(90)
	for y := range 16 {
		corner = append(corner, quarter[y*file.Side:][:16]...)
	}
	near(t, "rotated by 90", corner, stored["rotated_90"], splineTol)
	for y := range file.Side {
		coefficients = append(coefficients, r.coefficients[(y+1)*r.stride+1:][:file.Side]...)
	}
	near(t, "coefficients", coefficients, stored["spline_coefficients"], splineTol)
}

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
	p, err := NewBytes(n, n, formulaImages("bench", 1, n, n))
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
	for i, v := range formulaImages("bench", 1, 256, 256) {
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
