package dataset_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gansim.example/gansim/dataset"
)

// fuzz opens a file of any content as a set of one form, and reads it: whatever it holds, there is an
// error or a set whose images are no more than it has listed, none of them larger than allowed.
func fuzz(f *testing.F, suffix string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "set"+suffix)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := dataset.Open(t.Context(), path, dataset.Options{})
		if err != nil {
			return
		}
		defer s.Close()
		convert := dataset.Convert[int64]{File: func(r io.Reader) (int64, error) {
			return io.Copy(io.Discard, r)
		}}
		n := 0
		for item, err := range dataset.Stream(t.Context(), s, convert, dataset.Span{}) {
			if err != nil {
				return
			}
			if n++; item.Name == "" || item.Value > 256<<20 {
				t.Errorf("image %q of %d bytes", item.Name, item.Value)
			}
		}
		if n > s.Found {
			t.Errorf("%d images of %d listed", n, s.Found)
		}
	})
}

// made is the content of an archive that a function writes.
func made(f *testing.F, write func(t testing.TB, path string)) []byte {
	path := filepath.Join(f.TempDir(), "seed")
	write(f, path)
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func FuzzList(f *testing.F) {
	fuzz(f, ".txt", []byte("# images\na.png\r\n\n../b.png\n"), bytes.Repeat([]byte("x"), 1<<17),
		[]byte("\ufeffa\x00b"))
}

func FuzzZip(f *testing.F) { fuzz(f, ".zip", made(f, writeZip)) }

func FuzzTar(f *testing.F) {
	fuzz(f, ".tar", made(f, func(t testing.TB, path string) { writeTar(t, path, false) }))
}

func FuzzTarGzip(f *testing.F) {
	fuzz(f, ".tgz", made(f, func(t testing.TB, path string) { writeTar(t, path, true) }))
}

func FuzzParquet(f *testing.F) { fuzz(f, ".parquet", made(f, writeParquet)) }
