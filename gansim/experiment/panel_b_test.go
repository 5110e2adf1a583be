package experiment

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gansim.example/weights"
)

// TestUnitMeans: units weigh alike in the means of units, whatever their number of images, and the
// report says n of both.
func TestUnitMeans(t *testing.T) {
	var rows []RowB
	for i, v := range []float64{1, 3, 10} {
		for _, g := range []string{"DeePSim", "BigGAN"} {
			rows = append(rows, RowB{Unit: i / 2, Generator: g, Image: i, Statistic: "rms_contrast", Value: v},
				RowB{Unit: i / 2, Generator: g, Image: i, Statistic: score, Value: v})
		}
	}
	if m := unitMeans(rows, "BigGAN", "rms_contrast"); len(m) != 2 || m[0] != 2 || m[1] != 10 {
		t.Errorf("means of units %v, want 2, 10", m)
	}
	var s Section
	s.addMean("x", "BigGAN", unitMeans(rows, "BigGAN", "rms_contrast"))
	if v := s.Values[0]; v.N != 2 || v.Ours != 6 || math.Abs(float64(v.SE)-4) > 1e-12 {
		t.Errorf("%+v, want 6 ± 4 of 2", v)
	}
	text := strings.Join(readingsB(rows, 6), " ")
	for _, want := range []string{"91 x 40 = 3640 fits", "2548", "= 6188 does not fit",
		"Ours: 2 units, 3 images by DeePSim, 3 by BigGAN, 6 in all."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

// TestPopulation: both spaces take the preset's population, the last generation is kept on request, and
// every image has its spectra.
func TestPopulation(t *testing.T) {
	small := tiny
	small.B.Population = 5
	dir := t.TempDir()
	r, err := Run(t.Context(), open(t), Options{Out: dir, Panels: []string{"b"}, Seed: 3, Images: true,
		preset: &small})
	if err != nil {
		t.Fatal(err)
	}
	if r.B.N != 10 {
		t.Errorf("%d images, want 5 of each generator", r.B.N)
	}
	kept, err := filepath.Glob(filepath.Join(dir, evolvedDir, "*.safetensors"))
	if err != nil || len(kept) < 2 {
		t.Fatalf("%d codes are kept (%v)", len(kept), err)
	}
	for _, path := range kept {
		f, err := weights.OpenSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		if z, _ := f.Tensor("z"); len(z.Shape) != 2 || z.Shape[0] != 5 {
			t.Errorf("%s: codes %v, want 5", path, z.Shape)
		}
		if _, err := os.Stat(strings.TrimSuffix(path, "safetensors") + "png"); err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "panel_b.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < 180; at += turnStep {
		if n := strings.Count(string(text), fmt.Sprintf(",%s%03d,", turnPrefix, at)); n != 10 {
			t.Errorf("%d rows of %d degrees, want 10", n, at)
		}
	}
}
