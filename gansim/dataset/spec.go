package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// splitSpec cuts the parameters from a spec. A file whose name holds a question mark is taken as it
// is.
func splitSpec(spec string, o Options) (path string, q Query, err error) {
	q = Query{N: o.N, Seed: o.Seed}
	path, text, ok := strings.Cut(spec, "?")
	if !ok {
		return path, q, nil
	}
	if _, err := os.Lstat(spec); err == nil {
		return spec, q, nil
	}
	if q.Values, err = url.ParseQuery(text); err != nil {
		return "", q, err
	}
	for name, values := range q.Values {
		if len(values) > 1 {
			return "", q, fmt.Errorf("%s is given twice", name)
		}
		switch v := values[0]; name {
		case "n":
			q.N, err = strconv.Atoi(v)
			if err != nil || q.N < 1 {
				return "", q, fmt.Errorf("n=%s, want a number from 1 up", v)
			}
		case "seed":
			if q.Seed, err = strconv.ParseUint(v, 10, 64); err != nil {
				return "", q, fmt.Errorf("seed=%s, want a number from 0 up", v)
			}
		case "as":
			if v != "generated" && v != "natural" {
				return "", q, fmt.Errorf("as=%s, want generated or natural", v)
			}
		default:
			if prefix, _, _ := strings.Cut(path, ":"); o.Openers[prefix] == nil {
				return "", q, fmt.Errorf("no parameter %q, want n, seed or as", name)
			}
		}
	}
	q.Values.Del("n")
	q.Values.Del("seed")
	return path, q, nil
}

// form is a kind of file that holds or lists images.
type form struct {
	suffix string
	open   func(s *Set, ctx context.Context, path string) error
}

// forms lists the kinds of files by the end of their names; of several that fit, the first counts.
func forms() []form {
	return []form{
		{".npz", (*Set).openStatistics},
		{".txt", (*Set).openList},
		{".zip", (*Set).openZip},
		{".tar", (*Set).openTar},
		{".tar.gz", (*Set).openTarGzip},
		{".tgz", (*Set).openTarGzip},
		{".parquet", (*Set).openParquet},
	}
}

// list finds the images of a path.
func (s *Set) list(ctx context.Context, path string, o Options) error {
	if l, dir, ok := cutLayout(path); ok {
		return s.openLayout(ctx, l, dir)
	}
	info, err := os.Stat(path)
	if err != nil {
		return s.absent(path, o, err)
	}
	if info.IsDir() {
		return s.openFolder(ctx, path)
	}
	var known []string
	for _, f := range forms() {
		if strings.HasSuffix(strings.ToLower(path), f.suffix) {
			if err := f.open(s, ctx, path); err != nil {
				return fmt.Errorf("dataset: %s: %w", path, err)
			}
			return nil
		}
		known = append(known, f.suffix)
	}
	return fmt.Errorf("dataset: %s is neither a folder nor a file with one of the endings %s", path,
		strings.Join(known, ", "))
}

// absent is the error about a path that is not there; it lists the prefixes where one was meant.
func (s *Set) absent(path string, o Options, err error) error {
	prefix, _, ok := strings.Cut(path, ":")
	if !ok || len(prefix) == 1 || strings.ContainsAny(prefix, `/\`) || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dataset: %w", err)
	}
	var known []string
	for name := range o.Openers {
		known = append(known, name+":")
	}
	for _, l := range Layouts() {
		known = append(known, l.Name+":")
	}
	slices.Sort(known)
	return fmt.Errorf("dataset: %w; of prefixes there are %s", err, strings.Join(known, " "))
}

// openStatistics makes a set without images; the file is read where statistics are wanted.
func (s *Set) openStatistics(_ context.Context, path string) error {
	s.Statistics = path
	return nil
}
