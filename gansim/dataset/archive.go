package dataset

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// maxMember is the largest file taken from an archive or a table, bytes. What its header claims is
// checked before memory is taken.
const maxMember = 256 << 20

// hidden says whether a member is one that [List] leaves out of a folder too, or a Macintosh's
// leavings.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." && part != ".." || part == "__MACOSX" {
			return true
		}
	}
	return false
}

// checkMember says why a member cannot be an image.
func checkMember(size uint64) error {
	if size > maxMember {
		return fmt.Errorf("%d bytes, at most %d are read", size, maxMember)
	}
	return nil
}

// zipped are entries of a ZIP archive.
type zipped struct {
	*zip.ReadCloser
	members []*zip.File // by entry
}

const (
	zipEncrypted = 1    // bit of the flags (APPNOTE.TXT 6.3.10, 4.4.4)
	zipRatio     = 1032 // bytes out per byte in that deflate can reach (RFC 1951)
)

// openZip lists a ZIP archive by name. Members that are encrypted, too large, packed more densely
// than deflate can, or stored under a name for the second time are skipped.
func (s *Set) openZip(ctx context.Context, file string) error {
	r, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	z := &zipped{ReadCloser: r}
	members := slices.Clone(r.File)
	slices.SortStableFunc(members, func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) })
	last := ""
	for _, m := range members {
		if m.FileInfo().IsDir() || hidden(m.Name) {
			continue
		}
		err := checkMember(m.UncompressedSize64)
		switch {
		case err != nil:
		case m.Flags&zipEncrypted != 0:
			err = errors.New("is encrypted")
		case !m.Mode().IsRegular():
			err = errors.New("not a regular file")
		case m.UncompressedSize64/zipRatio > m.CompressedSize64:
			err = fmt.Errorf("%d bytes in %d", m.UncompressedSize64, m.CompressedSize64)
		case m.Name == last:
			err = errors.New("is in the archive twice")
		}
		if err != nil {
			s.Skipped = append(s.Skipped, Skipped{m.Name, err})
			continue
		}
		last = m.Name
		z.members = append(z.members, m)
		s.entries = append(s.entries, entry{m.Name, int64(m.UncompressedSize64)})
	}
	s.source = z
	return ctx.Err()
}

func (z *zipped) open(i int) (io.ReadCloser, error) { return z.members[i].Open() }

// tarred are entries of a tar archive that can be read anywhere.
type tarred struct {
	*os.File
	at, size []int64 // by entry
}

func (t *tarred) open(i int) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(t.File, t.at[i], t.size[i])), nil
}

// openTar lists a tar archive in its own order.
func (s *Set) openTar(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	t := &tarred{File: f}
	err = s.members(ctx, tar.NewReader(f), func(h *tar.Header) error {
		at, err := f.Seek(0, io.SeekCurrent) // tar reads no further than it must
		t.at, t.size = append(t.at, at), append(t.size, h.Size)
		return err
	})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.source = t
	return nil
}

// members lists the images of a tar archive and calls keep for each.
func (s *Set) members(ctx context.Context, r *tar.Reader, keep func(h *tar.Header) error) error {
	skip := func(name string, reason error) { s.Skipped = append(s.Skipped, Skipped{name, reason}) }
	for {
		h, err := nextImage(r, skip)
		if err == io.EOF {
			return ctx.Err()
		}
		if err == nil {
			err = errors.Join(ctx.Err(), keep(h))
		}
		if err != nil {
			return fmt.Errorf("after %d images: %w", len(s.entries), err)
		}
		s.entries = append(s.entries, entry{path.Clean(h.Name), h.Size})
	}
}

// nextImage goes to the next member that may be an image; files that cannot be are told to skip.
func nextImage(r *tar.Reader, skip func(name string, reason error)) (*tar.Header, error) {
	for {
		h, err := r.Next()
		if err != nil {
			return nil, err
		}
		name := path.Clean(h.Name)
		if h.Typeflag == tar.TypeDir || hidden(name) {
			continue
		}
		switch err := checkMember(uint64(h.Size)); {
		case err != nil:
			skip(name, err)
		case h.Typeflag != tar.TypeReg:
			skip(name, errors.New("not a regular file"))
		case sparse(h):
			skip(name, errors.New("is sparse"))
		default:
			return h, nil
		}
	}
}

// sparse says whether a member's bytes do not lie in the archive one after the other.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// gzipped are entries of a compressed tar archive, which can only be read from its start on.
type gzipped struct {
	*os.File
	r    *tar.Reader
	next int // entry that the reader comes to next
}

// openTarGzip lists a compressed tar archive, which takes as long as to unpack it.
func (s *Set) openTarGzip(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	g := &gzipped{File: f}
	if err = g.rewind(); err == nil {
		err = s.members(ctx, g.r, func(*tar.Header) error { return nil })
		g.next = len(s.entries)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.source = g
	return nil
}

func (g *gzipped) rewind() error {
	if _, err := g.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(g.File, 1<<18))
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	g.r, g.next = tar.NewReader(z), 0
	return nil
}

// open reads an entry; one behind the reader makes it start again.
func (g *gzipped) open(i int) (io.ReadCloser, error) {
	if i < g.next {
		if err := g.rewind(); err != nil {
			return nil, &damaged{err}
		}
	}
	for {
		h, err := nextImage(g.r, func(string, error) {})
		if err != nil {
			return nil, &damaged{err}
		}
		if g.next++; g.next <= i {
			continue
		}
		b := make([]byte, h.Size)
		if _, err := io.ReadFull(g.r, b); err != nil {
			return nil, &damaged{err}
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	}
}
