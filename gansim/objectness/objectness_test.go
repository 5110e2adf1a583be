package objectness

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tolBack is for sums in another order in float64, pixels.
const tolBack = 1e-9

func maxAbs(a, b []float64) float64 {
	largest := 0.0
	for i := range a {
		largest = max(largest, math.Abs(a[i]-b[i]))
	}
	return largest
}

// TestBackYOLOv5: one scale for both axes, margins with fractions: 150x90 in 128x128 is scaled by
// 128/150, so the upper margin is (128 - 76.8)/2 = 25.6.
func TestBackYOLOv5(t *testing.T) {
	f := Frame{Width: 150, Height: 90, InputWidth: 128, InputHeight: 128, YOLOv5: true}
	got := f.Back([4]float64{12.8, 38.4, 64, 300})
	if want := [4]float64{15, 15, 75, 90}; maxAbs(got[:], want[:]) > tolBack {
		t.Errorf("got %v, want %v", got, want)
	}
}

// square is a box of side 10 with its corner at (x, 0).
func square(x float32) []float32 { return []float32{x, 0, x + 10, 10} }

func TestSuppress(t *testing.T) {
	boxes := slices.Concat(square(0), square(1), square(5), square(100))
	for _, c := range []struct {
		name    string
		classes int
		scores  []float32
		options Options
		want    []int
	}{
		{"defaults", 1, []float32{.9, .8, .7, .25}, Options{}, []int{0, 2}},
		{"order of scores", 1, []float32{.5, .8, .9, .6}, Options{}, []int{2, 1, 3}},
		{"ties by index", 1, []float32{.5, .5, .5, .5}, Options{}, []int{0, 2, 3}},
		{"low IoU", 1, []float32{.9, .8, .7, .6}, Options{IoU: 0.3}, []int{0, 3}},
		{"no overlap allowed", 1, []float32{.9, .8, .7, .6}, Options{IoU: -1}, []int{0}},
		{"no threshold", 1, []float32{0, 0, 0, 0}, Options{Confidence: -1}, []int{0, 2, 3}},
		{"at most", 1, []float32{.9, .8, .7, .6}, Options{MaxDetections: 2}, []int{0, 2}},
		{"candidates", 1, []float32{.9, .8, .7, .6}, Options{MaxCandidates: 2}, []int{0}},
		{"classes apart", 2, []float32{.9, 0, 0, .8, 0, 0, 0, 0}, Options{}, []int{0, 1}},
		{"agnostic", 2, []float32{.9, 0, 0, .8, 0, 0, 0, 0}, Options{Agnostic: true}, []int{0}},
		{"one class", 2, []float32{.9, 0, 0, .8, 0, 0, 0, 0}, Options{Classes: []int{1}}, []int{1}},
		{"best label", 2, []float32{.9, .8, 0, 0, 0, 0, 0, 0}, Options{}, []int{0}},
		{"multi", 2, []float32{.9, .8, 0, 0, 0, 0, 0, 0}, Options{MultiLabel: true}, []int{0, 0}},
		{"none", 1, []float32{.1, .1, .1, .1}, Options{}, nil},
	} {
		found, err := Suppress(Prediction{c.classes, boxes, c.scores}, c.options)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, d := range found {
			got = append(got, d.Anchor)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if found, err := Suppress(Prediction{Classes: 80}, Options{}); err != nil || len(found) != 0 {
		t.Errorf("no anchors: got %v, %v", found, err)
	}
}

// crowd makes n boxes with scores that often tie, among two classes.
func crowd(rng *rand.Rand, n int) Prediction {
	p := Prediction{Classes: 2}
	for range n {
		x, y := 200*rng.Float32(), 200*rng.Float32()
		p.Boxes = append(p.Boxes, x, y, x+20+40*rng.Float32(), y+20+40*rng.Float32())
		p.Scores = append(p.Scores, float32(rng.IntN(20))/20, float32(rng.IntN(20))/20)
	}
	return p
}

// TestProperties: surest first, above the threshold, a second pass drops nothing, boxes end up
// inside the picture and the input stays as it was.
func TestProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	frame := Frame{Width: 500, Height: 375, InputWidth: 256, InputHeight: 256}
	for run := range 30 {
		p := crowd(rng, 120)
		before := slices.Clone(p.Boxes)
		found, err := Suppress(p, Options{IoU: 0.3})
		if err != nil {
			t.Fatal(err)
		}
		again := Prediction{Classes: 2}
		for i, d := range found {
			if d.Confidence <= 0.25 || (i > 0 && d.Confidence > found[i-1].Confidence) {
				t.Errorf("run %d: detection %d has confidence %v", run, i, d.Confidence)
			}
			again.Boxes = append(again.Boxes, p.Boxes[4*d.Anchor:4*d.Anchor+4]...)
			scores := [2]float32{}
			scores[d.Class] = float32(d.Confidence)
			again.Scores = append(again.Scores, scores[:]...)
		}
		second, err := Suppress(again, Options{IoU: 0.3})
		if err != nil || len(second) != len(found) {
			t.Errorf("run %d: second pass left %d of %d (%v)", run, len(second), len(found), err)
		}
		m, err := Find(p, frame, Options{IoU: 0.3})
		if err != nil || m.Objects != len(found) || m.Confidence != found[0].Confidence {
			t.Errorf("run %d: got %d objects at %v (%v)", run, m.Objects, m.Confidence, err)
		}
		for _, d := range m.Detections {
			b := d.Box
			if b[0] < 0 || b[1] < 0 || b[2] > 500 || b[3] > 375 || b[0] > b[2] || b[1] > b[3] {
				t.Errorf("run %d: box %v outside of the picture", run, b)
			}
		}
		if !slices.Equal(before, p.Boxes) {
			t.Errorf("run %d: input changed", run)
		}
	}
}

// TestOrderOfImages: what comes before in a batch does not matter.
func TestOrderOfImages(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	frame := Frame{Width: 256, Height: 256, InputWidth: 256, InputHeight: 256}
	set := make([]Prediction, 20)
	want := make([]Image, len(set))
	for i := range set {
		set[i] = crowd(rng, 1+rng.IntN(80))
		want[i], _ = Find(set[i], frame, Options{})
	}
	for _, i := range rng.Perm(len(set)) {
		got, err := Find(set[i], frame, Options{})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want[i]) {
			t.Errorf("image %d: got %v (%v), want %v", i, got, err, want[i])
		}
	}
}

func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := Frame{Width: 8, Height: 8, InputWidth: 8, InputHeight: 8}
	one := Prediction{1, square(0), []float32{.5}}
	for _, c := range []struct {
		name string
		p    Prediction
		f    Frame
		o    Options
		want string
	}{
		{"NaN", Prediction{2, square(0), []float32{0, nan}}, good, Options{}, "class 1"},
		{"inf", Prediction{1, []float32{0, 0, 1, inf}, []float32{1}}, good, Options{}, "box 0"},
		{"lengths", Prediction{2, square(0), []float32{1}}, good, Options{}, "1 scores"},
		{"ragged boxes", Prediction{1, []float32{1}, nil}, good, Options{}, "1 box values"},
		{"no classes", Prediction{}, good, Options{}, "0 classes"},
		{"no frame", one, Frame{}, Options{}, "0x0"},
		{"NaN threshold", one, good, Options{Confidence: math.NaN()}, "confidence NaN"},
		{"NaN overlap", one, good, Options{IoU: math.NaN()}, "IoU NaN"},
		{"negative limit", one, good, Options{MaxDetections: -1}, "at most -1"},
	} {
		_, err := Find(c.p, c.f, c.o)
		if err == nil || !strings.HasPrefix(err.Error(), "objectness: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	none, err := json.Marshal(Image{Confidence: math.NaN()})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"n_objects":0,"confidence":null,"detections":[]}`; string(none) != want {
		t.Errorf("got %s, want %s", none, want)
	}
	found := Detection{Box: [4]float64{1, 2, 3, 4.5}, Confidence: 0.5, Class: 7, Anchor: 9}
	one := Image{Objects: 1, Confidence: 0.5, Detections: []Detection{found}}
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"n_objects":1,"confidence":0.5,"detections":[[1,2,3,4.5,0.5,7]]}`
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestSummarize(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		in   []float64
		want Summary
	}{
		// By hand; the interval of 2 of 4 is that of Wilson's formula with z = 1.959964.
		{"half", []float64{nan, 0.8, nan, 0.4}, Summary{4, 2, 0.5, 0.15003898915214955,
			0.8499610108478504, 0.6, 0.2, 0.3, math.Sqrt(0.44/3) / 2}},
		{"none", []float64{nan, nan}, Summary{2, 0, 0, 0, 0.6576198, nan, nan, 0, 0}},
		{"one", []float64{0.5}, Summary{1, 1, 1, 0.2065493, 1, 0.5, nan, 0.5, nan}},
	} {
		got, err := Summarize(c.in)
		if err != nil {
			t.Fatal(err)
		}
		g, w := reflect.ValueOf(got), reflect.ValueOf(c.want)
		for i := range g.NumField() {
			a, b := number(g.Field(i)), number(w.Field(i))
			if math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1e-7 {
				t.Errorf("%s: %s: got %v, want %v", c.name, g.Type().Field(i).Name, a, b)
			}
		}
	}
	for _, bad := range [][]float64{nil, {0.5, 1.5}, {-0.1}, {math.Inf(1)}} {
		if _, err := Summarize(bad); err == nil || !strings.HasPrefix(err.Error(), "objectness: ") {
			t.Errorf("%v: got error %v", bad, err)
		}
	}
}

func number(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}
