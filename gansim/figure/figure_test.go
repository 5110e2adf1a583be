package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLook writes pages for the eye when FIGURE_LOOK names a folder.
func TestLook(t *testing.T) {
	dir := os.Getenv("FIGURE_LOOK")
	if dir == "" {
		t.Skip("set FIGURE_LOOK to a folder to look at the pages")
	}
	for name, f := range pages() {
		out := filepath.Join(dir, strings.ReplaceAll(name, " ", "_"))
		if err := os.MkdirAll(out, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Save(out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(2)
	f := Figure{B: w.panelB(2, 12), D: w.panelD(1, 12)}
	got, err := f.Save(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	want := []string{"figure.png", "figure.svg", "figure.pdf",
		"panel_b.png", "panel_b.svg", "panel_d.png", "panel_d.svg"}
	if !slices.Equal(got, want) {
		t.Errorf("files = %v, want %v", got, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("folder holds %d files, %v, want %d", len(entries), err, len(want))
	}
}

func TestPNG(t *testing.T) {
	data := encode(t, full(20), "png")
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Dx(); got < 2000 {
		t.Errorf("width = %d, want at least 2000", got)
	}
	for _, want := range []string{"tEXtDescription\x00Panel a.", "tEXtTitle\x00", "pHYs"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("no %q in the file", want)
		}
	}
}

// fitted says whether a text has a width, so that no font makes it run into another.
func fitted(text xml.StartElement) bool {
	for _, a := range text.Attr {
		if a.Name.Local == "textLength" {
			width, err := strconv.ParseFloat(a.Value, 64)
			return err == nil && width >= 0
		}
	}
	return false
}

// TestSVG also puts hostile names in: markup, escape sequences, control characters, bad UTF-8.
func TestSVG(t *testing.T) {
	f := full(20)
	evil := "<script>\"&'\x1b[31m\x00\u202e\xff]]>"
	f.Note, f.Title = evil, evil
	f.A.Sets[4].Name = evil
	f.B.Statistics[0].Name, f.B.Spectra[0].XLabel = evil, evil
	f.C.Rows[1].Label = evil
	f.D.Nets[0].Name, f.D.Nets[0].Layers[0].Name = evil, evil
	data := encode(t, f, "svg")
	elements := make(map[string]int)
	texts := make(map[string]string)
	d := xml.NewDecoder(bytes.NewReader(data))
	last := ""
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			last = tok.Name.Local
			elements[last]++
			if last == "text" && !fitted(tok) {
				t.Errorf("a text without its width: %v", tok.Attr)
			}
		case xml.CharData:
			texts[last] += string(tok)
		}
	}
	if elements["title"] != 1 || elements["desc"] != 1 || elements["script"] != 0 {
		t.Errorf("title, desc, script = %d, %d, %d, want 1, 1, 0",
			elements["title"], elements["desc"], elements["script"])
	}
	if !strings.Contains(texts["desc"], "Panel d.") {
		t.Errorf("desc = %.80q, want every panel", texts["desc"])
	}
	for _, bad := range []string{"\x1b", "\u202e", "image/jpg"} {
		if bytes.Contains(data, []byte(bad)) {
			t.Errorf("file holds %q", bad)
		}
	}
}

func TestSameBytesTwice(t *testing.T) {
	for _, format := range []string{"png", "svg", "pdf"} {
		if !bytes.Equal(encode(t, full(700), format), encode(t, full(700), format)) {
			t.Errorf("%s: two files of one figure differ", format)
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := (Figure{}).Save(t.TempDir()); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty figure: %v, want ErrEmpty", err)
	}
	if _, err := full(3).Encode("gif"); err == nil {
		t.Error("unknown format: no error")
	}
	for name, spoil := range map[string]func(*Figure){
		"FID":        func(f *Figure) { f.A.FID[0].Value = math.NaN() },
		"rate":       func(f *Figure) { f.A.Detection[0].Hi = math.Inf(1) },
		"confidence": func(f *Figure) { f.A.Confidence[0].Values[1] = math.NaN() },
		"statistic":  func(f *Figure) { f.B.Statistics[1].Groups[0].Values[0] = math.NaN() },
		"spectrum":   func(f *Figure) { f.B.Spectra[0].Series[0].Mean[3] = math.Inf(-1) },
		"pair":       func(f *Figure) { f.C.Pairs[0].BigGAN = math.NaN() },
		"median":     func(f *Figure) { f.C.DeePSim.SE = math.NaN() },
		"score":      func(f *Figure) { f.D.Nets[1].Layers[0].DeePSim[0] = math.NaN() },
		"test":       func(f *Figure) { f.D.Nets[0].Test.Log10P = math.NaN() },
	} {
		f := full(3)
		spoil(&f)
		if _, err := f.Encode("svg"); !errors.Is(err, ErrNotFinite) {
			t.Errorf("%s: error %v, want ErrNotFinite", name, err)
		}
	}
	f := full(3)
	f.C.Rows[0].Images[0].Pix = nil
	if _, err := f.Encode("svg"); err == nil {
		t.Error("image without pixels: no error")
	}
	f = full(3)
	f.B.Spectra[0].Series[0].SEM = []float64{1}
	if _, err := f.Encode("svg"); err == nil {
		t.Error("curve of unequal lengths: no error")
	}
}

func encode(t *testing.T, f Figure, format string) []byte {
	t.Helper()
	data, err := f.Encode(format)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return data
}

func BenchmarkPNG(b *testing.B) {
	f := full(2000)
	for b.Loop() {
		if _, err := f.Encode("png"); err != nil {
			b.Fatal(err)
		}
	}
}
