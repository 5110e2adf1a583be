package imaging

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// TestInverse compares with the inverse DCT by its definition: never a whole step away.
func TestInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var b [64]int32
		for k := range b {
			b[k] = rng.Int32N(601)/int32(1+k/4) - 300/int32(1+k/4)
		}
		in := b
		inverse(&b)
		for i, got := range b {
			want := 0.0
			for k, v := range in {
				term := float64(v) / 4
				for _, d := range [2][2]int{{i / 8, k / 8}, {i % 8, k % 8}} {
					if d[1] == 0 {
						term /= math.Sqrt2
					}
					term *= math.Cos(float64((2*d[0]+1)*d[1]) * math.Pi / 16)
				}
				want += term
			}
			if math.Abs(float64(got)-want) >= 1 {
				t.Fatalf("pixel %d is %d, want %.3f", i, got, want)
			}
		}
	}
}

// TestStandardEncoder decodes what the standard library writes: grey as its decoder does to within
// the inverse DCT, and cut anywhere with an error.
func TestStandardEncoder(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 37, 21))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(128 + 100*math.Sin(float64(i%37*i/37)/40))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, grey, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(bytes.NewReader(b.Bytes()), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	want := img.(*image.Gray)
	for i, v := range got.Pix {
		w := want.Pix[i/3/37*want.Stride+i/3%37]
		if d := int(v) - int(w); d < -1 || d > 1 {
			t.Fatalf("value %d is %d, want %d", i, v, w)
		}
	}
	for n := range b.Len() {
		_, err := Decode(bytes.NewReader(b.Bytes()[:n]), DecodeOptions{})
		if n >= 2 && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d of %d: %v, want ErrTruncated", n, b.Len(), err)
		}
	}
}

func TestHuffmanTables(t *testing.T) {
	counts := make([]byte, 16)
	counts[0], counts[1] = 1, 2 // 0, 10, 11
	h, err := newHuffman(counts, []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	r := bitReader{data: []byte{0b01011_000}}
	for _, want := range "abca" {
		if got, err := r.decode(h); err != nil || rune(got) != want {
			t.Errorf("got %c, %v, want %c", got, err, want)
		}
	}
	counts[1] = 3
	if _, err := newHuffman(counts, []byte("abcd")); err == nil {
		t.Error("three codes of two bits beside one of one bit: no error")
	}
}

func BenchmarkDecodeJPEG(b *testing.B) {
	m := image.NewRGBA(image.Rect(0, 0, 500, 375))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 7)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(file.Bytes()), DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
