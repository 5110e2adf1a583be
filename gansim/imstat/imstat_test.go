package imstat

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// imageStats is one entry of imgstats.json.
type imageStats struct {
	Label    string
	RGBMean  []number `json:"rgb_mean"`
	RGBStd   []number `json:"rgb_std"`
	HSVMean  []number `json:"hsv_mean"`
	HSVStd   []number `json:"hsv_std"`
	LabMean  []number `json:"lab_mean"`
	LabStd   []number `json:"lab_std"`
	GrayCRC  uint32   `json:"gray8_crc32"`
	CVCRC    uint32   `json:"cv2_gray_crc32"`
	PSD      struct{ Counts, Power []number }
	Slope    number `json:"psd_slope_all"`
	Inter    number `json:"psd_intercept_all"`
	SlopeMid *struct {
		From, To int
		Slope    number
	} `json:"psd_slope_range"`
}

// scalars maps fields of imgstats.json to our names.
var scalars = map[string]string{
	"mean_luminance":                 "mean_luminance",
	"rms_contrast":                   "luma_contrast",
	"rms_contrast_channel_mean":      "rms_contrast",
	"michelson":                      "michelson",
	"entropy_gray8_bits":             "entropy_luma8_bits",
	"laplacian_variance_cv2_gray":    "laplacian_variance_8bit",
	"laplacian_variance_gray":        "laplacian_variance",
	"colorfulness_hasler":            "colorfulness_hasler",
	"sobel_mean":                     "sobel_mean",
	"edge_density_sobel_0.1":         "edge_density_sobel",
	"edge_density_canny_cv2_100_200": "edge_density_canny_cv2",
	"edge_density_canny_skimage":     "edge_density_canny",
	"psd_slope_all":                  "ring_slope",
}

type statsFile struct {
	Salt, Name string
	N, H, W    int
	Images     []json.RawMessage
	Palette    struct {
		RGB      [][]float64
		HSV, Lab [][]number
		Gray     []number
	}
}

// picture makes image i of imgstats.json: formula images, grey, constant and black.
func (f statsFile) picture(t *testing.T, i int, label string) *Picture {
	t.Helper()
	all := formulaImages(f.Salt+f.Name, f.N, f.H, f.W)
	size := f.H * f.W * 3
	pix := make([]uint8, size)
	switch {
	case i < f.N:
		pix = all[i*size:][:size]
	case strings.HasPrefix(label, "gray"):
		for k := range pix {
			pix[k] = all[k/3*3]
		}
	case strings.HasPrefix(label, "constant"):
		for k := range pix {
			pix[k] = 77
		}
	case label != "black":
		t.Fatalf("image %q is not known", label)
	}
	p, err := NewBytes(f.H, f.W, pix)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAgreesWithImageStatistics(t *testing.T) {
	var file statsFile
	if err := json.Unmarshal(oracleFile(t, "imgstats.json"), &file); err != nil {
		t.Fatal(err)
	}
	for i, raw := range file.Images {
		var want imageStats
		var fields map[string]json.RawMessage
		err := errors.Join(json.Unmarshal(raw, &want), json.Unmarshal(raw, &fields))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(want.Label, func(t *testing.T) {
			p := file.picture(t, i, want.Label)
			checkScalars(t, p, fields)
			checkMoments(t, p, want)
			if got := crcOf(p.grayCV()); got != want.CVCRC {
				t.Errorf("OpenCV's gray: crc %d, want %d", got, want.CVCRC)
			}
			if got := crcOf(p.gray8()); got != want.GrayCRC {
				t.Errorf("8-bit gray: crc %d, want %d", got, want.GrayCRC)
			}
			checkRings(t, p, want)
		})
	}
}

func checkScalars(t *testing.T, p *Picture, fields map[string]json.RawMessage) {
	t.Helper()
	for field, name := range scalars {
		s, ok := Lookup(name)
		if !ok {
			t.Fatalf("no statistic %q", name)
		}
		var want number
		if err := json.Unmarshal(fields[field], &want); err != nil {
			t.Fatal(field, err)
		}
		near(t, name, []float64{s.Value(p)}, []float64{float64(want)}, relTol)
	}
}

func checkMoments(t *testing.T, p *Picture, want imageStats) {
	t.Helper()
	for _, c := range []struct {
		name      string
		got       Moments
		mean, std []number
	}{
		{"rgb", p.RGBMoments(), want.RGBMean, want.RGBStd},
		{"hsv", p.HSVMoments(), want.HSVMean, want.HSVStd},
		{"lab", p.LabMoments(), want.LabMean, want.LabStd},
	} {
		near(t, c.name+" mean", c.got.Mean[:], floats64(c.mean), relTol)
		near(t, c.name+" std", c.got.Std[:], floats64(c.std), relTol)
	}
}

func checkRings(t *testing.T, p *Picture, want imageStats) {
	t.Helper()
	power, counts := p.Rings(Luma)
	var n []float64
	for _, c := range counts {
		n = append(n, float64(c))
	}
	near(t, "ring counts", n, floats64(want.PSD.Counts), 0)
	near(t, "ring power", power, floats64(want.PSD.Power), relTol)
	got := p.RingFit(1, len(power))
	if !math.IsNaN(float64(want.Slope)) {
		near(t, "ring fit", []float64{got.Slope, got.Intercept * math.Ln10},
			[]float64{float64(want.Slope), float64(want.Inter)}, relTol)
	}
	if m := want.SlopeMid; m != nil {
		s, _ := Lookup("ring_slope_middle")
		near(t, "middle slope", []float64{p.RingFit(m.From, m.To).Slope, s.Value(p)},
			[]float64{float64(m.Slope), float64(m.Slope)}, relTol)
	}
}

// TestAgreesWithMaps compares the stored corners of the maps of the first image.
func TestAgreesWithMaps(t *testing.T) {
	var file statsFile
	if err := json.Unmarshal(oracleFile(t, "imgstats.json"), &file); err != nil {
		t.Fatal(err)
	}
	p := file.picture(t, 0, "")
	stored := readTensors(t, "imgstats.safetensors")
	bytes := make([]float64, 0, file.H*file.W)
	for _, v := range p.grayCV() {
		bytes = append(bytes, float64(v))
	}
	for name, plane := range map[string][]float64{
		"gray_16x16":        p.Plane(Luma),
		"hsv_16x16":         p.HSV(),
		"lab_16x16":         p.Lab(),
		"sobel_16x16":       p.sobelMagnitude(),
		"laplace_cv2_16x16": laplacian(p.Plane(Luma), file.H, file.W),
		"cv2_gray_16x16":    bytes,
	} {
		channels := len(plane) / (file.H * file.W)
		var corner []float64
		for y := range 16 {
			corner = append(corner, plane[y*file.W*channels:][:16*channels]...)
		}
		near(t, name, corner, stored[name], mapTol)
	}
	for i, rgb := range file.Palette.RGB {
		r, g, b := rgb[0]/255, rgb[1]/255, rgb[2]/255
		h, l := hsv(r, g, b), lab(r, g, b)
		near(t, "palette hsv", h[:], floats64(file.Palette.HSV[i]), relTol)
		near(t, "palette lab", l[:], floats64(file.Palette.Lab[i]), relTol)
	}
}

func TestStatisticsTable(t *testing.T) {
	seen := make(map[string]bool)
	extras := false
	for _, s := range Statistics() {
		if s.Name == "" || s.Label == "" || seen[s.Name] {
			t.Errorf("%q: no name or label, or listed twice", s.Name)
		}
		seen[s.Name] = true
		if s.Main() && extras {
			t.Errorf("%s: main candidate after an extra", s.Name)
		}
		extras = extras || !s.Main()
		if got, ok := Lookup(s.Name); !ok || got.Label != s.Label {
			t.Errorf("Lookup(%q) is %q, %v", s.Name, got.Label, ok)
		}
	}
	if _, ok := Lookup("nothing"); ok {
		t.Error("Lookup found an unknown name")
	}
}

// TestFlatImages says which statistics may be undefined, and that no other is.
func TestFlatImages(t *testing.T) {
	undefined := map[float32][]string{
		0: {"spectrum_slope", "spectrum_intercept", "normalised_spectrum_slope",
			"normalised_spectrum_intercept", "michelson", "ring_slope", "ring_slope_middle"},
		0.3: {"spectrum_slope", "spectrum_intercept", "normalised_spectrum_slope",
			"normalised_spectrum_intercept", "ring_slope", "ring_slope_middle"},
	}
	for value, names := range undefined {
		p, err := New(16, 16, slices.Repeat([]float32{value}, 16*16*3))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range Statistics() {
			got := s.Value(p)
			if math.IsNaN(got) != slices.Contains(names, s.Name) || math.IsInf(got, 0) {
				t.Errorf("%s of a constant %g is %g", s.Name, value, got)
			}
		}
		spectrum, err := p.Spectrum(Gray)
		if err != nil || slices.Max(spectrum) != 0 {
			t.Errorf("spectrum of a constant %g is %g, %v, want zeros", value, spectrum, err)
		}
	}
}

// TestReset checks that a reused picture gives what a new one gives.
func TestReset(t *testing.T) {
	shapes := [][2]int{{12, 12}, {12, 12}, {9, 14}, {8, 8}, {2, 2}}
	reused := new(Picture)
	for i, s := range shapes {
		var pix []float32
		for _, v := range formulaImages(string(rune('a'+i)), 1, s[0], s[1]) {
			pix = append(pix, float32(v)/255)
		}
		fresh, err := New(s[0], s[1], pix)
		if err != nil {
			t.Fatal(err)
		}
		if err := reused.Reset(s[0], s[1], pix); err != nil {
			t.Fatal(err)
		}
		for _, st := range Statistics() {
			near(t, st.Name, []float64{st.Value(reused)}, []float64{st.Value(fresh)}, 0)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := make([]float32, 12)
	for name, bad := range map[string]float32{
		"NaN": float32(math.NaN()), "negative": -0.1, "above 1": 1.1,
		"infinite": float32(math.Inf(1)),
	} {
		pix := slices.Clone(good)
		pix[5] = bad
		if _, err := New(2, 2, pix); !errors.Is(err, ErrPixel) {
			t.Errorf("%s: %v, want ErrPixel", name, err)
		}
	}
	if _, err := New(2, 3, good); !errors.Is(err, ErrShape) {
		t.Errorf("too few values: %v, want ErrShape", err)
	}
	if _, err := NewBytes(1, 4, make([]uint8, 12)); !errors.Is(err, ErrShape) {
		t.Errorf("one row: %v, want ErrShape", err)
	}
	wide, err := New(2, 4, make([]float32, 24))
	if err != nil {
		t.Fatal(err)
	}
	_, spectrum := wide.Spectrum(Gray)
	_, share := wide.PerVariance()
	_, orientation := wide.Orientation()
	for _, err := range []error{spectrum, share, orientation} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("not square: %v, want ErrShape", err)
		}
	}
}
