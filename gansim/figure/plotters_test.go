package figure

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"gonum.org/v1/plot/vg/vgimg"

	"gansim.example/gansim/imaging"
)

// drawn is every plotter with a frame of axes, on 60 by 45 mm.
func drawn() map[string][]plot.Plotter {
	w := newWorld(11)
	blue, red := DeePSim.Color(), BigGAN.Color()
	x := []float64{1, 2, 4, 8, 16}
	return map[string][]plot.Plotter{
		"violin": {
			&Violin{Location: 0, Values: w.normal(400, 5, 1.5), Color: blue},
			&Violin{Location: 1, Values: w.normal(6, 4, 1), Color: red},
			&Violin{Location: 2, Values: []float64{3, 3, 3}},
			&Violin{Location: 3, Values: []float64{6}, Color: red},
			&Violin{Location: 4},
		},
		"strip": {
			&Strip{Location: 0, Values: w.normal(1000, 5, 1), Color: blue},
			&Strip{Location: 1, Values: w.normal(40, 4, 1), Color: red},
			&Strip{Location: 2, Values: []float64{2, 2}}, &Strip{Location: 3},
		},
		"bars": {&Bars{Bars: []Bar{{Value: 3, Lo: 2.5, Hi: 3.5, Color: blue}, {Missing: true},
			{Value: 7, Lo: 7, Hi: 7, Color: red}, {Value: 5, Lo: 4, Hi: 6}}}},
		"paired": {&Paired{Pairs: w.panelC(25, 1).Pairs, DeePSim: &Estimate{0.9, 0.02},
			BigGAN: &Estimate{0.6, 0.05}}},
		"curve": {
			&Curve{X: x, Mean: []float64{9, 7, 5, 3, 2}, SEM: []float64{1, 1, 1, 1, 1}, Color: blue},
			&Curve{X: x, Mean: []float64{2, 3, 3, 4, 4}, Color: red},
		},
		"images": {&ImageGrid{Images: w.pictures(7, 16), Columns: 4, Gap: 1 * mm, Frame: red}},
		"matrix": {&Matrix{Names: []string{"a", "b", "c", "d"},
			Value: func(r, k int) (float64, bool) {
				return float64(r*40 + k), r != 2 || k != 1
			}}},
	}
}

// frame is the plot that the plotters of a golden picture stand in.
func frame(ps []plot.Plotter) *axes {
	a := newAxes(rect(8*mm, 6*mm, 50*mm, 37*mm), [2]float64{-0.6, 4.6}, [2]float64{0, 10})
	if _, ok := ps[0].(*Paired); ok {
		a.plot.X.Max, a.plot.Y.Max = 1.6, 1
	}
	if _, ok := ps[0].(*Curve); ok {
		a.plot.X.Max = 17
	}
	a.xTicks, _ = linearTicks(a.plot.X.Min, a.plot.X.Max, 5)
	a.yTicks, _ = linearTicks(a.plot.Y.Min, a.plot.Y.Max, 5)
	return a
}

// goldenTolerance is the mean difference per channel that a golden picture may have, in 1/255: room
// for a compiler that fuses multiplications, too little for a line that moves.
const goldenTolerance = 0.1

// TestGolden compares each plotter with a picture. GOLDEN_UPDATE=1 writes new ones to look at.
func TestGolden(t *testing.T) {
	for name, ps := range drawn() {
		t.Run(name, func(t *testing.T) {
			c := vgimg.NewWith(vgimg.UseWH(60*mm, 45*mm), vgimg.UseDPI(150))
			frame(ps).draw(draw.New(c), ps...)
			file := filepath.Join("testdata", name+".png")
			if os.Getenv("GOLDEN_UPDATE") != "" {
				var b bytes.Buffer
				if err := png.Encode(&b, c.Image()); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got := difference(c.Image(), want); got > goldenTolerance {
				t.Errorf("mean difference = %.3f, want at most %v", got, goldenTolerance)
			}
		})
	}
}

// difference is the mean absolute difference per channel, 0 to 255.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return math.Inf(1)
	}
	sum, n := 0.0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			for _, d := range [][2]uint32{{r, r2}, {g, g2}, {bl, bl2}} {
				sum += math.Abs(float64(d[0])-float64(d[1])) / 257
				n++
			}
		}
	}
	return sum / float64(n)
}

// record draws a plotter into a square of 100 points with axes from 0 to 10.
func record(p plot.Plotter) []recorder.Action {
	plt := plot.New()
	plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = 0, 10, 0, 10
	var c recorder.Canvas
	dc := draw.Canvas{Canvas: &c, Rectangle: rect(0, 0, 100, 100)}
	p.Plot(dc, plt)
	return c.Actions
}

// heights are the lowest and the highest point of every filled and stroked path.
func heights(actions []recorder.Action) (lo, hi vg.Length) {
	lo, hi = vg.Length(math.Inf(1)), vg.Length(math.Inf(-1))
	for _, a := range actions {
		var path vg.Path
		switch a := a.(type) {
		case *recorder.Fill:
			path = a.Path
		case *recorder.Stroke:
			path = a.Path
		}
		for _, comp := range path {
			if comp.Type == vg.MoveComp || comp.Type == vg.LineComp {
				lo, hi = min(lo, comp.Pos.Y), max(hi, comp.Pos.Y)
			}
		}
	}
	return lo, hi
}

func TestViolinEndsAtData(t *testing.T) {
	w := newWorld(5)
	for _, n := range []int{2, 3, 9, 10, 50, 2000} {
		values := w.normal(n, 5, 1)
		lo, hi := heights(record(&Violin{Location: 5, Values: values}))
		wantLo, wantHi := slices.Min(values)*10, slices.Max(values)*10
		if math.Abs(float64(lo)-wantLo) > 0.1 || math.Abs(float64(hi)-wantHi) > 0.1 {
			t.Errorf("n = %d: drawn from %.2f to %.2f, want %.2f to %.2f", n, lo, hi, wantLo, wantHi)
		}
	}
}

func TestViolinWithoutSpread(t *testing.T) {
	if got := record(&Violin{}); len(got) != 0 {
		t.Errorf("an empty group draws %d actions, want none", len(got))
	}
	for name, values := range map[string][]float64{
		"one value": {4}, "constant": {4, 4, 4, 4}, "almost constant": {4, math.Nextafter(4, 5)},
	} {
		lo, hi := heights(record(&Violin{Location: 5, Values: values}))
		if !(lo <= 40+1e-9 && hi >= 40-1e-9 && hi-lo < 4) {
			t.Errorf("%s: drawn from %v to %v, want around 40", name, lo, hi)
		}
	}
}

func TestViolinAreas(t *testing.T) {
	w := newWorld(6)
	values := w.normal(500, 5, 1)
	_, dens := density(values)
	half := Violin{Location: 5, Values: values, Peak: 2 * slices.Max(dens), Bare: true}
	full := Violin{Location: 5, Values: values, Bare: true}
	widest := func(v Violin) (w vg.Length) {
		for _, a := range record(&v) {
			if f, ok := a.(*recorder.Fill); ok {
				for _, comp := range f.Path {
					w = max(w, comp.Pos.X-50)
				}
			}
		}
		return w
	}
	if got, want := widest(half)*2, widest(full); math.Abs(float64(got-want)) > 1e-6 {
		t.Errorf("half the peak: width %v, want half of %v", got/2, want)
	}
}

func TestStripSpread(t *testing.T) {
	w := newWorld(7)
	for _, n := range []int{0, 1, 2, 30, 3640} {
		values := w.normal(n, 0, 1)
		got := spread(values)
		if len(got) != n || !slices.Equal(got, spread(values)) {
			t.Fatalf("n = %d: %d offsets, or not the same twice", n, len(got))
		}
		for i, off := range got {
			if off < -1 || off > 1 {
				t.Errorf("n = %d: offset %d = %v, want within 1", n, i, off)
			}
		}
	}
	mean, sem := MeanSEM([]float64{1, 2, 3, 4})
	if want := math.Sqrt(1.25) / 2; mean != 2.5 || math.Abs(sem-want) > 1e-12 {
		t.Errorf("mean, sem = %v, %v, want 2.5, %v", mean, sem, want)
	}
}

// TestManyDots: large clouds become one image, small ones stay circles.
func TestManyDots(t *testing.T) {
	w := newWorld(8)
	for n, wantImages := range map[int]int{manyDots: 0, manyDots + 1: 1} {
		images := 0
		for _, a := range record(&Strip{Location: 5, Values: w.normal(n, 5, 1)}) {
			if _, ok := a.(*recorder.DrawImage); ok {
				images++
			}
		}
		if images != wantImages {
			t.Errorf("%d dots: %d images, want %d", n, images, wantImages)
		}
	}
}

func TestCurveOnLogAxes(t *testing.T) {
	plt := plot.New()
	plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = 1, 100, 0.1, 10
	plt.X.Scale, plt.Y.Scale = plot.LogScale{}, plot.LogScale{}
	var c recorder.Canvas
	curve := &Curve{X: []float64{0, 1, 10, 100}, Mean: []float64{1, 1, 0, 2},
		SEM: []float64{0, 5, 0, 0}}
	curve.Plot(draw.Canvas{Canvas: &c, Rectangle: rect(0, 0, 100, 100)}, plt)
	lo, hi := heights(c.Actions)
	if math.IsNaN(float64(lo+hi)) || lo < 0 || hi > 100 {
		t.Errorf("drawn from %v to %v, want inside 0 to 100", lo, hi)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	nan := []float64{1, math.NaN()}
	_, e1 := NewViolin(0, nan)
	_, e2 := NewStrip(0, nan)
	_, e3 := NewBars([]Bar{{Value: math.Inf(1)}})
	_, e4 := NewPaired([]Pair{{math.NaN(), 0}})
	_, e5 := NewCurve(nan, nan, nil)
	for i, err := range []error{e1, e2, e3, e4, e5} {
		if !errors.Is(err, ErrNotFinite) {
			t.Errorf("constructor %d: %v, want ErrNotFinite", i+1, err)
		}
	}
	if _, err := NewImageGrid([]imaging.RGB{{Width: 2, Height: 2}}, 1); err == nil {
		t.Error("image without pixels: no error")
	}
}

// TestTicks: for any range there is a tick, not more than asked for, all inside, all different.
func TestTicks(t *testing.T) {
	rng := newWorld(9).rng
	for range 2000 {
		lo := rng.NormFloat64() * math.Pow(10, float64(rng.IntN(12)-6))
		hi := lo + math.Pow(10, float64(rng.IntN(9)-4))*(0.1+rng.Float64())
		if hi-lo < 1e-6*math.Abs(lo) {
			continue
		}
		limit := 2 + rng.IntN(6)
		ticks, _ := linearTicks(lo, hi, limit)
		if len(ticks) < 1 || len(ticks) > limit {
			t.Fatalf("%v to %v: %d ticks, want 1 to %d", lo, hi, len(ticks), limit)
		}
		seen := make(map[string]bool)
		for _, k := range ticks {
			text := k.label.plainText()
			if k.at < lo-1e-6*(hi-lo) || k.at > hi+1e-6*(hi-lo) || seen[text] || text == "−0" {
				t.Fatalf("%v to %v: bad tick %v %q", lo, hi, k.at, text)
			}
			seen[text] = true
		}
		a := math.Pow(10, rng.Float64()*8-4)
		labelled := 0
		for _, k := range logTicks(a, a*math.Pow(10, 0.3+5*rng.Float64()), limit) {
			if k.label != nil {
				labelled++
			}
		}
		if labelled > limit+1 {
			t.Fatalf("log axis from %v: %d labels, want at most %d", a, labelled, limit+1)
		}
	}
}
