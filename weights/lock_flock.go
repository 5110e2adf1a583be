//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package weights

import (
	"errors"
	"os"
	"syscall"
)

// flock is a lock of the operating system on a file, removed when its owner is done.
type flock struct{ f *os.File }

// tryFlock takes the lock, or fails with errBusy, or with errNoFlock where the file system has none.
func tryFlock(path string) (held, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && inPlace(f, path) {
			f.Truncate(0)
			f.WriteAt([]byte(self()+"\n"), 0) // tells others whom they wait for, no more
			return &flock{f}, nil
		}
		f.Close()
		switch {
		case err == nil, errors.Is(err, syscall.EINTR):
			// The owner before removed the file, or a signal came.
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errBusy
		case errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOTSUP),
			errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOLCK),
			errors.Is(err, syscall.EINVAL):
			return nil, errNoFlock
		default:
			return nil, err
		}
	}
}

// inPlace says whether an open file is still the one that has the name.
func inPlace(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func (l *flock) check() error { return nil }

func (l *flock) release() {
	os.Remove(l.f.Name())
	l.f.Close()
}
