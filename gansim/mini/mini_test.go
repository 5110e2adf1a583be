package mini_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"gansim.example/gansim/decode"
	"gansim.example/gansim/mini"
	"gansim.example/gansim/mini/train"
	"gansim.example/kernels"
)

// limit of all embedded weights, bytes.
const limit = 16 << 20

// TestOpen: every network loads, every generator draws finite images in [0, 1] by every recipe, and
// every network has a training record.
func TestOpen(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ gan, recipe string }{
		{"deepsim", "std4"}, {"deepsim", "std1"}, {"BigGAN", "trunc0.7"}, {"biggan", "random"},
		{"biggan", "std0.7"}, {"biggan", "evolve"},
	} {
		g, err := w.Generator(c.gan)
		if err != nil {
			t.Fatal(err)
		}
		codes, err := g.Draw(c.recipe, rand.New(rand.NewPCG(1, 1)), 3)
		if err != nil {
			t.Fatal(err)
		}
		d, err := decode.New(b, g)
		if err != nil {
			t.Fatal(err)
		}
		images, err := d.Images(t.Context(), codes)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range images.Pix {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s %s: value %d is %v", c.gan, c.recipe, i, v)
			}
		}
	}
	total := 0
	for _, name := range train.Networks() {
		record, err := mini.Record(name)
		if err != nil {
			t.Fatal(err)
		}
		var r train.Record
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.SHA256 != w.Hashes[name] {
			t.Errorf("%s: the record is of file %s, embedded is %s", name, r.SHA256, w.Hashes[name])
		}
		total += mini.Size(name)
	}
	if total == 0 || total > limit {
		t.Errorf("embedded weights are %d bytes, limit %d", total, limit)
	}
}

func TestUnknownNames(t *testing.T) {
	w, err := mini.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Generator("stylegan"); err == nil || !strings.Contains(err.Error(), "DeePSim, BigGAN") {
		t.Errorf("got %v, want the known generators", err)
	}
	if _, err := w.Scorer("vgg"); err == nil || !strings.Contains(err.Error(), "resnet50_linf8") {
		t.Errorf("got %v, want the known networks", err)
	}
	if _, err := w.BigGAN.Draw("x", nil, 1); err == nil || !strings.Contains(err.Error(), "trunc0.7") {
		t.Errorf("got %v, want the known recipes", err)
	}
}
