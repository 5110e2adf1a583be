package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"gansim.example/gansim/internal/wire"
)

// session is the process's connection to the server.
type session struct {
	mu   sync.Mutex
	conn *wire.Conn
}

// server gives the process's one session.
var server = sync.OnceValue(func() *session { return &session{} })

// ask sends a request to the server, which is found or started, with progress and until interrupted.
func ask(verb, title string, q wire.Query, parts ...[]byte) (wire.Answer, [][]byte, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return server().ask(ctx, verb, title, q, parts)
}

func (s *session) ask(ctx context.Context, verb, title string, q wire.Query, parts [][]byte) (
	wire.Answer, [][]byte, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return wire.Answer{}, nil, interrupted(ctx, title, err)
	}
	m := newMeter(title)
	a, data, err := c.Call(ctx, verb, q, parts, m.show)
	m.end(err)
	if errors.Is(err, wire.ErrLost) {
		err = remedy{fmt.Errorf("%s: %w", title, err),
			"run the cell again: the server starts by itself"}
	}
	return a, data, interrupted(ctx, title, err)
}

func interrupted(ctx context.Context, title string, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s: interrupted", title)
	}
	return err
}

// connect gives the connection, a new one where the last one ended.
func (s *session) connect(ctx context.Context) (*wire.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.conn.Lost() {
		return s.conn, nil
	}
	program, err := findProgram()
	if err != nil {
		return nil, err
	}
	me := wire.Greeting{Name: filepath.Base(os.Args[0])}
	if inNotebook() {
		out() // from now on the cell ends with its kernel
		me.Name, me.Owner = "notebook", owner()
	}
	starter := wire.Starter{Program: program, Backend: os.Getenv("GANSIM_BACKEND"), Me: me}
	s.conn, err = starter.Connect(ctx)
	if errors.Is(err, wire.ErrVersion) {
		err = remedy{err, "build it again: make build"}
	}
	return s.conn, err
}

// owner is the kernel's process, for which the server stays while no cell runs.
func owner() int {
	if pid, err := strconv.Atoi(os.Getenv("GANSIM_OWNER")); err == nil && pid > 0 {
		return pid
	}
	return os.Getppid()
}

// findProgram is the gansim command: $GANSIM_BIN, or that on PATH, or that of the checkout.
func findProgram() (string, error) {
	if p := os.Getenv("GANSIM_BIN"); p != "" {
		if _, err := os.Stat(p); err != nil {
			return "", remedy{fmt.Errorf("$GANSIM_BIN is %s: %w", p, errors.Unwrap(err)),
				"build it: go build -o " + p + " ./tools/gansim"}
		}
		return p, nil
	}
	if p, err := exec.LookPath("gansim"); err == nil {
		return filepath.Abs(p)
	}
	root := checkout()
	built := filepath.Join(root, "bin", "gansim")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	return "", remedy{errors.New("there is no gansim command"),
		"build it: make -C " + root + " build"}
}

// checkout is the folder of the module that the working directory lies in, or $GANSIM_ROOT, or the
// working directory.
func checkout() string {
	wd, err := os.Getwd()
	if err != nil {
		return "."
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module gansim.example\n") {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if root := os.Getenv("GANSIM_ROOT"); root != "" {
		return root
	}
	return wd
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
