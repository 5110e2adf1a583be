package weights

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const quotaPage = `<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head>
<body>Too many users have viewed or downloaded this file recently.</body></html>`

// TestFetch19Refused is case 19: what is not the file is refused with a hint.
func TestFetch19Refused(t *testing.T) {
	data := weightBytes(1<<16, 19)
	page := func(kind, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", kind)
			w.Write([]byte(text))
			return true
		}
	}
	code := func(code int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, text, code)
			return true
		}
	}
	for _, c := range []struct {
		name   string
		before func(http.ResponseWriter, *http.Request) bool
		words  []string
	}{
		{"Drive quota", page("text/html; charset=utf-8", quotaPage),
			[]string{"a web page", "Quota exceeded", "limits how often", "in a browser", "--weights net=PATH"}},
		{"page without a type", page("application/octet-stream", "\n <html><body>no</body></html>"),
			[]string{"a web page", "net.pt"}},
		{"type without a page", page("text/html", strings.Repeat("moved ", 100)), []string{"a web page"}},
		{"pointer", page("text/plain", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n"),
			[]string{"a Git LFS pointer"}},
		{"403", code(403, "no"), []string{"403 Forbidden", "--weights net=PATH"}},
		{"403 with a page", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(403)
			w.Write([]byte("<html><title>\n Virus scan &amp; warning</title>Google Drive can't scan"))
			return true
		}, []string{"403 Forbidden", `"Virus scan & warning"`, "asks a person to confirm", "in a browser"}},
		{"404", code(404, "no"), []string{"404 Not Found", "https://authors.example/net"}},
		{"500", code(500, "no"), []string{"3 tries", "500 Internal", "gansim weights fetch net"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, data)
			s.before = c.before
			o := quick(t, s)
			o.Tries = 3
			e := wanted(data)
			e.Page = "https://authors.example/net"
			_, err := Fetch(t.Context(), e, o)
			checkRefused(t, err, o.Dir, c.words...)
			checkNames(t, o.Dir)
			if asked := len(s.seen()); asked != 1 && c.name != "500" {
				t.Errorf("asked %d times", asked)
			}
		})
	}
	t.Run("no hash, not weights", func(t *testing.T) {
		s := newServer(t, data)
		s.before = page("application/octet-stream", "\x00\x01 neither text nor weights")
		o := quick(t, s)
		e := wanted(data)
		e.SHA256 = ""
		_, err := Fetch(t.Context(), e, o)
		checkRefused(t, err, o.Dir, `the server sent something that begins with "\x00\x01 nei`)
		checkNames(t, o.Dir)
	})
}

// TestFetch19Redirects is the rest of case 19: http to https to another host is followed, https to
// http is not, nor is a circle.
func TestFetch19Redirects(t *testing.T) {
	data := weightBytes(1<<16, 20)
	files := newServer(t, data)
	secure := newTLS(t, files)
	other := newTLS(t, http.RedirectHandler(
		strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)+"/there", http.StatusFound))
	transport := secure.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true // of two servers on 127.0.0.1
	to := func(target string) Options {
		s := newServer(t, nil)
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if target == "itself" {
				target = s.URL
			}
			http.Redirect(w, r, target, http.StatusFound)
			return true
		}
		o := quick(t, s)
		o.transport = transport
		return o
	}
	fetchAll(t, files, wanted(data), to(other.URL))
	files.cuts = []int{1000}
	fetchAll(t, files, wanted(data), to(other.URL))
	checkRanges(t, files, "", "", "1000-")

	o := to("itself")
	_, err := Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "more than 10 redirects")

	back := newTLS(t, http.RedirectHandler(files.URL, http.StatusFound))
	o = to(back.URL)
	_, err = Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "redirect from https to http", "refused", "--weights net=PATH")
	o.Mirror, o.transport = secure.URL, nil
	_, err = Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "certificate")
}

// TestFetchRetries: what may pass is tried again, after the time that the server asks for.
func TestFetchRetries(t *testing.T) {
	data := weightBytes(1<<16, 21)
	s := newServer(t, data)
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		switch len(s.seen()) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3: // stalls
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			return false
		}
		return true
	}
	o := quick(t, s)
	o.stall = time.Second
	var notes bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&notes, nil))
	start := time.Now()
	fetchAll(t, s, wanted(data), o)
	checkRanges(t, s, "", "", "", "1000-")
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("took %v, want 2s: Retry-After is 1, and a stall of 1", took)
	}
	for _, word := range []string{"503", "429", "no data for too long", "trying again"} {
		if !strings.Contains(notes.String(), word) {
			t.Errorf("log %q, want %q", notes.String(), word)
		}
	}
}

// TestFetchMirror: the mirror comes first, and a bad one costs nothing but time.
func TestFetchMirror(t *testing.T) {
	data := weightBytes(1<<16, 22)
	good, bad := newServer(t, data), newServer(t, weightBytes(1<<16, 23))
	secure := newTLS(t, good)
	o := quick(t, bad)
	o.Mirror += "/some/folder/"
	o.transport = secure.Client().Transport
	var path string
	bad.before = func(_ http.ResponseWriter, r *http.Request) bool { path = r.URL.Path; return false }
	e := wanted(data)
	e.URLs = []string{secure.URL + "/other.pt"}
	fetchAll(t, good, e, o)
	if path != "/some/folder/net.pt" {
		t.Errorf("mirror was asked for %s", path)
	}
	pins, err := readPins(o.Dir)
	if p := pins["net"]; err != nil || p.URL != e.URLs[0] || p.Size != 1<<16 {
		t.Errorf("pin %+v, %v", p, err)
	}
	for _, mirror := range []string{"ftp://x/y", "weights", "https://"} {
		o := Options{Mirror: mirror, Dir: t.TempDir()}
		_, err := Fetch(t.Context(), e, o)
		checkRefused(t, err, o.Dir, mirror, "--mirror")
	}
	o = Options{Dir: t.TempDir()}
	_, err = Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "no address", "--weights net=PATH")
}

// TestFetchMirrorBreaks: what a mirror sent before it went away counts, as the hash will tell.
func TestFetchMirrorBreaks(t *testing.T) {
	data := weightBytes(1<<16, 26)
	good, mirror := newServer(t, data), newServer(t, data)
	mirror.cuts = []int{1 << 15}
	mirror.before = func(w http.ResponseWriter, _ *http.Request) bool {
		gone := len(mirror.seen()) > 1
		if gone {
			w.WriteHeader(http.StatusGone)
		}
		return gone
	}
	secure := newTLS(t, good)
	o := quick(t, mirror)
	o.transport = secure.Client().Transport
	e := wanted(data)
	e.URLs = []string{secure.URL + "/net.pt"}
	fetchAll(t, good, e, o)
	checkRanges(t, good, "32768-")
}

// countingTransport counts what would open sockets.
func countingTransport(n *atomic.Int64) http.RoundTripper {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		n.Add(1)
		return nil, fmt.Errorf("dialled")
	}}
}

// TestFetch20Offline is case 20, first part: no connection is tried, and the error helps.
func TestFetch20Offline(t *testing.T) {
	data := weightBytes(1<<16, 24)
	s := newServer(t, data)
	var dials atomic.Int64
	o := quick(t, s)
	o.Offline, o.transport = true, countingTransport(&dials)
	e := wanted(data)
	e.URLs = []string{"https://host.example/net.pt"}
	_, err := Fetch(t.Context(), e, o)
	checkRefused(t, err, o.Dir, "net.pt is not in the cache", o.Dir, "without --offline",
		"gansim weights fetch net", "--weights net=PATH")
	checkNames(t, o.Dir)

	fetchAll(t, s, e, Options{Mirror: s.URL, Dir: o.Dir})
	fetchAll(t, s, e, o)
	if n := dials.Load(); n != 0 {
		t.Errorf("%d connections tried", n)
	}
	o.Offline, o.Dir, o.Tries = false, t.TempDir(), 1
	if _, err := Fetch(t.Context(), e, o); err == nil || dials.Load() == 0 {
		t.Errorf("the counter does not count: %v", err)
	}
}

// TestNetworkError: what may pass is tried again, what will not is not.
func TestNetworkError(t *testing.T) {
	for _, c := range []struct {
		err   error
		again bool
		says  string
	}{
		{&url.Error{Op: "Get", URL: "https://x", Err: io.ErrUnexpectedEOF}, true, "unexpected EOF"},
		{&url.Error{Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}, false,
			"lookup x: no such host"},
		{&url.Error{Err: &net.DNSError{Err: "server misbehaving", Name: "x"}}, true, "misbehaving"},
		{&url.Error{Err: refused{errors.New("redirect"), ""}}, false, "redirect"},
		{&tls.CertificateVerificationError{Err: errors.New("expired")}, false, "expired"},
	} {
		err := networkError(c.err)
		if pass := (again{}); errors.As(err, &pass) != c.again || !strings.Contains(err.Error(), c.says) ||
			strings.Contains(err.Error(), "Get") {
			t.Errorf("%v became %T %v", c.err, err, err)
		}
	}
}

// TestBackoff: longer and longer, never all at once, never without bound.
func TestBackoff(t *testing.T) {
	f := &fetcher{Options: Options{pause: time.Second}}
	for vain := 1; vain < 100; vain++ {
		mean := min(time.Second<<min(vain-1, 16), longestPause)
		if d := f.backoff(vain, 0); d < mean/2 || d > min(2*mean, longestPause) {
			t.Errorf("try %d: %v", vain, d)
		}
	}
	if d := f.backoff(1, time.Hour); d != longestPause {
		t.Errorf("Retry-After of an hour: %v", d)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"7": 7 * time.Second, "-1": 0, "": 0, "soon": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		now.Add(-time.Hour).Format(http.TimeFormat):  0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("Retry-After %q is %v, want %v", s, got, want)
		}
	}
}
