package weights

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// lease is a lock where there is no flock: whoever makes the file has it, and renews the file's time
// while it does.
type lease struct {
	path, token string
	stop        chan struct{}
	stopped     sync.WaitGroup
}

// leaseWatch is what a waiting process knows of a lease. It compares no clocks of two machines: the
// owner is dead if the file's time stands still for long enough by the clock of the waiting one.
type leaseWatch struct {
	token string
	mtime time.Time
	since time.Time
}

func (l *locker) leasePath() string { return l.path + ".lease" }

// tryLease takes the lease, or fails with errBusy.
func (l *locker) tryLease(watch *leaseWatch) (held, error) {
	path := l.leasePath()
	token := self() + "\n" + rand.Text() + "\n"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		if watch.stale(path, l.dead) {
			watch.steal(path)
		}
		return nil, errBusy
	}
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(token)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	h := &lease{path: path, token: token, stop: make(chan struct{})}
	h.stopped.Go(func() { h.renew(l.beat) })
	return h, nil
}

// stale says whether the owner has given no sign of life for a time.
func (w *leaseWatch) stale(path string, dead time.Duration) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	if string(b) != w.token || !info.ModTime().Equal(w.mtime) || w.since.IsZero() {
		w.token, w.mtime, w.since = string(b), info.ModTime(), time.Now()
	}
	return time.Since(w.since) >= dead
}

// steal removes the lease of a dead owner. Should another process have done so and taken the lease
// in between, its file is put back.
func (w *leaseWatch) steal(path string) {
	aside := path + "." + rand.Text()
	if os.Rename(path, aside) != nil {
		return
	}
	if b, err := os.ReadFile(aside); err == nil && string(b) != w.token {
		os.Link(aside, path)
	}
	os.Remove(aside)
}

func (h *lease) renew(beat time.Duration) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-h.stop:
			return
		case now := <-ticker.C:
			if h.check() == nil {
				os.Chtimes(h.path, now, now)
			}
		}
	}
}

// check finds out whether another process took this one for dead, as after a long sleep.
func (h *lease) check() error {
	if b, err := os.ReadFile(h.path); err != nil || string(b) != h.token {
		return fmt.Errorf("another process took the lock %s", h.path)
	}
	return nil
}

func (h *lease) release() {
	close(h.stop)
	h.stopped.Wait()
	if h.check() == nil {
		os.Remove(h.path)
	}
}
