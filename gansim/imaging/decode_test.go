package imaging

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"gansim.example/gansim/internal/oracle"
)

func TestOrient(t *testing.T) {
	want := map[int]string{ // of the rows ab, cd, ef
		1: "ab/cd/ef", 2: "ba/dc/fe", 3: "fe/dc/ba", 4: "ef/cd/ab",
		5: "ace/bdf", 6: "eca/fdb", 7: "fdb/eca", 8: "bdf/ace", 0: "ab/cd/ef", 9: "ab/cd/ef",
	}
	m := NewRGB(2, 3)
	for i := range m.Pix {
		m.Pix[i] = "abcdef"[i/3]
	}
	for orientation, rows := range want {
		out := orient(m, orientation)
		var got []string
		for y := range out.Height {
			s := ""
			for x := range out.Width {
				s += string(out.Row(y)[3*x])
			}
			got = append(got, s)
		}
		if strings.Join(got, "/") != rows {
			t.Errorf("orientation %d: got %v, want %s", orientation, got, rows)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none.png"), DecodeOptions{}); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for name, content := range map[string]string{"text": "hello", "empty": ""} {
		if _, err := Decode(strings.NewReader(content), DecodeOptions{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want ErrFormat", name, err)
		}
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, NewRGB(5, 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(&b, DecodeOptions{MaxPixels: 19}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: got %v, want ErrTooLarge", err)
	}
}

// FuzzDecode asks for no panic, and for memory within a constant and the pixel limit.
func FuzzDecode(f *testing.F) {
	dir, err := oracle.Dir()
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "images", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil && len(data) < 4096 {
			f.Add(data)
		}
	}
	const limit = 1 << 16
	const fuzzTime = 5 * time.Second
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		m, err := Decode(bytes.NewReader(data), DecodeOptions{MaxPixels: limit})
		runtime.ReadMemStats(&after)
		if took := time.Since(start); took > fuzzTime {
			t.Errorf("took %v for a file of %d bytes", took, len(data))
		}
		if err != nil {
			if strings.Contains(err.Error(), "decoder panic") {
				t.Log(err)
			}
		} else if m.check() != nil || m.Width*m.Height > limit {
			t.Errorf("picture of %dx%d with %d values", m.Width, m.Height, len(m.Pix))
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20+64*uint64(len(data)) {
			t.Errorf("allocated %d bytes for a file of %d", grown, len(data))
		}
	})
}
