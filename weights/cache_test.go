package weights

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCache follows one published file through the cache of GANSIM_HOME.
func TestCache(t *testing.T) {
	home := t.TempDir()
	t.Setenv("GANSIM_HOME", home)
	dir, err := CacheDir()
	if err != nil || dir != filepath.Join(home, "weights") {
		t.Fatalf("CacheDir is %s, %v", dir, err)
	}
	state := func() Status {
		t.Helper()
		all, err := List()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.Entry.Name == "alexnet" {
				return s
			}
		}
		t.Fatal("no alexnet")
		return Status{}
	}
	if s := state(); s.State != Absent || s.Hash != HashPrefix {
		t.Errorf("at first %+v", s)
	}
	_, err = Path("alexnet")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "gansim weights fetch alexnet") {
		t.Errorf("Path: %v", err)
	}
	if _, err := Path("resnet50_linf8"); !errors.Is(err, ErrMissing) ||
		!strings.Contains(err.Error(), "https://github.com/MadryLab/robustness") {
		t.Errorf("Path of what has only a page: %v", err)
	}
	if _, err := Verify("alexnet"); !errors.Is(err, ErrMissing) {
		t.Errorf("Verify: %v", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "alexnet.part"), make([]byte, 10), 0o666)
	if s := state(); s.State != Partial || s.Size != 10 {
		t.Errorf("with a part %+v", s)
	}

	// A hash of eight given digits cannot be made: pretend that the whole one had been seen.
	sum := "7be5be79" + strings.Repeat("0", 56)
	path := filepath.Join(dir, "sha256-"+sum)
	os.WriteFile(path, make([]byte, 20), 0o666)
	if err := writePin(t.Context(), dir, "alexnet", pin{SHA256: sum, Size: 20}); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.State != Present || s.Hash != HashFirstSeen || s.Size != 20 {
		t.Errorf("present %+v", s)
	}
	if got, err := Path("alexnet"); err != nil || got != path {
		t.Errorf("Path %s, %v", got, err)
	}
	if _, err = Verify("alexnet"); !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), sum) {
		t.Errorf("Verify of zeros: %v", err)
	}
	os.Truncate(path, 19)
	if s := state(); s.State == Present {
		t.Errorf("cut short %+v", s)
	}
	for _, name := range []string{"alexnett", ""} {
		_, pathErr := Path(name)
		_, verifyErr := Verify(name)
		if pathErr == nil || verifyErr == nil {
			t.Errorf("%q: %v, %v", name, pathErr, verifyErr)
		}
	}
}

// TestVerify: a changed byte is found, also where only the first hash seen is known.
func TestVerify(t *testing.T) {
	data := weightBytes(1000, 1)
	s := newServer(t, data)
	o := quick(t, s)
	e := wanted(data)
	e.SHA256 = ""
	fetchAll(t, s, e, o)
	got, err := verify(o.Dir, e)
	if err != nil || got.SHA256 != sumOf(data) {
		t.Fatalf("%+v, %v", got, err)
	}
	data[500]++
	os.WriteFile(got.Path, data, 0o666)
	if _, err = verify(o.Dir, e); !errors.Is(err, ErrChecksum) ||
		!strings.Contains(err.Error(), "remove that file, then run gansim weights fetch net") {
		t.Errorf("%v", err)
	}
}

// TestPins: a broken lock.json is an error with its path, not a reason to forget the hashes.
func TestPins(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, pinsName)
	for _, text := range []string{"", "[]", `{"x":{"sha256":"","size":1}}`, `{"x":{"sha256":"../../x"}}`,
		`{"x":{"sha256":"` + strings.Repeat("a", 64) + `","size":-1}}`} {
		os.WriteFile(path, []byte(text), 0o666)
		_, err := status(dir, wanted(nil))
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
		if err := writePin(t.Context(), dir, "y", pin{SHA256: sumOf(nil)}); err == nil {
			t.Errorf("%s: overwritten", text)
		}
	}
	os.Remove(path)
	for _, name := range []string{"x", "y", "x"} {
		p := pin{SHA256: sumOf([]byte(name)), Size: 1, Time: time.Now()}
		if err := writePin(t.Context(), dir, name, p); err != nil {
			t.Fatal(err)
		}
	}
	pins, err := readPins(dir)
	if err != nil || len(pins) != 2 || pins["x"].SHA256 != sumOf([]byte("x")) {
		t.Errorf("%+v, %v", pins, err)
	}
	checkNames(t, dir, pinsName)
}

// TestManifestPrefixWins: a hash once seen that the manifest now excludes counts no more.
func TestManifestPrefixWins(t *testing.T) {
	dir := t.TempDir()
	if err := writePin(t.Context(), dir, "net", pin{SHA256: sumOf(nil), Size: 1}); err != nil {
		t.Fatal(err)
	}
	e := wanted(nil)
	e.SHA256, e.SHA256Prefix = "", "00000000"
	if s, err := status(dir, e); err != nil || s.Hash != HashPrefix || s.SHA256 != "" {
		t.Errorf("%+v, %v", s, err)
	}
}
