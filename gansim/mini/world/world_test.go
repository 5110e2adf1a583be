package world

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func batch(t testing.TB, req Request) Renders {
	t.Helper()
	r, err := Batch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same fails unless two images are equal in every byte, label and box.
func same(t *testing.T, name string, got, want Render) {
	t.Helper()
	if !bytes.Equal(got.Pix, want.Pix) || got.Label != want.Label ||
		!slices.Equal(got.Boxes, want.Boxes) {
		t.Errorf("%s: images differ: labels %d and %d, boxes %v and %v",
			name, got.Label, want.Label, got.Boxes, want.Boxes)
	}
}

func TestDeterminism(t *testing.T) {
	for _, set := range Sets() {
		req := Request{Set: set, Seed: 3, From: 5, N: 24, Size: 32}
		all := batch(t, req)
		old := runtime.GOMAXPROCS(1)
		one := batch(t, req)
		runtime.GOMAXPROCS(old)
		req.From, req.N = 5+17, 7
		tail := batch(t, req)
		for i := range all.N {
			name := fmt.Sprintf("%v %d", set, i)
			same(t, name+" one processor", one.At(i), all.At(i))
			same(t, name+" alone", Draw(set, uint64(5+i), 3, 32), all.At(i))
			if i >= 17 {
				same(t, name+" later batch", tail.At(i-17), all.At(i))
			}
		}
	}
}

func TestSeedsAndIndicesDiffer(t *testing.T) {
	seen := map[[sha256.Size]byte]string{}
	for _, set := range []Set{ImageNet, EcoSet, Things, COCO, Train} {
		for seed := range uint64(3) {
			r := batch(t, Request{Set: set, Seed: seed, N: 100, Size: 16})
			for i := range r.N {
				name, sum := fmt.Sprintf("%v/%d/%d", set, seed, i), sha256.Sum256(r.At(i).Pix)
				if other, ok := seen[sum]; ok {
					t.Errorf("%s is equal to %s", name, other)
				}
				seen[sum] = name
			}
		}
	}
}

// labels counts the labels of n images of a set and, apart, their boxes.
func labels(t *testing.T, set Set, n int) (counts [NumClasses]int, boxes []int) {
	r := batch(t, Request{Set: set, Seed: 11, N: n, Size: 8})
	for i := range r.N {
		counts[r.Labels[i]]++
		boxes = append(boxes, len(r.Boxes[i]))
	}
	return counts, boxes
}

func TestLabelCycle(t *testing.T) {
	for _, c := range []struct {
		set   Set
		cycle int
	}{{ImageNet, NumObjects}, {Train, NumClasses}} {
		r := batch(t, Request{Set: c.set, From: 7, N: 40, Size: 8})
		for i, got := range r.Labels {
			if want := int32((i + 7) % c.cycle); got != want {
				t.Errorf("%v %d: label %d, want %d", c.set, i+7, got, want)
			}
		}
	}
}

// TestClassMix compares the drawn labels with the odds of the set, within five standard errors.
func TestClassMix(t *testing.T) {
	const n = 6000
	mixed := func(weights []float64, textures float64) (odds [NumClasses]float64) {
		sum := 0.0
		for _, w := range weights {
			sum += w
		}
		for i := range odds {
			odds[i] = textures / 4
			if i < len(weights) {
				odds[i] = (1 - textures) * weights[i] / sum
			}
		}
		return odds
	}
	eco := mixed([]float64{3, 3, 2, 2, 8, 1, 9, 7, 1, 2, 3, 12}, 1./12)
	things := mixed([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0)
	coco := mixed([]float64{5, 7, 7, 3, 8, 1, 5, 4, 1, 1, 6, 12}, 0)
	var detector [NumClasses]float64
	for i := range detector {
		detector[i] = .4/16 + .15*eco[i] + .1*things[i] + .35*coco[i]
	}
	for set, odds := range map[Set][NumClasses]float64{
		EcoSet: eco, Things: things, COCO: coco, Detector: detector,
	} {
		counts, _ := labels(t, set, n)
		for i, p := range odds {
			got, want := float64(counts[i])/n, p
			if math.Abs(got-want) > 5*math.Sqrt(p*(1-p)/n) {
				t.Errorf("%v: share of %s is %.4f, want %.4f", set, Classes()[i], got, want)
			}
		}
	}
}

func TestObjectsPerImage(t *testing.T) {
	for _, c := range []struct {
		set          Set
		least, most  int // boxes in one image
		lower, upper float64
	}{
		{ImageNet, 1, 1, 1, 1},
		{EcoSet, 0, 1, .88, .95},
		{Things, 1, 1, 1, 1},
		{COCO, 1, 4, 2, 3},
		{Train, 0, 1, .75, .75},
		{Detector, 0, 4, 1.1, 1.8},
	} {
		_, boxes := labels(t, c.set, 1600)
		sum := 0
		for _, n := range boxes {
			sum += n
		}
		mean := float64(sum) / float64(len(boxes))
		if slices.Min(boxes) < c.least || slices.Max(boxes) > c.most ||
			mean < c.lower || mean > c.upper {
			t.Errorf("%v: %d to %d boxes, mean %.3f, want %+v",
				c.set, slices.Min(boxes), slices.Max(boxes), mean, c)
		}
	}
}

// TestBoxesTight finds the object by its colour before backdrops of one colour.
func TestBoxesTight(t *testing.T) {
	const size = 64
	p, found := newPainter(), 0
	pix := make([]uint8, size*size*3)
	for i := range uint64(120) {
		label, boxes := p.paint(pix, Things, i, 1, size)
		if p.scene.backdrop.grounded {
			continue
		}
		found++
		want := Box{label, size, size, 0, 0}
		for j := range size * size {
			if !bytes.Equal(pix[j*3:j*3+3], pix[:3]) {
				x, y := float64(j%size), float64(j/size)
				want.X0, want.Y0 = min(want.X0, x), min(want.Y0, y)
				want.X1, want.Y1 = max(want.X1, x+1), max(want.Y1, y+1)
			}
		}
		if len(boxes) != 1 || boxes[0] != want {
			t.Errorf("image %d: boxes %v, want %v", i, boxes, want)
		}
	}
	if found < 40 {
		t.Errorf("%d images without a ground, want at least 40", found)
	}
}

// TestSizes checks that a scene does not depend on the size it is drawn at.
func TestSizes(t *testing.T) {
	for i := range uint64(24) {
		small, large := Draw(ImageNet, i, 9, 32), Draw(ImageNet, i, 9, 128)
		a, b := small.Boxes[0], large.Boxes[0]
		for k, gap := range []float64{a.X0*4 - b.X0, a.Y0*4 - b.Y0, a.X1*4 - b.X1, a.Y1*4 - b.Y1} {
			if math.Abs(gap) > 4 { // one pixel of the small image
				t.Errorf("image %d: edge %d moves by %v of 128 pixels", i, k, gap)
			}
		}
	}
}

func TestImages(t *testing.T) {
	r := batch(t, Request{Set: Train, N: 6, Size: 16})
	m := r.Slice(2, 5).Images()
	if m.N != 3 || m.Height != 16 || m.Width != 16 || len(m.Pix) != 3*16*16*3 {
		t.Fatalf("images are %d of %dx%d", m.N, m.Height, m.Width)
	}
	for i, v := range m.At(1) {
		if got, want := v, float32(r.At(3).Pix[i])/255; got != want || v < 0 || v > 1 {
			t.Fatalf("value %d is %v, want %v", i, got, want)
		}
	}
}

func TestParseSet(t *testing.T) {
	for _, set := range Sets() {
		if got, err := ParseSet(set.String()); err != nil || got != set {
			t.Errorf("ParseSet(%q) = %v, %v", set, got, err)
		}
	}
	_, err := ParseSet("imagenot")
	known := "imagenet, ecoset, things, coco, train, detector"
	if err == nil || !strings.Contains(err.Error(), known) {
		t.Errorf("unknown set: %v", err)
	}
}

func TestBatchErrors(t *testing.T) {
	for name, req := range map[string]Request{
		"set":      {Set: 99, N: 1},
		"count":    {N: -1},
		"size":     {N: 1, Size: -1},
		"big size": {N: 1, Size: maxSize + 1},
		"memory":   {N: 1 << 30},
	} {
		if _, err := Batch(t.Context(), req); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if r := batch(t, Request{}); r.N != 0 || r.Size != DefaultSize {
		t.Errorf("empty request gives %d images of %d", r.N, r.Size)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Batch(ctx, Request{N: 1000}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// FuzzDraw checks that every image is made of finite colours and boxes inside it.
func FuzzDraw(f *testing.F) {
	for _, set := range Sets() {
		f.Add(uint8(set), uint64(0), uint64(0), uint8(12))
		f.Add(uint8(set), uint64(math.MaxUint64), uint64(math.MaxUint64), uint8(1))
	}
	f.Fuzz(func(t *testing.T, set uint8, index, seed uint64, size uint8) {
		size = size % 24
		r := Draw(Set(set), index, seed, int(size))
		if len(r.Pix) != int(size)*int(size)*3 || r.Label < 0 || r.Label >= NumClasses {
			t.Fatalf("%d bytes, label %d", len(r.Pix), r.Label)
		}
		for _, b := range r.Boxes {
			if b.Class < 0 || b.Class >= NumObjects || b.X0 < 0 || b.Y0 < 0 || b.X0 >= b.X1 ||
				b.Y0 >= b.Y1 || b.X1 > float64(size) || b.Y1 > float64(size) {
				t.Errorf("box %v in an image of %d pixels", b, size)
			}
		}
		p := newPainter()
		label := p.compose(Set(set), index, seed)
		for k := range 400 {
			c, _ := p.sample(label, float64(k%20)/10-1, float64(k/20)/10-1)
			for _, v := range []float64{c.x, c.y, c.z} {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("colour %v at sample %d", c, k)
				}
			}
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	const n = 96
	for _, set := range Sets() {
		b.Run(set.String(), func(b *testing.B) {
			for b.Loop() {
				batch(b, Request{Set: set, N: n})
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func ExampleDraw() {
	r := Draw(ImageNet, 4, 1, DefaultSize)
	fmt.Println(Classes()[r.Label], len(r.Pix), Classes()[r.Boxes[0].Class])
	// Output: car 12288 car
}
