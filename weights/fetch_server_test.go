package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// weightBytes is a file that begins as PyTorch's do, the same for a size and seed.
func weightBytes(size int, seed byte) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	copy(b, "PK\x03\x04")
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// server is a file server with the faults of real ones.
type server struct {
	*httptest.Server
	data        []byte
	etag        string
	cuts        []int // how many bytes of the file there are when the answer breaks off, in turn
	ignoreRange bool
	before      func(w http.ResponseWriter, r *http.Request) (done bool)

	mu     sync.Mutex
	ranges []string // of the requests; empty for the whole file
}

func newServer(t *testing.T, data []byte) *server {
	s := &server{data: data, etag: `"v1"`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.ranges = append(s.ranges, strings.TrimPrefix(r.Header.Get("Range"), "bytes="))
	cut := -1
	if len(s.cuts) > 0 {
		cut, s.cuts = s.cuts[0], s.cuts[1:]
	}
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if s.ignoreRange {
		r.Header.Del("Range")
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if cut >= 0 {
		w = &cutter{ResponseWriter: w, cut: cut}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
}

// cutter breaks the connection when the file has been sent up to a byte.
type cutter struct {
	http.ResponseWriter
	cut, at int
}

func (c *cutter) WriteHeader(code int) {
	fmt.Sscanf(c.Header().Get("Content-Range"), "bytes %d-", &c.at)
	c.ResponseWriter.WriteHeader(code)
}

func (c *cutter) Write(b []byte) (int, error) {
	if c.at+len(b) < c.cut {
		n, err := c.ResponseWriter.Write(b)
		c.at += n
		return n, err
	}
	c.ResponseWriter.Write(b[:max(c.cut-c.at, 0)])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// answer sets what is done before the file is served; needed where another process asks.
func (s *server) answer(before func(w http.ResponseWriter, r *http.Request) (done bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// newTLS serves by https with the certificate of httptest.
func newTLS(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// seen are the ranges that were asked for so far.
func (s *server) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ranges...)
}

// wanted is an entry for data, with its hash.
func wanted(data []byte) Entry {
	return Entry{Name: "net", File: "net.pt", Architecture: "net", Citation: "none", Note: "a test",
		SHA256: sumOf(data)}
}

// quick are options for a test with a server as the mirror; no certificate is needed then.
func quick(t *testing.T, s *server) Options {
	return Options{Mirror: s.URL, Dir: t.TempDir(), pause: time.Millisecond, stall: 20 * time.Second}
}

func writePart(t *testing.T, dir string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "net.part"), b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkWhole wants the data under their final name and nothing left over.
func checkWhole(t *testing.T, s Status, dir string, data []byte) {
	t.Helper()
	if s.State != Present || s.Path != filepath.Join(dir, "sha256-"+sumOf(data)) {
		t.Fatalf("status %s %s", s.State, s.Path)
	}
	if b, err := os.ReadFile(s.Path); err != nil || !bytes.Equal(b, data) {
		t.Fatalf("%d bytes, %v; want the %d of the server", len(b), err, len(data))
	}
	checkNames(t, dir, filepath.Base(s.Path), pinsName)
}

func checkNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, name := range want {
		left[name] = true
	}
	for _, f := range files {
		if !left[f.Name()] {
			t.Errorf("%s is left over", f.Name())
		}
		delete(left, f.Name())
	}
	for name := range left {
		t.Errorf("%s is missing", name)
	}
}

// checkRefused wants an error with these words and no file of the published name.
func checkRefused(t *testing.T, err error, dir string, words ...string) {
	t.Helper()
	var f *FetchError
	if !errors.As(err, &f) || f.Name != "net" {
		t.Fatalf("error %v, want a FetchError for net", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q, want it to say %q", err, word)
		}
	}
	if m, _ := filepath.Glob(filepath.Join(dir, "sha256-*")); len(m) > 0 {
		t.Errorf("%v is there after %v", m, err)
	}
}

func fetchAll(t *testing.T, s *server, e Entry, o Options) {
	t.Helper()
	got, err := Fetch(t.Context(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	checkWhole(t, got, o.Dir, s.data)
}

func checkRanges(t *testing.T, s *server, want ...string) {
	t.Helper()
	if got := s.seen(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("ranges %q, want %q", got, want)
	}
}
