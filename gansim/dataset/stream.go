package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"gansim.example/gansim"
)

// Convert turns an image into what is wanted of it. Both functions are called by several goroutines
// at once.
type Convert[T any] struct {
	File  func(r io.Reader) (T, error)     // from the content of a file
	Image func(m gansim.Images) (T, error) // from one that was drawn, [1, h, w, 3]
}

// Item is an image of a stream.
type Item[T any] struct {
	Position int    // in the set, counting those that could not be read
	Name     string // of the file, with slashes, or the number of a drawn image
	SHA256   string // of the file's content, hexadecimal; empty for drawn images
	Value    T
	Err      error // why it cannot be read, nil if it could: the stream goes on
}

// Span says which part of a set is streamed; the zero value is all of it.
type Span struct {
	From int // the first position
	To   int // the position behind the last; zero means Set.Positions
	Want int // readable images that are enough; zero means Set.Len
}

// Stream reads a set's images from a position on, until enough of them were readable or none are
// left. Files are read, hashed and converted side by side and come in order, with no more than a few
// of them in memory. A file that cannot be read comes as an item with an error; if the set is strict,
// it ends the stream instead. The other errors are the context's and those of a damaged archive. All
// goroutines end before the loop does.
func Stream[T any](ctx context.Context, s *Set, c Convert[T], span Span) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		var none Item[T]
		if s.Statistics != "" {
			yield(none, fmt.Errorf("dataset: %s holds statistics, not images", s.Name))
			return
		}
		if span.Want == 0 {
			span.Want = s.Len()
		}
		if span.To == 0 {
			span.To = s.Positions()
		}
		inner, stop := context.WithCancel(ctx)
		p := newPipe(s, c, span)
		var all sync.WaitGroup
		defer all.Wait()
		defer stop()
		all.Go(func() { p.feed(inner) })
		for range s.workers {
			all.Go(p.work)
		}
		got := 0
		for got < span.Want {
			j, ok := <-p.queue
			if !ok {
				break
			}
			item := <-j.done
			if item.Err != nil && s.Strict {
				yield(none, fmt.Errorf("dataset: %s: strict: %s: %w", s.Name, item.Name, item.Err))
				return
			}
			if item.Err != nil {
				p.replace <- struct{}{}
			} else {
				got++
			}
			if !yield(item, nil) {
				return
			}
		}
		err := p.failure()
		if got < span.Want && ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(none, fmt.Errorf("dataset: %s: %w", s.Name, err))
		}
	}
}

// pipe is a stream under way: feed opens entries in order, work converts them side by side, and the
// queue keeps their order.
type pipe[T any] struct {
	set     *Set
	convert Convert[T]
	span    Span
	queue   chan *job[T]
	jobs    chan *job[T]
	replace chan struct{} // an entry more is needed

	mu  sync.Mutex
	err error
}

// job is an entry on its way.
type job[T any] struct {
	item  Item[T]
	file  io.ReadCloser  // of a file
	image *gansim.Images // of one that was drawn
	done  chan Item[T]
}

func newPipe[T any](s *Set, c Convert[T], span Span) *pipe[T] {
	ahead := 4 * s.workers // that whoever reads the stream in batches keeps the workers busy
	return &pipe[T]{set: s, convert: c, span: span, queue: make(chan *job[T], ahead),
		jobs: make(chan *job[T], ahead), replace: make(chan struct{}, s.Positions()+1)}
}

func (p *pipe[T]) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *pipe[T]) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// feed opens entries until enough are on their way.
func (p *pipe[T]) feed(ctx context.Context) {
	defer close(p.queue)
	defer close(p.jobs)
	var drawn gansim.Images // of the piece that begins at first
	first := 0
	for at := p.span.From; at < p.span.To; at++ {
		if at >= p.span.From+p.span.Want {
			select {
			case <-p.replace:
			case <-ctx.Done():
				return
			}
		}
		j := &job[T]{item: Item[T]{Position: at}, done: make(chan Item[T], 1)}
		if d := p.set.drawn; d != nil {
			if at >= first+drawn.N {
				to := min(at+d.piece(), p.span.To, max(at+1, p.span.From+p.span.Want))
				var err error
				if drawn, err = d.Draw(ctx, at, to); err != nil {
					p.fail(err)
					return
				}
				first = at
			}
			one := drawn.Slice(at-first, at-first+1)
			j.image, j.item.Name = &one, fmt.Sprintf("%06d", at)
		} else if err := p.open(j, at); err != nil {
			p.fail(err)
			return
		}
		select {
		case p.queue <- j:
		case <-ctx.Done():
			if j.file != nil {
				j.file.Close()
			}
			return
		}
		p.jobs <- j // has room wherever queue had
	}
}

// open opens an entry. That it cannot be is the item's error, unless nothing can be opened any more.
func (p *pipe[T]) open(j *job[T], at int) error {
	e := p.set.order[at]
	j.item.Name = p.set.entries[e].name
	file, err := p.set.source.open(e)
	var gone *damaged
	if errors.As(err, &gone) {
		return err
	}
	j.file, j.item.Err = file, err
	return nil
}

// damaged is an archive that cannot be read any further.
type damaged struct{ error }

func (d *damaged) Unwrap() error { return d.error }

func (d *Drawn) piece() int {
	if d.Piece > 0 {
		return d.Piece
	}
	return 16
}

// work converts jobs until there are no more.
func (p *pipe[T]) work() {
	for j := range p.jobs {
		switch {
		case j.item.Err != nil:
		case j.image != nil:
			j.item.Value, j.item.Err = p.convert.Image(*j.image)
		default:
			j.item.Value, j.item.SHA256, j.item.Err = read(j.file, p.convert.File)
		}
		j.done <- j.item
	}
}

// read converts a file and hashes it to its end.
func read[T any](file io.ReadCloser, convert func(io.Reader) (T, error)) (T, string, error) {
	defer file.Close()
	var none T
	hash := sha256.New()
	tee := io.TeeReader(file, hash)
	v, err := convert(tee)
	if err != nil {
		return none, "", err
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return none, "", err
	}
	return v, hex.EncodeToString(hash.Sum(nil)), nil
}

// Hash is the SHA-256, hexadecimal, of the names and contents of the images that the set is to have,
// in order, or of what drawn images depend on. Where the set has files, it reads them once; what
// cannot be read counts by its name alone.
func (s *Set) Hash(ctx context.Context, progress func(done, total int)) (string, error) {
	s.hashing.Lock()
	defer s.hashing.Unlock()
	if s.hash != "" {
		return s.hash, nil
	}
	sum := sha256.New()
	switch {
	case s.Statistics != "":
		f := files{paths: []string{s.Statistics}}
		r, err := f.open(0)
		if err != nil {
			return "", err
		}
		defer r.Close()
		if _, err := io.Copy(sum, r); err != nil {
			return "", fmt.Errorf("dataset: %w", err)
		}
	case s.drawn != nil:
		fmt.Fprintln(sum, s.drawn.Identity, s.drawn.N)
	default:
		nothing := Convert[struct{}]{File: func(io.Reader) (v struct{}, err error) { return v, nil }}
		for item, err := range Stream(ctx, s, nothing, Span{}) {
			if err != nil {
				return "", err
			}
			if item.Position >= s.Len() {
				break
			}
			fmt.Fprintln(sum, item.SHA256, item.Name)
			if progress != nil {
				progress(item.Position+1, s.Len())
			}
		}
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))
	return s.hash, nil
}
