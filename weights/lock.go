package weights

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// lockSuffix is added to the name of what a lock is for.
const lockSuffix = ".lock"

// Times of a lock.
const (
	lockPoll  = 100 * time.Millisecond // between two tries of a waiting process
	leaseBeat = 5 * time.Second        // between two signs of life of a lease's owner
	leaseDead = 30 * time.Second       // without a sign the owner of a lease counts as dead
)

var (
	errBusy    = errors.New("another process has the lock")
	errNoFlock = errors.New("no flock here")
)

// locker makes processes take turns. It uses flock, which the system frees when its owner dies, and
// where there is none a lease: a file whose time its owner renews.
type locker struct {
	path             string
	lease            bool // use a lease although there may be flock
	poll, beat, dead time.Duration
}

func newLocker(path string) *locker {
	return &locker{path: path, poll: lockPoll, beat: leaseBeat, dead: leaseDead}
}

// held is a lock that this process has.
type held interface {
	check() error // an error if the lock was lost, which only a lease can be
	release()
}

// acquire waits for the lock; waiting, if not nil, is told once who has it.
func (l *locker) acquire(ctx context.Context, waiting func(owner string)) (held, error) {
	var watch leaseWatch
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := l.try(&watch)
		if err == nil {
			return h, nil
		}
		if !errors.Is(err, errBusy) {
			return nil, fmt.Errorf("lock %s: %w", l.path, err)
		}
		if first && waiting != nil {
			waiting(l.owner())
		}
		if err := sleep(ctx, l.poll); err != nil {
			return nil, err
		}
	}
}

func (l *locker) try(watch *leaseWatch) (held, error) {
	if !l.lease {
		h, err := tryFlock(l.path)
		if !errors.Is(err, errNoFlock) {
			return h, err
		}
		l.lease = true
	}
	return l.tryLease(watch)
}

// owner is what the lock's file says of its owner.
func (l *locker) owner() string {
	path := l.path
	if l.lease {
		path = l.leasePath()
	}
	b, _ := os.ReadFile(path)
	who, _, _ := strings.Cut(string(b), "\n")
	if who == "" {
		return "another process"
	}
	return who
}

// self is how this process calls itself in the file of a lock.
func self() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

// sleep waits, or returns the context's error as soon as there is one.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
