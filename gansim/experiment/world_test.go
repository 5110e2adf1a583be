package experiment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini/world"
)

// openGo opens the Go backend: what these tests look at is the same on all.
func openGo(t *testing.T) compute.Backend {
	t.Setenv("GANSIM_TEST_BACKEND", "go")
	return open(t)
}

// foreign is the miniature world under the name of the published one, with a folder of pictures and a
// damaged file as its natural set.
func foreign(t *testing.T, pictures int) (*World, string) {
	t.Helper()
	w, err := MiniatureWorld()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	renders, err := world.Batch(t.Context(), world.Request{Set: world.COCO, Seed: 5, N: pictures, Size: 80})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pictures {
		m, err := imaging.FromImages(renders.Images(), i)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(imaging.EncodePNG(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.png"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.Name, w.Features.Miniature, w.Natural = Published, false, []NaturalSet{{"Pictures", dir}}
	return w, dir
}

// TestPublished: all panels run on networks and sets that are given; nothing calls itself miniature.
func TestPublished(t *testing.T) {
	b := openGo(t)
	w, dir := foreign(t, 7)
	preset := tiny
	preset.World = Published
	var warned []string
	o := Options{Out: t.TempDir(), Seed: 7, World: w, preset: &preset, Photos: dir,
		Warn: func(text string) { warned = append(warned, text) }}
	report, err := Run(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Out, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	if report.World != Published || strings.Contains(strings.ToLower(string(text)), "miniature") {
		t.Errorf("the report of %s networks speaks of miniature ones:\n%s", report.World, text)
	}
	if !slices.ContainsFunc(warned, func(s string) bool { return strings.Contains(s, "bad.png") }) {
		t.Errorf("no word of the damaged file: %q", warned)
	}
	images := map[string]int{}
	for _, v := range report.A.Values {
		if v.Name == "object detection rate" {
			images[v.Group] = v.N
		}
	}
	n := preset.A.Images
	want := map[string]int{"Pictures": n, photographs: 7, "BigGAN": n, "BigGAN-RND": n, "DeePSim": n,
		"BigGAN-Blur": n, "Pink noise": n, "White noise": n}
	if fmt.Sprint(images) != fmt.Sprint(want) {
		t.Errorf("sets of %v images, want %v", images, want)
	}
	if report.C.N != 7 {
		t.Errorf("panel c has %d photographs, want 7", report.C.N)
	}
	d, err := Redraw(o.Out, "a", nil)
	if err == nil {
		t.Errorf("drew %v of a preset that is not known", d.Origin)
	}
	for _, s := range []struct{ have, want string }{
		{Natural("imagenet:/data/val?n=5").Name, "ImageNet"}, {Natural("/data/places.zip").Name, "places.zip"}} {
		if s.have != s.want {
			t.Errorf("the set is called %q, want %q", s.have, s.want)
		}
	}
}

// publishedA computes panel A.
func publishedA(t *testing.T, w *World) *Report {
	t.Helper()
	preset := tiny
	preset.World = Published
	report, err := Run(t.Context(), openGo(t), Options{Out: t.TempDir(), Seed: 7, World: w, preset: &preset,
		Panels: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestSmallSet: a natural set with fewer images than the preset asks for is used whole.
func TestSmallSet(t *testing.T) {
	w, _ := foreign(t, 3)
	report := publishedA(t, w)
	for _, v := range report.A.Values {
		if v.Group == "Pictures" && v.Name == "object detection rate" && v.N != 3 {
			t.Errorf("%d images, want all 3", v.N)
		}
	}
}

// TestNoNatural: without natural sets there are the distances between the others.
func TestNoNatural(t *testing.T) {
	w, _ := foreign(t, 1)
	w.Natural = nil
	report := publishedA(t, w)
	if report.A.N != len(conditionsA)*tiny.A.Images {
		t.Errorf("%d images, want those of %d conditions", report.A.N, len(conditionsA))
	}
}

// TestWorldRefused: a preset goes with its own world, and panel C of the published networks needs
// photographs.
func TestWorldRefused(t *testing.T) {
	w, _ := foreign(t, 1)
	preset := tiny
	for _, c := range []struct{ world, want string }{
		{Miniature, "preset tiny is for miniature networks, these are published"},
		{Published, ErrNoPhotos.Error()},
	} {
		preset.World = c.world
		_, err := Run(t.Context(), openGo(t), Options{Out: t.TempDir(), World: w, preset: &preset,
			Panels: []string{"c"}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}
