//go:build unix

package serve

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// unlocker gives a lock back.
type unlocker func()

// lockFile takes the lock of a file, which the system frees when the process ends in whatever way.
func lockFile(path string) (unlocker, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrRunning
	} else if err != nil {
		err = fmt.Errorf("serve: lock %s: %w", path, err)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil
}
