package experiment

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gansim.example/gansim/mini"
)

// TestConditions: every condition of a generator has codes, and names are found in any case.
func TestConditions(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Conditions() {
		if found, err := FindCondition(strings.ToUpper(c.Name)); err != nil || found != c {
			t.Errorf("%s: found %+v, %v", c.Name, found, err)
		}
		if (c.Family == "") != (c.Noise != "") || c.Images == 0 || c.Label == "" {
			t.Errorf("%s is neither of a generator nor noise: %+v", c.Name, c)
		}
		if c.Family == "" {
			continue
		}
		g, err := w.Generator(c.Family)
		if err != nil {
			t.Fatal(err)
		}
		if z, err := g.Draw(c.Recipe, rand.New(rand.NewPCG(1, 0)), 3); err != nil || z.N != 3 {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	if _, err := FindCondition("BigGAN"); err == nil || !strings.Contains(err.Error(), "BigGAN_trunc07") {
		t.Errorf("got %v, want an error that lists the known", err)
	}
}

// TestPublishedFID: the table is read in both orders, and has no number of a set with itself.
func TestPublishedFID(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64 // 0 means none
	}{
		{"imagenet", "DeePSim_4std", 242.09}, {"BigGAN_Blur", "coco", 91.51}, {"things", "imagenet", 21.79},
		{"imagenet", "things", 21.79}, {"coco", "coco", 0}, {"imagenet", "imagenet", 0}, {"pink_noise", "x", 0},
		{"DeePSim_4std", "pink_noise", 0}, {"", "", 0},
	} {
		got := PublishedFID(c.a, c.b)
		if (got == nil) != (c.want == 0) || got != nil && *got != c.want {
			t.Errorf("%s and %s: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
	if got := paperFID("ImageNet-like", "BigGAN"); got == nil || *got != 12.15 {
		t.Errorf("panel A's BigGAN has %v, want 12.15", got)
	}
}
