package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// owner is who holds a lease.
type owner struct {
	Host    string `json:"host"`
	Boot    string `json:"boot"` // of the host's system; empty where unknown
	PID     int    `json:"pid"`
	Started string `json:"started"` // of the process, so that a new one of its number is another
	Beat    int    `json:"beat"`    // grows while the owner lives
}

// self is this process.
func self() owner {
	host, _ := os.Hostname()
	pid := os.Getpid()
	return owner{Host: host, Boot: bootID(), PID: pid, Started: startOf(pid)}
}

func bootID() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// startOf is when a process began, in ticks since its system did; empty if there is none.
func startOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// the name, in parentheses, may hold spaces
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

// dead says that the owner ran on this system and has ended. The host's name does not matter: it can
// change.
func (o owner) dead() bool {
	return o.Boot != "" && o.Boot == bootID() && startOf(o.PID) != o.Started
}

// lease is the right to compute a shard.
type lease struct {
	path  string
	owner owner
}

// leaseGeneration finds the newest lease of a shard; 0 if there is none.
func leaseGeneration(dir string, i int) (newest int, err error) {
	paths, err := matching(dir, leasesDir, fmt.Sprintf("%06d.*", i))
	for _, p := range paths {
		k, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(p), "."))
		if err == nil {
			newest = max(newest, k)
		}
	}
	return newest, err
}

func leasePath(dir string, i, generation int) string {
	return filepath.Join(dir, leasesDir, fmt.Sprintf("%06d.%d", i, generation))
}

// watch tells which leases of others have shown no sign of life for some time. Time is this process's
// own, which does not jump; the writer's clock does not matter.
type watch struct {
	dead time.Duration
	mu   sync.Mutex
	seen map[string]sign
}

type sign struct {
	owner owner
	since time.Time
}

// gone says whether the owner of a lease has ended, or has been still for too long.
func (w *watch) gone(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false // given back, or cannot be read: not ours to take
	}
	var o owner
	if err := json.Unmarshal(text, &o); err == nil && o.dead() {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.seen[path]
	if !ok || last.owner != o {
		if w.seen == nil {
			w.seen = map[string]sign{}
		}
		w.seen[path] = sign{o, time.Now()}
		return false
	}
	return time.Since(last.since) > w.dead
}

// claim takes the lease of a shard; nil if another has it. A lease whose owner is gone is followed by
// one of the next number, which only one worker can create.
func (w *watch) claim(dir string, i int) (*lease, error) {
	k, err := leaseGeneration(dir, i)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if k > 0 && !w.gone(leasePath(dir, i, k)) {
		return nil, nil
	}
	l := &lease{path: leasePath(dir, i, k+1), owner: self()}
	err = l.create(filepath.Join(dir, leasesDir))
	if errors.Is(err, fs.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if k > 0 {
		// the dead one's; gone already if another worker was here
		if err := os.Remove(leasePath(dir, i, k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return l, fmt.Errorf("sweep: %w", err)
		}
	}
	return l, nil
}

// create makes the lease's file, complete, unless there is one: a link to a file that was written first.
func (l *lease) create(folder string) error {
	f, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(l.put(f), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), l.path)
}

func (l *lease) put(f *os.File) error {
	text, err := json.Marshal(l.owner)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	return err
}

// beat shows that the owner lives. It writes to the file that is there: one that another worker has
// removed is not made again.
func (l *lease) beat() error {
	l.owner.Beat++
	f, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(l.put(f), f.Close())
}

// release gives the lease back.
func (l *lease) release() { os.Remove(l.path) }
