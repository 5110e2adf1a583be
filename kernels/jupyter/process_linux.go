package jupyter

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processes lists what runs.
func processes() (all []process) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
		fields := strings.Fields(rest) // from the third on, see proc(5)
		if len(fields) < 22 {
			continue
		}
		p := process{pid: pid}
		p.parent, _ = strconv.Atoi(fields[1])
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		p.resident = pages * int64(os.Getpagesize())
		if fields[0] != "Z" {
			p.exe, _ = os.Readlink("/proc/" + e.Name() + "/exe")
		}
		p.server = serves(e.Name(), p.exe)
		all = append(all, p)
	}
	return all
}

// serves says whether a process is gansim serve.
func serves(pid, exe string) bool {
	if exe == "" || !strings.HasPrefix(filepath.Base(exe), "gansim") {
		return false
	}
	line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	args := bytes.Split(line, []byte{0})
	return len(args) > 1 && string(args[1]) == "serve"
}

// adopt makes this process the parent of what its children leave behind.
func adopt() {
	const setChildSubreaper = 36
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0)
}

// diesWithParent has the system kill a child when the thread that starts it ends.
func diesWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// machineMemory is the memory that programs may use here, of the machine or its control group.
func machineMemory() int64 {
	var info syscall.Sysinfo_t
	total := int64(0)
	if syscall.Sysinfo(&info) == nil {
		total = int64(info.Totalram) * int64(info.Unit)
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 && (total == 0 || limit < total) {
			total = limit
		}
	}
	return total
}
