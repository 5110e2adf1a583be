package jupyter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gansim.example/kernels/jupyter/proxy"
	"gansim.example/kernels/jupyter/wire"
)

// RunConfig tells Run what to run.
type RunConfig struct {
	File    string    // the connection file that Jupyter wrote
	Version string    // of this program, for the kernel's banner
	Log     io.Writer // gets what goes wrong; nil means quiet
}

// Run is a kernel: it starts GoNB under a guard, and serves clients until one asks for the end, the
// Jupyter that started it is gone, or GoNB is. What it has made and started is gone afterwards, however
// it ends.
func Run(ctx context.Context, c RunConfig) error {
	signal.Ignore(os.Interrupt) // interrupts come as messages
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := wire.ReadConnection(c.File)
	if err != nil {
		return err
	}
	limit, err := ParseMemory(os.Getenv("GANSIM_MEMORY"))
	if err != nil {
		return err
	}
	bin, err := BuildTools(ctx, c.Log)
	if err != nil {
		return err
	}
	cleanUp(os.TempDir())
	dir, err := makeDir(os.TempDir())
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	adopt()
	defer sweep(os.Getpid())
	backend := wire.Connection{Transport: "ipc", IP: filepath.Join(dir, "s"), Shell: 1, Control: 2,
		Stdin: 3, IOPub: 4, Heartbeat: 5, Key: wire.ID(), Scheme: "hmac-sha256"}
	guard, err := startGuard(dir, bin, filepath.Base(c.File), backend)
	if err != nil {
		return err
	}
	defer guard.end()
	go watchParent(ctx, cancel)
	w := &watch{limit: limit, wake: make(chan struct{}, 1), gonb: func() int { return gonb(dir) }}
	go w.run(ctx)
	err = proxy.Run(ctx, proxy.Config{Client: client, Backend: backend, Version: c.Version,
		Killed: w.reason, Busy: w.setBusy})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// gonb is GoNB's process number, as the guard has written it.
func gonb(dir string) int {
	text, _ := os.ReadFile(filepath.Join(dir, pidFile))
	pid, _ := strconv.Atoi(string(text))
	return pid
}

// guardProcess is the guard with the pipe that it listens to.
type guardProcess struct {
	cmd   *exec.Cmd
	alive io.Closer
}

// end has the guard clean up, and waits for it.
func (g guardProcess) end() {
	_ = g.alive.Close()
	late := time.AfterFunc(5*time.Second, func() { _ = g.cmd.Process.Kill() })
	defer late.Stop()
	_ = g.cmd.Wait()
}

// startGuard starts GoNB under this program's guard.
func startGuard(dir, bin, name string, c wire.Connection) (g guardProcess, err error) {
	file := filepath.Join(dir, name) // GoNB reads the kernel's name from it
	if err := c.Write(file); err != nil {
		return g, err
	}
	env, err := environment(dir, bin)
	if err != nil {
		return g, err
	}
	exe, err := os.Executable()
	if err != nil {
		return g, err
	}
	g.cmd = exec.Command(exe, "kernel", "guard", dir, filepath.Join(bin, "gonb"), "--kernel="+file,
		"-raw_error", "-logtostderr=false", "-log_file="+os.DevNull, "-stderrthreshold=FATAL")
	g.cmd.Env = env
	g.cmd.Stderr = os.Stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if g.alive, err = g.cmd.StdinPipe(); err != nil {
		return g, err
	}
	return g, g.cmd.Start()
}

// environment is what GoNB and the cells see: the shim and the pinned tools first, and temporary files
// in the kernel's folder.
func environment(dir, bin string) ([]string, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("the go command is not on PATH: start Jupyter from a shell that has it")
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root, err := Root(".")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "bin")
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(path, "go"), shim, 0o700); err != nil {
		return nil, err
	}
	env := append(os.Environ(), "GANSIM_GO="+goCommand, "GANSIM_BIN="+exe, "GANSIM_ROOT="+root,
		"TMPDIR="+dir, fmt.Sprintf("PATH=%s%c%s%c%s", path, filepath.ListSeparator, bin,
			filepath.ListSeparator, os.Getenv("PATH")))
	if os.Getenv("GANSIM_BACKEND") == "" {
		env = append(env, "GANSIM_BACKEND=auto")
	}
	return append(env, buildSettings()...), nil
}

// buildSettings are the variables that the go command builds cells with.
func buildSettings() []string {
	flags := os.Getenv("GOFLAGS")
	for _, f := range []string{"-buildvcs=false", "'-ldflags=-s -w'"} {
		if !strings.Contains(flags, strings.Trim(strings.SplitN(f, "=", 2)[0], "'")+"=") {
			flags = strings.TrimSpace(flags + " " + f)
		}
	}
	settings := []string{"GOWORK=off", "GOFLAGS=" + flags}
	if runtime.GOARCH == "amd64" && os.Getenv("GOEXPERIMENT") == "" {
		settings = append(settings, "GOEXPERIMENT=simd")
	}
	return settings
}

// watchParent ends the kernel when the Jupyter that started it is gone. Jupyter says that it wants that
// by telling its process number.
func watchParent(ctx context.Context, end func()) {
	told, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || told <= 1 {
		return
	}
	parent := os.Getppid()
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if os.Getppid() != parent {
			end()
			return
		}
	}
}
