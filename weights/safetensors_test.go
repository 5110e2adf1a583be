package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// formats is the folder of good and hostile files: $GANSIM_ORACLE/formats, or the one in testdata.
func formats(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("GANSIM_ORACLE")
	if dir == "" {
		dir = filepath.Join("..", "gansim", "testdata", "oracle")
	}
	return filepath.Join(dir, "formats")
}

type indexEntry struct {
	File, Expect, Must, Level string
	Tensors                   map[string]struct {
		Shape  []int
		DType  string
		Values []any
	}
	Metadata map[string]string
}

func index(tb testing.TB) []indexEntry {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(formats(tb), "index.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var all struct{ Files []indexEntry }
	if err := json.Unmarshal(b, &all); err != nil {
		tb.Fatal(err)
	}
	out := slices.DeleteFunc(all.Files, func(e indexEntry) bool {
		return !strings.HasSuffix(e.File, ".safetensors")
	})
	if len(out) == 0 {
		tb.Fatal("no safetensors files in the index")
	}
	return out
}

// words are what an error must say, by the words of the index that ask for it.
var words = map[string]string{
	"web page": "web page", "LFS pointer": "Git LFS pointer", "header length 2^63": "header of",
	"longer than the file": "header of", "empty header": "empty header", "not an object": "object",
	"w twice": `"w" occurs twice`, "data ends before": "truncated", "overlap": "overlap",
	"hole": "hole", "after the last": "after the last", "3 floats are 12": "12 bytes",
	"count overflows": "overflows", "names the dtype": "unknown dtype", "too short": "too short",
}

func TestFixtures(t *testing.T) {
	for _, e := range index(t) {
		t.Run(e.File, func(t *testing.T) {
			path := filepath.Join(formats(t), e.File)
			f, err := OpenSafetensors(path)
			if b, readErr := os.ReadFile(path); readErr == nil {
				g, parseErr := ParseSafetensors(b)
				if (err == nil) != (parseErr == nil) || !reflect.DeepEqual(f, g) {
					t.Errorf("parsed from memory: %v, from the file: %v", parseErr, err)
				}
			}
			switch {
			case e.Expect == "ok":
				if err != nil {
					t.Fatal(err)
				}
				checkContents(t, f, e)
			case e.Level == "model":
				if err != nil {
					t.Fatal(err) // readable; what is wrong shows against a model
				}
			default:
				checkError(t, err, path, e.Must)
			}
		})
	}
}

func checkError(t *testing.T, err error, path, must string) {
	t.Helper()
	var format *FormatError
	if !errors.As(err, &format) || format.Path != path {
		t.Fatalf("error %v, want a FormatError with the path", err)
	}
	for asked, said := range words {
		if strings.Contains(must, asked) && !strings.Contains(err.Error(), said) {
			t.Errorf("error %q, must be %s", err, must)
		}
	}
}

func checkContents(t *testing.T, f *File, e indexEntry) {
	t.Helper()
	if len(f.Tensors) != len(e.Tensors) {
		t.Errorf("%d tensors, want %d", len(f.Tensors), len(e.Tensors))
	}
	if diff := cmp.Diff(e.Metadata, f.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	types := map[DType]string{F32: "float32", F16: "float16", BF16: "bfloat16", F64: "float64",
		I64: "int64", I32: "int32", U8: "uint8", Bool: "bool"}
	for name, want := range e.Tensors {
		got, ok := f.Tensor(name)
		if !ok || types[got.DType] != want.DType || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s: %s %v, want %s %v", name, got.DType, got.Shape, want.DType, want.Shape)
			continue
		}
		if diff := cmp.Diff(want.Values, values(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// values gives the elements as encoding/json would.
func values(t *testing.T, x Tensor) []any {
	t.Helper()
	out := make([]any, x.Len())
	if f, err := x.Float64s(); err == nil {
		for i, v := range f {
			out[i] = v
		}
		return out
	}
	v, err := x.Int64s()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range v {
		if out[i] = any(float64(v)); x.DType == Bool {
			out[i] = v != 0
		}
	}
	return out
}

func sample(t testing.TB) []byte {
	t.Helper()
	var tensors []Tensor
	for _, s := range []struct {
		name  string
		dtype DType
		shape []int
	}{{"b.bias", F32, []int{6}}, {"a.weight", F16, []int{2, 3}}, {`<"ß">`, F64, []int{1, 6}}} {
		x, err := FromFloats(s.name, s.dtype, s.shape, []float32{0, 1, -2, 0.5, 3, -0.25})
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, x)
	}
	tensors = append(tensors, Tensor{Name: "n", DType: I64, Data: []byte{255, 1, 0, 0, 0, 0, 0, 0}},
		Tensor{Name: "none", DType: F32, Shape: []int{0, 4}})
	var b bytes.Buffer
	sum, err := WriteSafetensors(&b, tensors, map[string]string{"format": "pt", "by": "gansim"})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(tensors)
	var again bytes.Buffer
	metadata := map[string]string{"by": "gansim", "format": "pt"}
	if _, err := WriteSafetensors(&again, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the order of the tensors changed the file")
	}
	f, err := ParseSafetensors(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := f.SHA256(); got != sum {
		t.Errorf("SHA256 is %s, the writer said %s", got, sum)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	f, err := ParseSafetensors(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range f.Tensors {
		names = append(names, x.Name)
	}
	if want := []string{`<"ß">`, "a.weight", "b.bias", "n", "none"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	x, _ := f.Tensor("a.weight")
	got, err := x.Float32s()
	if want := []float32{0, 1, -2, 0.5, 3, -0.25}; err != nil || !slices.Equal(got, want) {
		t.Errorf("a.weight is %v, %v, want %v", got, err, want)
	}
	if _, ok := f.Tensor("c"); ok {
		t.Error("found a tensor that is not there")
	}
}

func TestWriteErrors(t *testing.T) {
	ok := Tensor{Name: "a", DType: U8, Shape: []int{1}, Data: []byte{1}}
	for _, c := range []struct {
		name    string
		tensors []Tensor
	}{
		{"twice", []Tensor{ok, ok}},
		{"reserved", []Tensor{{Name: metadataKey, DType: U8, Shape: []int{0}}}},
		{"not UTF-8", []Tensor{{Name: "\xff", DType: U8, Shape: []int{0}}}},
		{"data", []Tensor{{Name: "a", DType: F32, Shape: []int{2}, Data: make([]byte, 7)}}},
		{"negative", []Tensor{{Name: "a", DType: F32, Shape: []int{-1, -1}, Data: make([]byte, 4)}}},
		{"dtype", []Tensor{{Name: "a", DType: "X"}}},
	} {
		if _, err := WriteSafetensors(new(bytes.Buffer), c.tensors, nil); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
	if _, err := FromFloats("a", F16, []int{1}, []float64{70000}); err == nil {
		t.Error("70000 as a half: no error")
	}
	if x, err := FromFloats("a", F16, []int{1}, []float64{math.Inf(1)}); err != nil {
		t.Error(err)
	} else if nan, inf := x.NonFinite(); nan != 0 || inf != 1 {
		t.Errorf("NonFinite: %d, %d, want 0, 1", nan, inf)
	}
}

// TestTruncated cuts a file at every byte: always an error, never a panic.
func TestTruncated(t *testing.T) {
	b := sample(t)
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	for n := range len(b) {
		if _, err := ParseSafetensors(b[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(b))
		}
		if err := os.WriteFile(path, b[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSafetensors(path); err == nil {
			t.Errorf("file cut to %d of %d bytes: no error", n, len(b))
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := OpenSafetensors(t.TempDir()); err == nil {
		t.Error("a folder: no error")
	}
	if _, err := OpenSafetensors("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestHeaders are headers that a lenient JSON reader would let pass.
func TestHeaders(t *testing.T) {
	const good = `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`
	for _, c := range []struct{ name, header string }{
		{"", good},
		{"key in capitals", strings.Replace(good, "dtype", "DTYPE", 1)},
		{"unknown field", strings.Replace(good, `"dtype"`, `"x":1,"dtype"`, 1)},
		{"field twice", strings.Replace(good, `"dtype"`, `"dtype":"U8","dtype"`, 1)},
		{"null shape", strings.Replace(good, "[2]", "null", 1)},
		{"exponent", strings.Replace(good, "[2]", "[2e0]", 1)},
		{"string number", strings.Replace(good, "[2]", `["2"]`, 1)},
		{"nested", strings.Replace(good, "[2]", "[[2]]", 1)},
		{"three offsets", strings.Replace(good, "[0,2]", "[0,2,2]", 1)},
		{"rank", strings.Replace(good, "[2]", "[2"+strings.Repeat(",1", 32)+"]", 1)},
		{"two objects", good + good},
		{"trailing comma", strings.Replace(good, "}}", "},}", 1)},
		{"not UTF-8", strings.Replace(good, `"a"`, "\"\xff\"", 1)},
		{"metadata of numbers", `{"__metadata__":{"a":1},` + good[1:]},
		{"metadata twice", `{"__metadata__":{"a":"1","a":"2"},` + good[1:]},
		{"deep", strings.Repeat(`{"a":`, 100_000)},
	} {
		b := append([]byte{byte(len(c.header)), byte(len(c.header) >> 8), byte(len(c.header) >> 16),
			0, 0, 0, 0, 0}, c.header...)
		_, err := ParseSafetensors(append(b, 1, 2))
		if (err == nil) != (c.name == "") {
			t.Errorf("%q: error %v", c.name, err)
		}
	}
}

// FuzzSafetensors wants no panic, no allocation far beyond the file's size, and what is read and
// written again to be the same.
func FuzzSafetensors(f *testing.F) {
	for _, e := range index(f) {
		if b, err := os.ReadFile(filepath.Join(formats(f), e.File)); err == nil {
			f.Add(b)
		}
	}
	f.Add(sample(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := ParseSafetensors(b)
		runtime.ReadMemStats(&after)
		// A header byte may cost a map slot and a string; the rest is a constant for readers.
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(100*len(b)+1<<16) {
			t.Fatalf("%d bytes allocated for a file of %d", n, len(b))
		}
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if _, err := WriteSafetensors(&first, file.Tensors, file.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := ParseSafetensors(first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(file.Tensors, again.Tensors); diff != "" {
			t.Fatalf("tensors (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(file.Metadata, again.Metadata); diff != "" {
			t.Fatalf("metadata (-first +second):\n%s", diff)
		}
		if _, err := WriteSafetensors(&second, again.Tensors, again.Metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("written twice, other bytes")
		}
	})
}
