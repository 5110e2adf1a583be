//go:build unix

package serve_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/serve"
)

// cancelWithin is what the design promises.
const cancelWithin = 500 * time.Millisecond

// attempts are how often a time is measured: what else the machine does can only lengthen it, so that
// one good measurement is proof.
const attempts = 4

// long is an inversion that would take hours.
func long(t *testing.T, c *wire.Conn) (wire.Query, [][]byte) {
	t.Helper()
	a, parts := ask(t, c, "sample", wire.Query{Model: "BigGAN", N: 2, Seed: 1})
	return wire.Query{Model: "DeePSim", Steps: 900_000, Shapes: a.Shapes}, parts[:1]
}

// quiet waits until nothing runs, and gives how long that took.
func quiet(t *testing.T, c *wire.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < 20*time.Second {
		a, _ := ask(t, c, "status", wire.Query{})
		if len(a.Status.Running) <= 1 { // the question itself
			return time.Since(begin)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("still running after 20 s")
	return 0
}

// TestCancel: the client returns at once, and the server stops within half a second, whether it is
// told or the client is gone.
func TestCancel(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	other := dial(t, socket)
	for _, how := range []string{"message", "disconnect"} {
		attempt := func(t *testing.T) (client, server time.Duration) {
			c := dial(t, socket)
			q, parts := long(t, c)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var once sync.Once
			steps := 0
			var at time.Time
			_, _, err := c.Call(ctx, "invert", q, parts, func(s wire.Step, _ []byte) {
				if steps++; steps < 3 {
					return
				}
				once.Do(func() {
					at = time.Now()
					if how == "message" {
						stop()
					} else {
						c.Close()
					}
				})
			})
			client = time.Since(at)
			if how == "message" && !errors.Is(err, context.Canceled) || err == nil {
				t.Errorf("got %v", err)
			}
			return client, quiet(t, other)
		}
		t.Run(how, func(t *testing.T) {
			var client, server time.Duration
			for range attempts {
				if client, server = attempt(t); max(client, server) <= cancelWithin {
					return
				}
			}
			t.Errorf("in none of %d attempts did both end within %v: at last the client took %v, the server %v",
				attempts, cancelWithin, client, server)
		})
	}
}

// TestPanelCancel: a panel tells of its progress and can be given up.
func TestPanelCancel(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	c := dial(t, socket)
	var d time.Duration
	for range attempts {
		ctx, stop := context.WithCancel(t.Context())
		_, _, err := c.Call(ctx, "panel", wire.Query{Panel: "c", Preset: "smoke", Dir: t.TempDir(), Seed: 1}, nil,
			func(s wire.Step, _ []byte) {
				if s.Text == "c" {
					stop()
				}
			})
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if d = quiet(t, c); d <= 2*cancelWithin {
			return
		}
	}
	t.Errorf("the server stopped after %v, and not sooner in %d attempts", d, attempts)
}

// work asks for one thing of each kind and gives all bytes of the answers.
func work(t *testing.T, c *wire.Conn) []byte {
	a, parts, err := c.Call(t.Context(), "sample", wire.Query{Model: "BigGAN", N: 3, Seed: 5}, nil, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	all := bytes.Join(parts, nil)
	for _, v := range []struct {
		verb string
		q    wire.Query
		in   [][]byte
	}{
		{"invert", wire.Query{Model: "DeePSim", Steps: 4, Shapes: a.Shapes}, parts[:1]},
		{"maximize", wire.Query{Model: "BigGAN", Unit: "resnet50/layer3/2", N: 2, Steps: 4}, nil},
		{"evolve", wire.Query{Model: "DeePSim", Unit: "alexnet/conv5/3", Steps: 2}, nil},
		{"activations", wire.Query{Unit: "alexnet/conv5/3", Shapes: a.Shapes}, parts[:1]},
		{"features", wire.Query{Shapes: a.Shapes}, parts[:1]},
	} {
		_, out, err := c.Call(t.Context(), v.verb, v.q, v.in, nil)
		if err != nil {
			t.Errorf("%s: %v", v.verb, err)
			return nil
		}
		all = append(all, bytes.Join(out, nil)...)
	}
	return all
}

// TestConcurrent: what runs beside a request, and what was evicted between, changes no byte.
func TestConcurrent(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	alone := work(t, dial(t, socket))
	var results [3][]byte
	var clients sync.WaitGroup
	for i := range results {
		c := dial(t, socket)
		clients.Go(func() { results[i] = work(t, c) })
	}
	clients.Wait()
	for i, got := range results {
		if !bytes.Equal(got, alone) {
			t.Errorf("client %d got other bytes", i)
		}
	}
}

// TestEviction: with hardly any memory everything still works, with the same bytes.
func TestEviction(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	want := work(t, dial(t, socket))
	socket, _ = start(t, func(c *serve.Config) { c.Memory = 1 << 20 })
	c := dial(t, socket)
	if got := work(t, c); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
	a, _ := ask(t, c, "status", wire.Query{})
	if m := a.Status.Memory; m.Evicted < 5 || m.Held > m.Limit {
		t.Errorf("got %+v", m)
	}
}
