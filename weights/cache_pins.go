package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// pinsName is the file that maps names to what was fetched under them.
const pinsName = "lock.json"

// pin is what was fetched under a name; without a published hash it is enforced from then on.
type pin struct {
	SHA256 string    `json:"sha256"`
	Size   int64     `json:"size"`
	URL    string    `json:"url"`
	Time   time.Time `json:"time"`
}

// readPins reads lock.json; there is none before the first Fetch.
func readPins(dir string) (map[string]pin, error) {
	path := filepath.Join(dir, pinsName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	var pins map[string]pin
	if err := json.Unmarshal(b, &pins); err != nil {
		return nil, fmt.Errorf("weights: %s: %w; correct or remove it", path, err)
	}
	hash := entryFields[2].form
	for name, p := range pins {
		if !hash.MatchString(p.SHA256) || p.SHA256 == "" || p.Size < 0 {
			return nil, fmt.Errorf("weights: %s: %s has sha256 %q and size %d; correct or remove it",
				path, name, p.SHA256, p.Size)
		}
	}
	return pins, nil
}

// writePin adds or replaces one pin, one process at a time.
func writePin(ctx context.Context, dir, name string, p pin) error {
	path := filepath.Join(dir, pinsName)
	held, err := newLocker(path+lockSuffix).acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer held.release()
	pins, err := readPins(dir)
	if err != nil {
		return err
	}
	if pins == nil {
		pins = map[string]pin{}
	}
	pins[name] = p
	b, err := json.MarshalIndent(pins, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(b, '\n'))
}

// replaceFile writes a small file under another name, syncs and renames it.
func replaceFile(path string, b []byte) (err error) {
	if old, readErr := os.ReadFile(path); readErr == nil && bytes.Equal(old, b) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := f.Chmod(0o644); err != nil && runtime.GOOS != "windows" { // not for its owner alone
		f.Close()
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	return syncRename(f, path)
}

// syncRename closes a file that was written whole and gives it its final name, durably.
func syncRename(f *os.File, path string) error {
	err := f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename durable; Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
