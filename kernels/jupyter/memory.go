package jupyter

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultMemory is the limit for cells where none is set.
const DefaultMemory = "75%"

// ParseMemory reads a limit for memory: a share such as 75%, a size such as 8GB or 500MB, or off, which
// is 0.
func ParseMemory(s string) (int64, error) {
	t := strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if t == "" {
		t = DefaultMemory
	}
	if t == "OFF" {
		return 0, nil
	}
	bad := fmt.Errorf("memory limit %q: want a share such as 75%%, a size such as 8GB, or off", s)
	if share, ok := strings.CutSuffix(t, "%"); ok {
		v, err := strconv.ParseFloat(share, 64)
		if err != nil || !(v > 0 && v <= 100) {
			return 0, bad
		}
		return int64(v / 100 * float64(machineMemory())), nil
	}
	unit := 1.0
	t = strings.TrimSuffix(t, "B")
	for suffix, u := range map[string]float64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40} {
		if rest, ok := strings.CutSuffix(strings.TrimSuffix(t, "I"), suffix); ok {
			t, unit = rest, u
			break
		}
	}
	v, err := strconv.ParseFloat(t, 64)
	if err != nil || !(v*unit >= 1<<20 && v*unit < 1<<60) {
		return 0, bad
	}
	return int64(v * unit), nil
}

// watch kills cells that use more memory than they may.
type watch struct {
	limit int64
	gonb  func() int // GoNB's process, 0 as long as it is not known
	busy  atomic.Bool
	wake  chan struct{}

	mu     sync.Mutex
	killed string
}

// setBusy is told when a cell begins and ends; in between nothing is looked at.
func (w *watch) setBusy(busy bool) {
	w.busy.Store(busy)
	if busy {
		w.mu.Lock()
		w.killed = ""
		w.mu.Unlock()
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// reason says why the last cell was killed; empty if it was not.
func (w *watch) reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

// run looks at the cells until ctx is done. The list of all processes is read less often than the
// memory of those found.
func (w *watch) run(ctx context.Context) {
	if w.limit <= 0 {
		return
	}
	const interval = 60 * time.Millisecond
	for {
		pause := time.After(interval)
		if !w.busy.Load() {
			pause = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			continue
		case <-pause:
		}
		pid := w.gonb()
		if pid == 0 {
			continue
		}
		found, used := cells(processes(), pid), int64(0)
		for _, p := range found {
			used += p.resident
		}
		if used <= w.limit {
			continue
		}
		w.mu.Lock()
		w.killed = fmt.Sprintf("the cell was stopped: it used more than %s of memory "+
			"(GANSIM_MEMORY sets the limit)", size(w.limit))
		w.mu.Unlock()
		for _, p := range found {
			kill(p.pid)
		}
	}
}

func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.3g GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.3g MB", float64(n)/(1<<20))
}
