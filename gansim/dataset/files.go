package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// files are entries that lie in files.
type files struct {
	paths []string // by entry
}

func (f *files) open(i int) (io.ReadCloser, error) { return &lateFile{path: f.paths[i]}, nil }

func (f *files) Close() error { return nil }

// lateFile is opened by who reads it, so that slow disks are waited for side by side.
type lateFile struct {
	path string
	file *os.File
}

func (f *lateFile) Read(b []byte) (int, error) {
	if f.file == nil {
		info, err := os.Stat(f.path)
		if err == nil && !info.Mode().IsRegular() { // a device would never end, a pipe never begin
			err = fmt.Errorf("%s: not a regular file", f.path)
		}
		if err == nil {
			f.file, err = os.Open(f.path)
		}
		if err != nil {
			return 0, err
		}
	}
	return f.file.Read(b)
}

func (f *lateFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (s *Set) openFolder(ctx context.Context, dir string) error {
	return s.openFolders(ctx, dir, []string{""})
}

// openFolders lists folders below dir. Where there are Parquet files, they are the images, and what
// stands beside them is not.
func (s *Set) openFolders(ctx context.Context, dir string, below []string) error {
	var names []string
	for _, b := range below {
		found, skipped, err := List(ctx, filepath.Join(dir, b))
		if err != nil {
			return err
		}
		for _, name := range found {
			names = append(names, path.Join(b, name))
		}
		for _, k := range skipped {
			s.Skipped = append(s.Skipped, Skipped{path.Join(b, k.Name), k.Reason})
		}
	}
	var tables []string
	for _, name := range names {
		if strings.HasSuffix(strings.ToLower(name), ".parquet") {
			tables = append(tables, filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	if len(tables) > 0 {
		if err := s.openTables(tables...); err != nil {
			return fmt.Errorf("dataset: %s: %w", dir, err)
		}
		return nil
	}
	f := &files{}
	for _, name := range names {
		f.paths = append(f.paths, filepath.Join(dir, filepath.FromSlash(name)))
		s.entries = append(s.entries, entry{name, -1})
	}
	s.source = f
	return nil
}

// maxListLine bounds a line of a list, bytes: longer paths exist on no system.
const maxListLine = 1 << 16

// openList reads a list of paths: one a line, from the list's folder on where it is not absolute;
// empty lines and lines that begin with # say nothing.
func (s *Set) openList(ctx context.Context, list string) error {
	file, err := os.Open(list)
	if err != nil {
		return err
	}
	defer file.Close()
	f := &files{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxListLine)
	number := 0
	for lines.Scan() {
		number++
		name := strings.TrimSuffix(lines.Text(), "\r")
		if number == 1 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		switch {
		case strings.TrimSpace(name) == "", strings.HasPrefix(name, "#"):
			continue
		case strings.ContainsRune(name, 0):
			return fmt.Errorf("line %d: a path with a zero byte (is this a text file?)", number)
		}
		full := name
		if !filepath.IsAbs(name) {
			full = filepath.Join(filepath.Dir(list), filepath.FromSlash(name))
		}
		f.paths = append(f.paths, full)
		s.entries = append(s.entries, entry{name, -1})
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", number+1, maxListLine)
	} else if err != nil {
		return err
	}
	s.source = f
	return ctx.Err()
}
