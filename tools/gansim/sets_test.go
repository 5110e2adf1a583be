package main

import (
	"testing"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/mini/world"
)

// TestPaperName: sets are known by the names of the paper's code, and which of them are its own.
func TestPaperName(t *testing.T) {
	for _, c := range []struct {
		spec, name string
		real       bool
	}{
		{"imagenet:/data/ilsvrc?n=100", "imagenet", true},
		{"mini:coco?n=100", "coco", false},
		{"gen:BigGAN", "BigGAN_trunc07", false},
		{"gen:biggan/random?n=7", "BigGAN_std_008", false},
		{"gen:biggan_deep_256", "BigGAN_trunc07", true},
		{"gen:biggan_deep_256/BigGAN_Blur", "BigGAN_Blur", true},
		{"gen:BigGAN_Blur?seed=3", "BigGAN_Blur", false},
		{"gen:deepsim_fc6/std4", "DeePSim_4std", true},
		{"gen:deepsim_fc6/std1", "", false},
		{"gen:pink_noise?size=64", "pink_noise", true},
		{"photos", "photos", true}, // which the table does not have
	} {
		if name, real := paperName(c.spec); name != c.name || real != c.real {
			t.Errorf("%s: %q, real %v, want %q, %v", c.spec, name, real, c.name, c.real)
		}
	}
	if v := experiment.PublishedFID("imagenet", "photos"); v != nil {
		t.Errorf("photos have a published FID of %v", *v)
	}
}

// TestSetNames: the miniature's sets are called as the layouts that they stand for.
func TestSetNames(t *testing.T) {
	for _, l := range dataset.Layouts() {
		if _, err := world.ParseSet(l.Name); err != nil {
			t.Error(err)
		}
	}
}
