package jupyter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gansim.example/kernels"
)

// tools are the programs that kernels/gonb pins.
var tools = []string{"gonb", "goimports", "gopls"}

// BuildTools builds the pinned GoNB, goimports and gopls, and returns their folder below $GANSIM_HOME.
// Its name depends on their versions and hashes, so other versions do not disturb a kernel that runs.
// What is built already is left alone, without a look at the network. Progress gets what the go command
// says; nil means quiet.
func BuildTools(ctx context.Context, progress io.Writer) (dir string, err error) {
	if progress == nil {
		progress = io.Discard
	}
	root, err := Root(".")
	if err != nil {
		return "", err
	}
	home, err := kernels.Home()
	if err != nil {
		return "", err
	}
	pins := filepath.Join(root, "kernels", "gonb")
	name, err := toolsName(pins)
	if err != nil {
		return "", fmt.Errorf("jupyter: tools: %w", err)
	}
	all := filepath.Join(home, "kernel", "bin")
	dir = filepath.Join(all, name)
	if built(dir) {
		return dir, nil
	}
	fmt.Fprintf(progress, "building %s, about a minute\n", strings.Join(tools, ", "))
	if err := os.MkdirAll(all, 0o777); err != nil {
		return "", err
	}
	part, err := os.MkdirTemp(all, "*.part")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(part)
	if err := install(ctx, pins, part, progress); err != nil {
		return "", fmt.Errorf("jupyter: tools: %w", err)
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(part, dir); err != nil && !built(dir) {
		return "", err // and not because another was faster
	}
	return dir, nil
}

// toolsName depends on everything that the tools depend on.
func toolsName(pins string) (string, error) {
	h := sha256.New()
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(pins, file))
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	version, _, _ := strings.Cut(runtime.Version(), " ") // experiments follow, which do not matter here
	fmt.Fprint(h, version, runtime.GOOS, runtime.GOARCH)
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func built(dir string) bool {
	for _, t := range tools {
		if info, err := os.Stat(filepath.Join(dir, t)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// Warm compiles what cells import, as a kernel does, so that the first cell does not wait for it. An
// empty root means the checkout at hand.
func Warm(ctx context.Context, root string, progress io.Writer) (err error) {
	if root == "" {
		if root, err = Root("."); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "./gansim/lab/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, progress, progress
	cmd.Env = append(os.Environ(), buildSettings()...)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("jupyter: go build ./gansim/lab/... in %s: %w", root, err)
	}
	return nil
}

// install has the go command build the tools that a module pins.
func install(ctx context.Context, pins, to string, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "install", "-ldflags=-s -w", "tool")
	cmd.Dir = pins
	cmd.Env = append(os.Environ(), "GOBIN="+to, "GOFLAGS=-buildvcs=false", "GOWORK=off",
		"GOOS=", "GOARCH=")
	var last lastLine
	cmd.Stdout = io.MultiWriter(progress, &last)
	cmd.Stderr = cmd.Stdout
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go install: %w: %s", err, last)
	}
	return nil
}

// lastLine keeps the last line that was written.
type lastLine string

func (l *lastLine) Write(b []byte) (int, error) {
	if s := strings.TrimSpace(string(b)); s != "" {
		*l = lastLine(s[strings.LastIndexByte(s, '\n')+1:])
	}
	return len(b), nil
}
