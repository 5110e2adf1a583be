package objectness_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gansim.example/gansim/objectness"
)

func ExampleFind() {
	p := objectness.Prediction{
		Classes: 2,
		Boxes:   []float32{10, 84, 60, 120, 12, 84, 60, 122, 100, 70, 128, 96},
		Scores:  []float32{0, 0.875, 0, 0.75, 0.5, 0},
	}
	frame := objectness.Frame{Width: 512, Height: 256, InputWidth: 256, InputHeight: 256}
	m, err := objectness.Find(p, frame, objectness.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range m.Detections {
		text, err := json.Marshal(d)
		fmt.Println(string(text), err)
	}
	fmt.Println(m.Objects, m.Confidence)
	// Output:
	// [20,40,120,112,0.875,1] <nil>
	// [200,12,256,64,0.5,0] <nil>
	// 2 0.875
}

func ExampleSummarize() {
	none := math.NaN()
	s, err := objectness.Summarize([]float64{0.9, 0.7, none, 0.8, none})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("detect rate %.2f (%.2f to %.2f), n = %d\n", s.Rate, s.RateLo, s.RateHi, s.N)
	fmt.Printf("confidence %.2f, SEM %.3f; %.2f with 0 for none\n", s.Confidence, s.ConfidenceSEM,
		s.Fill0)
	// Output:
	// detect rate 0.60 (0.23 to 0.88), n = 5
	// confidence 0.80, SEM 0.058; 0.48 with 0 for none
}

// BenchmarkFind has the anchors of YOLOv8 at 256x256 and 80 classes.
func BenchmarkFind(b *testing.B) {
	const anchors, classes = 32*32 + 16*16 + 8*8, 80
	rng := rand.New(rand.NewPCG(1, 1))
	p := objectness.Prediction{Classes: classes, Scores: make([]float32, anchors*classes)}
	for range anchors {
		x, y := 200*rng.Float32(), 200*rng.Float32()
		p.Boxes = append(p.Boxes, x, y, x+10+40*rng.Float32(), y+10+40*rng.Float32())
	}
	for i := range p.Scores {
		u := rng.Float32()
		p.Scores[i] = u * u * u * u * u * u * u * u / 3
	}
	frame := objectness.Frame{Width: 256, Height: 256, InputWidth: 256, InputHeight: 256}
	for b.Loop() {
		if _, err := objectness.Find(p, frame, objectness.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
