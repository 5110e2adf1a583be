package mini_test

import (
	"math/rand/v2"
	"testing"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/objectness"
	"gansim.example/kernels"
)

// TestDetector: on held-out scenes the embedded detector finds most objects, boxes fit and classes
// are right; an image's detections do not depend on its neighbours or the batch.
func TestDetector(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	const n = 32
	r, err := world.Batch(t.Context(), world.Request{Set: world.Detector, Seed: 99, N: n})
	if err != nil {
		t.Fatal(err)
	}
	var found [2][]objectness.Image
	for i, batch := range []int{8, 5} {
		d, err := objectness.NewDetector(b, w.YOLOv8, batch)
		if err != nil {
			t.Fatal(err)
		}
		if found[i], err = d.Detect(t.Context(), r.Images(), objectness.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	hits, objects := 0, 0
	for i := range n {
		x, y := found[0][i], found[1][i]
		if x.Objects != y.Objects || x.Objects > 0 && abs(x.Confidence-y.Confidence) > 1e-5 {
			t.Errorf("image %d: %d at %v in batches of 8, %d at %v in batches of 5", i,
				x.Objects, x.Confidence, y.Objects, y.Confidence)
		}
		for _, box := range r.Boxes[i] {
			objects++
			for _, d := range x.Detections {
				if d.Class == box.Class && overlap(d.Box, [4]float64{box.X0, box.Y0, box.X1, box.Y1}) >= .5 {
					hits++
					break
				}
			}
		}
	}
	if recall := float64(hits) / float64(objects); recall < .75 {
		t.Errorf("recall is %.2f over %d objects, want at least 0.75", recall, objects)
	}
	d, err := objectness.NewDetector(b, w.YOLOv8, 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Detect(t.Context(), gansim.NewImages(1, 32, 32), objectness.Options{}); err == nil {
		t.Error("an image of another size is accepted")
	}
}

// TestDetectBoxed: pictures of any size, in any order and batch, give the same boxes.
func TestDetectBoxed(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	sizes := [][2]int{{64, 64}, {100, 64}, {48, 130}, {31, 33}, {200, 200}}
	var pictures []imaging.RGB
	for i := range 23 {
		r := world.Draw(world.Detector, uint64(i), 5, 64)
		m, err := imaging.Resize(imaging.RGB{Width: 64, Height: 64, Pix: r.Pix}, sizes[i%5][0], sizes[i%5][1],
			imaging.Bilinear)
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, m)
	}
	var first []objectness.Image
	objects := 0
	for k, batch := range []int{1, 7, 64} {
		d, err := objectness.NewDetector(b, w.YOLOv8, batch)
		if err != nil {
			t.Fatal(err)
		}
		order := rand.New(rand.NewPCG(uint64(k), 0)).Perm(len(pictures))
		var boxed []objectness.Boxed
		for _, i := range order {
			p, err := d.Fit(pictures[i])
			if err != nil {
				t.Fatal(err)
			}
			boxed = append(boxed, p)
		}
		found, err := d.DetectBoxed(t.Context(), boxed, objectness.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		sorted := make([]objectness.Image, len(found))
		for at, i := range order {
			sorted[i] = found[at]
		}
		if first == nil {
			first = sorted
		}
		for i, f := range sorted {
			objects += f.Objects
			if f.Objects != first[i].Objects {
				t.Errorf("batch %d: image %d has %d objects, alone %d", batch, i, f.Objects, first[i].Objects)
				continue
			}
			for j, x := range f.Detections {
				y := first[i].Detections[j]
				off := abs(x.Confidence - y.Confidence)
				for e, v := range x.Box {
					if limit := float64(sizes[i%5][e%2]); v < 0 || v > limit {
						t.Errorf("image %d: box %v leaves the picture", i, x.Box)
					}
					off = max(off, abs(v-y.Box[e])/64)
				}
				if off > 1e-5 || x.Class != y.Class {
					t.Errorf("batch %d: image %d: %+v, alone %+v", batch, i, x, y)
				}
			}
		}
	}
	if objects < 3*15 {
		t.Errorf("%d objects in three rounds of 23 pictures: too few to compare", objects)
	}
}

func abs(v float64) float64 { return max(v, -v) }

// overlap is the intersection over union of two boxes.
func overlap(a, b [4]float64) float64 {
	inner := max(0, min(a[2], b[2])-max(a[0], b[0])) * max(0, min(a[3], b[3])-max(a[1], b[1]))
	area := func(x [4]float64) float64 { return (x[2] - x[0]) * (x[3] - x[1]) }
	return inner / (area(a) + area(b) - inner)
}
