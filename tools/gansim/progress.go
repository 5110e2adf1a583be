package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	quietFor     = 2 * time.Second        // shorter work shows no progress
	linesEvery   = 2 * time.Second        // where lines stay
	redrawsEvery = 100 * time.Millisecond // on a terminal
)

// wipe empties the line that the cursor is on.
const wipe = "\r\x1b[K"

// newProgress returns a function that reports work on w: one redrawn line on a terminal, else plain
// lines, both with the time that is left. Work of less than two seconds stays quiet. When done
// falls, the work starts again. It is safe for concurrent use.
func newProgress(w io.Writer, label string) func(done, total int) {
	return newMeter(w, label, terminal(w), time.Now).show
}

// meter is the state of one progress.
type meter struct {
	mu      sync.Mutex
	w       io.Writer
	label   string
	redraws bool
	now     func() time.Time

	created, begin, last time.Time // begin is of the first call, last of the last text
	started              bool
	first, done          int
}

func newMeter(w io.Writer, label string, redraws bool, now func() time.Time) *meter {
	return &meter{w: w, label: label, redraws: redraws, now: now, created: now()}
}

func (m *meter) show(done, total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if !m.started || done < m.done {
		m.started, m.begin, m.first = true, now, done
	}
	m.done = done
	every := linesEvery
	if m.redraws {
		every = redrawsEvery
	}
	ended := done >= total
	switch {
	case now.Sub(m.created) < quietFor, now.Sub(m.last) < every && !ended:
		return
	case m.redraws && ended:
		fmt.Fprint(m.w, wipe)
		return
	}
	m.last = now
	text := fmt.Sprintf("gansim: %s: %d of %d%s", m.label, done, total, m.left(now, total))
	if m.redraws {
		text = wipe + text + "\r"
	} else {
		text += "\n"
	}
	fmt.Fprint(m.w, text)
}

// left is the time that remains at the speed since the first call, empty while that is unknown.
func (m *meter) left(now time.Time, total int) string {
	if m.done <= m.first || m.done >= total {
		return ""
	}
	per := float64(now.Sub(m.begin)) / float64(m.done-m.first)
	left := time.Duration(per * float64(total-m.done)).Round(time.Second)
	return fmt.Sprintf(", %s left", max(left, time.Second))
}

// clearLine wipes the line of a progress, so that other text can follow; only on a terminal.
func clearLine(w io.Writer) {
	if terminal(w) {
		fmt.Fprint(w, wipe)
	}
}

// terminal says whether w shows text to a person, who sees lines redrawn.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
