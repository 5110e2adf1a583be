package weights

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Bounds of waiting.
const (
	defaultTries = 6                // without a new byte, for one address
	firstPause   = time.Second      // before the second try; then twice as long each time
	longestPause = 2 * time.Minute  // whatever a server asks for
	defaultStall = 60 * time.Second // without a byte a connection counts as dead
)

// Options changes how Fetch works. The zero value is right for a workstation on the network.
type Options struct {
	Mirror   string                  // asked first for the file's own name below it; zero means none
	Offline  bool                    // opens no socket: what is not in the cache is an error
	Tries    int                     // in vain, before the next address is asked; zero means 6
	Progress func(done, total int64) // bytes; total zero means unknown; nil means quiet
	Log      *slog.Logger            // pauses, retries and waiting for other processes; nil means quiet
	Dir      string                  // zero means CacheDir

	transport    http.RoundTripper // zero means the network
	pause, stall time.Duration     // zero means firstPause and defaultStall
}

// Fetch makes sure that a published file is in the cache. It resumes what was interrupted, accepts a
// file only if its hash is right, and gives it its name only when it is whole and on the disk.
// Several processes may fetch the same file: one downloads, the others wait for it. Where nobody has
// published a hash the first one seen is kept in lock.json and holds from then on.
//
// An error is a [*FetchError]. It wraps [ErrChecksum] if the contents are wrong, [ErrMissing] if
// Offline is set and the file is not there, and the context's error if that ended the download.
func Fetch(ctx context.Context, e Entry, o Options) (Status, error) {
	f, err := newFetcher(e, o)
	if err == nil {
		var s Status
		if s, err = f.fetch(ctx); err == nil {
			return s, nil
		}
	}
	if known := (*FetchError)(nil); errors.As(err, &known) {
		return f.was, err
	}
	return f.was, f.explain(ctx, err)
}

// fetcher is one call of Fetch.
type fetcher struct {
	Options
	entry  Entry
	was    Status // before the download: what is expected
	client *http.Client
	shown  time.Time // when progress was shown last
}

func newFetcher(e Entry, o Options) (*fetcher, error) {
	f := &fetcher{Options: o, entry: e, was: Status{Entry: e, State: Absent, Hash: HashUnknown}}
	if f.Tries <= 0 {
		f.Tries = defaultTries
	}
	if f.pause <= 0 {
		f.pause = firstPause
	}
	if f.stall <= 0 {
		f.stall = defaultStall
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	err := e.check()
	if err == nil && f.Dir == "" {
		f.Dir, err = CacheDir()
	}
	return f, err
}

// fetch looks into the cache, takes the lock, looks again, and downloads.
func (f *fetcher) fetch(ctx context.Context) (s Status, err error) {
	if s, err = f.look(); err != nil || s.State == Present {
		return s, err
	}
	if f.Offline {
		return s, f.offline(s)
	}
	urls, err := f.urls()
	if err != nil {
		return s, err
	}
	if err := os.MkdirAll(f.Dir, 0o777); err != nil {
		return s, diskError(f.entry, f.Dir, 0, err)
	}
	base := filepath.Join(f.Dir, f.entry.Name)
	lock, err := newLocker(base+lockSuffix).acquire(ctx, func(owner string) {
		f.Log.Info("waiting for another download", "name", f.entry.Name, "owner", owner)
	})
	if err != nil {
		return s, diskError(f.entry, f.Dir, 0, err)
	}
	defer lock.release()
	if s, err = f.look(); err != nil || s.State == Present {
		return s, err
	}
	p, err := openPart(ctx, base)
	if err != nil {
		return s, diskError(f.entry, f.Dir, 0, err)
	}
	defer p.close()
	from, err := f.download(ctx, urls, p)
	if err != nil {
		return s, err
	}
	if err := lock.check(); err != nil {
		return s, local{err, ""}
	}
	return f.keep(ctx, p, from)
}

// offline is the error for what would need the network.
func (f *fetcher) offline(s Status) error {
	err := missing(s, f.Dir)
	if known := (*FetchError)(nil); errors.As(err, &known) && len(f.entry.URLs) > 0 {
		known.Hint = "with a network and without --offline " + known.Hint
	}
	return err
}

// look finds out what is there and what is expected.
func (f *fetcher) look() (Status, error) {
	s, err := status(f.Dir, f.entry)
	f.was = s
	return s, err
}

// urls lists the addresses in the order in which they are asked.
func (f *fetcher) urls() ([]string, error) {
	var urls []string
	if f.Mirror != "" {
		u, err := url.Parse(f.Mirror)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, refused{fmt.Errorf("mirror %q, want http://… or https://…", f.Mirror),
				"correct --mirror"}
		}
		urls = append(urls, u.JoinPath(f.entry.File).String())
	}
	urls = append(urls, f.entry.URLs...)
	if len(urls) == 0 {
		return nil, refused{errors.New("no address of the file itself is known"), byHand(f.entry)}
	}
	return urls, nil
}

// download asks one address after the other until the part is whole and right, and returns the
// address that it came from.
func (f *fetcher) download(ctx context.Context, urls []string, p *part) (string, error) {
	f.client = newClient(f.transport)
	defer f.client.CloseIdleConnections()
	var all failures
	for _, u := range urls {
		err := f.from(ctx, u, p)
		if err == nil {
			return u, nil
		}
		var here local
		if errors.As(err, &here) || ctx.Err() != nil {
			return "", err
		}
		f.Log.Info("giving up an address", "name", f.entry.Name, "url", u, "reason", err)
		all = append(all, fmt.Errorf("%s: %w", u, err))
	}
	return "", all
}

// from downloads from one address, with pauses between the tries.
func (f *fetcher) from(ctx context.Context, u string, p *part) error {
	best, vain := p.n, 0
	for {
		err := f.attempt(ctx, u, p)
		if err == nil {
			err = f.right(p)
		}
		var pass again
		if err == nil || ctx.Err() != nil || !errors.As(err, &pass) {
			return err
		}
		if p.n > best {
			best, vain = p.n, 0
		}
		if vain++; vain >= f.Tries {
			return fmt.Errorf("%d tries: %w", vain, err)
		}
		pause := f.backoff(vain, pass.after)
		f.Log.Info("trying again", "name", f.entry.Name, "url", u, "bytes", p.n,
			"pause", pause.Round(time.Millisecond), "reason", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// backoff is the pause after a number of tries in vain: twice as long each time, spread by half so
// that many machines do not come back at once, or what the server asks for, within bounds.
func (f *fetcher) backoff(vain int, asked time.Duration) time.Duration {
	d := f.pause << min(vain-1, 16)
	d = d/2 + rand.N(d)
	return min(max(d, asked), longestPause)
}

// right compares a whole part with what is expected. A wrong one is thrown away; if it was put
// together from several answers it is worth another try.
func (f *fetcher) right(p *part) error {
	got, want := p.sha256(), f.was.SHA256
	var err error
	switch {
	case f.entry.Size > 0 && p.n != f.entry.Size:
		err = fmt.Errorf("size is %d, want %d: %w", p.n, f.entry.Size, ErrChecksum)
	case want != "" && got != want:
		err = fmt.Errorf("sha256 is %s, want %s (%s): %w", got, want, f.was.Hash, ErrChecksum)
	case !strings.HasPrefix(got, f.entry.SHA256Prefix):
		err = fmt.Errorf("sha256 is %s, want %s…: %w", got, f.entry.SHA256Prefix, ErrChecksum)
	default:
		return nil
	}
	resumed := p.resumed
	if resetErr := p.reset(); resetErr != nil {
		return local{resetErr, ""}
	}
	if resumed {
		return again{err, 0}
	}
	hint := ""
	if f.was.Hash == HashFirstSeen {
		hint = fmt.Sprintf("if the publisher has replaced the file, remove %s from %s, then run %s",
			f.entry.Name, filepath.Join(f.Dir, pinsName), fetchCommand(f.entry.Name))
	}
	return refused{err, hint}
}

// keep gives a whole and right part its final name and records it.
func (f *fetcher) keep(ctx context.Context, p *part, from string) (Status, error) {
	sum := p.sha256()
	if err := p.publish(filepath.Join(f.Dir, contentName(sum))); err != nil {
		return f.was, diskError(f.entry, f.Dir, p.n, err)
	}
	entry := pin{SHA256: sum, Size: p.n, URL: from, Time: time.Now().UTC().Truncate(time.Second)}
	if err := writePin(context.WithoutCancel(ctx), f.Dir, f.entry.Name, entry); err != nil {
		return f.was, diskError(f.entry, f.Dir, p.n, err)
	}
	return f.look()
}

// explain puts the name and the next step to an error.
func (f *fetcher) explain(ctx context.Context, err error) error {
	out := &FetchError{Name: f.entry.Name, Err: err, Hint: resume(f.entry)}
	var here local
	var no refused
	switch {
	case ctx.Err() != nil:
		if !errors.Is(err, ctx.Err()) {
			out.Err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		out.Hint = fmt.Sprintf("run %s to resume", fetchCommand(f.entry.Name))
	case errors.As(err, &here):
		out.Hint = here.hint
	case errors.As(err, &no):
		out.Hint = no.hint
		if no.hint == "" {
			out.Hint = byHand(f.entry)
		}
	}
	return out
}
