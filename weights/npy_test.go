package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// npyWith is an array of version 1 with a header as given.
func npyWith(header, data string) []byte {
	return []byte(npyMagic + "\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) +
		header + data)
}

func TestNPYHeaders(t *testing.T) {
	const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }    \n"
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for _, c := range []struct{ name, header, want string }{
		{"", good, ""}, {"", change("(2,)", "(2L,)"), ""}, {"", change("(2,)", "(1, 2)"), ""},
		{"", change(", }", "}"), ""}, {"", strings.ReplaceAll(good, "'", `"`), ""},
		{"", change("<f4", "<i4"), ""}, {"", change("False", "True"), ""},
		{"expression", change("2", "1+1"), "not a plain literal"},
		{"call", change("False", "open('x')"), "not a plain literal"},
		{"number", change("False", "0"), "not a plain literal"},
		{"list", change("(2,)", "[2]"), "not a plain literal"},
		{"negative", change("2", "-2"), "shape holds"},
		{"float", change("2", "2."), "not a plain literal"},
		{"too large", change("2", "99999999999999999999"), "shape holds"},
		{"rank", change("2", strings.Repeat("1,", 33)), "shape holds"},
		{"product", change("(2,)", "(4294967296, 4294967296, 0)"), "overflows"},
		{"twice", change("'shape'", "'descr': '<f4', 'shape'"), "occurs twice"},
		{"other key", change("}", "'x': True}"), "unknown key"},
		{"no end", change("}", ""), "not a plain"},
		{"two", strings.TrimSpace(good) + good, "after its end"}, {"empty", "", "not a plain"},
		{"escape", change("'<f4'", `'\x3cf4'`), "not a plain"},
		{"open string", "{'descr", "not a plain"},
		{"no comma", change(", 'shape'", " 'shape'"), "no comma"},
		{"no order", change("<f4", "f4"), "byte order"},
		{"native order", change("<f4", "=f4"), "byte order"},
		{"complex", change("<f4", "<c8"), "not supported"},
		{"text", change("<f4", "<U1"), "not supported"},
		{"objects", change("<f4", "|O"), "not read"}, {"objects", change("<f4", "O8"), "not read"},
		{"structured", change("'<f4'", "[('a', '<f4')]"), "structured"},
		{"trailing", change("2", "1"), "4 bytes after the array"},
		{"early", change("2", "3"), "ends early"},
	} {
		f, err := Parse(npyWith(c.header, ramp(2)))
		switch {
		case c.want == "" && (err != nil || f.Tensors[0].Len() != 2):
			t.Errorf("%q: %v", c.header, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
	for name, b := range map[string]string{"version 0": npyMagic + "\x00\x00\x00\x00",
		"short":       npyMagic + "\x01",
		"long header": npyMagic + "\x02\x00\xff\xff\xff\xff", "cut": npyMagic + "\x03\x00\x01\x00"} {
		if _, err := Parse([]byte(b)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestWriteNPZ wants equal bytes for equal contents, which are read back.
func TestWriteNPZ(t *testing.T) {
	var tensors []Tensor
	for _, d := range []DType{F64, F32, I64, F16, Bool, U8} {
		tensors = append(tensors, Tensor{Name: "t" + string(d), DType: d, Shape: []int{3, 2},
			Data: make([]byte, 6*d.Size())}, Tensor{Name: "s" + string(d), DType: d, Shape: []int{},
			Data: make([]byte, d.Size())},
			Tensor{Name: "e" + string(d), DType: d, Shape: []int{0}, Data: []byte{}})
	}
	for i := range tensors {
		for j := range tensors[i].Data {
			tensors[i].Data[j] = byte(j & 1)
		}
	}
	var b, again bytes.Buffer
	sum, err := WriteNPZ(&b, tensors)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Tensors) != len(tensors) || f.SHA256() != sum {
		t.Errorf("%d tensors of %d, hash %s, want %s", len(f.Tensors), len(tensors), f.SHA256(), sum)
	}
	for _, x := range tensors {
		if y, ok := f.Tensor(x.Name); !ok || !reflect.DeepEqual(x, y) {
			t.Errorf("%v, want %v", y, x)
		}
	}
	if _, err := WriteNPZ(&again, f.Tensors); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("written again, other bytes (%v)", err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(z.File) != len(tensors) {
		t.Errorf("archive/zip: %v", err)
	}
	for name, x := range map[string]Tensor{"BF16": {Name: "a", DType: BF16, Data: make([]byte, 2)},
		"no name": {DType: U8, Data: []byte{0}}, "path": {Name: "../a", DType: U8, Data: []byte{0}},
		"size": {Name: "a", DType: U8}, "twice": tensors[0]} {
		if _, err := WriteNPZ(new(bytes.Buffer), []Tensor{x, tensors[0]}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCheckFinite(t *testing.T) {
	x, err := FromFloats("b", F32, []int{3}, []float64{math.NaN(), math.Inf(-1), 1})
	if err != nil {
		t.Fatal(err)
	}
	y := Tensor{Name: "a", DType: I64, Shape: []int{1}, Data: bytes.Repeat([]byte{255}, 8)}
	err = (&File{Tensors: []Tensor{y, x}}).CheckFinite()
	var e *NonFiniteError
	if !errors.As(err, &e) || !reflect.DeepEqual(e.Tensors, []NonFinite{{"b", 1, 1}}) ||
		err.Error() != `weights: not all finite: "b" has 1 NaN, 1 Inf` {
		t.Errorf("error %v", err)
	}
	if err := (&File{Tensors: []Tensor{y}}).CheckFinite(); err != nil {
		t.Error(err)
	}
	if f := openFixture(t, "nan_weights.safetensors"); !strings.Contains(f.CheckFinite().Error(),
		`"conv1.weight" has 1 NaN, 1 Inf`) {
		t.Error(f.CheckFinite())
	}
}

// TestOpenOther are files that are no weights; the error says what they seem to be.
func TestOpenOther(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"quota": {"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title>",
			`a web page "Google Drive - Quota exceeded"`},
		"S3":      {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>", "a web page"},
		"text":    {"Rate limit exceeded\nTry later", `text that starts with "Rate limit exceeded"`},
		"HDF5":    {"\x89HDF\r\n\x1a\n00000000", "HDF5"},
		"gzip":    {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", "gzip"},
		"picture": {"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "PNG"},
		"tar":     {"storages" + strings.Repeat("\x00", 249) + "ustar\x0000", "tar archive"},
		"binary":  {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", "no known weight format"},
		"archive": {"PK\x05\x06" + strings.Repeat("\x00", 17), "incomplete"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder: no error")
	}
	if _, err := Open("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// FuzzNPY wants little memory, and what is read, written and read again to be the same.
func FuzzNPY(f *testing.F) {
	for _, e := range fixtures(f) {
		if b, err := os.ReadFile(filepath.Join(formats(f), e.File)); err == nil && len(b) < 20_000 &&
			strings.Contains(filepath.Ext(e.File), "np") {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var x *File
		var err error
		if _, size := cost(func() { x, err = ParseNPY(b) }); size > uint64(10*len(b)+1<<16) {
			t.Errorf("%d bytes allocated for a file of %d", size, len(b))
		}
		if err != nil {
			return
		}
		x.Tensors[0].Name = "x"
		var out bytes.Buffer
		if _, err := WriteNPZ(&out, x.Tensors); err != nil {
			t.Fatal(err)
		}
		y, err := Parse(out.Bytes())
		if err != nil || !reflect.DeepEqual(x.Tensors, y.Tensors) {
			t.Fatalf("%v, want %v, %v", y.Tensors, x.Tensors, err)
		}
	})
}
