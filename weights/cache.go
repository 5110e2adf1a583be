package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrMissing is wrapped by errors that say that a published file is not in the cache.
var ErrMissing = errors.New("not in the cache")

// ErrChecksum is wrapped by errors that say that a file's contents are not those expected.
var ErrChecksum = errors.New("not the expected file")

// State says how much of a published file is in the cache.
type State string

// The states of a published file.
const (
	Absent  State = "absent"
	Partial State = "partial" // a download was interrupted and can be resumed
	Present State = "present" // hashed when it came; Verify hashes it again
)

// HashState says what a file's contents are compared with.
type HashState string

// The sources of an expected hash.
const (
	HashUnknown   HashState = "unknown"          // the first hash seen will be kept
	HashPrefix    HashState = "published prefix" // the same, and it must begin so
	HashFirstSeen HashState = "first seen"       // kept in lock.json by an earlier Fetch
	HashPublished HashState = "published"
)

// Status is what the cache holds of one published file.
type Status struct {
	Entry  Entry
	State  State
	Path   string    // the file; of a partial one the part; empty if absent
	Size   int64     // bytes that are there
	SHA256 string    // expected, hexadecimal; empty if not known yet
	Hash   HashState // where SHA256 comes from
}

// CacheDir is the folder of the published files: weights in $GANSIM_HOME, or in gansim in the user's
// cache folder. It need not exist. It holds the files as sha256-HASH, interrupted downloads as
// NAME.part, and lock.json, which maps names to the hashes first seen.
func CacheDir() (string, error) {
	if home := os.Getenv("GANSIM_HOME"); home != "" { // as kernels.Home has it
		return filepath.Abs(filepath.Join(home, "weights"))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("weights: %w; set GANSIM_HOME", err)
	}
	return filepath.Join(cache, "gansim", "weights"), nil
}

// Path returns the cached file of a name. It never fetches: if the file is not there the error wraps
// [ErrMissing] and names the command that does.
func Path(name string) (string, error) {
	e, dir, err := findIn(name)
	if err != nil {
		return "", err
	}
	s, err := status(dir, e)
	if err != nil {
		return "", err
	}
	if s.State != Present {
		return "", missing(s, dir)
	}
	return s.Path, nil
}

// List returns the status of every entry of the manifest, in its order. No file is hashed.
func List() ([]Status, error) {
	all, err := Manifest()
	if err != nil {
		return nil, err
	}
	dir, err := CacheDir()
	if err != nil {
		return nil, err
	}
	out := make([]Status, len(all))
	for i, e := range all {
		if out[i], err = status(dir, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Verify hashes the cached file of a name again. The error wraps [ErrChecksum] if the file has
// changed since it was fetched, and [ErrMissing] if it is not there.
func Verify(name string) (Status, error) {
	e, dir, err := findIn(name)
	if err != nil {
		return Status{}, err
	}
	return verify(dir, e)
}

func verify(dir string, e Entry) (Status, error) {
	s, err := status(dir, e)
	if err != nil {
		return s, err
	}
	if s.State != Present {
		return s, missing(s, dir)
	}
	got, err := hashFile(s.Path)
	if err != nil {
		return s, fmt.Errorf("weights: %s: %w", e.Name, err)
	}
	if got != s.SHA256 {
		return s, &FetchError{Name: e.Name,
			Err:  fmt.Errorf("%s: sha256 is %s, want %s: %w", s.Path, got, s.SHA256, ErrChecksum),
			Hint: fmt.Sprintf("remove that file, then run %s", fetchCommand(e.Name))}
	}
	return s, nil
}

func findIn(name string) (e Entry, dir string, err error) {
	if e, err = Find(name); err != nil {
		return e, "", err
	}
	dir, err = CacheDir()
	return e, dir, err
}

// status looks at the names and sizes in the cache only.
func status(dir string, e Entry) (Status, error) {
	s := Status{Entry: e, State: Absent, Hash: HashUnknown}
	pins, err := readPins(dir)
	if err != nil {
		return s, err
	}
	size := e.Size
	pin, pinned := pins[e.Name]
	switch {
	case e.SHA256 != "":
		s.SHA256, s.Hash = e.SHA256, HashPublished
	case pinned && strings.HasPrefix(pin.SHA256, e.SHA256Prefix):
		s.SHA256, s.Hash, size = pin.SHA256, HashFirstSeen, pin.Size
	case e.SHA256Prefix != "":
		s.Hash = HashPrefix
	}
	if s.SHA256 != "" {
		path := filepath.Join(dir, contentName(s.SHA256))
		info, err := os.Stat(path)
		switch {
		case err == nil && info.Mode().IsRegular() && (size == 0 || info.Size() == size):
			s.State, s.Path, s.Size = Present, path, info.Size()
			return s, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return s, fmt.Errorf("weights: %s: %w", e.Name, err)
		}
	}
	part := filepath.Join(dir, e.Name+partSuffix)
	if info, err := os.Stat(part); err == nil && info.Size() > 0 {
		s.State, s.Path, s.Size = Partial, part, info.Size()
	}
	return s, nil
}

// missing is the error for a file that is asked for and not there.
func missing(s Status, dir string) error {
	what := fmt.Errorf("%s is %w %s", s.Entry.File, ErrMissing, dir)
	if s.State == Partial {
		what = fmt.Errorf("%w; %d bytes of it are", what, s.Size)
	}
	hint := fmt.Sprintf("run %s, or pass --weights %s=PATH", fetchCommand(s.Entry.Name), s.Entry.Name)
	if len(s.Entry.URLs) == 0 {
		hint = byHand(s.Entry)
	}
	return &FetchError{Name: s.Entry.Name, Err: what, Hint: hint}
}

// contentName is the file name of contents.
func contentName(sum string) string { return "sha256-" + sum }

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
