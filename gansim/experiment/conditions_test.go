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
