package dataset_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
)

// text converts files to their first three bytes, and refuses what begins with "bad".
func text() dataset.Convert[string] {
	return dataset.Convert[string]{
		File: func(r io.Reader) (string, error) {
			var first [3]byte
			if _, err := io.ReadFull(r, first[:]); err != nil {
				return "", err
			}
			if string(first[:]) == "bad" {
				return "", errors.New("bad content")
			}
			return string(first[:]), nil
		},
		Image: func(m gansim.Images) (string, error) { return fmt.Sprint(m.Pix[0]), nil },
	}
}

// stream reads a set to its end: values, and names of what was skipped.
func stream(t *testing.T, s *dataset.Set) (values, names, skipped []string) {
	t.Helper()
	for item, err := range dataset.Stream(t.Context(), s, text(), dataset.Span{}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case item.Err != nil:
			skipped = append(skipped, item.Name)
		default:
			values, names = append(values, item.Value), append(names, item.Name)
		}
	}
	return values, names, skipped
}

func open(t *testing.T, spec string, o dataset.Options) *dataset.Set {
	t.Helper()
	s, err := dataset.Open(t.Context(), spec, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// member is a file of an archive.
type member struct{ name, content string }

// members are images, one of them bad, and what is not to be read.
func members() []member {
	return []member{{"b.x", "222"}, {"a/z.x", "111"}, {".hidden", "444"}, {"__MACOSX/a.x", "555"},
		{"c.x", "bad"}, {"d.x", "222"}}
}

func writeZip(t testing.TB, path string) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members() {
		w, err := z.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, m.content)
	}
	if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func writeTar(t testing.TB, path string, compressed bool) {
	var b bytes.Buffer
	var w io.Writer = &b
	g := gzip.NewWriter(&b)
	if compressed {
		w = g
	}
	a := tar.NewWriter(w)
	link := tar.Header{Name: "link.x", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"}
	if err := a.WriteHeader(&link); err != nil {
		t.Fatal(err)
	}
	for _, m := range members() {
		err := a.WriteHeader(&tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 3})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(a, m.content)
	}
	err := a.Close()
	if compressed {
		err = errors.Join(err, g.Close())
	}
	if err = errors.Join(err, os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// picture is Hugging Face's layout of an image.
type picture struct {
	Bytes []byte `parquet:"bytes,optional"`
	Path  string `parquet:"path,optional"`
}

type labelled struct {
	Image picture `parquet:"image,optional"`
	Label int64   `parquet:"label"`
	Text  string  `parquet:"text"`
}

func writeParquet(t testing.TB, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[labelled](f, parquet.MaxRowsPerRowGroup(2))
	for i, m := range members() {
		row := labelled{Image: picture{Bytes: []byte(m.content), Path: m.name}, Label: int64(i)}
		if strings.HasPrefix(m.name, ".") || strings.HasPrefix(m.name, "_") {
			row.Image = picture{} // a row without an image
		}
		if _, err := w.Write([]labelled{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestForms: every form gives the same images, in its own order, and skips the same.
func TestForms(t *testing.T) {
	dir := t.TempDir()
	for _, m := range members() {
		if strings.HasPrefix(m.name, "__MACOSX") {
			continue // only in archives
		}
		full := filepath.Join(dir, "folder", filepath.FromSlash(m.name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755),
			os.WriteFile(full, []byte(m.content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	writeZip(t, filepath.Join(dir, "a.zip"))
	writeTar(t, filepath.Join(dir, "a.tar"), false)
	writeTar(t, filepath.Join(dir, "a.tar.gz"), true)
	writeParquet(t, filepath.Join(dir, "a.parquet"))
	if err := os.Mkdir(filepath.Join(dir, "shards"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeParquet(t, filepath.Join(dir, "shards", "0.parquet"))
	writeParquet(t, filepath.Join(dir, "shards", "1.parquet"))
	if err := os.WriteFile(filepath.Join(dir, "shards", "README.md"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := "# a list\r\n\nfolder/b.x\nfolder/a/z.x\n" + filepath.Join(dir, "folder", "c.x") +
		"\nfolder/d.x\nfolder/none.x\nfolder\n" + os.DevNull + "\n"
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	sorted, stored := "111 222 222", "222 111 222"
	for _, c := range []struct{ spec, values, names, skipped string }{
		{"folder", sorted, "a/z.x b.x d.x", "c.x"},
		{"a.zip", sorted, "a/z.x b.x d.x", "c.x"},
		{"a.tar", stored, "b.x a/z.x d.x", "c.x"},
		{"a.tar.gz", stored, "b.x a/z.x d.x", "c.x"},
		{"a.parquet", stored, "b.x a/z.x d.x", "a.parquet#2 a.parquet#3 c.x"},
		{"shards", stored + " " + stored, "b.x a/z.x d.x b.x a/z.x d.x",
			"0.parquet#2 0.parquet#3 c.x 1.parquet#2 1.parquet#3 c.x"},
		{"a.txt", stored, "folder/b.x folder/a/z.x folder/d.x",
			filepath.Join(dir, "folder", "c.x") + " folder/none.x folder " + os.DevNull},
	} {
		t.Run(c.spec, func(t *testing.T) {
			s := open(t, filepath.Join(dir, c.spec), dataset.Options{Workers: 3})
			values, names, skipped := stream(t, s)
			for _, v := range []struct{ what, got, want string }{
				{"values", strings.Join(values, " "), c.values},
				{"names", strings.Join(names, " "), c.names},
				{"skipped", strings.Join(skipped, " "), c.skipped},
			} {
				if v.got != v.want {
					t.Errorf("%s: got %q, want %q", v.what, v.got, v.want)
				}
			}
			if again, _, _ := stream(t, s); !slices.Equal(again, values) {
				t.Errorf("a second stream gives %q, the first %q", again, values)
			}
			_, err := dataset.Open(t.Context(), filepath.Join(dir, c.spec)+"?n=50", dataset.Options{})
			if err == nil || !strings.Contains(err.Error(), "want 50") {
				t.Errorf("n=50: got %v, want an error", err)
			}
		})
	}
	if s := open(t, filepath.Join(dir, "a.tar"), dataset.Options{}); len(s.Skipped) != 1 ||
		s.Skipped[0].Name != "link.x" {
		t.Errorf("skipped members %v, want link.x", s.Skipped)
	}
}

// TestSample: a sample with bad files is that of Folder, whatever the form and the workers.
func TestSample(t *testing.T) {
	files := map[string]string{}
	for i := range 60 {
		content := fmt.Sprintf("%03d", i)
		if i%4 == 0 {
			content = "bad"
		}
		files[fmt.Sprintf("%02d.x", i)] = content
	}
	dir := write(t, files)
	want, err := dataset.Folder(t.Context(), dir, flat, dataset.Options{Size: 1, N: 20, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 4} {
		s := open(t, dir+"?n=20&seed=7", dataset.Options{Workers: workers, N: 3})
		_, names, skipped := stream(t, s)
		if slices.Sort(names); !slices.Equal(names, want.Names) || s.N != 20 || s.Seed != 7 {
			t.Errorf("%d workers: names %q, want %q", workers, names, want.Names)
		}
		if len(skipped) != len(want.Skipped) {
			t.Errorf("%d workers: %d skipped, want %d", workers, len(skipped), len(want.Skipped))
		}
	}
	_, err = dataset.Open(t.Context(), dir, dataset.Options{N: 61})
	if err == nil {
		t.Error("61 of 60 files: no error")
	}
	s := open(t, dir, dataset.Options{N: 50, Seed: 1})
	if values, _, skipped := stream(t, s); len(values) != 45 || len(skipped) != 15 {
		t.Errorf("50 of 45 readable: %d read, %d skipped", len(values), len(skipped))
	}
}

// TestMany is a folder as it is found: 49,999 files with duplicates, a loop of links, and some that
// cannot be read.
func TestMany(t *testing.T) {
	dir := t.TempDir()
	const n = 49999
	for i := range n {
		content := fmt.Sprintf("%06d", i/2) // twice each
		if i%10000 == 9999 {
			content = "bad"
		}
		sub := filepath.Join(dir, fmt.Sprintf("%02d", i%50))
		if i < 50 {
			if err := os.Mkdir(sub, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%05d.x", i)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"loop": "..", "gone.x": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, "07", link)); err != nil {
			t.Skip(err)
		}
	}
	s := open(t, dir, dataset.Options{Workers: 2})
	if s.Len() != n || len(s.Skipped) != 1 || s.Skipped[0].Name != "07/gone.x" {
		t.Errorf("%d files, skipped %v, want %d and 07/gone.x", s.Len(), s.Skipped, n)
	}
	read, twice, skipped := 0, 0, 0
	seen := map[string]bool{}
	for item, err := range dataset.Stream(t.Context(), s, text(), dataset.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case item.Err != nil:
			skipped++
		case seen[item.SHA256]:
			twice++
			read++
		default:
			read++
		}
		seen[item.SHA256] = true
	}
	if read != n-4 || skipped != 4 || twice != 24999-4 {
		t.Errorf("%d read, %d skipped, %d twice, want %d, 4, %d", read, skipped, twice, n-4, 24999-4)
	}
	if err := os.Remove(filepath.Join(dir, "07", "gone.x")); err != nil {
		t.Fatal(err)
	}
	strict := open(t, dir, dataset.Options{Strict: true})
	var failed error
	for _, err := range dataset.Stream(t.Context(), strict, text(), dataset.Span{}) {
		failed = err
	}
	if failed == nil || !strings.Contains(failed.Error(), "bad content") {
		t.Errorf("strict: got %v, want an error that names the first bad file", failed)
	}
}

// TestStrictListing: a strict set must be listed whole, too.
func TestStrictListing(t *testing.T) {
	dir := write(t, map[string]string{"a.x": "111"})
	if err := os.Symlink("nowhere", filepath.Join(dir, "gone.x")); err != nil {
		t.Skip(err)
	}
	_, err := dataset.Open(t.Context(), dir, dataset.Options{Strict: true})
	if err == nil || !strings.Contains(err.Error(), "gone.x") {
		t.Errorf("got %v, want an error that names gone.x", err)
	}
}

// TestStreamEnds: a stream that is left or cancelled leaves no goroutine behind.
func TestStreamEnds(t *testing.T) {
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprintf("%03d.x", i)] = "111"
	}
	s := open(t, write(t, files), dataset.Options{Workers: 4})
	before := runtime.NumGoroutine()
	got := 0
	for range dataset.Stream(t.Context(), s, text(), dataset.Span{}) {
		if got++; got == 3 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	got = 0
	for _, err := range dataset.Stream(ctx, s, text(), dataset.Span{}) {
		if got++; got == 5 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || got > 60 {
		t.Errorf("cancelled: got %v after %d items", last, got)
	}
	// A goroutine that has ended is counted until the scheduler has taken it away.
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	var part []string
	for item, err := range dataset.Stream(t.Context(), s, text(), dataset.Span{From: 10, To: 13}) {
		if err != nil {
			t.Fatal(err)
		}
		part = append(part, item.Name)
	}
	if !slices.Equal(part, []string{"010.x", "011.x", "012.x"}) {
		t.Errorf("a span gives %q", part)
	}
}

// TestHash: it follows names and contents, and nothing else.
func TestHash(t *testing.T) {
	hash := func(spec string) string {
		h, err := open(t, spec, dataset.Options{}).Hash(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	files := map[string]string{"a.x": "111", "b.x": "222", "c.x": "bad", "d.x": "444"}
	one, same := write(t, files), write(t, files)
	files["b.x"] = "223"
	changed := write(t, files)
	files["b.x"], files["e.x"] = "222", "444"
	delete(files, "d.x")
	renamed := write(t, files)
	if hash(one) != hash(same) {
		t.Error("the same files in two folders have two hashes")
	}
	for name, dir := range map[string]string{"content": changed, "name": renamed, "sample": one + "?n=2",
		"another sample": one + "?n=2&seed=3"} {
		if hash(one) == hash(dir) {
			t.Errorf("the hash does not see the %s", name)
		}
	}
}

// TestDrawn: images are drawn in pieces, and those that cannot be converted are replaced by none.
func TestDrawn(t *testing.T) {
	var asked []string
	o := dataset.Options{Workers: 3, N: 10, Seed: 5, Openers: map[string]dataset.Opener{
		"made": func(_ context.Context, q dataset.Query) (dataset.Drawn, error) {
			if q.Name == "no" {
				return dataset.Drawn{}, errors.New("no such thing")
			}
			return dataset.Drawn{N: q.N, Piece: 4, Generated: true,
				Identity: fmt.Sprint(q.Name, q.Seed, q.Values),
				Draw: func(_ context.Context, from, to int) (gansim.Images, error) {
					asked = append(asked, fmt.Sprintf("%d-%d", from, to))
					m := gansim.NewImages(to-from, 1, 1)
					for i := range m.N {
						m.At(i)[0] = float32(from + i)
					}
					return m, nil
				}}, nil
		}}}
	s := open(t, "made:it?seed=6&style=x", o)
	values, names, _ := stream(t, s)
	if diff := cmp.Diff(values, strings.Fields("0 1 2 3 4 5 6 7 8 9")); diff != "" {
		t.Errorf("values (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(asked, []string{"0-4", "4-8", "8-10"}); diff != "" {
		t.Errorf("pieces (-got +want):\n%s", diff)
	}
	if !s.Generated || s.Seed != 6 || names[3] != "000003" {
		t.Errorf("generated %v, seed %d, name %s", s.Generated, s.Seed, names[3])
	}
	if open(t, "made:it?as=natural", o).Generated {
		t.Error("as=natural is not heard")
	}
	if _, err := dataset.Open(t.Context(), "made:no", o); err == nil ||
		!strings.Contains(err.Error(), "no such thing") {
		t.Errorf("got %v, want the opener's error", err)
	}
}

func TestSpecErrors(t *testing.T) {
	dir := write(t, map[string]string{"a.x": "111", "b.tiff": "222", "c.zip": "no archive",
		"d.tar": "no archive either", "e.tar.gz": "nor this", "f.parquet": "PAR1", "g.txt": "\n# nothing\n"})
	for _, c := range []struct{ spec, want string }{
		{"none", "no such file"},
		{"genn:BigGAN", "imagenet:"},
		{"b.tiff", ".zip"},
		{"c.zip", "zip"},
		{"d.tar", "tar"},
		{"e.tar.gz", "gzip"},
		{"f.parquet", "parquet"},
		{"g.txt", "no readable images"},
		{".?n=0", "n=0"},
		{".?n=x", "n=x"},
		{".?seed=-1", "seed=-1"},
		{".?as=art", "as=art"},
		{".?what=1", `"what"`},
		{".?n=1&n=2", "twice"},
	} {
		path := filepath.Join(dir, c.spec)
		if strings.HasPrefix(c.spec, ".?") {
			path = dir + c.spec[1:]
		} else if strings.Contains(c.spec, ":") {
			path = c.spec
		}
		if _, err := dataset.Open(t.Context(), path, dataset.Options{}); err == nil ||
			!strings.Contains(strings.ToLower(err.Error()), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.spec, err, c.want)
		}
	}
}

// TestLayouts: the folders that belong to a set are read, others are not, and the number is compared.
func TestLayouts(t *testing.T) {
	dir := write(t, map[string]string{"train/a.x": "000", "val/b.x": "111", "test/c.x": "222"})
	s := open(t, "ecoset:"+dir, dataset.Options{})
	values, _, _ := stream(t, s)
	if !slices.Equal(values, []string{"111", "222"}) || !strings.Contains(s.Note, "56500") {
		t.Errorf("values %q, note %q", values, s.Note)
	}
	flat := write(t, map[string]string{"ILSVRC2012_val_00000001.JPEG": "333"})
	if values, _, _ := stream(t, open(t, "imagenet:"+flat, dataset.Options{})); len(values) != 1 {
		t.Errorf("a flat folder gives %q", values)
	}
}

// TestHostileArchives: what a member claims is checked before memory is taken.
func TestHostileArchives(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, h := range []zip.FileHeader{
		{Name: "large.png", Method: zip.Deflate, UncompressedSize64: 1 << 40, CompressedSize64: 4},
		{Name: "dense.png", Method: zip.Deflate, UncompressedSize64: 1 << 20, CompressedSize64: 4},
		{Name: "secret.png", Flags: 1, Method: zip.Store, UncompressedSize64: 4, CompressedSize64: 4},
		{Name: "good.png", Method: zip.Store, UncompressedSize64: 4, CompressedSize64: 4, CRC32: 0x5b6c2f5f},
	} {
		w, err := z.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, "1234")
	}
	file := filepath.Join(dir, "a.zip")
	if err := errors.Join(z.Close(), os.WriteFile(file, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	s := open(t, file, dataset.Options{})
	if s.Len() != 1 || len(s.Skipped) != 3 {
		t.Errorf("%d images, skipped %v, want good.png and three", s.Len(), s.Skipped)
	}
	if _, _, skipped := stream(t, s); !slices.Equal(skipped, []string{"good.png"}) {
		t.Errorf("a member with a wrong CRC is read: skipped %q", skipped)
	}
}

// TestBomb: a picture of 65535 x 65535 pixels in a set is skipped, without memory for it.
func TestBomb(t *testing.T) {
	var file bytes.Buffer
	if err := imaging.EncodePNG(&file, imaging.NewRGB(2, 2)); err != nil {
		t.Fatal(err)
	}
	bomb := slices.Clone(file.Bytes())
	copy(bomb[16:], []byte{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff})
	copy(bomb[29:], []byte{0x39, 0x67, 0x4e, 0x07})
	dir := write(t, map[string]string{"bomb.png": string(bomb), "good.png": file.String()})
	s := open(t, dir, dataset.Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	decode := dataset.Convert[imaging.RGB]{File: func(r io.Reader) (imaging.RGB, error) {
		return imaging.Decode(r, imaging.DecodeOptions{})
	}}
	var bad []string
	for item, err := range dataset.Stream(t.Context(), s, decode, dataset.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Err != nil {
			bad = append(bad, item.Name)
		}
	}
	runtime.ReadMemStats(&after)
	if !slices.Equal(bad, []string{"bomb.png"}) || after.TotalAlloc-before.TotalAlloc > 1<<24 {
		t.Errorf("skipped %q, %d bytes allocated", bad, after.TotalAlloc-before.TotalAlloc)
	}
}
