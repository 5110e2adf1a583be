package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// List returns the names of the files below a folder, sorted, with slashes. Links to files and to
// folders are followed; each folder is read once, under its own name where it has one below dir,
// so that loops of links end. Names that begin with a dot are left out. Folders that cannot be
// listed, broken links and what is not a regular file come back as skipped.
func List(ctx context.Context, dir string) ([]string, []Skipped, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset: folder: %w", err)
	}
	if !info.IsDir() {
		return nil, nil, fmt.Errorf("dataset: %s is not a folder", dir)
	}
	w := walk{root: dir, seen: map[string]bool{}, pending: []string{""}}
	for len(w.pending)+len(w.links) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("dataset: folder %s: %w", dir, err)
		}
		if len(w.pending) == 0 { // links only after all folders that have names of their own
			w.pending, w.links = w.links[:1], w.links[1:]
		}
		next := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		if err := w.folder(next); err != nil {
			if next == "" {
				return nil, nil, fmt.Errorf("dataset: folder: %w", err)
			}
			w.skip(next, err)
		}
	}
	slices.Sort(w.files)
	sortSkipped(w.skipped)
	return w.files, w.skipped, nil
}

// walk is a listing under way; names are below root, with slashes.
type walk struct {
	root    string
	seen    map[string]bool // real paths of the folders listed
	pending []string        // folders
	links   []string        // links to folders
	files   []string
	skipped []Skipped
}

func (w *walk) skip(name string, err error) {
	w.skipped = append(w.skipped, Skipped{name, err})
}

// folder lists one folder, unless that was done before.
func (w *walk) folder(name string) error {
	full := filepath.Join(w.root, filepath.FromSlash(name))
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		return err
	}
	if real, err = filepath.Abs(real); err != nil {
		return err
	}
	if w.seen[real] {
		return nil
	}
	w.seen[real] = true
	entries, err := os.ReadDir(full)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			w.entry(path.Join(name, e.Name()), e.Type())
		}
	}
	return nil
}

// entry sorts one directory entry into files, folders, links and the rest.
func (w *walk) entry(name string, kind os.FileMode) {
	linked := kind&os.ModeSymlink != 0
	if linked {
		info, err := os.Stat(filepath.Join(w.root, filepath.FromSlash(name)))
		if err != nil {
			w.skip(name, err)
			return
		}
		kind = info.Mode().Type()
	}
	switch {
	case kind.IsDir() && linked:
		w.links = append(w.links, name)
	case kind.IsDir():
		w.pending = append(w.pending, name)
	case kind.IsRegular():
		w.files = append(w.files, name)
	default:
		w.skip(name, errors.New("not a regular file"))
	}
}

func sortSkipped(list []Skipped) {
	slices.SortStableFunc(list, func(a, b Skipped) int { return cmp.Compare(a.Name, b.Name) })
}
