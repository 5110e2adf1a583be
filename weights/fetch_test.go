package weights

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// TestFetch12ServerCloses is case 12: a break at 1, 50 and 99 percent is resumed by Range.
func TestFetch12ServerCloses(t *testing.T) {
	data := weightBytes(1<<20, 12)
	for _, percent := range []int{1, 50, 99} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			s := newServer(t, data)
			cut := len(data) * percent / 100
			s.cuts = []int{cut}
			o := quick(t, s)
			var last int64
			o.Progress = func(done, total int64) {
				if last = done; total != int64(len(data)) {
					t.Errorf("total %d, want %d", total, len(data))
				}
			}
			fetchAll(t, s, wanted(data), o)
			checkRanges(t, s, "", fmt.Sprintf("%d-", cut))
			if last != int64(len(data)) {
				t.Errorf("progress ended at %d of %d", last, len(data))
			}
		})
	}
	t.Run("all, one after the other, hash not known", func(t *testing.T) {
		s := newServer(t, data)
		s.cuts = []int{10000, 500000, 1 << 20 * 99 / 100}
		e := wanted(data)
		e.SHA256 = ""
		o := quick(t, s)
		o.Tries = 2 // in vain only
		fetchAll(t, s, e, o)
		checkRanges(t, s, "", "10000-", "500000-", "1038090-")
	})
}

// TestFetch12Changed: the file on the server changes between two answers. The halves are not mixed.
func TestFetch12Changed(t *testing.T) {
	old, data := weightBytes(1<<16, 1), weightBytes(1<<16, 2)
	s := newServer(t, old)
	s.cuts = []int{1 << 15}
	s.before = func(http.ResponseWriter, *http.Request) bool {
		if len(s.seen()) == 2 {
			s.data, s.etag = data, `"v2"`
		}
		return false
	}
	e := wanted(data)
	e.SHA256 = ""
	fetchAll(t, s, e, quick(t, s))
	checkRanges(t, s, "", "32768-")
}

// TestFetch13IgnoresRange is case 13: an answer 200 to a Range starts again.
func TestFetch13IgnoresRange(t *testing.T) {
	data := weightBytes(1<<16, 13)
	s := newServer(t, data)
	s.ignoreRange, s.cuts = true, []int{1 << 15, 1 << 14}
	fetchAll(t, s, wanted(data), quick(t, s))
	checkRanges(t, s, "", "32768-", "16384-")
}

// TestFetch14Complete is case 14: 416 for a whole part. It is verified and renamed.
func TestFetch14Complete(t *testing.T) {
	data := weightBytes(1<<16, 14)
	wrong := bytes.Clone(data)
	wrong[1000] ^= 4
	for _, c := range []struct {
		name   string
		part   []byte
		ranges []string
	}{
		{"whole", data, []string{"65536-"}},
		{"too long", append(bytes.Clone(data), 1), []string{"65537-", ""}},
		{"whole and wrong", wrong, []string{"65536-", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, data)
			o := quick(t, s)
			writePart(t, o.Dir, c.part)
			fetchAll(t, s, wanted(data), o)
			checkRanges(t, s, c.ranges...)
		})
	}
}

// TestFetch14Foreign: a part of unknown origin is not built upon if no hash would tell.
func TestFetch14Foreign(t *testing.T) {
	data := weightBytes(1<<16, 14)
	s := newServer(t, data)
	o := quick(t, s)
	writePart(t, o.Dir, weightBytes(1<<15, 3))
	e := wanted(data)
	e.SHA256 = ""
	fetchAll(t, s, e, o)
	checkRanges(t, s, "")
}

// TestFetch15FlippedBit is case 15: the right size with one wrong bit is rejected.
func TestFetch15FlippedBit(t *testing.T) {
	data := weightBytes(1<<16, 15)
	s := newServer(t, bytes.Clone(data))
	s.data[40000] ^= 1
	o := quick(t, s)
	_, err := Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, sumOf(data), sumOf(s.data), s.URL, "--weights net=PATH")
	if !errors.Is(err, ErrChecksum) {
		t.Errorf("%v is not ErrChecksum", err)
	}
	checkNames(t, o.Dir)

	e := wanted(data)
	e.SHA256, e.SHA256Prefix = "", e.SHA256[:8]
	if _, err = Fetch(t.Context(), e, o); !errors.Is(err, ErrChecksum) {
		t.Errorf("prefix: %v is not ErrChecksum", err)
	}
	e.SHA256Prefix, e.Size = "", 1<<16+1
	if _, err = Fetch(t.Context(), e, o); !errors.Is(err, ErrChecksum) {
		t.Errorf("size: %v is not ErrChecksum", err)
	}
	checkNames(t, o.Dir)
}

// TestFetchFirstSeen: without a published hash the first one is enforced.
func TestFetchFirstSeen(t *testing.T) {
	data := weightBytes(1<<16, 5)
	s := newServer(t, data)
	o := quick(t, s)
	e := wanted(data)
	e.SHA256, e.SHA256Prefix = "", e.SHA256[:8]
	before, err := status(o.Dir, e)
	if err != nil || before.State != Absent || before.Hash != HashPrefix {
		t.Fatalf("%+v, %v", before, err)
	}
	fetchAll(t, s, e, o)
	after, err := status(o.Dir, e)
	if err != nil || after.Hash != HashFirstSeen || after.SHA256 != sumOf(data) {
		t.Fatalf("%+v, %v", after, err)
	}
	fetchAll(t, s, e, o)
	checkRanges(t, s, "")

	os.Remove(after.Path)
	s.data = weightBytes(1<<16, 6)
	_, err = Fetch(t.Context(), e, o)
	checkRefused(t, err, o.Dir, "first seen", sumOf(data), sumOf(s.data), pinsName, "fetch net")
}

// TestFetchCancel keeps the part and goes on from there.
func TestFetchCancel(t *testing.T) {
	data := weightBytes(1<<20, 7)
	s := newServer(t, data)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if len(s.seen()) > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Header().Set("ETag", s.etag)
		w.Write(data[:300000])
		w.(http.Flusher).Flush()
		time.Sleep(200 * time.Millisecond) // until all of it has been written
		cancel()
		<-r.Context().Done()
		return true
	}
	o := quick(t, s)
	_, err := Fetch(ctx, wanted(data), o)
	checkRefused(t, err, o.Dir, "gansim weights fetch net")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not Canceled", err)
	}
	part, err := status(o.Dir, wanted(data))
	if err != nil || part.State != Partial || part.Size == 0 {
		t.Fatalf("%+v, %v", part, err)
	}
	fetchAll(t, s, wanted(data), o)
	checkRanges(t, s, "", fmt.Sprintf("%d-", part.Size))
}
