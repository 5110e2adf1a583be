package weights

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func testLocker(path string, lease bool) *locker {
	return &locker{path: path, lease: lease, poll: time.Millisecond, beat: 20 * time.Millisecond,
		dead: 600 * time.Millisecond}
}

// TestLock: one at a time, the others wait, are told for whom, and can be told to stop.
func TestLock(t *testing.T) {
	for name, lease := range map[string]bool{"flock": false, "lease": true} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.lock")
			var inside, most, waited atomic.Int64
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					h, err := testLocker(path, lease).acquire(t.Context(), func(owner string) {
						waited.Add(1)
						if owner == "" {
							t.Error("no owner named")
						}
					})
					if err != nil {
						t.Error(err)
						return
					}
					most.Store(max(most.Load(), inside.Add(1)))
					time.Sleep(10 * time.Millisecond)
					inside.Add(-1)
					if err := h.check(); err != nil {
						t.Error(err)
					}
					h.release()
				})
			}
			all.Wait()
			if most.Load() != 1 || waited.Load() == 0 {
				t.Errorf("%d at a time, %d waited; want 1, and some", most.Load(), waited.Load())
			}
			checkNames(t, filepath.Dir(path))

			h, err := testLocker(path, lease).acquire(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer h.release()
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
			defer cancel()
			_, err = testLocker(path, lease).acquire(ctx, nil) // longer than dead: the owner is alive
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want it to wait in vain", err)
			}
		})
	}
}

// TestLeaseOfTheDead: a lease without signs of life is free, whatever its time says, and one who
// wakes from the dead finds out.
func TestLeaseOfTheDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	l := testLocker(path, true)
	l.beat = time.Hour
	dead, err := l.acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(l.leasePath(), future, future); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	h, err := testLocker(path, true).acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 600*time.Millisecond {
		t.Errorf("taken after %v, want a living owner to have more time", took)
	}
	if dead.check() == nil || h.check() != nil {
		t.Errorf("the dead one has it: %v, the living one: %v", dead.check(), h.check())
	}
	dead.release()
	if err := h.check(); err != nil {
		t.Errorf("the dead one took it away: %v", err)
	}
	h.release()
	checkNames(t, filepath.Dir(path))
}

// TestLockNoFolder: an error of the file system is not waited for.
func TestLockNoFolder(t *testing.T) {
	for _, lease := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "none", "x.lock")
		if _, err := testLocker(path, lease).acquire(t.Context(), nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v, want it not to exist", err)
		}
	}
}
