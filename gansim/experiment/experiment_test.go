package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gansim.example/kernels"
)

// tiny touches every line in seconds.
var tiny = Preset{
	Name: "tiny", World: Miniature,
	A: SizeA{Images: 5},
	B: SizeB{Units: 1, Generations: 2},
	C: SizeC{Photos: 3, Steps: 3},
	D: SizeD{Layers: []string{"layer1", "fc"}, Channels: 1, Steps: 2,
		Labels: []string{"Adam01", "Adam001", "SGD001Hess"}},
}

func open(t *testing.T) compute.Backend {
	t.Helper()
	name := os.Getenv("GANSIM_TEST_BACKEND")
	if name == "" {
		name = "go"
	}
	b, err := kernels.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// run computes panels of the tiny preset.
func run(t *testing.T, b compute.Backend, o Options) (*Report, error) {
	t.Helper()
	o.preset = &tiny
	o.Seed = 7
	return Run(t.Context(), b, o)
}

// TestFigure computes everything twice: all files are there, and the rows are equal to the byte.
func TestFigure(t *testing.T) {
	b := open(t)
	first, second := t.TempDir(), t.TempDir()
	report, err := run(t, b, Options{Out: first})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, b, Options{Out: second}); err != nil {
		t.Fatal(err)
	}
	want := []string{"figure.png", "figure.svg", "figure.pdf", "report.md", "report.json"}
	for _, p := range Panels() {
		for _, ext := range []string{"png", "svg", "parquet", "csv"} {
			want = append(want, "panel_"+p+"."+ext)
		}
	}
	for _, name := range want {
		x, err := os.ReadFile(filepath.Join(first, name))
		if err != nil || len(x) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(x), err)
			continue
		}
		if strings.HasPrefix(name, "report.") {
			continue // holds the time
		}
		y, err := os.ReadFile(filepath.Join(second, name))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs between two runs of one seed (%v)", name, err)
		}
	}
	checkReport(t, report, filepath.Join(first, "report.json"))
}

func checkReport(t *testing.T, r *Report, path string) {
	t.Helper()
	var back map[string]any
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"preset", "seed", "weights", "versions", "device", "wall_s",
		"panel_a", "panel_b", "panel_c", "panel_d"} {
		if _, ok := back[key]; !ok {
			t.Errorf("report.json has no %q", key)
		}
	}
	if r.C.N != tiny.C.Photos || len(r.C.Tests) != 1 {
		t.Errorf("panel c: n = %d with %d tests, want %d and 1", r.C.N, len(r.C.Tests), tiny.C.Photos)
	}
	methods := map[string]int{"DeePSim": 1, "BigGAN": 2}
	rows := 2 * len(tiny.D.Layers) * tiny.D.Channels * (methods["DeePSim"] + methods["BigGAN"])
	if r.D.N != rows {
		t.Errorf("panel d: %d rows, want %d", r.D.N, rows)
	}
	if want := (4 + len(conditionsA)) * tiny.A.Images; r.A.N != want { // four natural sets
		t.Errorf("panel a: %d images, want %d", r.A.N, want)
	}
	var total, sum int
	for _, v := range r.B.Values {
		if v.Name != "images of the last generation" {
			continue
		}
		if v.Group == "both" {
			total = v.N
		} else {
			sum += v.N
		}
	}
	if total == 0 || total != sum {
		t.Errorf("panel b: %d images in all, generators have %d", total, sum)
	}
}

// TestResume interrupts a run: finished rows stay, going on gives the rows of a run without a break,
// and starting over by accident is refused.
func TestResume(t *testing.T) {
	b := open(t)
	whole, broken := t.TempDir(), filepath.Join(t.TempDir(), "results [1") // no pattern
	if _, err := run(t, b, Options{Out: whole, Panels: []string{"d"}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o := Options{Out: broken, Panels: []string{"d"}, Seed: 7, preset: &tiny,
		Progress: func(_ string, done, _ int) {
			if done == 3 {
				stop()
			}
		}}
	if _, err := Run(ctx, b, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that the run was interrupted", err)
	}
	kept, err := fs.Glob(os.DirFS(broken), partsDir+"/*.parquet")
	if err != nil || len(kept) < 3 || len(kept) > 2+maxWorkers {
		t.Errorf("%d finished parts are kept, want 3 or 4 (%v)", len(kept), err)
	}
	if _, err := os.Stat(filepath.Join(broken, "panel_d.parquet")); err == nil {
		t.Error("a table was written though the run is not finished")
	}
	o.Progress = nil
	if _, err := Run(t.Context(), b, o); !errors.Is(err, ErrInterrupted) {
		t.Errorf("got %v, want %v", err, ErrInterrupted)
	}
	o.Resume = true
	if _, err := Run(t.Context(), b, o); err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(filepath.Join(whole, "panel_d.parquet"))
	y, _ := os.ReadFile(filepath.Join(broken, "panel_d.parquet"))
	if len(x) == 0 || !bytes.Equal(x, y) {
		t.Error("the resumed run's rows differ from those of a run without a break")
	}
}

// TestDamagedPart cuts a finished part short: it is computed again.
func TestDamagedPart(t *testing.T) {
	b, dir := open(t), t.TempDir()
	o := Options{Out: dir, Panels: []string{"d"}, Resume: true}
	if _, err := run(t, b, o); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(filepath.Join(dir, "panel_d.parquet"))
	parts, _ := filepath.Glob(filepath.Join(dir, partsDir, "*.parquet"))
	if err := os.Truncate(parts[0], 100); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, b, o); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "panel_d.parquet")); !bytes.Equal(got, want) {
		t.Error("rows differ after a damaged part was computed again")
	}
}

// TestPhotos uses a folder with good and bad files.
func TestPhotos(t *testing.T) {
	b, dir := open(t), t.TempDir()
	for i, name := range []string{"a.png", "b.png", "c.png"} {
		m := image.NewRGBA(image.Rect(0, 0, 90, 70))
		for y := range 70 {
			for x := range 90 {
				m.Set(x, y, color.RGBA{uint8(x * (i + 1)), uint8(y * 3), uint8(x + y), 255})
			}
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, m); err != nil {
			t.Fatal(err)
		}
		data := buf.Bytes()
		if name == "c.png" {
			data = data[:len(data)/2]
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	var warned []string
	r, err := run(t, b, Options{Out: t.TempDir(), Photos: dir, Panels: []string{"a", "c"},
		Warn: func(s string) { warned = append(warned, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.C.N != 2 {
		t.Errorf("panel c has n = %d, want the 2 readable photographs", r.C.N)
	}
	all := strings.Join(warned, "\n")
	for _, name := range []string{"c.png", "notes.txt", "2 of 4"} {
		if !strings.Contains(all, name) {
			t.Errorf("no warning names %q: %s", name, all)
		}
	}
	found := false
	for _, v := range r.A.Values {
		found = found || v.Group == photographs
	}
	if !found {
		t.Errorf("panel a has no set %q", photographs)
	}
}

// TestRefused lists what is refused before anything is computed.
func TestRefused(t *testing.T) {
	b := open(t)
	empty, text := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(text, "a.jpg"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(text, "a.jpg")
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"preset", Options{Preset: "huge"}, "smoke, class"},
		{"paper", Options{Preset: "paper"}, "for published networks"},
		{"panel", Options{Preset: "smoke", Panels: []string{"e"}}, "a, b, c, d"},
		{"no folder", Options{Preset: "smoke", Photos: filepath.Join(empty, "none")}, "none"},
		{"empty folder", Options{Preset: "smoke", Photos: empty}, empty},
		{"all bad", Options{Preset: "smoke", Photos: text}, text},
		{"output", Options{Preset: "smoke", Out: filepath.Join(file, "x")}, "a.jpg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.o.Out == "" {
				c.o.Out = t.TempDir()
			}
			_, err := Run(t.Context(), b, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
