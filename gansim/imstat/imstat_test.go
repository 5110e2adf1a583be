package imstat

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near fails where got is further from want than rel of want (or absTol near zero); NaN wants NaN.
func near(t *testing.T, what string, got, want []float64, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: length %d, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if math.IsNaN(got[i]) && math.IsNaN(want[i]) {
			continue
		}
		if !(math.Abs(got[i]-want[i]) <= rel*math.Abs(want[i])+absTol) {
			t.Errorf("%s: element %d is %.17g, want %.17g", what, i, got[i], want[i])
			return
		}
	}
}

const absTol = 1e-10 // zeros that are rounding noise

// randomBytes makes the pixels of an image.
func randomBytes(seed uint64, height, width int) []uint8 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]uint8, height*width*3)
	for i := range out {
		out[i] = uint8(rng.UintN(256))
	}
	return out
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
		for _, v := range randomBytes(uint64(i), s[0], s[1]) {
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
