package dataset_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
)

// flat is a reader whose image has the value of the file's first byte everywhere; text that begins
// with "bad" is refused.
func flat(r io.Reader, size int) (gansim.Images, error) {
	var first [3]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		return gansim.Images{}, err
	}
	if string(first[:]) == "bad" {
		return gansim.Images{}, errors.New("bad content")
	}
	m := gansim.NewImages(1, size, size)
	for i := range m.Pix {
		m.Pix[i] = float32(first[0]) / 255
	}
	return m, nil
}

// write makes files from name and content in a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	dir := write(t, map[string]string{"b.x": "2222", "a/z.x": "1111", "a.x": "3333", "c.x": "badly",
		"d/copy.x": "2222", ".hidden": "4444", "e.x": ""})
	last, total := 0, 0
	got, err := dataset.Folder(t.Context(), dir, flat, dataset.Options{Size: 2,
		Progress: func(d, n int) { last, total = d, n }})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.x", "a/z.x", "b.x", "d/copy.x"}
	if diff := cmp.Diff(got.Names, want); diff != "" {
		t.Errorf("names (-got +want):\n%s", diff)
	}
	if got.Images.N != 4 || got.Images.At(1)[11] != float32('1')/255 {
		t.Errorf("images %d, value %v", got.Images.N, got.Images.At(1)[11])
	}
	sum := sha256.Sum256([]byte("3333"))
	if got.SHA256[0] != hex.EncodeToString(sum[:]) {
		t.Errorf("sha256 %s, want %x", got.SHA256[0], sum)
	}
	twice := []dataset.Duplicate{{Name: "d/copy.x", Of: "b.x"}}
	if diff := cmp.Diff(got.Duplicates, twice); diff != "" {
		t.Errorf("duplicates (-got +want):\n%s", diff)
	}
	if len(got.Skipped) != 2 || got.Skipped[0].Name != "c.x" || got.Skipped[1].Name != "e.x" {
		t.Errorf("skipped %v, want c.x and e.x", got.Skipped)
	}
	if got.Found != 6 || last != 6 || total != 6 {
		t.Errorf("found %d, progress %d of %d, want 6", got.Found, last, total)
	}
	_, err = dataset.Folder(t.Context(), dir, flat, dataset.Options{Size: 2, Strict: true})
	if err == nil || !strings.Contains(err.Error(), "c.x: bad content") {
		t.Errorf("strict: got %v, want an error that names c.x", err)
	}
}

func TestFolderErrors(t *testing.T) {
	bad := write(t, map[string]string{"a": "bad", "b": "bad"})
	cases := []struct {
		name, dir string
		options   dataset.Options
		check     func(error) bool
	}{
		{"missing", filepath.Join(bad, "none"), dataset.Options{},
			func(err error) bool { return errors.Is(err, os.ErrNotExist) }},
		{"a file", filepath.Join(bad, "a"), dataset.Options{},
			func(err error) bool { return err != nil }},
		{"empty", t.TempDir(), dataset.Options{},
			func(err error) bool { return errors.Is(err, dataset.ErrNoImages) }},
		{"all bad", bad, dataset.Options{}, func(err error) bool {
			return errors.Is(err, dataset.ErrNoImages) && strings.Contains(err.Error(), "bad content")
		}},
		{"too few", write(t, map[string]string{"a": "111"}), dataset.Options{N: 2},
			func(err error) bool { return err != nil && strings.Contains(err.Error(), "want 2") }},
		{"negative", bad, dataset.Options{Size: -1}, func(err error) bool { return err != nil }},
	}
	for _, c := range cases {
		if _, err := dataset.Folder(t.Context(), c.dir, flat, c.options); !c.check(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSubset(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		content := fmt.Sprintf("%03d", i)
		if i%4 == 0 {
			content = "bad"
		}
		files[fmt.Sprintf("%02d.x", i)] = content
	}
	dir := write(t, files)
	read := func(seed uint64, workers int) dataset.Photographs {
		got, err := dataset.Folder(t.Context(), dir, flat,
			dataset.Options{Size: 1, N: 12, Seed: seed, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one, three := read(7, 1), read(7, 3)
	if !slices.Equal(one.Names, three.Names) || !slices.Equal(one.Images.Pix, three.Images.Pix) {
		t.Errorf("one worker %v, three %v", one.Names, three.Names)
	}
	if len(one.Names) != 12 || !slices.IsSorted(one.Names) || one.N != 12 || one.Seed != 7 {
		t.Errorf("names %v, n %d, seed %d", one.Names, one.N, one.Seed)
	}
	if other := read(8, 2); slices.Equal(one.Names, other.Names) {
		t.Error("seeds 7 and 8 choose the same files")
	}
	drawn := dataset.Choose([]string{"c", "a", "b", "d"}, 1)
	if diff := cmp.Diff(drawn, dataset.Choose([]string{"a", "b", "c", "d"}, 1)); diff != "" {
		t.Errorf("choice depends on the order:\n%s", diff)
	}
}

func TestLinks(t *testing.T) {
	dir := write(t, map[string]string{"real/one.x": "111", "real/deep/two.x": "222"})
	elsewhere := write(t, map[string]string{"three.x": "333"})
	for link, target := range map[string]string{
		"a_loop": ".", "real/deep/up": "..", "alias": "real", "out": elsewhere,
		"link.x": "real/one.x", "broken.x": "nowhere", "self": "self",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "socket.x"))
	if err != nil {
		t.Skip(err)
	}
	defer socket.Close()
	names, skipped, err := dataset.List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"link.x", "out/three.x", "real/deep/two.x", "real/one.x"}
	if diff := cmp.Diff(names, want); diff != "" {
		t.Errorf("names (-got +want):\n%s", diff)
	}
	got := ""
	for _, s := range skipped {
		got += s.Name + " "
	}
	if got != "broken.x self socket.x " {
		t.Errorf("skipped %q, want broken.x self socket.x", got)
	}
}

func TestCancel(t *testing.T) {
	dir := write(t, map[string]string{"a": "111", "b": "222", "c": "333"})
	ctx, cancel := context.WithCancel(t.Context())
	read := 0
	_, err := dataset.Folder(ctx, dir, func(r io.Reader, size int) (gansim.Images, error) {
		read++
		cancel()
		return flat(r, size)
	}, dataset.Options{Size: 1, Workers: 1})
	if !errors.Is(err, context.Canceled) || read > 2 {
		t.Errorf("got %v after %d files, want context.Canceled after at most 2", err, read)
	}
	if _, _, err := dataset.List(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("list: got %v, want context.Canceled", err)
	}
}

func TestFiles(t *testing.T) {
	dir := write(t, map[string]string{"a": "111", "b": "222", "c": "bad"})
	got, err := dataset.Files(t.Context(), dir, []string{"c", "b", "a"}, flat,
		dataset.Options{Size: 1})
	if err != nil || !slices.Equal(got.Names, []string{"b", "a"}) || len(got.Skipped) != 1 {
		t.Errorf("names %v, skipped %v (%v)", got.Names, got.Skipped, err)
	}
}

// TestPhotographs reads real image files, good and bad.
func TestPhotographs(t *testing.T) {
	var file bytes.Buffer
	m := imaging.NewRGB(31, 20)
	for i := range m.Pix {
		m.Pix[i] = uint8(i)
	}
	if err := imaging.EncodePNG(&file, m); err != nil {
		t.Fatal(err)
	}
	whole := file.String()
	dir := write(t, map[string]string{"good.png": whole, "cut.png": whole[:len(whole)/2],
		"text.jpg": "this is text", "named.jpg": whole})
	got, err := dataset.Folder(t.Context(), dir, imaging.ReadPhotograph, dataset.Options{Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Names, []string{"good.png", "named.jpg"}) || len(got.Skipped) != 2 {
		t.Errorf("names %v, skipped %v", got.Names, got.Skipped)
	}
	if !errors.Is(got.Skipped[1].Reason, imaging.ErrFormat) {
		t.Errorf("text.jpg: got %v, want ErrFormat", got.Skipped[1].Reason)
	}
	square, err := imaging.Photograph(m, 16)
	if err != nil {
		t.Fatal(err)
	}
	want, err := imaging.ToImages(square)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Images.At(0), want.Pix) {
		t.Error("image differs from Photograph")
	}
}
