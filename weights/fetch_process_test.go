package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// childEnv is the variable with the job of a child process.
const childEnv = "GANSIM_TEST_FETCH"

// child is the job of another process.
type child struct {
	Entry   Entry
	Mirror  string
	Dir     string
	Offline bool
	Limit   uint64 // of a file's size, zero means none
}

// TestChild is not a test: it is what the other processes of the tests below run.
func TestChild(t *testing.T) {
	job := os.Getenv(childEnv)
	if job == "" {
		t.Skip("not a child")
	}
	var c child
	if err := json.Unmarshal([]byte(job), &c); err != nil {
		t.Fatal(err)
	}
	limitFileSize(t, c.Limit)
	o := Options{Mirror: c.Mirror, Dir: c.Dir, Offline: c.Offline, Tries: 1}
	s, err := Fetch(t.Context(), c.Entry, o)
	if n := openSockets(); c.Offline && n > 0 {
		t.Errorf("%d sockets are open", n)
	}
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(s.Path)
}

// openSockets counts this process's sockets where the system lists them.
func openSockets() (n int) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// command makes the child process, below a wrapper like unshare if there is one.
func (c child) command(t *testing.T, wrapper ...string) *exec.Cmd {
	t.Helper()
	job, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrapper, os.Args[0], "-test.run=^TestChild$", "-test.timeout=60s")
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(job))
	return cmd
}

// TestFetch16TwoProcesses is case 16: two processes, one download, both succeed.
func TestFetch16TwoProcesses(t *testing.T) {
	data := weightBytes(1<<20, 16)
	s := newServer(t, data)
	s.answer(func(http.ResponseWriter, *http.Request) bool {
		time.Sleep(700 * time.Millisecond) // the other one is waiting by now
		return false
	})
	c := child{Entry: wanted(data), Mirror: s.URL, Dir: t.TempDir()}
	c.Entry.SHA256 = ""
	var all sync.WaitGroup
	for range 2 {
		cmd := c.command(t)
		all.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	all.Wait()
	checkRanges(t, s, "")
	got, err := status(c.Dir, c.Entry)
	if err != nil {
		t.Fatal(err)
	}
	checkWhole(t, got, c.Dir, data)
}

// TestFetch17Kill is case 17: kill -9 while it writes leaves no file of the final name, and the next
// Fetch goes on at once.
func TestFetch17Kill(t *testing.T) {
	data := weightBytes(1<<20, 17)
	s := newServer(t, data)
	s.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if len(s.seen()) > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Header().Set("ETag", s.etag)
		for i := 0; r.Context().Err() == nil; i = min(i+4096, len(data)/2) {
			w.Write(data[i : i+4096*min(1, len(data)/2-i)])
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
		return true
	})
	c := child{Entry: wanted(data), Mirror: s.URL, Dir: t.TempDir()}
	c.Entry.SHA256 = ""
	cmd := c.command(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(c.Dir, "net.part")
	late := time.Now().Add(30 * time.Second)
	for size := int64(0); size < 100_000; {
		if info, err := os.Stat(part); err == nil {
			size = info.Size()
		}
		time.Sleep(5 * time.Millisecond)
		if time.Now().After(late) {
			t.Fatalf("the child has written %d bytes", size)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	checkNames(t, c.Dir, "net.part", "net.part.json", "net.lock")
	left, err := status(c.Dir, c.Entry)
	if err != nil || left.State != Partial {
		t.Fatalf("%+v, %v", left, err)
	}
	start := time.Now()
	fetchAll(t, s, c.Entry, Options{Mirror: s.URL, Dir: c.Dir})
	checkRanges(t, s, "", fmt.Sprintf("%d-", left.Size))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v: the dead process's lock was not free", took)
	}
}

// TestFetch20OfflineNamespace is case 20, second part: in a network namespace of its own the answer
// is the same, and no socket is open after it.
func TestFetch20OfflineNamespace(t *testing.T) {
	unshare := []string{"unshare", "-n"}
	if exec.Command("unshare", "-n", "true").Run() != nil {
		unshare[1] = "-rn" // without the rights of root
		if out, err := exec.Command("unshare", "-rn", "true").CombinedOutput(); err != nil {
			t.Skipf("unshare -rn: %v %s", err, bytes.TrimSpace(out))
		}
	}
	data := weightBytes(1<<16, 25)
	s := newServer(t, data)
	c := child{Entry: wanted(data), Mirror: s.URL, Dir: t.TempDir(), Offline: true}
	c.Entry.URLs = []string{"https://host.example/net.pt"}
	offline := func(want string) {
		t.Helper()
		out, err := c.command(t, tracer(t, unshare...)...).CombinedOutput()
		if (err == nil) != (want == "PASS") || !strings.Contains(string(out), want) ||
			strings.Contains(string(out), "sockets are open") || strings.Contains(string(out), "socket(") {
			t.Errorf("%v\n%s\nwant %s", err, out, want)
		}
	}
	offline("not in the cache")
	fetchAll(t, s, c.Entry, Options{Mirror: s.URL, Dir: c.Dir})
	offline("PASS")
	c.Offline, c.Dir = false, t.TempDir()
	wrapper := tracer(t, unshare...)
	out, err := c.command(t, wrapper...).CombinedOutput()
	if err == nil || len(wrapper) > 2 && !strings.Contains(string(out), "socket(") {
		t.Errorf("the namespace has a network, or the trace shows no sockets: %v\n%s", err, out)
	}
	checkRanges(t, s, "")
}

// tracer adds strace, which prints every socket that is asked for, where it is installed and may.
func tracer(t *testing.T, wrapper ...string) []string {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	trace := []string{"strace", "-f", "-qq", "-e", "trace=socket"}
	if exec.CommandContext(ctx, trace[0], append(trace[1:], "true")...).Run() != nil {
		return wrapper
	}
	return append(wrapper, trace...)
}
