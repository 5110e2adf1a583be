package imaging

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// oracleDir is the folder of reference files: $GANSIM_ORACLE, or the one in testdata.
func oracleDir() string {
	if dir := os.Getenv("GANSIM_ORACLE"); dir != "" {
		return dir
	}
	return filepath.Join("..", "testdata", "oracle")
}

// readJSON reads NAME.json of the reference files.
func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(oracleDir(), name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// readTensors returns the bytes of each tensor of NAME.safetensors.
func readTensors(t testing.TB, name string) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(oracleDir(), name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := 8 + int(binary.LittleEndian.Uint64(data))
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:n], &header); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for key, raw := range header {
		if key == "__metadata__" {
			continue
		}
		var entry struct {
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &entry); err != nil {
			t.Fatal(err)
		}
		out[key] = data[n+entry.Offsets[0] : n+entry.Offsets[1]]
	}
	return out
}

// floats reads little-endian float32.
func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// uniform is the references' formula: element i of the stream of a name, in [-1, 1).
func uniform(hash uint64, i int) float64 {
	z := hash + uint64(i) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11)*0x1p-52 - 1
}

// formulaImage is the references' test picture of a name.
func formulaImage(salt, name string, width, height int) RGB {
	m := NewRGB(width, height)
	blocks := []int{64, 16, 4, 1}
	var hash [4]uint64
	for q, b := range blocks {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s%s/b%d", salt, name, b)
		hash[q] = h.Sum64()
	}
	for i := range m.Pix {
		y, x, c := i/3/width, i/3%width, i%3
		s := 0.0
		for q, b := range blocks {
			lead := c
			if q%2 == 1 {
				lead = 0
			}
			hb, wb := (height+b-1)/b, (width+b-1)/b
			at := (lead*hb+y/b)*wb + x/b
			s += float64([]float64{.5, .25, .125, .125}[q] * uniform(hash[q], at))
		}
		m.Pix[i] = uint8(math.Floor((s + 1) * 128))
	}
	return m
}

func checksum(pix []uint8) uint32 { return crc32.ChecksumIEEE(pix) }

// deviation is the largest and the mean absolute difference.
func deviation(got, want []uint8) (largest int, mean float64) {
	for i := range got {
		d := int(got[i]) - int(want[i])
		d = max(d, -d)
		largest = max(largest, d)
		mean += float64(d) / float64(len(got))
	}
	return largest, mean
}
