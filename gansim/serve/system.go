package serve

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// proc holds files on processes and memory where the system is Linux.
const proc = "/proc"

// total is the machine's memory, or what the process's group may use of it, bytes; 8 GiB if unknown.
func total() int64 {
	n := int64(8 << 30)
	if b, err := os.ReadFile(filepath.Join(proc, "meminfo")); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				n = kb << 10
			}
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil {
			n = min(n, limit)
		}
	}
	return n
}

// resident is the size of this process in memory, bytes; without /proc what Go has of the system.
func resident() int64 {
	b, err := os.ReadFile(filepath.Join(proc, "self", "statm"))
	if f := strings.Fields(string(b)); err == nil && len(f) > 1 {
		if pages, err := strconv.ParseInt(f[1], 10, 64); err == nil {
			return pages * int64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// owner is a process for which the server stays, such as a notebook's kernel.
type owner struct {
	pid   int
	since string // when it started, so that a later process of the same number is not taken for it
}

func newOwner(pid int) owner {
	since, _ := started(pid)
	return owner{pid, since}
}

// alive reports whether the process runs; one that has ended and waits to be noticed does not.
func (o owner) alive() bool {
	since, known := started(o.pid)
	if known {
		return since != "" && since == o.since
	}
	p, err := os.FindProcess(o.pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return runtime.GOOS == "windows" || p.Signal(syscall.Signal(0)) == nil
}

// started is when a process started, empty if it does not run; known is false where there is no /proc.
func started(pid int) (since string, known bool) {
	if _, err := os.Stat(filepath.Join(proc, "self", "stat")); err != nil {
		return "", false
	}
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", true
	}
	// The name, in brackets, may hold anything; state and start are the 1st and 20th field after it.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return "", true
	}
	return f[19], true
}
