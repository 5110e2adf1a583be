package main

import (
	"bytes"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	type call struct {
		after       time.Duration // since the last one
		done, total int
	}
	const s = time.Second
	for _, test := range []struct {
		name    string
		redraws bool
		calls   []call
		want    string
	}{
		{"short", false, []call{{0, 0, 2}, {s, 1, 2}, {s / 2, 2, 2}}, ""},
		{"lines", false, []call{{0, 0, 100}, {2 * s, 10, 100}, {s, 20, 100}, {s, 20, 100},
			{s, 100, 100}},
			"gansim: job: 10 of 100, 18s left\ngansim: job: 20 of 100, 16s left\n" +
				"gansim: job: 100 of 100\n"},
		{"resumed", false, []call{{5 * s, 50, 60}, {2 * s, 52, 60}},
			"gansim: job: 50 of 60\ngansim: job: 52 of 60, 8s left\n"},
		{"starts again", false, []call{{0, 0, 4}, {2 * s, 4, 4}, {2 * s, 1, 3}, {2 * s, 2, 3}},
			"gansim: job: 4 of 4\ngansim: job: 1 of 3\ngansim: job: 2 of 3, 2s left\n"},
		{"terminal", true, []call{{0, 0, 4}, {2 * s, 1, 4}, {s / 100, 2, 4}, {s, 3, 4}, {s, 4, 4}},
			"\r\x1b[Kgansim: job: 1 of 4, 6s left\r\r\x1b[Kgansim: job: 3 of 4, 1s left\r\r\x1b[K"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			now := time.Unix(0, 0)
			m := newMeter(&b, "job", test.redraws, func() time.Time { return now })
			for _, c := range test.calls {
				now = now.Add(c.after)
				m.show(c.done, c.total)
			}
			if got := b.String(); got != test.want {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}
