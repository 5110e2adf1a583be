package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Starter finds the server of a program and a backend, and starts it where there is none.
type Starter struct {
	Program string // path of the gansim command
	Backend string // empty means auto
	Me      Greeting
	Args    []string // further arguments of gansim serve
}

// ErrVersion says that the server speaks another version of the protocol than the client.
var ErrVersion = errors.New("the gansim command is of another version than this library")

// startWithin bounds the time for a server to open its socket; models are loaded later.
const startWithin = 60 * time.Second

// Connect gives a connection to a server of the program as it now is. A server of an older build is
// told to retire: it serves its other clients to the end, and a new one takes its place.
func (s Starter) Connect(ctx context.Context) (*Conn, error) {
	if s.Backend == "" {
		s.Backend = "auto"
	}
	build, err := Build(s.Program)
	if err != nil {
		return nil, err
	}
	socket, err := Socket(s.Program, s.Backend)
	if err != nil {
		return nil, err
	}
	s.Me.Build = build
	if c, err := s.dial(ctx, socket); err == nil || errors.Is(err, ErrVersion) {
		return c, err
	}
	return s.start(ctx, socket)
}

// dial connects, and retires what it finds of another build.
func (s Starter) dial(ctx context.Context, socket string) (*Conn, error) {
	c, err := Dial(socket, s.Me)
	if err != nil {
		return nil, err
	}
	if c.Server.Build == s.Me.Build && c.Server.Version != Version {
		return nil, errors.Join(fmt.Errorf("%w (%d, want %d)", ErrVersion, c.Server.Version, Version),
			c.Close())
	}
	if c.Server.Build == s.Me.Build {
		return c, nil
	}
	_, _, err = c.Call(ctx, "retire", Query{}, nil, nil)
	return nil, errors.Join(errStale, err, c.Close())
}

var errStale = errors.New("the server was of another build")

// start runs the server and waits for its socket. Where two start at once, one gives way.
func (s Starter) start(ctx context.Context, socket string) (*Conn, error) {
	log := strings.TrimSuffix(socket, ".sock") + ".log"
	ended, err := s.run(log)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var again <-chan time.Time
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-ended:
			if err != nil {
				return nil, fmt.Errorf("the model server did not start: %s", lastLine(log, err))
			}
			ended, again = nil, time.After(200*time.Millisecond) // another is there: perhaps it is leaving
		case <-again:
			if ended, err = s.run(log); err != nil {
				return nil, err
			}
			again = nil
		case <-time.After(wait):
		}
		conn, err := s.dial(ctx, socket)
		if err == nil || errors.Is(err, ErrVersion) {
			return conn, err
		}
		if time.Since(begin) > startWithin {
			return nil, fmt.Errorf("the model server did not start within %v: %w", startWithin, err)
		}
	}
}

// run starts the program, which outlives its caller, and says how it ends.
func (s Starter) run(log string) (<-chan error, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 1<<20 {
		if err := f.Truncate(0); err != nil {
			return nil, fmt.Errorf("wire: %w", err)
		}
	}
	c := exec.Command(s.Program, append([]string{"serve", "--backend", s.Backend}, s.Args...)...)
	c.Stdout, c.Stderr = f, f
	c.Dir = os.TempDir() // keeps no folder of the user's in use
	detach(c)
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("the model server did not start: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	return ended, nil
}

// lastLine is the first line that a program says is an error, else what its exit says.
func lastLine(path string, exit error) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return exit.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	for i, l := range lines {
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "gansim: hint: ") {
			return strings.TrimPrefix(l, "gansim: ") + " (" +
				strings.TrimPrefix(lines[i+1], "gansim: hint: ") + ")"
		}
	}
	if l := lines[len(lines)-1]; l != "" {
		return strings.TrimPrefix(l, "gansim: ")
	}
	return exit.Error()
}
