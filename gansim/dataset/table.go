package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// tables are entries that are values of an image column of Parquet files.
type tables struct {
	files  []*os.File
	chunks []parquet.ColumnChunk
	rows   []tableRow // by entry

	// The page that is being read.
	chunk int // of chunks; -1 before the first
	row   int // that comes next
	pages parquet.Pages
	page  parquet.Page
	left  parquet.ValueReader
}

// tableRow says where an entry lies.
type tableRow struct{ chunk, row int }

func (s *Set) openParquet(_ context.Context, path string) error { return s.openTables(path) }

// openTables lists the image columns of Parquet files, in the order of the files and their rows.
func (s *Set) openTables(paths ...string) error {
	t := &tables{chunk: -1}
	for _, path := range paths {
		if err := guard(func() error { return s.openTable(t, path) }); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", path, err), t.Close())
		}
	}
	s.source = t
	return nil
}

// guard turns a panic into an error: the reader is not ours and files may be hostile.
func guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged Parquet: %v", r)
		}
	}()
	return fn()
}

func (s *Set) openTable(t *tables, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	t.files = append(t.files, f)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p, err := parquet.OpenFile(f, info.Size(), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	image, name, err := imageColumn(p.Root())
	if err != nil {
		return err
	}
	row := 0
	for _, g := range p.RowGroups() {
		chunks := g.ColumnChunks()
		var names []string
		if name != nil {
			if names, err = texts(chunks[name.Index()]); err != nil {
				return err
			}
		}
		for i := range int(g.NumRows()) {
			label := fmt.Sprintf("%s#%d", filepath.Base(path), row)
			if i < len(names) && names[i] != "" {
				label = names[i]
			}
			s.entries = append(s.entries, entry{label, -1})
			t.rows = append(t.rows, tableRow{len(t.chunks), i})
			row++
		}
		t.chunks = append(t.chunks, chunks[image.Index()])
	}
	return nil
}

// imageColumn finds the column of images and that of their names, which may be missing. In Hugging
// Face's layout an image is a group of bytes and path; else it is the one column of plain bytes.
func imageColumn(root *parquet.Column) (image, name *parquet.Column, err error) {
	var groups, plain []*parquet.Column
	var all []string
	leaves(root, func(c *parquet.Column) {
		all = append(all, strings.Join(c.Path(), "."))
		text := false
		if l := c.Type().LogicalType(); l != nil {
			_, text = l.Value.(*format.StringType)
		}
		if text || c.Type().Kind() != parquet.ByteArray || c.MaxRepetitionLevel() > 0 {
			return
		}
		if p := c.Path(); len(p) > 1 && p[len(p)-1] == "bytes" {
			groups = append(groups, c)
		} else {
			plain = append(plain, c)
		}
	})
	if len(groups) > 0 {
		plain = groups
	}
	if len(plain) != 1 {
		return nil, nil, fmt.Errorf("%d columns could hold images, want one of bytes; columns are %s",
			len(plain), strings.Join(all, ", "))
	}
	image = plain[0]
	parent := image.Path()[:len(image.Path())-1]
	leaves(root, func(c *parquet.Column) {
		p := c.Path()
		if c.Type().Kind() == parquet.ByteArray && c.MaxRepetitionLevel() == 0 && len(p) == len(parent)+1 &&
			slices.Equal(p[:len(parent)], parent) && p[len(parent)] == "path" {
			name = c
		}
	})
	return image, name, nil
}

func leaves(c *parquet.Column, do func(*parquet.Column)) {
	if c.Leaf() {
		do(c)
	}
	for _, below := range c.Columns() {
		leaves(below, do)
	}
}

// texts reads a column of names.
func texts(c parquet.ColumnChunk) ([]string, error) {
	pages := c.Pages()
	defer pages.Close()
	var all []string
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		values := make([]parquet.Value, page.NumValues())
		n, err := page.Values().ReadValues(values)
		for _, v := range values[:n] {
			all = append(all, string(v.ByteArray())) // empty for a null
		}
		parquet.Release(page)
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
}

// open reads a row's image.
func (t *tables) open(i int) (io.ReadCloser, error) {
	var image []byte
	err := guard(func() (err error) {
		image, err = t.value(t.rows[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(image)), nil
}

func (t *tables) value(at tableRow) ([]byte, error) {
	if at.chunk != t.chunk || at.row != t.row {
		if err := t.seek(at); err != nil {
			return nil, err
		}
	}
	for {
		if t.page == nil {
			page, err := t.pages.ReadPage()
			if err != nil {
				t.chunk = -1
				return nil, fmt.Errorf("row %d: %w", at.row, err)
			}
			t.page, t.left = page, page.Values()
		}
		var v [1]parquet.Value
		n, err := t.left.ReadValues(v[:])
		if n == 1 {
			t.row++
			if v[0].IsNull() {
				return nil, errors.New("the row has no image")
			}
			if err := checkMember(uint64(len(v[0].ByteArray()))); err != nil {
				return nil, err
			}
			return bytes.Clone(v[0].ByteArray()), nil
		}
		t.drop()
		if err != nil && err != io.EOF {
			t.chunk = -1
			return nil, fmt.Errorf("row %d: %w", at.row, err)
		}
	}
}

// seek goes to a row.
func (t *tables) seek(at tableRow) error {
	t.drop()
	if at.chunk != t.chunk {
		if t.pages != nil {
			t.pages.Close()
		}
		t.pages = t.chunks[at.chunk].Pages()
	}
	t.chunk, t.row = at.chunk, at.row
	if err := t.pages.SeekToRow(int64(at.row)); err != nil {
		t.chunk = -1
		return fmt.Errorf("row %d: %w", at.row, err)
	}
	return nil
}

func (t *tables) drop() {
	if t.page != nil {
		parquet.Release(t.page)
		t.page, t.left = nil, nil
	}
}

// Close closes all files.
func (t *tables) Close() error {
	t.drop()
	var errs []error
	if t.pages != nil {
		errs = append(errs, t.pages.Close())
	}
	for _, f := range t.files {
		errs = append(errs, f.Close())
	}
	t.files = nil
	return errors.Join(errs...)
}
