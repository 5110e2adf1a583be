package weights

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a server may do.
const (
	maxRedirects = 10
	maxFile      = 16 << 30 // bytes, of a file whose size is not known
	maxPage      = 64 << 10 // bytes of a web page that are read to explain it
	showEvery    = 100 * time.Millisecond
	copyBuffer   = 128 << 10
)

var errStalled = errors.New("no data for too long")

// newClient returns a client that never falls from https to http.
func newClient(rt http.RoundTripper) *http.Client {
	if rt == nil {
		rt = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
			TLSHandshakeTimeout:   20 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
			ForceAttemptHTTP2:     true,
			DisableCompression:    true,
		}
	}
	return &http.Client{Transport: rt, CheckRedirect: checkRedirect}
}

// checkRedirect allows other hosts, and http to https, but not back.
func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return refused{fmt.Errorf("more than %d redirects", maxRedirects), ""}
	case req.URL.Scheme == "https", req.URL.Scheme == "http" && last.URL.Scheme == "http":
		return nil
	}
	return refused{fmt.Errorf("redirect from %s to %s://%s refused: not encrypted",
		last.URL.Scheme, req.URL.Scheme, req.URL.Host), ""}
}

// attempt asks once for what is missing in the part and appends what comes. It returns nil when the
// server says that this was all.
func (f *fetcher) attempt(parent context.Context, u string, p *part) error {
	known := f.was.SHA256 != ""
	if p.n > 0 && !known && p.from.URL != u {
		if err := p.reset(); err != nil { // from elsewhere, and no hash would tell
			return local{err, ""}
		}
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watchdog := time.AfterFunc(f.stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	req, err := f.request(ctx, u, p)
	if err != nil {
		return refused{err, ""}
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return f.broken(ctx, err)
	}
	defer resp.Body.Close()
	total, whole, err := f.answer(resp, p)
	if err != nil || whole {
		return err
	}
	if err := p.describe(source{u, validator(resp), total}); err != nil {
		return diskError(f.entry, f.Dir, p.n, err)
	}
	body := bufio.NewReaderSize(resp.Body, copyBuffer)
	if p.n == 0 {
		if err := f.sniff(resp, body); err != nil {
			return err
		}
	}
	return f.copy(ctx, p, body, total, func() { watchdog.Reset(f.stall) })
}

// request asks for the whole file, or for the rest of a part as long as the file is the same.
func (f *fetcher) request(ctx context.Context, u string, p *part) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "gansim")
	req.Header.Set("Accept-Encoding", "identity") // ranges and hashes are of the file itself
	if p.n > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.n))
		if p.from.URL == u && p.from.Validator != "" {
			req.Header.Set("If-Range", p.from.Validator)
		}
	}
	return req, nil
}

// answer looks at the head of an answer and makes the part fit it. It returns the size of the whole
// file, zero if unknown, and whether the part has it all.
func (f *fetcher) answer(resp *http.Response, p *part) (total int64, whole bool, err error) {
	had := p.n
	start, total, ranged := contentRange(resp.Header.Get("Content-Range"))
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		total = max(resp.ContentLength, 0)
		if had > 0 {
			f.Log.Info("the server sends the file from its start", "name", f.entry.Name, "bytes", had)
			err = p.reset()
		}
	case code == http.StatusPartialContent && ranged && start == had && f.sameSize(p, total):
		p.resumed = had > 0
	case code == http.StatusRequestedRangeNotSatisfiable && had > 0 &&
		(total == had || total == 0 && f.was.SHA256 != ""):
		p.resumed = true
		return total, true, nil
	case code == http.StatusPartialContent, code == http.StatusRequestedRangeNotSatisfiable && had > 0:
		if err := p.reset(); err != nil {
			return 0, false, local{err, ""}
		}
		return 0, false, again{fmt.Errorf("%s with range %q does not continue %d bytes",
			resp.Status, resp.Header.Get("Content-Range"), had), 0}
	default:
		return 0, false, f.statusError(resp)
	}
	if err != nil {
		return 0, false, local{err, ""}
	}
	if want := f.entry.Size; want > 0 && total > 0 && total != want {
		return 0, false, refused{fmt.Errorf("size is %d, want %d: %w", total, want, ErrChecksum), ""}
	}
	if total == 0 {
		total = f.entry.Size
	}
	return total, false, nil
}

// sameSize says whether a file of this size can be the one that the part is of.
func (f *fetcher) sameSize(p *part, total int64) bool {
	return total == 0 || p.from.Total == 0 || total == p.from.Total
}

// contentRange reads "bytes 5-9/10", "bytes 5-9/*" and "bytes */10"; an unknown total is zero.
func contentRange(s string) (start, total int64, ok bool) {
	s, found := strings.CutPrefix(s, "bytes ")
	span, size, slash := strings.Cut(s, "/")
	if !found || !slash {
		return 0, 0, false
	}
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && n > 0 {
		total = n
	}
	from, _, _ := strings.Cut(span, "-")
	start, err := strconv.ParseInt(from, 10, 64)
	return start, total, err == nil && start >= 0
}

// statusError explains an answer that has no file.
func (f *fetcher) statusError(resp *http.Response) error {
	err := fmt.Errorf("the server answers %s", resp.Status)
	switch code := resp.StatusCode; {
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly,
		code == http.StatusTooManyRequests, code >= 500 && code != http.StatusNotImplemented:
		return again{err, retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	}
	if page, _ := io.ReadAll(io.LimitReader(resp.Body, maxPage)); isPage(resp, page) {
		var r refused
		if errors.As(webPage(f.entry, string(page)), &r) {
			return refused{fmt.Errorf("%w: %w", err, r.error), r.hint}
		}
	}
	return refused{err, ""}
}

// retryAfter reads seconds or a date; zero means that there is none.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

// validator is what tells a server which version of a file a part is of, empty if nothing does.
func validator(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return resp.Header.Get("Last-Modified")
}

func isPage(resp *http.Response, start []byte) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return strings.HasPrefix(otherFormat(start), "a web page") ||
		strings.Contains(kind, "html") && !isWeights(start)
}

// isWeights knows the first bytes of PyTorch's two layouts, of safetensors and of NumPy.
func isWeights(start []byte) bool {
	s := string(start)
	switch {
	case len(s) < 9:
		return false
	case strings.HasPrefix(s, "PK\x03\x04"), strings.HasPrefix(s, "\x93NUMPY"):
		return true
	case s[0] == 0x80 && s[1] >= 2 && s[1] <= 5: // pickle
		return true
	}
	return s[8] == '{' && binary.LittleEndian.Uint64(start) <= maxHeader
}

// sniff refuses what people get by mistake before it is written. Without a hash to come the file
// must also look like weights.
func (f *fetcher) sniff(resp *http.Response, body *bufio.Reader) error {
	start, err := body.Peek(512)
	if err != nil && err != io.EOF {
		return nil // copy will meet it
	}
	if isPage(resp, start) {
		page, _ := io.ReadAll(io.LimitReader(body, maxPage))
		return webPage(f.entry, string(page))
	}
	what := otherFormat(start)
	if f.was.SHA256 == "" && !isWeights(start) && what == "" {
		what = fmt.Sprintf("something that begins with %q", start[:min(len(start), 16)])
	}
	if what == "" || isWeights(start) {
		return nil
	}
	return refused{fmt.Errorf("the server sent %s, not %s", what, f.entry.File), ""}
}

// copy appends the body to the part.
func (f *fetcher) copy(ctx context.Context, p *part, body io.Reader, total int64, alive func()) error {
	limit := total
	if limit == 0 {
		limit = maxFile
	}
	buf := make([]byte, copyBuffer)
	f.show(p.n, total, true)
	for {
		n, err := body.Read(buf)
		alive()
		if p.n+int64(n) > limit {
			return refused{fmt.Errorf("the server sends more than %d bytes", limit), ""}
		}
		if _, writeErr := p.Write(buf[:n]); writeErr != nil {
			return diskError(f.entry, f.Dir, p.n, writeErr)
		}
		f.show(p.n, total, err == io.EOF)
		if err == io.EOF && p.n < total {
			err = io.ErrUnexpectedEOF
		} else if err == io.EOF {
			return nil
		}
		if err != nil {
			return f.broken(ctx, fmt.Errorf("after %d of %d bytes: %w", p.n, total, err))
		}
	}
}

// broken explains a connection that did not work out.
func (f *fetcher) broken(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return again{fmt.Errorf("%w (%v)", errStalled, f.stall), 0}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return networkError(err)
}

// show reports progress, at most ten times a second unless it must.
func (f *fetcher) show(done, total int64, must bool) {
	if f.Progress == nil || !must && time.Since(f.shown) < showEvery {
		return
	}
	f.shown = time.Now()
	f.Progress(done, total)
}
