//go:build unix

package serve_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/serve"
)

func within(t *testing.T, what string, limit time.Duration, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(limit):
		t.Errorf("%s: the server still runs after %v", what, limit)
	}
}

// TestIdle: the server ends after its last client.
func TestIdle(t *testing.T) {
	socket, ended := start(t, func(c *serve.Config) { c.Idle = 300 * time.Millisecond })
	c := dial(t, socket)
	select {
	case <-ended:
		t.Fatal("ended with a client")
	case <-time.After(time.Second):
	}
	c.Close()
	within(t, "after the client", 3*time.Second, ended)
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is left")
	}
}

// TestOwner: the server stays for a kernel's process, also between cells, and forgets its values when
// it is gone.
func TestOwner(t *testing.T) {
	socket, ended := start(t, func(c *serve.Config) { c.Idle = 300 * time.Millisecond })
	kernel := exec.Command("sleep", "60")
	if err := kernel.Start(); err != nil {
		t.Skip(err)
	}
	build, err := wire.Build(program())
	if err != nil {
		t.Fatal(err)
	}
	c, err := wire.Dial(socket, wire.Greeting{Build: build, Owner: kernel.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c, "keep", wire.Query{Key: "mine"}, []byte("x"))
	other := dial(t, socket)
	if _, _, err := other.Call(t.Context(), "load", wire.Query{Key: "mine"}, nil, nil); err == nil {
		t.Error("another notebook sees the value")
	}
	other.Close()
	c.Close()
	time.Sleep(time.Second)
	c, err = wire.Dial(socket, wire.Greeting{Build: build, Owner: kernel.Process.Pid})
	if err != nil {
		t.Fatalf("the server left its kernel: %v", err)
	}
	ask(t, c, "load", wire.Query{Key: "mine"})
	if err := kernel.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" { // elsewhere a dead process that was not waited for looks alive
		_ = kernel.Wait()
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		a, _ := ask(t, c, "status", wire.Query{})
		if len(a.Status.Owners)+len(a.Status.Values) == 0 {
			break
		}
		if time.Since(begin) > 3*time.Second {
			t.Fatalf("still has owners %v, values %v", a.Status.Owners, a.Status.Values)
		}
	}
	c.Close()
	within(t, "after the kernel", 3*time.Second, ended)
	_ = kernel.Wait()
}

// TestGarbage: bytes that are no frames end the connection, not the server.
func TestGarbage(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	for _, text := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x02{}", "\x00\x00\x00\x04null",
		"\x00\x00\x00\x10{\"kind\":\"hello\"}\xff\xff\xff\xff"} {
		raw, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Write([]byte(text)); err != nil {
			t.Error(err)
		}
		raw.Close()
	}
	ask(t, dial(t, socket), "status", wire.Query{})
}

// TestPrivate: nobody else can reach the socket.
func TestPrivate(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	for path, want := range map[string]os.FileMode{socket: 0o600, filepath.Dir(socket): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	if len(socket) >= 100 {
		t.Errorf("%s is too long", socket)
	}
}

// TestKill: a server that is killed in the middle of an inversion is reported, and the next call
// starts another one. Two that start at once find the same server.
func TestKill(t *testing.T) {
	folder(t)
	starter := wire.Starter{Program: program(), Backend: "go"}
	var conns [2]*wire.Conn
	var starts sync.WaitGroup
	for i := range conns {
		starts.Go(func() {
			var err error
			if conns[i], err = starter.Connect(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	if t.Failed() {
		return
	}
	c := conns[0]
	if c.Server.PID != conns[1].Server.PID {
		t.Fatalf("two servers: %d and %d", c.Server.PID, conns[1].Server.PID)
	}
	q, parts := long(t, c)
	var once sync.Once
	_, _, err := c.Call(t.Context(), "invert", q, parts, func(wire.Step, []byte) {
		once.Do(func() {
			if err := syscall.Kill(c.Server.PID, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		})
	})
	if !errors.Is(err, wire.ErrLost) || !c.Lost() {
		t.Errorf("got %v", err)
	}
	again, err := starter.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	ask(t, again, "sample", wire.Query{Model: "BigGAN", N: 1})
	if again.Server.PID == c.Server.PID {
		t.Error("the dead server answers")
	}
}

// TestStale: a server of an older build gives way, and serves its client to the end.
func TestStale(t *testing.T) {
	folder(t)
	copied := filepath.Join(t.TempDir(), "gansim")
	b, err := os.ReadFile(program())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, b, 0o755); err != nil {
		t.Fatal(err)
	}
	starter := wire.Starter{Program: copied, Backend: "go"}
	old, err := starter.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := os.Chtimes(copied, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	fresh, err := starter.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if fresh.Server.PID == old.Server.PID || fresh.Server.Build == old.Server.Build {
		t.Errorf("got %+v after %+v", fresh.Server, old.Server)
	}
	ask(t, old, "sample", wire.Query{Model: "BigGAN", N: 1})
}
