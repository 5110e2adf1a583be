//go:build !unix

package serve

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// unlocker gives a lock back.
type unlocker func()

// lockFile has no lock of the system to take: a server that answers at the socket counts.
func lockFile(path string) (unlocker, error) {
	c, err := net.Dial("unix", strings.TrimSuffix(path, ".lock"))
	if err == nil {
		c.Close()
		return nil, ErrRunning
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return func() {}, nil
}
