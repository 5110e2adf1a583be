package imstat

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// oracleFile reads a reference file; GANSIM_ORACLE names another directory.
func oracleFile(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("GANSIM_ORACLE")
	if dir == "" {
		dir = "../testdata/oracle"
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// number is a JSON number or one of the strings NaN, Inf, -Inf.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*n = number(math.NaN())
	case `"Inf"`:
		*n = number(math.Inf(1))
	case `"-Inf"`:
		*n = number(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}

func floats64(v []number) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// readTensors reads the tensors of a safetensors file, F32 and U8, as float64.
func readTensors(t testing.TB, name string) map[string][]float64 {
	t.Helper()
	raw := oracleFile(t, name)
	size := binary.LittleEndian.Uint64(raw)
	var header map[string]struct {
		Dtype   string
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:8+size], &header); err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]float64)
	for key, h := range header {
		data := raw[8+int(size):][h.Offsets[0]:h.Offsets[1]]
		switch h.Dtype {
		case "U8":
			for _, v := range data {
				out[key] = append(out[key], float64(v))
			}
		case "F32":
			for i := 0; i < len(data); i += 4 {
				v := math.Float32frombits(binary.LittleEndian.Uint32(data[i:]))
				out[key] = append(out[key], float64(v))
			}
		}
	}
	return out
}

// formulaImages repeats the reference files' 8-bit images: four grains of block noise.
func formulaImages(name string, n, height, width int) []uint8 {
	grains := []struct {
		name   string
		size   int
		weight float64
		grey   bool
	}{{"/b64", 64, 0.5, false}, {"/b16", 16, 0.25, true}, {"/b4", 4, 0.125, false},
		{"/b1", 1, 0.125, true}}
	sum := make([]float64, n*height*width*3)
	for _, g := range grains {
		hash := fnv(name + g.name)
		rows, columns := (height+g.size-1)/g.size, (width+g.size-1)/g.size
		for i := range sum {
			c, x, y, item := i%3, i/3%width, i/3/width%height, i/3/width/height
			lead := item*3 + c
			if g.grey {
				lead = item
			}
			at := (lead*rows+y/g.size)*columns + x/g.size
			sum[i] += float64(g.weight * uniform(hash, uint64(at)))
		}
	}
	out := make([]uint8, len(sum))
	for i, v := range sum {
		out[i] = uint8(max(0, min(255, math.Floor((v+1)*128))))
	}
	return out
}

func fnv(name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	return h
}

func uniform(h, i uint64) float64 {
	z := h + i + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11)*0x1p-52 - 1
}

// near fails where got is further from want than rel of want (or abs near zero); NaN wants NaN.
func near(t *testing.T, what string, got, want []float64, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: length %d, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if math.IsNaN(got[i]) && math.IsNaN(want[i]) {
			continue
		}
		if !(math.Abs(got[i]-want[i]) <= rel*math.Abs(want[i])+absTol) {
			t.Errorf("%s: element %d is %.17g, want %.17g", what, i, got[i], want[i])
			return
		}
	}
}

// Tolerances. The reference files state 1e-9 and, for what passes through splines, 1e-6.
const (
	relTol    = 1e-9  // float64 sums in another order
	splineTol = 1e-6  // spline coefficients
	mapTol    = 2e-7  // maps are stored as float32
	absTol    = 1e-10 // zeros that are rounding noise in the reference: std of constant L*
)

type line struct{ Slope, Intercept number }

func (l line) floats() []float64 { return []float64{float64(l.Slope), float64(l.Intercept)} }

func (l Line) floats() []float64 { return []float64{l.Slope, l.Intercept} }

// crcOf is the checksum that the reference files give for 8-bit maps.
func crcOf(b []uint8) uint32 { return crc32.ChecksumIEEE(b) }
