package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"gansim.example/gansim/internal/wire"
)

// Limits of a connection.
const (
	greetWithin = 10 * time.Second
	maxRunning  = 64               // requests at once
	sendWithin  = 30 * time.Second // for a client that does not read
)

// conn is one client.
type conn struct {
	server *server
	net    net.Conn
	write  sync.Mutex
	me     wire.Greeting
	owner  int

	mu       sync.Mutex
	running  map[uint64]request
	requests int
}

type request struct {
	verb string
	stop context.CancelFunc
}

// serve talks to one client until it leaves; then what it asked for is cancelled.
func (s *server) serve(ctx context.Context, raw net.Conn) {
	c := &conn{server: s, net: raw, running: map[uint64]request{}}
	defer raw.Close()
	s.mu.Lock()
	if s.retired { // without a greeting the client looks for another server
		s.mu.Unlock()
		return
	}
	s.conns[c] = true
	s.mu.Unlock()
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer func() {
		stop()
		work.Wait()
		s.mu.Lock()
		delete(s.conns, c)
		s.lastBusy = time.Now()
		s.mu.Unlock()
	}()
	r := bufio.NewReaderSize(raw, 1<<16)
	if err := c.greet(r); err != nil {
		s.Log.Debug("no greeting", "error", err)
		return
	}
	for {
		f, err := wire.Read(r)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				s.Log.Warn("connection ended", "client", c.me.Name, "error", err)
			}
			return
		}
		switch f.Kind {
		case wire.Cancel:
			c.cancel(f.ID)
		case wire.Request:
			ctx, ok := c.begin(ctx, f)
			if ok {
				work.Go(func() { c.answer(ctx, f) })
			}
		default:
			c.fail(f.ID, fmt.Errorf("unexpected frame %q", f.Kind))
		}
	}
}

// greet reads who the client is and says who serves.
func (c *conn) greet(r io.Reader) error {
	s := c.server
	if err := c.net.SetReadDeadline(time.Now().Add(greetWithin)); err != nil {
		return err
	}
	f, err := wire.Read(r)
	if err != nil {
		return err
	}
	var me wire.Greeting
	if err := json.Unmarshal(f.Body, &me); err != nil || f.Kind != wire.Hello {
		return fmt.Errorf("serve: %q instead of a greeting", f.Kind)
	}
	s.mu.Lock()
	c.me = me
	if me.Owner > 0 && me.Build == s.build {
		c.owner = me.Owner
		if _, known := s.owners[me.Owner]; !known {
			s.owners[me.Owner] = newOwner(me.Owner)
		}
	}
	s.mu.Unlock()
	body, err := json.Marshal(wire.Greeting{Version: wire.Version, Build: s.build, Name: "gansim serve",
		PID: s.status().PID, Backend: s.Backend})
	if err != nil {
		return err
	}
	if err := c.send(wire.Frame{Head: wire.Head{Kind: wire.Hello, Body: body}}); err != nil {
		return err
	}
	return c.net.SetReadDeadline(time.Time{})
}

// begin registers a request; the context ends when it is cancelled.
func (c *conn) begin(ctx context.Context, f wire.Frame) (context.Context, bool) {
	c.mu.Lock()
	_, twice := c.running[f.ID]
	if full := len(c.running) >= maxRunning; full || twice {
		c.mu.Unlock()
		c.fail(f.ID, fmt.Errorf("request %d refused: %d are running", f.ID, len(c.running)))
		return nil, false
	}
	ctx, stop := context.WithCancel(ctx)
	c.running[f.ID] = request{f.Verb, stop}
	c.requests++
	c.mu.Unlock()
	return ctx, true
}

func (c *conn) cancel(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.running[id]; ok {
		r.stop()
	}
}

// answer runs a request to its end.
func (c *conn) answer(ctx context.Context, f wire.Frame) {
	begin := time.Now()
	a, parts, err := c.run(ctx, f)
	c.mu.Lock()
	c.running[f.ID].stop()
	delete(c.running, f.ID)
	c.mu.Unlock()
	c.server.Log.Info(f.Verb, "client", c.me.PID, "time", time.Since(begin).Round(time.Millisecond),
		"error", err)
	if err == nil {
		var body []byte
		if body, err = json.Marshal(a); err == nil {
			err = c.send(wire.Frame{Head: wire.Head{Kind: wire.Result, ID: f.ID, Body: body}, Parts: parts})
			if err == nil {
				return
			}
		}
	}
	c.fail(f.ID, err)
}

// run calls a verb; a panic becomes an error.
func (c *conn) run(ctx context.Context, f wire.Frame) (a wire.Answer, parts [][]byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: the server panicked: %v", f.Verb, r)
			c.server.Log.Error("panic", "verb", f.Verb, "value", r, "stack", string(debug.Stack()))
		}
	}()
	v, err := findVerb(f.Verb)
	if err != nil {
		return a, nil, err
	}
	k := &call{Context: ctx, server: c.server, conn: c, id: f.ID, parts: f.Parts}
	defer k.release()
	if len(f.Body) > 0 {
		if err := json.Unmarshal(f.Body, &k.Query); err != nil {
			return a, nil, fmt.Errorf("%s: %w", f.Verb, err)
		}
	}
	if v.computes {
		select {
		case c.server.slots <- struct{}{}:
			defer func() { <-c.server.slots }()
		case <-ctx.Done():
			return a, nil, ctx.Err()
		}
	}
	a, err = v.run(k)
	return a, k.out, err
}

// fail sends why a request failed, if the client still listens.
func (c *conn) fail(id uint64, err error) {
	fault := wire.Fault{Error: oneLine(err), Cancelled: errors.Is(err, context.Canceled)}
	var h *hinted
	if errors.As(err, &h) {
		fault.Hint = h.hint
	}
	body, err := json.Marshal(fault)
	if err == nil {
		err = c.send(wire.Frame{Head: wire.Head{Kind: wire.Failure, ID: id, Body: body}})
	}
	if err != nil {
		c.server.Log.Debug("answer not sent", "error", err)
	}
}

func (c *conn) send(f wire.Frame) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.net.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	w := bufio.NewWriterSize(c.net, 1<<16)
	if err := wire.Write(w, f); err != nil {
		return err
	}
	err := w.Flush()
	if err != nil {
		c.net.Close() // half a frame may be out
	}
	return err
}

// describe adds the client to a status.
func (c *conn) describe(s *wire.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Clients = append(s.Clients, wire.Client{Name: c.me.Name, PID: c.me.PID, Requests: c.requests})
	for _, r := range c.running {
		s.Running = append(s.Running, r.verb)
	}
}
