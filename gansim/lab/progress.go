package lab

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"gansim.example/gansim/internal/wire"
)

// Progress is shown of work that takes longer than this, and this often at most: a notebook's is
// replaced in place, lines on a terminal stay.
const (
	quietInNotebook = 400 * time.Millisecond
	quietElsewhere  = 2 * time.Second
	barWidth        = 24
)

// meter is the progress of one request.
type meter struct {
	title string
	id    string
	quiet time.Duration
	begin time.Time
	next  time.Time
	last  wire.Step
	seen  []byte // the last preview
	shown bool
}

// meters counts the process's requests, for names that no other progress has.
var meters atomic.Int64

func newMeter(title string) *meter {
	m := &meter{title: title, begin: time.Now(), quiet: quietElsewhere}
	m.id = fmt.Sprintf("gansim-%d-%d-%d", os.Getpid(), m.begin.UnixNano(), meters.Add(1))
	if inNotebook() {
		m.quiet = quietInNotebook
	}
	m.next = m.begin.Add(m.quiet)
	return m
}

// show is told of each step.
func (m *meter) show(s wire.Step, preview []byte) {
	m.last = s
	if len(preview) > 0 {
		m.seen = preview
	}
	now := time.Now()
	if now.Before(m.next) || s.Done >= s.Total {
		return
	}
	m.next, m.shown = now.Add(m.quiet), true
	out().update(m.id, m.text(now), m.seen)
}

// text is such as "Invert DeePSim ▇▇▇▇░░░░ 40 of 100, loss 0.0123, 3 s left".
func (m *meter) text(now time.Time) string {
	s := m.last
	full := 0
	if s.Total > 0 {
		full = min(barWidth, barWidth*s.Done/s.Total)
	}
	text := fmt.Sprintf("%s %s%s %d of %d", m.title, strings.Repeat("█", full),
		strings.Repeat("░", barWidth-full), s.Done, s.Total)
	if s.Text != "" {
		text += ", " + s.Text
	}
	spent := now.Sub(m.begin)
	if s.Done > 0 && s.Done < s.Total {
		left := time.Duration(float64(spent) * float64(s.Total-s.Done) / float64(s.Done))
		return text + fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return text + fmt.Sprintf(", %v", spent.Round(100*time.Millisecond))
}

// end leaves a line that stays in the saved notebook.
func (m *meter) end(err error) {
	if !m.shown {
		return
	}
	if err == nil {
		m.last.Done = m.last.Total
	}
	text := m.text(time.Now())
	switch {
	case errors.Is(err, context.Canceled):
		text += " – interrupted"
	case err != nil:
		text += " – stopped"
	}
	out().settle(m.id, text)
}

func progressHTML(text string, preview []byte) string {
	code := "<code>" + html.EscapeString(text) + "</code>"
	if len(preview) > 0 {
		code += `<br><img alt="so far" src="data:image/png;base64,` +
			base64.StdEncoding.EncodeToString(preview) + `">`
	}
	return code
}
