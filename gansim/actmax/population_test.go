package actmax_test

import (
	"slices"
	"strings"
	"testing"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
)

func TestPopulations(t *testing.T) {
	net := rectified{a: make([]float32, 2*12), dim: 2, maps: true}
	channels := func(s string) []int {
		t.Helper()
		p, err := actmax.ParsePopulation(s)
		if err != nil {
			t.Fatal(err)
		}
		units, err := p.Units(net, 3)
		if err != nil {
			t.Fatal(err)
		}
		var c []int
		for _, u := range units {
			c = append(c, u.Channel)
		}
		return c
	}
	for s, want := range map[string][]int{
		"rectified/units/7":        {7},
		"rectified/units/9-11":     {9, 10, 11},
		"rectified/units/3,0-1,3":  {3, 0, 1, 3},
		"rectified/units/3,5/0/2":  {3, 5},
		"rectified/units/first:2":  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		"rectified/units/all/1/1":  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		"rectified/units/random:4": channels("rectified/units/random:4"),
	} {
		if got := channels(s); !slices.Equal(got, want) {
			t.Errorf("%s: channels %v, want %v", s, got, want)
		}
	}
	p, _ := actmax.ParsePopulation("rectified/units/3")
	units, _ := p.Units(net, 0)
	if want := (gansim.Unit{Net: "rectified", Layer: "units", Channel: 3, Row: 1, Col: 1}); units[0] != want {
		t.Errorf("got %+v, want the centre %+v", units[0], want)
	}
	for _, s := range []string{"", "units/3", "net//3", "net/units/3/1", "net/units/-1", "net/units/5-2",
		"net/units/x", "net/units/0-1000000000",
		"net/units/0-900000,0-900000", "net/units/some:3", "net/units/first:0", "net/units/3/a/1", "net/units/3/1/-1"} {
		if _, err := actmax.ParsePopulation(s); err == nil || !strings.Contains(err.Error(), "random:N") {
			t.Errorf("%q: got %v, want an error that says the form", s, err)
		}
	}
	for _, s := range []string{"n/conv9/3", "n/units/12", "n/units/1/3/0", "n/units/1/0/3", "n/units/random:13"} {
		p, err := actmax.ParsePopulation(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Units(net, 0); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

// TestViewer: pictures are ranked by the unit's activation, whatever their batch.
func TestViewer(t *testing.T) {
	net := rectified{a: []float32{1, 0, 0, 0, -1, 0}, dim: 3, b: -20}
	images := gansim.NewImages(37, 1, 1)
	for i := range images.N {
		images.At(i)[0], images.At(i)[2] = float32(i*7%37), .5
	}
	v, err := actmax.NewViewer(open(t), net, "units")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	scores, err := v.Scores(t.Context(), gansim.Unit{Layer: "units", Row: -1, Col: -1}, images)
	if err != nil || len(scores) != images.N {
		t.Fatalf("%d scores (%v)", len(scores), err)
	}
	for i, s := range scores {
		if want := float64(i*7%37) + 19.5; s < want-1e-4 || s > want+1e-4 {
			t.Errorf("picture %d scores %v, want %v", i, s, want)
		}
	}
	if best := actmax.Best(scores, 2); scores[best[0]] != 55.5 || scores[best[1]] != 54.5 {
		t.Errorf("best pictures %v score %v, %v", best, scores[best[0]], scores[best[1]])
	}
}
