package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"testing"
)

func TestBatchShape(t *testing.T) {
	cases := []struct {
		name  string
		sizes []Size
		want  Size
	}{
		{"samples", []Size{{256, 256}, {256, 256}}, Size{256, 256}},
		{"wide", []Size{{500, 375}, {500, 333}}, Size{256, 192}},
		{"wide and tall", []Size{{500, 375}, {375, 500}}, Size{256, 256}},
		{"just over a multiple", []Size{{500, 380}}, Size{256, 224}},
	}
	for _, c := range cases {
		if got, err := BatchShape(c.sizes, 256); err != nil || got != c.want {
			t.Errorf("%s: got %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
	if _, err := BatchShape(nil, 256); err == nil {
		t.Error("no pictures: no error")
	}
}

func TestQuantizeRoundTrip(t *testing.T) {
	for x, want := range map[float32]uint8{-1: 0, 0: 0, 0.001: 0, 0.002: 1, 0.5: 128, 1: 255,
		2: 255, float32(math.NaN()): 0} {
		if got := Quantize(x); got != want {
			t.Errorf("Quantize(%v) = %d, want %d", x, got, want)
		}
	}
	m := NewRGB(16, 16)
	for i := range m.Pix {
		m.Pix[i] = uint8(i / 3)
	}
	images, err := ToImages(m, m)
	if err != nil {
		t.Fatal(err)
	}
	back, err := FromImages(images, 1)
	if err != nil || !bytes.Equal(back.Pix, m.Pix) {
		t.Errorf("round trip differs (%v)", err)
	}
	images.Pix[5] = float32(math.Inf(1))
	if _, err := FromImages(images, 0); !errors.Is(err, ErrNotFinite) {
		t.Errorf("infinite: got %v, want ErrNotFinite", err)
	}
}

func TestPhotograph(t *testing.T) {
	m := NewRGB(30, 11)
	for x := range 30 {
		for y := range 11 {
			if x >= 10 && x < 21 { // the square: round(19/2) = 10 to even
				m.Row(y)[3*x] = 200
			}
		}
	}
	got, err := Photograph(m, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(got.Pix); i += 3 {
		if got.Pix[i] != 200 || got.Pix[i+1] != 0 {
			t.Fatalf("pixel %d is %v, want [200 0 0]", i/3, got.Pix[i:i+3])
		}
	}
	if _, err := Photograph(RGB{}, 7); err == nil {
		t.Error("empty picture: no error")
	}
	if _, err := Photograph(m, 0); err == nil {
		t.Error("size 0: no error")
	}
}

func TestMontage(t *testing.T) {
	red, blue := NewRGB(2, 1), NewRGB(2, 1)
	copy(red.Pix, []uint8{255, 0, 0, 255, 0, 0})
	copy(blue.Pix, []uint8{0, 0, 255, 0, 0, 255})
	green := color.NRGBA{0, 255, 0, 255}
	out, err := Montage([]Cell{{Picture: red, Frame: green}, {Picture: blue}, {Picture: red}},
		MontageOptions{Columns: 2, Gap: 1, FrameWidth: 1})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, out); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ggggwwwww", "grrgwwbbw", "ggggwwwww", "wwwwwwwww", "wwwwwwwww", "wrrwwwwww",
		"wwwwwwwww"}
	names := map[color.Color]string{color.RGBA{255, 0, 0, 255}: "r", color.RGBA{0, 255, 0, 255}: "g",
		color.RGBA{0, 0, 255, 255}: "b", color.RGBA{255, 255, 255, 255}: "w"}
	for y, row := range want {
		got := ""
		for x := range img.Bounds().Dx() {
			got += names[color.RGBAModel.Convert(img.At(x, y))]
		}
		if got != row {
			t.Errorf("row %d: got %s, want %s", y, got, row)
		}
	}
	mixed := []Cell{{Picture: red}, {Picture: NewRGB(1, 1)}}
	if _, err := Montage(mixed, MontageOptions{}); err == nil {
		t.Error("two sizes: no error")
	}
}

func BenchmarkResizeBilinear(b *testing.B) {
	m := NewRGB(500, 375)
	for b.Loop() {
		if _, err := Resize(m, 256, 256, Bilinear); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleMontage() {
	row := []Cell{{Picture: NewRGB(64, 64)}, {Picture: NewRGB(64, 64)}}
	m, err := Montage(row, MontageOptions{Gap: 4})
	fmt.Println(m.Width, m.Height, err)
	// Output: 132 64 <nil>
}
