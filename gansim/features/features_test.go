package features_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/metric"
	"gansim.example/kernels"
)

// ratios is a network without weights: per channel the mean of an image over that of its first row,
// so that an image that begins with black has features that are not finite.
type ratios struct{}

func (ratios) Name() string          { return "ratios" }
func (ratios) Params() gansim.Params { return gansim.Params{} }
func (ratios) InputSize() int        { return 8 }
func (ratios) Layers() []gansim.Layer {
	return []gansim.Layer{{Name: "map", Height: 8, Width: 8, Channels: 3}, {Name: "avgpool", Channels: 3}}
}
func (ratios) Activations(_ gansim.Weights, images *Node, layer string) *Node {
	if layer == "map" {
		return images
	}
	first := ReduceMean(Slice(images, AxisRange(), AxisRange(0, 1)), 1, 2)
	return Div(ReduceMean(images, 1, 2), first)
}

func backend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// grey writes n pictures 8 pixels wide, of slowly changing grey, and one black one at place black.
func grey(t *testing.T, n, black int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		m := imaging.NewRGB(8, 8)
		for k := range m.Pix {
			m.Pix[k] = uint8(1 + (i*7+k*k*(i%5))%250)
		}
		if i == black {
			clear(m.Pix)
		}
		var b bytes.Buffer
		if err := imaging.EncodePNG(&b, m); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%05d.png", i))
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, spec string) *dataset.Set {
	t.Helper()
	s, err := dataset.Open(t.Context(), spec, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func compute8(t *testing.T, ctx context.Context, spec string, o features.Options) (*features.Set, error) {
	t.Helper()
	x, err := features.New(backend(t), features.Network{Scorer: ratios{}}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	return x.Features(ctx, open(t, spec), nil)
}

// TestBatches: features do not depend on how many images are computed together.
func TestBatches(t *testing.T) {
	dir := grey(t, 37, -1)
	var first metric.Features
	for _, batch := range []int{1, 7, 64} {
		s, err := compute8(t, t.Context(), dir, features.Options{Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := s.All()
		if err != nil || all.N != 37 || s.N != 37 {
			t.Fatalf("batch %d: %d images, %v", batch, all.N, err)
		}
		if first.X == nil {
			first = all
		}
		for i, v := range all.X {
			if math.Abs(float64(v-first.X[i])) > 1e-6 {
				t.Fatalf("batch %d: feature %d of image %d is %v, alone %v", batch, i%3, i/3, v, first.X[i])
			}
		}
	}
}

// TestNotFinite: the error names the image's file, and nothing of it is kept.
func TestNotFinite(t *testing.T) {
	cache := t.TempDir()
	_, err := compute8(t, t.Context(), grey(t, 20, 13), features.Options{Cache: cache})
	var bad *metric.NotFiniteError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "00013.png") {
		t.Errorf("got %v, want a NotFiniteError that names 00013.png", err)
	}
	if kept, _ := filepath.Glob(filepath.Join(cache, "*", "*")); len(kept) > 0 {
		t.Errorf("kept %q", kept)
	}
}

// TestResume: what an interrupted run has finished is not computed again, and changes nothing.
func TestResume(t *testing.T) {
	dir, cache := grey(t, 2500, -1), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "00100.png"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(dir, "00007.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00008.png"), copied, 0o644); err != nil {
		t.Fatal(err)
	}
	want, err := compute8(t, t.Context(), dir, features.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = compute8(t, ctx, dir, features.Options{Cache: cache, Progress: func(set string, done, _ int) {
		if done > 1500 && !strings.HasSuffix(set, "hashes") {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	got, err := compute8(t, t.Context(), dir, features.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	if got.Cached != 1023 || got.N != 2499 || len(got.Skipped) != 1 || got.Skipped[0].Name != "00100.png" ||
		got.Duplicates < 1 {
		t.Errorf("%d of %d images were kept, skipped %v, %d twice", got.Cached, got.N, got.Skipped,
			got.Duplicates)
	}
	if !slices.Equal(got.Moments.Mean, want.Moments.Mean) || got.List != want.List ||
		!slices.Equal(got.Moments.Cov.RawSymmetric().Data, want.Moments.Cov.RawSymmetric().Data) {
		t.Error("an interrupted run gives other moments")
	}
	again, err := compute8(t, t.Context(), dir, features.Options{Cache: cache})
	if err != nil || again.Cached != 2499 {
		t.Errorf("a second run computes %d of 2499 images again, %v", 2499-again.Cached, err)
	}
	other, err := compute8(t, t.Context(), dir, features.Options{Cache: cache, Convention: "clean"})
	if err != nil || other.Cached != 0 {
		t.Errorf("another convention takes %d images of this one, %v", other.Cached, err)
	}
}

// TestStatistics: a file of statistics stands for a set, if it has as many features.
func TestStatistics(t *testing.T) {
	s, err := compute8(t, t.Context(), grey(t, 10, -1), features.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := metric.WriteStatistics(&b, s.Moments); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read, err := compute8(t, t.Context(), path, features.Options{})
	if err != nil || read.N != 0 || read.Moments.N != 10 {
		t.Fatalf("%+v, %v", read, err)
	}
	if d, err := metric.FID(read.Moments, s.Moments); err != nil || d > 1e-9 {
		t.Errorf("FID to itself %v, %v", d, err)
	}
}

// TestConventions: a picture of the network's size is left as it is by all; others are resized as the
// programs do, photographs with their aspect by the paper alone.
func TestConventions(t *testing.T) {
	m := imaging.NewRGB(24, 16)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i % 251)
	}
	floats, err := imaging.ToImages(m)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := imaging.EncodePNG(&file, m); err != nil {
		t.Fatal(err)
	}
	square, err := imaging.CenterCrop(m, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	same, err := imaging.ToImages(square)
	if err != nil {
		t.Fatal(err)
	}
	small, err := imaging.Resize(m, 12, 8, imaging.Bilinear) // the shorter side to 8
	if err != nil {
		t.Fatal(err)
	}
	if small, err = imaging.Crop(small, 2, 0, 8, 8); err != nil {
		t.Fatal(err)
	}
	same8, err := imaging.ToImages(small)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range features.Conventions() {
		for _, generated := range []bool{false, true} {
			convert := c.Convert(generated, 8)
			read, err := convert.File(bytes.NewReader(file.Bytes()))
			if err != nil || read.Height != 8 || read.Width != 8 {
				t.Fatalf("%s: %d x %d, %v", c.Name, read.Height, read.Width, err)
			}
			drawn, err := convert.Image(floats)
			if err != nil || !slices.Equal(drawn.Pix, read.Pix) {
				t.Errorf("%s: a drawn image differs from its file, %v", c.Name, err)
			}
			var want gansim.Images
			switch {
			case c.Name == "paper" && !generated:
				want = same8
			case c.Name == "clean":
				want, _ = imaging.ResizeFloat(floats, 8, 8, imaging.Bicubic)
			case c.Name == "torch-fidelity":
				want, _ = imaging.Interpolate(floats, 8, 8, imaging.Interpolation{Mode: imaging.TensorFlow1})
			default:
				want, _ = imaging.Interpolate(floats, 8, 8, imaging.Interpolation{})
			}
			worst := 0.
			for i, v := range read.Pix {
				worst = max(worst, math.Abs(float64(v-want.Pix[i])))
			}
			if worst > 1e-7 {
				t.Errorf("%s, generated %v: off by %g", c.Name, generated, worst)
			}
			if whole, err := c.Convert(generated, 16).Image(same); err != nil || !slices.Equal(whole.Pix, same.Pix) {
				t.Errorf("%s: an image of the right size is changed, %v", c.Name, err)
			}
		}
	}
	if _, err := features.FindConvention("none"); err == nil || !strings.Contains(err.Error(), "clean") {
		t.Errorf("got %v, want an error that lists the known", err)
	}
}

// TestNetworkErrors: unknown layers are refused with the known ones.
func TestNetworkErrors(t *testing.T) {
	_, err := features.New(backend(t), features.Network{Scorer: ratios{}, Layer: "conv9"}, features.Options{})
	if err == nil || !strings.Contains(err.Error(), "map, avgpool") {
		t.Errorf("got %v, want an error that lists the layers", err)
	}
	x, err := features.New(backend(t), features.Network{Scorer: ratios{}, Layer: "map", Logits: "avgpool"},
		features.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	s, err := x.Features(t.Context(), open(t, grey(t, 5, -1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, logits, err := s.All()
	if err != nil || f.Dim != 3 || logits.Dim != 3 || logits.N != 5 {
		t.Errorf("%d features, %d logits of %d images, %v", f.Dim, logits.Dim, logits.N, err)
	}
}
