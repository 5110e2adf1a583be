package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"

	"gansim.example/kernels/jupyter/wire"
)

// sockets are the connections to clients and to GoNB.
type sockets struct {
	client, backend       [4]zmq4.Socket
	heartbeat             zmq4.Socket
	clientKey, backendKey []byte
}

// open connects to GoNB, waits for clients, and gives what both send.
func open(ctx context.Context, c Config) (*sockets, <-chan event, error) {
	quiet := zmq4.WithLogger(log.New(io.Discard, "", 0))
	// GoNB asks for input where it got the request from, so both sockets need one name.
	name := zmq4.WithID(zmq4.SocketIdentity("gansim"))
	dealer := func() zmq4.Socket { return zmq4.NewDealer(ctx, quiet, name) }
	router := func() zmq4.Socket { return zmq4.NewRouter(ctx, quiet) }
	s := &sockets{
		client:  [4]zmq4.Socket{router(), router(), router(), zmq4.NewPub(ctx, quiet)},
		backend: [4]zmq4.Socket{dealer(), dealer(), dealer(), zmq4.NewSub(ctx, quiet)},
		// REP holds answers back when a client goes away in between; a router echoes to all.
		heartbeat:  zmq4.NewRouter(ctx, quiet),
		clientKey:  []byte(c.Client.Key),
		backendKey: []byte(c.Backend.Key),
	}
	fail := func(err error) (*sockets, <-chan event, error) {
		s.close()
		return nil, nil, err
	}
	for i, port := range ports(c.Backend) {
		address := c.Backend.Address(port)
		if err := await(ctx, address); err != nil {
			return fail(err)
		}
		if err := s.backend[i].Dial(address); err != nil {
			return fail(err)
		}
	}
	if err := s.backend[iopub].SetOption(zmq4.OptionSubscribe, ""); err != nil {
		return fail(err)
	}
	for i, port := range ports(c.Client) {
		if err := s.client[i].Listen(c.Client.Address(port)); err != nil {
			return fail(err)
		}
	}
	if err := s.heartbeat.Listen(c.Client.Address(c.Client.Heartbeat)); err != nil {
		return fail(err)
	}
	events := make(chan event)
	for i := range s.backend {
		go receive(ctx, s.backend[i], event{channel: channel(i)}, s.backendKey, events)
	}
	for i := range s.client[:iopub] {
		go receive(ctx, s.client[i], event{client: true, channel: channel(i)}, s.clientKey, events)
	}
	go echo(ctx, s.heartbeat)
	return s, events, nil
}

// ports are a connection's in the order of the channels.
func ports(c wire.Connection) [4]int { return [4]int{c.Shell, c.Control, c.Stdin, c.IOPub} }

// await waits until GoNB has made a socket's file.
func await(ctx context.Context, address string) error {
	path, ok := strings.CutPrefix(address, "ipc://")
	if !ok {
		return nil // dialling tries again by itself
	}
	for range 6000 {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return errors.New("the Go kernel behind the notebook did not start within 30 s")
}

// receive hands on what comes in on a socket, each marked as from.
func receive(ctx context.Context, s zmq4.Socket, from event, key []byte, to chan<- event) {
	for {
		raw, err := s.Recv()
		if err == nil {
			from.message, err = wire.Parse(raw.Frames, key)
			if err != nil {
				continue // no message of the protocol, or not from one of ours
			}
		}
		from.err = err
		select {
		case to <- from:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// echo answers heartbeats.
func echo(ctx context.Context, s zmq4.Socket) {
	for ctx.Err() == nil {
		m, err := s.Recv()
		if err == nil {
			_ = s.SendMulti(zmq4.NewMsgFrom(m.Frames...))
		}
	}
}

func (s *sockets) send(to event) error {
	if to.client {
		return s.client[to.channel].SendMulti(zmq4.NewMsgFrom(to.message.Frames(s.clientKey)...))
	}
	return s.backend[to.channel].SendMulti(zmq4.NewMsgFrom(to.message.Frames(s.backendKey)...))
}

func (s *sockets) close() {
	for i := range s.client {
		_ = s.client[i].Close()
		_ = s.backend[i].Close()
	}
	_ = s.heartbeat.Close()
}
