package gansim_test

import (
	"testing"

	"gansim.example/gansim"
)

func TestPaperNames(t *testing.T) {
	layers := []gansim.Layer{
		{Name: "conv1", Class: "Conv2d"}, {Name: "relu", Class: "ReLU"},
		{Name: "layer2.3.conv1", Class: "Conv2d"}, {Name: "layer2.3", Class: "Bottleneck"},
		{Name: "layer2"}, {Name: "fc", Class: "Linear"}, {Name: "fc8"},
	}
	want := map[string]string{"conv1": ".Conv2dconv1", "relu": ".ReLUrelu",
		"layer2.3.conv1": ".layer2.Bottleneck3.Conv2dconv1", "layer2.3": ".layer2.Bottleneck3",
		"layer2": ".layer2", "fc": ".Linearfc"}
	got := gansim.PaperNames(layers)
	for name, spelling := range want {
		if got[name] != spelling {
			t.Errorf("%s: got %q, want %q", name, got[name], spelling)
		}
		for _, s := range []string{name, spelling} {
			if l, ok := gansim.FindLayer(layers, s); !ok || l.Name != name {
				t.Errorf("found %v, %v for %s", l, ok, s)
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	if l, ok := gansim.FindLayer(layers, ".Linearfc8"); ok {
		t.Errorf("found %v", l)
	}
}

func TestRecipe(t *testing.T) {
	recipes := []gansim.Named[int]{{"trunc0.7", 1}, {"std4", 2}, {"std0.5", 3}, {"random", 4}}
	for name, want := range map[string]int{"trunc0.7": 1, "trunc07": 1, "Trunc07": 1, "4std": 2, "std4": 2,
		"0.5std": 3, "std05": 3, "random": 4} {
		if got, err := gansim.Recipe("g", name, recipes); got != want || err != nil {
			t.Errorf("%s: got %d, error %v, want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"", "4", "std", "std40", "trunc7"} {
		if got, err := gansim.Recipe("g", name, recipes); err == nil {
			t.Errorf("%q: got %d, want an error", name, got)
		}
	}
}
