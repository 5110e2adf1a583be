//go:build !linux

package jupyter

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processes lists what runs, as ps knows it.
func processes() (all []process) {
	out, err := exec.Command("ps", "-axo", "pid=,ppid=,rss=,state=,command=").Output()
	if err != nil {
		return nil
	}
	for l := range strings.Lines(string(out)) {
		f := strings.Fields(l)
		if len(f) < 5 {
			continue
		}
		p := process{}
		p.pid, _ = strconv.Atoi(f[0])
		p.parent, _ = strconv.Atoi(f[1])
		kilobytes, _ := strconv.ParseInt(f[2], 10, 64)
		p.resident = kilobytes * 1024
		if !strings.HasPrefix(f[3], "Z") {
			p.exe = f[4]
		}
		p.server = strings.HasPrefix(filepath.Base(p.exe), "gansim") && len(f) > 5 && f[5] == "serve"
		all = append(all, p)
	}
	return all
}

// adopt does nothing: only Linux gives away orphans.
func adopt() {}

// diesWithParent does nothing: only Linux can. The guard looks after its children itself.
func diesWithParent(*syscall.SysProcAttr) {}

// machineMemory is the memory of the machine, 0 if it cannot be told.
func machineMemory() int64 {
	out, err := exec.Command("sysctl", "-n", "hw.memsize").Output()
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return n
}
