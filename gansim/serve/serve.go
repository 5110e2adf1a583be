// Package serve is the model server: one process per user, program and backend that holds networks,
// compiled programs and values for notebook cells, which are processes of their own and forget
// everything. Its protocol is package gansim/internal/wire; its client is package lab.
//
// A request's result depends on the request alone: every program has one compiled shape, batches are
// filled up, random numbers come from the request's seed, so that other clients, their order and what
// was evicted in between change no byte.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"gansim.example/gansim/internal/wire"
)

// Config of a server.
type Config struct {
	// Open opens the backend, after it is certain that no other server is there.
	Open func() (compute.Backend, error)
	// Backend is the name that it was asked for by, such as "auto"; Program is the path of this
	// program. Both together, with the user, choose the socket.
	Backend, Program string
	Idle             time.Duration // without clients until it ends; zero means 10 s
	Memory           int64         // limit for models and values, bytes; zero means half of the machine's
	// Weights are files of published networks by name, in place of the fetched ones.
	Weights map[string]string
	Log     *slog.Logger // nil means quiet
	// Versions go to the reports of panels.
	Versions map[string]string
}

// ErrRunning says that a server is there already.
var ErrRunning = errors.New("serve: a server is running already")

// idle is how long a server stays without clients.
const idle = 10 * time.Second

// server is the state of a running server.
type server struct {
	Config
	backend compute.Backend
	device  string // in words
	name    string // of the backend that was opened
	build   string
	socket  string
	begin   time.Time
	cache   *cache
	values  *values
	slots   chan struct{} // requests that compute at once
	work    sync.WaitGroup

	mu       sync.Mutex
	conns    map[*conn]bool
	owners   map[int]owner
	lastBusy time.Time
	listener net.Listener
	lock     unlocker
	retired  bool
	folders  map[string]*sync.Mutex // of results that are being written
}

// Socket is the path of the socket for a program and a backend.
func Socket(program, backend string) (string, error) { return wire.Socket(program, backend) }

// Run serves until ctx ends, or the last client has been gone for a while; ready, if not nil, is told
// the socket when clients can connect. Where a server is there already, it returns [ErrRunning].
func Run(ctx context.Context, c Config, ready func(socket string)) error {
	s, err := newServer(c)
	if err != nil {
		return err
	}
	defer s.unlock()
	if err := s.listen(); err != nil {
		return err
	}
	defer s.backend.Finalize()
	if ready != nil {
		ready(s.socket)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go s.watch(ctx, stop)
	go func() {
		<-ctx.Done()
		s.leave(true)
	}()
	s.accept(ctx)
	<-ctx.Done()
	s.work.Wait()
	s.Log.Info("ended", "uptime", time.Since(s.begin).Round(time.Millisecond))
	return nil
}

func newServer(c Config) (*server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Idle == 0 {
		c.Idle = idle
	}
	if c.Memory == 0 {
		c.Memory = total() / 2
	}
	build, err := wire.Build(c.Program)
	if err != nil {
		return nil, err
	}
	s := &server{Config: c, build: build, begin: time.Now(), conns: map[*conn]bool{},
		owners: map[int]owner{}, lastBusy: time.Now(), folders: map[string]*sync.Mutex{},
		slots: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
	s.cache = newCache(c.Memory, resident)
	s.values = &values{cache: s.cache, all: map[string]value{}}
	if s.socket, err = wire.Socket(c.Program, c.Backend); err != nil {
		return nil, err
	}
	if s.lock, err = lockFile(s.socket + ".lock"); err != nil {
		return nil, err
	}
	if s.backend, err = c.Open(); err != nil {
		s.unlock()
		return nil, err
	}
	s.device, s.name = s.backend.Description(), c.Backend
	if c.Backend == "" || c.Backend == "auto" {
		s.name = s.backend.Name()
	}
	return s, nil
}

// listen opens the socket; what a killed server left is taken away.
func (s *server) listen() error {
	if err := os.Remove(s.socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("serve: %w", err)
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	s.listener = l
	if err := os.Chmod(s.socket, 0o600); err != nil {
		return errors.Join(fmt.Errorf("serve: %w", err), l.Close())
	}
	return nil
}

func (s *server) accept(ctx context.Context) {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() { s.serve(ctx, raw) })
	}
}

// leave closes the socket, so that another server can take its place, and with all the connections.
func (s *server) leave(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
	s.listener.Close() // also removes its file, once
	if all {
		for c := range s.conns {
			c.net.Close()
		}
	}
}

func (s *server) unlock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock != nil {
		s.lock()
		s.lock = nil
	}
}

// retire lets another server take this one's place; it ends with its last client.
func (s *server) retire() {
	s.leave(false)
	s.unlock()
	s.Log.Info("retired")
}

// watchEvery is how often the server looks whether it is still needed.
const watchEvery = 100 * time.Millisecond

// watch ends a server that nobody needs.
func (s *server) watch(ctx context.Context, stop func()) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if !s.needed(now) {
				stop()
				return
			}
		}
	}
}

// needed reports whether there is a client, or an owner, or was one of late.
func (s *server) needed(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid, o := range s.owners {
		if !o.alive() {
			delete(s.owners, pid)
			s.values.drop(pid)
		}
	}
	if len(s.conns) > 0 || len(s.owners) > 0 && !s.retired {
		s.lastBusy = now
		return true
	}
	if now.Sub(s.lastBusy) >= s.Idle {
		s.retired = true // whoever connects from now on is sent away, see serve
	}
	return !s.retired
}

// status describes the server.
func (s *server) status() *wire.Status {
	s.mu.Lock()
	st := &wire.Status{PID: os.Getpid(), Build: s.build, Backend: s.Backend, Device: s.device,
		Socket: s.socket, Uptime: time.Since(s.begin).Seconds(), Clients: []wire.Client{},
		Owners: []int{}, Running: []string{}}
	for c := range s.conns {
		c.describe(st)
	}
	for pid := range s.owners {
		st.Owners = append(st.Owners, pid)
	}
	s.mu.Unlock()
	st.Values = s.values.list()
	st.Models, st.Memory = s.cache.list()
	return st
}
