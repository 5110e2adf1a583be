package train

import (
	"testing"

	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/objectness"
)

// TestMatches: an object counts once, for a box of its class that covers it.
func TestMatches(t *testing.T) {
	objects := []world.Box{{Class: 1, X0: 0, Y0: 0, X1: 10, Y1: 10}, {Class: 2, X0: 20, Y0: 20, X1: 40, Y1: 40}}
	box := func(class int, confidence float64, corners ...float64) objectness.Detection {
		return objectness.Detection{Box: [4]float64(corners), Confidence: confidence, Class: class}
	}
	for _, c := range []struct {
		name  string
		found []objectness.Detection
		want  int
	}{
		{"nothing", nil, 0},
		{"both", []objectness.Detection{box(1, .5, 0, 0, 10, 9), box(2, .9, 20, 20, 40, 40)}, 2},
		{"one twice", []objectness.Detection{box(1, .5, 0, 0, 10, 9), box(1, .9, 0, 0, 9, 10)}, 1},
		{"another class", []objectness.Detection{box(3, .5, 0, 0, 10, 10)}, 0},
		{"too small", []objectness.Detection{box(1, .5, 0, 0, 7, 7)}, 0},
	} {
		if got := matches(objects, c.found); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		only  []string
		steps []int
		good  bool
	}{
		{nil, nil, true},
		{[]string{"alexnet"}, []int{5}, true},
		{[]string{"biggan"}, []int{5, 6}, true},
		{[]string{"biggan"}, []int{5}, false},
		{[]string{"alexnet", "yolov8"}, []int{5}, false},
		{[]string{"alexnet"}, []int{0}, false},
		{[]string{"metric"}, []int{1}, false},
	} {
		if err := (Options{Steps: c.steps}).checkSteps(c.only); (err == nil) != c.good {
			t.Errorf("%v of %v: %v", c.steps, c.only, err)
		}
	}
	r := runner{steps: []int{7, 8}}
	if r.length(1, 100) != 8 || (&runner{}).length(1, 100) != 100 {
		t.Error("given steps do not replace the recipe's")
	}
}
