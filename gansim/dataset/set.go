package dataset

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"gansim.example/gansim"
)

// Set is a list of images that [Stream] reads: files of a folder, an archive, a table or a list, or
// images that are drawn as they are asked for. It may be streamed several times, but by one
// goroutine at a time.
type Set struct {
	Name string // the spec that it was opened by
	// Generated says that a generator made the images: some conventions resize those in another way.
	Generated bool
	// Statistics is the path of a set that is known by the mean and covariance of its features alone
	// (.npz); it has no images to stream.
	Statistics string
	Skipped    []Skipped // what could not be listed, such as a folder without permission
	Found      int       // images in the list
	N          int       // images asked for; zero means all
	Seed       uint64    // that chose them
	Strict     bool      // a file that cannot be read is an error
	Note       string    // what a reader should know, such as a count that is not the layout's

	entries []entry
	order   []int // of entries: the first Len, then replacements for those that cannot be read
	source  source
	drawn   *Drawn
	workers int

	hashing sync.Mutex
	hash    string
}

// entry is an image of the list.
type entry struct {
	name string
	size int64 // bytes; -1 if unknown
}

// source holds the contents of a set's entries. Its open is called by one goroutine at a time, in the
// order of the stream; what it gives is read and closed by another one.
type source interface {
	open(entry int) (io.ReadCloser, error)
	io.Closer
}

// Opener opens a set that this package does not know by itself, such as gen:NAME/RECIPE.
type Opener func(ctx context.Context, q Query) (Drawn, error)

// Query is the spec of a set to be drawn, in parts.
type Query struct {
	Name   string // between the colon and the question mark
	N      int    // images wanted; zero means that nobody says
	Seed   uint64
	Values url.Values // the parameters after the question mark but n and seed
}

// Drawn makes images as they are asked for.
type Drawn struct {
	N         int
	Generated bool // by a generator, rather than rendered
	// Identity names all that the images depend on: weights, recipe, seed, rounding.
	Identity string
	Piece    int // images of a call; zero means 16
	// Draw gives images from to to (exclusive), each the same whatever the others. It is called by one
	// goroutine at a time.
	Draw func(ctx context.Context, from, to int) (gansim.Images, error)
	// Close frees what Draw needs; nil means nothing.
	Close func() error
}

// Open opens a set by its spec:
//
//	DIR                     files of a folder and of those in it, by name; or its Parquet files
//	FILE.zip                images of an archive, by name
//	FILE.tar, .tar.gz, .tgz the same, in the archive's order
//	FILE.parquet            an image column as Hugging Face keeps it ({bytes, path}), by row
//	FILE.txt                a path a line, from the list's folder on
//	FILE.npz                mean and covariance of features (mu, sigma), as pytorch-fid keeps them
//	imagenet:DIR, ...       the reference sets as they are published: see [Layouts]
//	PREFIX:NAME             what Options.Openers know
//
// Behind it may stand ?n=N&seed=S, which are used in place of the options', and as=generated or
// as=natural, which say who made the images. With N, the first N of [Choose] are the set, in the
// list's order; files that cannot be read are replaced by the next of the choice. A set without
// images is an error that wraps [ErrNoImages].
func Open(ctx context.Context, spec string, o Options) (*Set, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	path, q, err := splitSpec(spec, o)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", spec, err)
	}
	s := &Set{Name: spec, N: q.N, Seed: q.Seed, workers: o.Workers, Strict: o.Strict}
	if prefix, name, ok := strings.Cut(path, ":"); ok && o.Openers[prefix] != nil {
		q.Name = name
		d, err := o.Openers[prefix](ctx, q)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", spec, err)
		}
		s.drawn, s.Generated, s.Found, s.N = &d, d.Generated, d.N, d.N
		s.as(q.Values)
		return s, nil
	}
	if err := s.list(ctx, path, o); err != nil {
		return nil, err
	}
	s.as(q.Values)
	s.Found = len(s.entries)
	if s.Statistics == "" && s.Found == 0 {
		return nil, fmt.Errorf("dataset: %s: %w%s", spec, ErrNoImages, firstOf(s.Skipped))
	}
	if o.Strict && len(s.Skipped) > 0 {
		return nil, fmt.Errorf("dataset: %s: strict%s", spec, firstOf(s.Skipped))
	}
	if s.Statistics == "" && s.N > s.Found {
		return nil, fmt.Errorf("dataset: %s: %d images, want %d", spec, s.Found, s.N)
	}
	s.choose()
	return s, nil
}

// as takes the user's word for who made the images.
func (s *Set) as(values url.Values) {
	if as := values.Get("as"); as != "" {
		s.Generated = as == "generated"
	}
}

// choose orders the entries: the chosen ones in the list's order, then those that may replace them.
func (s *Set) choose() {
	s.order = make([]int, len(s.entries))
	for i := range s.order {
		s.order[i] = i
	}
	if s.N == 0 {
		return
	}
	shuffle(s.order, s.Seed)
	slices.Sort(s.order[:s.N])
}

// Close frees what the set holds open. It is not to be streamed afterwards.
func (s *Set) Close() error {
	switch {
	case s.source != nil:
		return s.source.Close()
	case s.drawn != nil && s.drawn.Close != nil:
		return s.drawn.Close()
	}
	return nil
}

// Len is the number of images that the set is to have, if all of them can be read.
func (s *Set) Len() int {
	if s.N > 0 {
		return s.N
	}
	return s.Found
}

// Positions is the number of entries that a stream can visit: images beyond Len are replacements.
func (s *Set) Positions() int {
	if s.drawn != nil {
		return s.drawn.N
	}
	return len(s.order)
}

// firstOf describes what was skipped.
func firstOf(skipped []Skipped) string {
	if len(skipped) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d skipped, first %s: %v", len(skipped), skipped[0].Name, skipped[0].Reason)
}
