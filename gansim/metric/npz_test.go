package metric_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim/metric"
	"gansim.example/weights"
)

// TestStatistics: moments survive their file, and FID from files is that of the features.
func TestStatistics(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	dir := t.TempDir()
	var kept, read [2]*metric.Moments
	for i := range kept {
		var err error
		if kept[i], err = metric.MomentsOf(cloud(rng, 60, float32(i))); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := metric.WriteStatistics(&b, kept[i]); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "a.npz")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if read[i], err = metric.OpenStatistics(path); err != nil {
			t.Fatal(err)
		}
		if read[i].N != 60 || !mat.Equal(read[i].Cov, kept[i].Cov) {
			t.Errorf("set %d: n %d, or another covariance", i, read[i].N)
		}
	}
	want, err := metric.FID(kept[0], kept[1])
	if err != nil {
		t.Fatal(err)
	}
	got, err := metric.FID(read[0], read[1])
	if err != nil || relative(got, want) > 1e-12 {
		t.Errorf("FID from files %v, %v, want %v", got, err, want)
	}
}

func relative(got, want float64) float64 { return max(got-want, want-got) / want }

func TestStatisticsErrors(t *testing.T) {
	array := func(name string, shape ...int) weights.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		v, err := weights.FromFloats(name, weights.F64, shape, make([]float64, n))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name, want string
		arrays     []weights.Tensor
	}{
		{"no sigma", `"sigma"`, []weights.Tensor{array("mu", 3)}},
		{"two sizes", "[3 2]", []weights.Tensor{array("mu", 3), array("sigma", 3, 2)}},
		{"no image", "n is [0]", []weights.Tensor{array("mu", 2), array("sigma", 2, 2), array("n")}},
		{"flat", `"mu"`, []weights.Tensor{array("mu", 2, 2), array("sigma", 2, 2)}},
	} {
		var b bytes.Buffer
		if _, err := weights.WriteNPZ(&b, c.arrays); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "a.npz")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := metric.OpenStatistics(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %s", c.name, err, c.want)
		}
	}
	if _, err := metric.OpenStatistics(filepath.Join(t.TempDir(), "none.npz")); err == nil {
		t.Error("no file: no error")
	}
}

// TestKIDSubsets: the mean over subsets is near the KID of all rows, and the same for a seed.
func TestKIDSubsets(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	a, b := cloud(rng, 400, 0), cloud(rng, 300, 1)
	whole, err := metric.KID(a, b)
	if err != nil {
		t.Fatal(err)
	}
	mean, sd, err := metric.KIDSubsets(a, b, metric.KIDOptions{Seed: 3})
	if err != nil || relative(mean, whole) > .1 || sd <= 0 || sd > whole {
		t.Errorf("mean %v, sd %v, %v; all rows give %v", mean, sd, err, whole)
	}
	if again, _, _ := metric.KIDSubsets(a, b, metric.KIDOptions{Seed: 3}); again != mean {
		t.Errorf("a seed gives %v and %v", mean, again)
	}
	if _, _, err := metric.KIDSubsets(a, b, metric.KIDOptions{Size: 301}); err == nil {
		t.Error("301 of 300 rows: no error")
	}
}

// TestInfinity: the extrapolation takes the bias of few images away: of two samples of one
// distribution, and of two whose distance is known.
func TestInfinity(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for _, shift := range []float32{0, 1} {
		a, b := cloud(rng, 500, 0), cloud(rng, 500, shift)
		c, err := metric.FIDInfinity(t.Context(), a, b, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := 8 * float64(shift*shift) // features of variance 1, moved by shift
		biased := c.Points[len(c.Points)-1].FID
		if c.Lo > want || c.Hi < want || shift == 0 && biased-c.FID < .02 {
			t.Errorf("shift %v: %v (%v to %v), want %v; at 500 images %v", shift, c.FID, c.Lo, c.Hi, want, biased)
		}
		if len(c.Points) != 15 || c.Points[0].NA != 125 || c.Points[14].NB != 500 {
			t.Errorf("points %v", c.Points)
		}
	}
	if _, err := metric.FIDInfinity(t.Context(), cloud(rng, 7, 0), cloud(rng, 9, 0), 1); err == nil {
		t.Error("7 images: no error")
	}
}
