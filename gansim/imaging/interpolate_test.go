package imaging

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gansim.example/gansim"
)

// ramp is a picture of one row whose values are v in all channels.
func ramp(v ...uint8) RGB {
	m := NewRGB(len(v), 1)
	for i := range m.Pix {
		m.Pix[i] = v[i/3]
	}
	return m
}

// TestInterpolate has rows worked by hand.
func TestInterpolate(t *testing.T) {
	for _, c := range []struct {
		o    Interpolation
		out  int
		want []float64 // in 255ths
	}{
		{Interpolation{Mode: TorchNearest}, 3, []float64{0, 40, 80}},
		{Interpolation{Mode: TorchNearestExact}, 2, []float64{40, 120}},
		{Interpolation{Mode: TorchArea}, 3, []float64{20, 60, 100}},
		{Interpolation{}, 2, []float64{20, 100}},
		{Interpolation{AlignCorners: true}, 7, []float64{0, 20, 40, 60, 80, 100, 120}},
		{Interpolation{Antialias: true}, 2, []float64{200. / 7, 640. / 7}}, // weights 3 3 1
		{Interpolation{Mode: TorchBicubic, AlignCorners: true}, 4, []float64{0, 40, 80, 120}},
		{Interpolation{Mode: TorchBicubic}, 2, []float64{16.25, 103.75}}, // -3 19 19 -3 over 32
		{Interpolation{Mode: TorchBicubic, Antialias: true}, 4, []float64{0, 40, 80, 120}},
	} {
		images, err := ToImages(ramp(0, 40, 80, 120))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Interpolate(images, c.out, 1, c.o)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if v := 255 * float64(got.Pix[3*i+1]); math.Abs(v-want) > 1e-4 {
				t.Errorf("%+v to %d: pixel %d is %v, want %v", c.o, c.out, i, v, want)
			}
		}
	}
}

// TestResizeOpenCV has rows worked by hand.
func TestResizeOpenCV(t *testing.T) {
	for _, c := range []struct {
		mode OpenCVMode
		out  int
		want []uint8
	}{
		{OpenCVNearest, 3, []uint8{0, 40, 80}},
		{OpenCVLinear, 2, []uint8{20, 100}},
		{OpenCVCubic, 2, []uint8{16, 104}},
		{OpenCVArea, 2, []uint8{20, 100}},
		{OpenCVArea, 3, []uint8{10, 60, 110}},
		{OpenCVArea, 6, []uint8{0, 20, 40, 80, 100, 120}},
	} {
		got, err := ResizeOpenCV(ramp(0, 40, 80, 120), c.out, 1, c.mode)
		if err != nil {
			t.Fatal(err)
		}
		var values []uint8
		for i := range c.out {
			values = append(values, got.Pix[3*i])
		}
		if !slices.Equal(values, c.want) {
			t.Errorf("%s to %d: got %v, want %v", c.mode, c.out, values, c.want)
		}
	}
}

// TestFlatStaysFlat: a grey picture stays what it is, at any size and by any rule.
func TestFlatStaysFlat(t *testing.T) {
	m := NewRGB(12, 9)
	for i := range m.Pix {
		m.Pix[i] = 77
	}
	images, err := ToImages(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []Size{{12, 9}, {6, 3}, {5, 4}, {20, 30}, {3, 17}, {1, 1}} {
		check := func(name string, pix []float64, err error) {
			if err != nil || len(pix) != 3*size.Width*size.Height {
				t.Errorf("%s to %v: %d values, %v", name, size, len(pix), err)
			}
			for _, v := range pix {
				if math.Abs(v-77) > 1e-4 {
					t.Errorf("%s to %v: %v, want 77", name, size, v)
					return
				}
			}
		}
		for _, mode := range []OpenCVMode{OpenCVNearest, OpenCVLinear, OpenCVCubic, OpenCVArea} {
			out, err := ResizeOpenCV(m, size.Width, size.Height, mode)
			var pix []float64
			for _, v := range out.Pix {
				pix = append(pix, float64(v))
			}
			check(string(mode), pix, err)
		}
		for _, o := range []Interpolation{{Mode: TorchNearest}, {Mode: TorchNearestExact},
			{Mode: TorchArea}, {}, {AlignCorners: true}, {Antialias: true}, {Mode: TorchBicubic},
			{Mode: TorchBicubic, AlignCorners: true}, {Mode: TorchBicubic, Antialias: true}} {
			out, err := Interpolate(images, size.Width, size.Height, o)
			var pix []float64
			for _, v := range out.Pix {
				pix = append(pix, 255*float64(v))
			}
			check(fmt.Sprint(o), pix, err)
		}
	}
}

func TestInterpolateRefusals(t *testing.T) {
	images, err := ToImages(ramp(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Interpolation{{Mode: "trilinear"}, {Mode: TorchArea, Antialias: true},
		{AlignCorners: true, Antialias: true}} {
		if _, err := Interpolate(images, 2, 2, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := Interpolate(gansim.Images{}, 2, 2, Interpolation{}); err == nil {
		t.Error("no picture: no error")
	}
	if _, err := ResizeOpenCV(ramp(1, 2), 2, 2, "lanczos"); err == nil {
		t.Error("unknown mode: no error")
	}
	if _, err := ResizeOpenCV(ramp(1, 2), 0, 2, OpenCVCubic); err == nil {
		t.Error("size 0: no error")
	}
}

// TestTensorFlow1: pixel i lies at i in/out, and beyond the last pixel there is only that one.
func TestTensorFlow1(t *testing.T) {
	m := gansim.NewImages(1, 1, 2)
	copy(m.Pix, []float32{0, .25, .5, 1, .75, .5})
	got, err := Interpolate(m, 4, 1, Interpolation{Mode: TensorFlow1})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{0, .25, .5, .5, .5, .5, 1, .75, .5, 1, .75, .5}
	if !slices.Equal(got.Pix, want) {
		t.Errorf("got %v, want %v", got.Pix, want)
	}
}
