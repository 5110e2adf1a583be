package jupyter

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pidFile holds GoNB's process number, in a kernel's folder.
const pidFile = "gonb.pid"

// Guard runs a command, GoNB, until it ends or until alive does: that is a pipe from the kernel, which
// the system closes however the kernel dies. Then Guard kills all that the command has left, and
// removes the kernel's folder. It belongs into a process of its own session, which no signal to the
// kernel's group reaches.
func Guard(ctx context.Context, dir string, alive io.Reader, command []string) error {
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGTERM)
	adopt()
	defer os.RemoveAll(dir)
	defer sweep(os.Getpid())
	runtime.LockOSThread() // which the child dies with
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	diesWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(dir+"/"+pidFile, []byte(pid), 0o600); err != nil {
		return err
	}
	done := make(chan error, 2)
	go func() { done <- cmd.Wait() }()
	go func() {
		_, _ = io.Copy(io.Discard, alive)
		done <- nil
	}()
	return <-done
}

// kill ends a process at once.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// prefix begins the names of kernels' folders; the process number of the kernel follows.
const prefix = "gansim-kernel-"

// cleanUp removes the folders of kernels that are gone, which are left only if kernel and guard were
// killed together, or the machine went down.
func cleanUp(temp string) {
	entries, err := os.ReadDir(temp)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix)
		number, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if !ok || err != nil || syscall.Kill(pid, 0) == nil || syscall.Kill(pid, 0) == syscall.EPERM {
			continue
		}
		info, err := e.Info()
		if err != nil || !e.IsDir() || time.Since(info.ModTime()) < 10*time.Second {
			continue // its guard may still be at work
		}
		_ = os.RemoveAll(temp + "/" + e.Name())
	}
}

// makeDir makes the folder of a kernel.
func makeDir(temp string) (string, error) {
	return os.MkdirTemp(temp, fmt.Sprintf("%s%d-*", prefix, os.Getpid()))
}
