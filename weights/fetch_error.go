package weights

import (
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"net"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// FetchError says why a published file could not be had, and what to do.
type FetchError struct {
	Name string // of the entry
	Err  error
	Hint string // the next step, with the command to type
}

// Error gives name, reason and hint.
func (e *FetchError) Error() string {
	s := "weights: " + e.Name + ": " + e.Err.Error()
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap gives the reason.
func (e *FetchError) Unwrap() error { return e.Err }

// again is a failure that may pass: the same address is asked once more.
type again struct {
	error
	after time.Duration // what the server asks for, zero if it does not
}

func (e again) Unwrap() error { return e.error }

// refused is a failure that will not pass: the next address is asked.
type refused struct {
	error
	hint string // empty means to get the file by hand
}

func (e refused) Unwrap() error { return e.error }

// local is a failure on this machine: no other address helps.
type local struct {
	error
	hint string
}

func (e local) Unwrap() error { return e.error }

// failures are what several addresses answered, on one line.
type failures []error

func (f failures) Error() string {
	var s []string
	for _, err := range f {
		s = append(s, err.Error())
	}
	return strings.Join(s, "; ")
}

func (f failures) Unwrap() []error { return f }

func fetchCommand(name string) string { return "gansim weights fetch " + name }

// byHand tells how to do without a download.
func byHand(e Entry) string {
	use := fmt.Sprintf("pass --weights %s=PATH", e.Name)
	if e.Page == "" && len(e.URLs) == 0 {
		return fmt.Sprintf("get %s from its authors (%s) and %s", e.File, e.Citation, use)
	}
	from := e.Page
	if from == "" {
		from = e.URLs[0]
	}
	return fmt.Sprintf("get %s in a browser from %s and %s", e.File, from, use)
}

// resume tells how to go on after a failure that may pass.
func resume(e Entry) string {
	return fmt.Sprintf("run %s to resume, or add --mirror URL; or %s", fetchCommand(e.Name), byHand(e))
}

// diskError explains a failure to write. A full disk keeps the part, to be resumed.
func diskError(e Entry, dir string, done int64, err error) error {
	if !diskFull(err) {
		return local{err, ""}
	}
	return local{fmt.Errorf("disk full: no room in %s after %d bytes of %s: %w", dir, done, e.File, err),
		fmt.Sprintf("free space there or set GANSIM_HOME to a folder on another disk, then run %s",
			fetchCommand(e.Name))}
}

// errDiskFull is ERROR_DISK_FULL of Windows.
const errDiskFull syscall.Errno = 112

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EFBIG) || runtime.GOOS == "windows" && errors.Is(err, errDiskFull)
}

// networkError tells failures that may pass from those that will not.
func networkError(err error) error {
	var r refused // by our own redirect policy
	if errors.As(err, &r) {
		return r
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // without the address, which is named anyhow
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return refused{err, "check the address and the network, or add --mirror URL"}
	}
	if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
		return refused{err, "the server's certificate is not trusted; check the clock and the proxy"}
	}
	return again{err, 0}
}

var pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// webPage explains a page that came in place of a file.
func webPage(e Entry, page string) error {
	what := "a web page"
	if m := pageTitle.FindStringSubmatch(page); m != nil {
		title := strings.Join(strings.Fields(html.UnescapeString(m[1])), " ")
		what += fmt.Sprintf(" (%.80q)", title)
	}
	lower, why := strings.ToLower(page), ""
	switch {
	case !strings.Contains(lower, "google drive"):
	case strings.Contains(lower, "quota"), strings.Contains(lower, "too many users"):
		why = "Google Drive limits how often a file is downloaded in a day; "
	case strings.Contains(lower, "virus scan"):
		why = "Google Drive asks a person to confirm the download; "
	}
	return refused{fmt.Errorf("the server sent %s, not %s", what, e.File), why + byHand(e)}
}
