package jupyter

import (
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// process is a program that runs.
type process struct {
	pid, parent int
	resident    int64  // bytes of memory
	exe         string // its file, empty if that is not known
	server      bool   // a model server, which outlives the cell that started it
}

// below are the processes that a process started, and those that they started.
func below(all []process, pid int) (found []process) {
	parents := []int{pid}
	for len(parents) > 0 {
		var next []int
		for _, p := range all {
			if slices.Contains(parents, p.parent) && p.pid != pid {
				found, next = append(found, p), append(next, p.pid)
			}
		}
		parents = next
	}
	return found
}

// toolchain are programs that build cells and help to write them, and are none.
var toolchain = []string{"go", "gopls", "goimports"}

// cells are the processes of cells that a GoNB runs.
func cells(all []process, gonb int) (found []process) {
	for _, p := range all {
		if p.parent != gonb || p.server || slices.Contains(toolchain, filepath.Base(p.exe)) {
			continue
		}
		found = append(found, p)
		found = append(found, cells(all, p.pid)...)
	}
	return found
}

// sweep kills all that a process has started, but for model servers, and tries again until nothing is
// left or for three seconds.
func sweep(pid int) {
	for range 60 {
		reap()
		left := 0
		all := processes()
		for _, p := range below(all, pid) {
			if !p.server {
				kill(p.pid)
				left++
			}
		}
		if left == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// reap takes note of children that have ended, as their parent must.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
