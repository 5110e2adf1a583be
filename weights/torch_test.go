package weights

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func openFixture(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join(formats(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// safetensorsOf is a file's tensors as a safetensors file.
func safetensorsOf(t *testing.T, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteSafetensors(&b, f.Tensors, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTorchProtocols wants one state dict in all layouts and protocols to give the same bytes.
func TestTorchProtocols(t *testing.T) {
	want := safetensorsOf(t, openFixture(t, "zip_state_dict.pt"))
	for _, name := range []string{"legacy_state_dict.pt", "zip_protocol4.pt"} {
		if !bytes.Equal(safetensorsOf(t, openFixture(t, name)), want) {
			t.Errorf("%s differs from zip_state_dict.pt", name)
		}
	}
	for _, pair := range [][2]string{{"half_bf16.pt", "half_bf16_legacy.pt"},
		{"shared.pt", "shared_legacy.pt"},
		{"shared.pt", "big_endian.pt"}, {"shared.pt", "zip_deflated.pt"}} {
		if !bytes.Equal(safetensorsOf(t, openFixture(t, pair[0])),
			safetensorsOf(t, openFixture(t, pair[1]))) {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
	// Protocols 3 and 5 have all instructions that these two use.
	for name, protocol := range map[string]string{"zip_state_dict.pt": "\x03",
		"zip_protocol4.pt": "\x05"} {
		b, err := os.ReadFile(filepath.Join(formats(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			f, err := Parse(rezip(t, b, method, func(p string) string {
				return p[:1] + protocol + p[2:]
			}))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(safetensorsOf(t, f), want) {
				t.Errorf("protocol %q differs", protocol)
			}
		}
	}
}

// rezip writes an archive again, with another pickle.
func rezip(t *testing.T, b []byte, method uint16, change func(string) string) []byte {
	t.Helper()
	a, err := openArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	var members []contents
	for _, m := range a.members {
		c, err := a.contents(m)
		if err != nil {
			t.Fatal(err)
		}
		data := string(c)
		if strings.HasSuffix(m.name, "/data.pkl") {
			data = change(data)
		}
		members = append(members, contents{m.name, data})
	}
	return zipOf(t, method, members...)
}

// TestTorchViews are tensors by hand: type, storage, offset, sizes and strides.
func TestTorchViews(t *testing.T) {
	twelve := ramp(12)
	for _, c := range []struct {
		name   string
		p      planned
		want   string // error, or empty
		values []float64
	}{
		{"all", planned{numel: 12, size: []int{2, 2}, stride: []int{6, 3}}, "", []float64{0, 3, 6, 9}},
		{"scalar", planned{numel: 12, offset: 5}, "", []float64{5}},
		{"scalar past the end", planned{numel: 12, offset: 12}, "outside", nil},
		{"empty at the end", planned{numel: 12, offset: 12, size: []int{0}, stride: []int{1}}, "",
			[]float64{}},
		{"empty past the end", planned{numel: 12, offset: 13, size: []int{0}, stride: []int{1}},
			"outside", nil},
		{"empty with strides", planned{numel: 12, size: []int{0, 3}, stride: []int{1 << 62, -1}},
			"", []float64{}},
		{"expanded", planned{numel: 12, offset: 7, size: []int{3}, stride: []int{0}}, "",
			[]float64{7, 7, 7}},
		{"transposed", planned{numel: 12, size: []int{2, 3}, stride: []int{1, 2}}, "",
			[]float64{0, 2, 4, 1, 3, 5}},
		{"overlapping", planned{numel: 12, size: []int{2, 3}, stride: []int{1, 1}}, "",
			[]float64{0, 1, 2, 1, 2, 3}},
		{"one wide, any stride",
			planned{numel: 12, size: []int{1, 2, 1}, stride: []int{1 << 62, 1, -7}}, "",
			[]float64{0, 1}},
		{"four dimensions", planned{numel: 12, size: []int{1, 2, 1, 2}, stride: []int{99, 1, 5, 3}},
			"",
			[]float64{0, 3, 1, 4}},
		{"last", planned{numel: 12, size: []int{2, 2}, stride: []int{8, 3}}, "",
			[]float64{0, 3, 8, 11}},
		{"one past the last", planned{numel: 12, size: []int{2, 2}, stride: []int{8, 4}}, "outside",
			nil},
		{"sum overflows", planned{numel: 12, size: []int{2, 2, 2},
			stride: []int{1 << 62, 1 << 62, 1 << 62}},
			"outside", nil},
		{"product overflows", planned{numel: 12, size: []int{3}, stride: []int{1 << 62}}, "outside",
			nil},
		{"shape overflows", planned{numel: 12, size: []int{1 << 40, 1 << 40, 0}, stride: []int{0, 0, 0}},
			"overflows", nil},
		{"numel overflows", planned{numel: 1 << 62, size: []int{1}, stride: []int{1}},
			"holds 48 bytes", nil},
		{"rank", planned{numel: 12, size: make([]int, 33), stride: make([]int, 33)},
			"33 dimensions", nil},
		{"too large a copy", planned{numel: 12, size: []int{1 << 20, 20}, stride: []int{0, 0}},
			"copies", nil},
		{"third version", planned{storage: "UntypedStorage", numel: 48, offset: 1, size: []int{2},
			stride: []int{1}, rebuild: "_rebuild_tensor_v3", dtype: "float32"}, "", []float64{1, 2}},
		{"third version, complex", planned{storage: "UntypedStorage", numel: 48, size: []int{2},
			stride: []int{1}, rebuild: "_rebuild_tensor_v3", dtype: "complex64"}, "complex64", nil},
		{"third version, past the end", planned{storage: "UntypedStorage", numel: 48, offset: 11,
			size: []int{2}, stride: []int{1}, rebuild: "_rebuild_tensor_v3", dtype: "float32"},
			"outside", nil},
		{"quantized", planned{storage: "QInt8Storage", numel: 48, size: []int{2}, stride: []int{1}},
			"qint8", nil},
		{"other type", planned{storage: "DoubleStorage", numel: 12, size: []int{1}, stride: []int{1}},
			"12 elements of F64", nil},
		{"other record", planned{key: "1", numel: 12}, "not in the archive", nil},
	} {
		c.p.name = "x"
		if c.p.storage == "" {
			c.p.storage = "FloatStorage"
		}
		if c.p.key == "" {
			c.p.key = "0"
		}
		f, err := Parse(torchOf(t, stateDict(c.p), twelve))
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x, _ := f.Tensor("x")
		if got, err := x.Float64s(); err != nil || !slices.Equal(got, c.values) ||
			!slices.Equal(x.Shape, c.p.size) {
			t.Errorf("%s: %v %v, %v, want %v", c.name, x.Shape, got, err, c.values)
		}
	}
}

// small is a checkpoint of about 1 KB, in both layouts.
func small(tb testing.TB) (archive, legacy []byte) {
	p := stateDict(planned{name: "w", storage: "FloatStorage", key: "0", numel: 12, size: []int{3, 4},
		stride: []int{1, 3}})
	return torchOf(tb, p, ramp(12)),
		legacyOf(p, map[string]string{"0": ramp(12)}, map[string]int{"0": 12})
}

// TestCheckpointsTruncated cuts files at every byte: always an error, never a panic.
func TestCheckpointsTruncated(t *testing.T) {
	zipped, legacy := small(t)
	var npz bytes.Buffer
	x := Tensor{Name: "a", DType: F32, Shape: []int{12}, Data: []byte(ramp(12))}
	if _, err := WriteNPZ(&npz, []Tensor{x}); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"zip": zipped, "legacy": legacy, "npz": npz.Bytes()}
	for _, name := range []string{"shared_legacy.pt", "zip_deflated.pt", "version2.npy", "single.npy",
		"module_prefix.pt"} {
		b, err := os.ReadFile(filepath.Join(formats(t), name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	path := filepath.Join(t.TempDir(), "cut")
	for name, b := range files {
		if _, err := Parse(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range len(b) {
			if _, err := Parse(b[:n]); err == nil {
				t.Errorf("%s cut to %d of %d bytes: no error", name, n, len(b))
			}
		}
		if err := os.WriteFile(path, b[:len(b)-1], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with the path", name, err)
		}
	}
}

// TestTorchFlipped changes every byte of the archive: no panic, and where it is read the tensor has
// its shape. In stored contents every change is found.
func TestTorchFlipped(t *testing.T) {
	zipped, legacy := small(t)
	data := bytes.Index(zipped, []byte(ramp(12)))
	for _, b := range [][]byte{zipped, legacy} {
		for i := range b {
			changed := bytes.Clone(b)
			changed[i] ^= 0x10
			f, err := Parse(changed)
			if err == nil && &b[0] == &zipped[0] && i >= data && i < data+48 {
				t.Errorf("byte %d changed: no error", i)
			}
			if err == nil && len(f.Tensors) == 1 {
				if err := f.Tensors[0].check(); err != nil {
					t.Errorf("byte %d changed: %v", i, err)
				}
			}
		}
	}
}

// TestTorchContainers tells where tensors are found.
func TestTorchContainers(t *testing.T) {
	tensor := func(name, key string) string {
		return text8(name) + planned{storage: "FloatStorage", key: key, numel: 1}.pickle() + "s"
	}
	nest := func(name, inner string) string { return text8(name) + "}" + inner + "s" }
	for _, c := range []struct {
		name, dict, container, tensor string
		given                         []string
	}{
		{name: "top", dict: tensor("w", "0"), tensor: "w"},
		{name: "beside", dict: tensor("acc", "1") + nest("state_dict", tensor("w", "0")),
			container: "state_dict", tensor: "w"},
		{name: "within", dict: nest("model", nest("state_dict", tensor("w", "0"))),
			container: "model.state_dict", tensor: "w"},
		{name: "order", dict: nest("model", tensor("v", "1")) +
			nest("model_state_dict", tensor("w", "0")),
			container: "model_state_dict", tensor: "w"},
		{name: "given", dict: nest("model", tensor("v", "1")) + nest("ema", tensor("w", "0")),
			container: "ema", tensor: "w", given: []string{"ema", "model"}},
		{name: "empty container", dict: text8("model") + "}s" + tensor("w", "0"), tensor: "w"},
		{name: "None in it", dict: text8("model") + "Ns" + tensor("w", "0"), tensor: "w"},
	} {
		f, err := ParseTorch(torchOf(t, "\x80\x02}"+c.dict+".", "\x00\x00\x80\x3f", "abcd"), c.given...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if x, ok := f.Tensor(c.tensor); !ok || len(f.Tensors) != 1 ||
			f.Metadata["container"] != c.container ||
			string(x.Data) != "\x00\x00\x80\x3f" {
			t.Errorf("%s: %v in %q", c.name, f.Tensors, f.Metadata["container"])
		}
	}
	for name, c := range map[string]struct{ pickle, want string }{
		"twice": {"\x80\x02}" + tensor("w", "0") + tensor("w", "1") + ".", `"w": appears twice`},
		"number": {"\x80\x02}K\x05" + planned{storage: "FloatStorage", numel: 1}.pickle() + "s.",
			"an integer"},
		"not text": {"\x80\x02}" + tensor("\xff", "0") + ".", "not UTF-8"},
		"nothing":  {"\x80\x02}" + nest("netG", tensor("w", "0")) + ".", `with keys "netG"`},
	} {
		_, err := Parse(torchOf(t, c.pickle, "\x00\x00\x80\x3f", "abcd"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	// A tensor alone.
	alone := planned{storage: "FloatStorage", key: "0", numel: 1}.pickle()
	f, err := Parse(torchOf(t, "\x80\x02"+alone+".", "\x00\x00\x80\x3f"))
	if err != nil || len(f.Tensors) != 1 || f.Tensors[0].Name != "" {
		t.Errorf("a tensor alone: %v", err)
	}
}
