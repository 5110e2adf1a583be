package weights

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkpointOf is a ZIP checkpoint of so many bytes, in tensors of 1 MiB.
func checkpointOf(tb testing.TB, size int) []byte {
	const each = 1 << 18
	var p []planned
	var records []string
	record := ramp(each)
	for i := range size / (4 * each) {
		p = append(p, planned{name: fmt.Sprintf("layer%d.weight", i), storage: "FloatStorage",
			key: fmt.Sprint(i), numel: each, size: []int{512, 512}, stride: []int{512, 1}})
		records = append(records, record)
	}
	return torchOf(tb, stateDict(p...), records...)
}

// TestTorchLarge wants little memory beyond the file's, and tensors that share it.
func TestTorchLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.pt")
	b := checkpointOf(t, 32<<20)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	var f *File
	var err error
	seconds, size := cost(func() { f, err = Open(path) })
	if err != nil || len(f.Tensors) != 32 {
		t.Fatalf("%v", err)
	}
	t.Logf("%.2f s, %d bytes for a file of %d", seconds, size, len(b))
	if size > uint64(len(b)+len(b)/10) || seconds > 3*limit {
		t.Errorf("%.2f s and %d bytes for a file of %d", seconds, size, len(b))
	}
}

// BenchmarkOpen reads a checkpoint of 225 MB, the size of BigGAN-deep-256.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "large.pt")
	file := checkpointOf(b, 225<<20)
	if err := os.WriteFile(path, file, 0o666); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.CheckFinite(); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzTorch reads files, and bytes as the pickle of a checkpoint. What is read can be written as
// safetensors and is the same then.
func FuzzTorch(f *testing.F) {
	for _, e := range fixtures(f) {
		b, err := os.ReadFile(filepath.Join(formats(f), e.File))
		if err != nil || len(b) > 20_000 {
			continue
		}
		f.Add(b)
		if !isZip(b) {
			continue
		}
		if a, err := openArchive(b); err == nil {
			for _, m := range a.members {
				if p, err := a.contents(m); err == nil && strings.HasSuffix(m.name, ".pkl") {
					f.Add(p)
				}
			}
		}
	}
	_, legacy := small(f)
	f.Add(legacy)
	f.Fuzz(func(t *testing.T, b []byte) {
		records := []string{ramp(12), "", strings.Repeat("\x01\x00", 300)}
		for _, file := range [][]byte{b, torchOf(t, string(b), records...)} {
			x, err := Parse(file)
			if err != nil {
				continue
			}
			y, err := ParseSafetensors(safetensorsOf(t, x))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(safetensorsOf(t, y), safetensorsOf(t, x)) {
				t.Fatal("other tensors")
			}
		}
	})
}
