package serve_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
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

// cancelWithin is what the design promises.
const cancelWithin = 500 * time.Millisecond

func tinyPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 9, 7))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

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
		t.Run(how, func(t *testing.T) {
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
			if d := time.Since(at); d > cancelWithin {
				t.Errorf("the client returned after %v", d)
			}
			if how == "message" && !errors.Is(err, context.Canceled) || err == nil {
				t.Errorf("got %v", err)
			}
			if d := quiet(t, other); d > cancelWithin {
				t.Errorf("the server stopped after %v", d)
			}
		})
	}
}

// TestPanelCancel: a panel tells of its progress and can be given up.
func TestPanelCancel(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	c := dial(t, socket)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, _, err := c.Call(ctx, "panel", wire.Query{Panel: "c", Preset: "smoke", Dir: t.TempDir(), Seed: 1}, nil,
		func(s wire.Step, _ []byte) {
			if s.Text == "c" {
				stop()
			}
		})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if d := quiet(t, c); d > 2*cancelWithin {
		t.Errorf("the server stopped after %v", d)
	}
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
	for range 2 {
		if got := work(t, c); !bytes.Equal(got, want) {
			t.Error("other bytes")
		}
	}
	a, _ := ask(t, c, "status", wire.Query{})
	if m := a.Status.Memory; m.Evicted < 10 || m.Held > m.Limit {
		t.Errorf("got %+v", m)
	}
}

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
	time.Sleep(500 * time.Millisecond)
	if a, _ := ask(t, c, "status", wire.Query{}); len(a.Status.Owners)+len(a.Status.Values) > 0 {
		t.Errorf("got owners %v, values %v", a.Status.Owners, a.Status.Values)
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
