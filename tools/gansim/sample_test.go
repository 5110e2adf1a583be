package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gansim.example/gansim/mini"
	"gansim.example/weights"
)

// TestNames checks that the names offered before the networks are read are theirs.
func TestNames(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	var gans []string
	for _, g := range w.Generators() {
		gans = append(gans, g.Name())
		for _, r := range recipes(g.Name()) {
			if c, err := g.Draw(r, rand.New(rand.NewPCG(1, 0)), 2); err != nil || c.N != 2 {
				t.Errorf("%s: recipe %s: %v", g.Name(), r, err)
			}
		}
		_, err := g.Draw("?", rand.New(rand.NewPCG(1, 0)), 1)
		known := err.Error()[strings.LastIndex(err.Error(), "of ")+3:]
		got := slices.Sorted(slices.Values(recipes(g.Name())))
		if want := strings.Split(known, ", "); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: recipes %q, want %q", g.Name(), got, want)
		}
	}
	if !slices.Equal(gans, generators()) {
		t.Errorf("names %q, want %q", generators(), gans)
	}
}

// TestSampleCodes checks that the codes written are those drawn.
func TestSampleCodes(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	if err := run(t.Context(), &out, &out, []string{"sample", "--gan", "DeePSim", "-n", "18",
		"--backend", "go", "--seed", "5", "--out", dir}); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenSafetensors(filepath.Join(dir, "codes.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	z, _ := f.Tensor("z")
	got, err := z.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	want, err := w.DeePSim.Draw("std4", rand.New(rand.NewPCG(5, 0)), 18)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want.Z) || f.Metadata["recipe"] != "std4" || f.Metadata["seed"] != "5" {
		t.Errorf("codes differ, or metadata %v", f.Metadata)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 20 {
		t.Errorf("%d files, want 18 images, a sheet and the codes: %q", len(files), files)
	}
}

func TestSampleInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var talk strings.Builder
	err := run(ctx, io.Discard, &talk, []string{"sample", "--gan", "BigGAN", "--backend", "go",
		"--out", t.TempDir()})
	code := report(&talk, err)
	if !errors.Is(err, context.Canceled) || code != 1 ||
		!strings.Contains(talk.String(), "gansim: interrupted: decode: BigGAN: 0 of 16 images") ||
		!strings.Contains(talk.String(), "gansim: hint: go on with") {
		t.Errorf("code %d, error %v, says %s", code, err, talk.String())
	}
}
