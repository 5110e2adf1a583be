// Package proxy stands between Jupyter's clients and GoNB. It passes messages on, answers those that
// GoNB does not, runs cells one after the other, and says in one line why a cell failed.
package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gansim.example/kernels/jupyter/wire"
)

// Config tells Run what to connect.
type Config struct {
	Client  wire.Connection // where clients are awaited
	Backend wire.Connection // where GoNB is
	Version string          // of this program, for the kernel's banner
	Killed  func() string   // why the running cell was killed by us, once; nil means never
	Busy    func(bool)      // told when a cell begins and ends; nil means nobody asks
}

// channel is one of the protocol's sockets.
type channel int

const (
	shell channel = iota
	control
	stdin
	iopub
)

// event is a message that came in, or the end of a connection.
type event struct {
	client  bool // from a client, not from GoNB
	channel channel
	message wire.Message
	err     error
}

// proxy is the state of a session; one goroutine owns it.
type proxy struct {
	Config
	send    func(to event) error // to a client or to GoNB
	routes  map[string]event     // requests that GoNB is to answer, by their identity
	queue   []wire.Message       // cells that wait
	running *execution
	history history
	session string      // of the proxy's own requests
	count   int         // of the last cell
	lines   map[int]int // by a cell's count: the line that was put in
	flush   *time.Timer // when held output is to be shown
	again   *time.Timer // when an interrupt is to be repeated
}

// ErrBackend says that GoNB ended by itself.
var ErrBackend = errors.New("the Go kernel behind the notebook ended")

// errShutdown ends the session as a client asked.
var errShutdown = errors.New("shutdown")

// Run serves clients until one asks for the end, ctx is done or GoNB is gone.
func Run(ctx context.Context, c Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sockets, events, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer sockets.close()
	p := newProxy(c, sockets.send)
	err = p.await(ctx, events)
	if err == nil {
		err = p.loop(ctx, events)
	}
	if !errors.Is(err, errShutdown) {
		return err
	}
	time.Sleep(50 * time.Millisecond) // what was published is sent in the background
	return nil
}

func newProxy(c Config, send func(event) error) *proxy {
	p := &proxy{Config: c, send: send, routes: map[string]event{}, lines: map[int]int{},
		flush: time.NewTimer(time.Hour), again: time.NewTimer(time.Hour)}
	p.flush.Stop()
	p.again.Stop()
	return p
}

// await asks GoNB until what it publishes arrives: then its answers do, too. Requests of clients that
// come earlier wait.
func (p *proxy) await(ctx context.Context, events <-chan event) error {
	var early []event
	ask := time.NewTicker(50 * time.Millisecond)
	defer ask.Stop()
	probe := wire.New(wire.Message{Header: wire.Header{Session: wire.ID()}}, "kernel_info_request", ok{})
	for p.forward(shell, probe); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ask.C:
			p.forward(shell, probe)
		case e := <-events:
			switch {
			case e.client:
				early = append(early, e)
			case e.err != nil:
				return fmt.Errorf("%w: %w", ErrBackend, e.err)
			case e.channel == iopub:
				p.session = probe.Header.Session
				for _, e := range early {
					if err := p.request(e); err != nil {
						return err
					}
				}
				return nil
			}
		}
	}
}

func (p *proxy) loop(ctx context.Context, events <-chan event) error {
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.flush.C:
			p.showHeld()
		case <-p.again.C:
			p.interrupt()
		case e := <-events:
			switch {
			case e.err != nil && !e.client:
				return fmt.Errorf("%w: %w", ErrBackend, e.err)
			case e.err != nil:
			case e.client:
				err = p.request(e)
			default:
				p.answer(e)
			}
		}
		if err != nil {
			return err
		}
	}
}

// request handles what a client sends.
func (p *proxy) request(e event) error {
	m := e.message
	switch m.Header.Type {
	case "execute_request":
		p.enqueue(m)
	case "kernel_info_request":
		p.reply(e, "kernel_info_reply", p.info())
	case "is_complete_request":
		p.reply(e, "is_complete_reply", isComplete(m.Content))
	case "history_request":
		p.reply(e, "history_reply", p.history.search(m.Content))
	case "interrupt_request":
		if p.running != nil {
			p.running.interrupted = true
		}
		p.interrupt()
		p.reply(e, "interrupt_reply", ok{"ok"})
	case "shutdown_request":
		var content struct {
			Restart bool `json:"restart"`
		}
		_ = json.Unmarshal(m.Content, &content)
		p.reply(e, "shutdown_reply", map[string]any{"status": "ok", "restart": content.Restart})
		return errShutdown
	case "complete_request", "inspect_request":
		p.routes[m.Header.ID] = e
		p.forward(e.channel, m.With(withDefaults(m.Content, map[string]any{"detail_level": 0})))
	default:
		if e.channel != stdin {
			p.routes[m.Header.ID] = e
		}
		p.forward(e.channel, m)
	}
	return nil
}

// ok is the content of a reply with nothing to say.
type ok struct {
	Status string `json:"status"`
}

// answer handles what GoNB sends.
func (p *proxy) answer(e event) {
	m := e.message
	ours := p.running != nil && m.Parent.ID == p.running.request.Header.ID
	switch {
	case ours && e.channel == iopub:
		p.output(m)
	case ours && e.channel == stdin:
		m.Identities = p.running.request.Identities
		p.toClient(stdin, m)
	case ours:
		p.running.reply = &m
		p.finish()
	case p.session != "" && m.Parent.Session == p.session:
		// To the question whether it is there.
	case e.channel == iopub:
		p.publish(m)
	default:
		to, known := p.routes[m.Parent.ID]
		if !known {
			return // to an interrupt of ours
		}
		delete(p.routes, m.Parent.ID)
		if m.Header.Type == "complete_reply" {
			m = m.With(onlyPrefixed(m.Content, to.message.Content))
		}
		m.Identities = to.message.Identities
		p.toClient(to.channel, m)
	}
}

// reply answers a client itself, between the two notes of its state that clients wait for.
func (p *proxy) reply(to event, kind string, content any) {
	p.status(to.message, "busy")
	p.toClient(to.channel, wire.New(to.message, kind, content))
	p.status(to.message, "idle")
}

func (p *proxy) status(parent wire.Message, state string) {
	p.publish(wire.New(parent, "status", map[string]string{"execution_state": state}))
}

// publish sends to all clients.
func (p *proxy) publish(m wire.Message) {
	m.Identities = [][]byte{[]byte(m.Header.Type)}
	p.toClient(iopub, m)
}

// toClient and forward lose a message for whom it cannot be sent to, as ZeroMQ does.
func (p *proxy) toClient(c channel, m wire.Message) {
	_ = p.send(event{client: true, channel: c, message: m})
}

func (p *proxy) forward(c channel, m wire.Message) {
	m.Identities = nil
	_ = p.send(event{channel: c, message: m})
}

// interrupt has GoNB interrupt the running cell, again and again: it does not while it compiles.
func (p *proxy) interrupt() {
	if p.running == nil {
		return
	}
	m := wire.New(p.running.request, "interrupt_request", map[string]any{})
	p.forward(control, m)
	p.again.Reset(500 * time.Millisecond)
}
