package weights

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// limitFileSize makes the system refuse to let a file of this process grow further.
func limitFileSize(t *testing.T, n uint64) {
	if n == 0 {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		t.Fatal(err)
	}
}

// TestFetch18DiskFull is case 18 on a small disk of its own: a clear message, no half file, and the
// download goes on when there is room.
func TestFetch18DiskFull(t *testing.T) {
	data := weightBytes(1<<20, 18)
	s := newServer(t, data)
	o := quick(t, s)
	if err := syscall.Mount("tmpfs", o.Dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("mount a small disk: %v", err)
	}
	defer syscall.Unmount(o.Dir, syscall.MNT_DETACH)
	_, err := Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "disk full", "no room in "+o.Dir, "GANSIM_HOME", "gansim weights fetch net")
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v is not ENOSPC", err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("asked %d times for what has no room", n)
	}
	left, err := status(o.Dir, wanted(data))
	if err != nil || left.State != Partial || left.Size < 1<<18 {
		t.Fatalf("%+v, %v", left, err)
	}
	if err := syscall.Mount("tmpfs", o.Dir, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	fetchAll(t, s, wanted(data), o)
	if got := s.seen(); len(got) != 2 || got[1] == "" {
		t.Errorf("ranges %q, want the second to resume", got)
	}
}

// TestFetch18NoRoom: no room for even the first byte, nor for the folder.
func TestFetch18NoRoom(t *testing.T) {
	data := weightBytes(1<<16, 18)
	s := newServer(t, data)
	o := quick(t, s)
	if err := syscall.Mount("tmpfs", o.Dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("mount a small disk: %v", err)
	}
	defer syscall.Unmount(o.Dir, syscall.MNT_DETACH)
	if err := os.WriteFile(filepath.Join(o.Dir, "fill"), make([]byte, 1<<16), 0o666); err == nil {
		t.Fatal("the disk is not full")
	}
	_, err := Fetch(t.Context(), wanted(data), o)
	checkRefused(t, err, o.Dir, "disk full")
	checkNames(t, o.Dir, "fill")
}

// TestFetch18Limit needs no rights: the system refuses to let the file grow.
func TestFetch18Limit(t *testing.T) {
	data := weightBytes(1<<20, 18)
	s := newServer(t, data)
	c := child{Entry: wanted(data), Mirror: s.URL, Dir: t.TempDir(), Limit: 1 << 18}
	out, err := c.command(t).CombinedOutput()
	if err == nil {
		t.Fatalf("no error\n%s", out)
	}
	checkRefused(t, &FetchError{Name: "net", Err: errors.New(string(out))}, c.Dir, "disk full",
		"after 262144 bytes", "gansim weights fetch net")
	fetchAll(t, s, c.Entry, Options{Mirror: s.URL, Dir: c.Dir})
	checkRanges(t, s, "", "262144-")
}
