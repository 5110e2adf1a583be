package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// fixture is one file of images.json.
type fixture struct {
	File         string
	Expect       string
	Must         string
	Format       string
	Size         [2]int
	CRC32        uint32
	Tensor       string
	Optional     bool
	HighByte     *uint32 `json:"crc32_high_byte"`
	Turned       *uint32 `json:"crc32_transposed"`
	SizeTurned   [2]int  `json:"size_transposed"`
	MaxDeviation int     `json:"max_deviation"`
	MemoryMB     int     `json:"memory_mb"`
}

type imageIndex struct {
	PixelCap int `json:"pixel_cap"`
	Bound    struct {
		Max  int
		Mean float64
	} `json:"jpeg_other_idct"`
	Files []fixture
}

// knownGaps are optional files that are refused with ErrUnsupported.
var knownGaps = []string{
	"progressive_restart.jpg", "scans_not_interleaved_restart.jpg", // image/jpeg
	"rgb555.bmp", "rle8.bmp", // x/image/bmp
	"rgb_planar.tif", // x/image/tiff
}

// refusedByDecoder are oversized files that fail before our limit is asked.
var refusedByDecoder = []string{"claims_65535_frame.gif", "claims_4e9.tif"}

// fourInks is what one more table of inks adds to the bound of the inverse DCT.
const fourInks = 2

// defaultMemoryMB is the memory any file may take.
const defaultMemoryMB = 512

func TestDecodeFixtures(t *testing.T) {
	var index imageIndex
	readJSON(t, "images", &index)
	if index.PixelCap != MaxPixels {
		t.Errorf("MaxPixels %d, want %d", MaxPixels, index.PixelCap)
	}
	tensors := readTensors(t, "images")
	right := 0
	for _, f := range index.Files {
		t.Run(f.File, func(t *testing.T) {
			path := filepath.Join(oracleDir(), "images", f.File)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := Open(path, DecodeOptions{AsStored: true})
			runtime.ReadMemStats(&after)
			limit := uint64(defaultMemoryMB)
			if f.MemoryMB > 0 {
				limit = uint64(f.MemoryMB)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > limit {
				t.Errorf("allocated %d MB, want at most %d", mb, limit)
			}
			if err != nil && !strings.Contains(err.Error(), f.File) {
				t.Errorf("error %q does not name the file", err)
			}
			if bad := f.judge(m, err, tensors[f.Tensor], &index); bad != "" {
				t.Error(bad)
				return
			}
			right++
			if f.Turned != nil && err == nil {
				checkTurned(t, path, f, m)
			}
		})
	}
	t.Logf("%d of %d files as required", right, len(index.Files))
}

// judge says what is wrong with the result, "" for nothing.
func (f fixture) judge(m RGB, err error, want []byte, index *imageIndex) string {
	switch {
	case f.Expect == "error" && err == nil:
		return "decoded, want an error"
	case f.Expect == "error" && strings.Contains(f.Must, "before allocating") &&
		!errors.Is(err, ErrTooLarge) && !slices.Contains(refusedByDecoder, f.File):
		return fmt.Sprintf("error %q, want ErrTooLarge", err)
	case f.Expect == "error", f.Expect == "either" && err != nil:
		return ""
	case f.Optional && slices.Contains(knownGaps, f.File):
		if !errors.Is(err, ErrUnsupported) {
			return fmt.Sprintf("error %v, want ErrUnsupported", err)
		}
		return ""
	case err != nil:
		return err.Error()
	case f.Expect == "either":
		return ""
	case m.Width != f.Size[0] || m.Height != f.Size[1]:
		return fmt.Sprintf("size %dx%d, want %v", m.Width, m.Height, f.Size)
	case checksum(m.Pix) == f.CRC32, f.HighByte != nil && checksum(m.Pix) == *f.HighByte:
		return ""
	case f.MaxDeviation == 0:
		largest, _ := deviation(m.Pix, want)
		return fmt.Sprintf("not equal, off by %d", largest)
	}
	bound, boundMean := f.MaxDeviation, float64(f.MaxDeviation)
	if f.Format == "JPEG" {
		bound, boundMean = index.Bound.Max, index.Bound.Mean
		if f.MaxDeviation > 1 {
			bound, boundMean = bound+fourInks, boundMean+fourInks
		}
	}
	largest, mean := deviation(m.Pix, want)
	if largest > bound || mean > boundMean {
		return fmt.Sprintf("off by %d, mean %.3f, want %d, %.2f", largest, mean, bound, boundMean)
	}
	return ""
}

// checkTurned compares with the stored picture turned as the fixture says: by checksum where pixels
// are exact, otherwise by size.
func checkTurned(t *testing.T, path string, f fixture, stored RGB) {
	t.Helper()
	m, err := Open(path, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := [2]int{m.Width, m.Height}; got != f.SizeTurned {
		t.Errorf("turned: size %v, want %v", got, f.SizeTurned)
	}
	if checksum(stored.Pix) == f.CRC32 && checksum(m.Pix) != *f.Turned {
		t.Error("turned: pixels differ")
	}
}

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
	files, err := filepath.Glob(filepath.Join(oracleDir(), "images", "*"))
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
