// Package pyenv makes Python environments of pinned wheels.
package pyenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrNoPython says that no Python was found that could install a wheel.
var ErrNoPython = errors.New("needs Python 3 with venv or pip " +
	"(on Debian and Ubuntu: apt install python3-venv)")

// Config tells with what environments are made.
type Config struct {
	Python   string    // the interpreter; zero means python3
	Progress io.Writer // gets what pip says; nil means quiet
}

func (c Config) withDefaults() Config {
	if c.Python == "" {
		c.Python = "python3"
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return c
}

// Make makes an environment in a folder beside final, has it filled, and renames it, so that an
// interrupted Make leaves none. If final is there by then, which good is asked, that one is kept.
func (c Config) Make(ctx context.Context, final string, fill func(dir string) error,
	good func() bool) error {
	c = c.withDefaults()
	dir, err := os.MkdirTemp(filepath.Dir(final), filepath.Base(final)+"-*.part")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // MkdirTemp is for its owner alone
		return err
	}
	if err := c.makeEnvironment(ctx, dir); err != nil {
		return err
	}
	if err := fill(dir); err != nil {
		return err
	}
	if err := retarget(dir, final); err != nil {
		return err
	}
	if err := os.Rename(dir, final); err != nil && !good() {
		return err // and not because another was faster
	}
	return nil
}

// makeEnvironment makes a virtual environment in an empty folder. Where Python lacks the parts for
// that but has pip, the folder stays plain, see Pip.
func (c Config) makeEnvironment(ctx context.Context, dir string) error {
	fmt.Fprintln(c.Progress, "making a Python environment")
	var out bytes.Buffer
	venv := c
	venv.Progress = &out
	err := venv.run(ctx, c.Python, "-I", "-m", "venv", dir)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if err := venv.run(ctx, c.Python, "-I", "-m", "pip", "--version"); err != nil {
		_, _ = c.Progress.Write(out.Bytes())
		return fmt.Errorf("%w: %w", ErrNoPython, err)
	}
	// What a failed venv leaves behind would look like a good one.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Join(dir, "lib", "python3", "site-packages"), 0o755)
}

// Pip installs into an environment what a file of requirements pins, by hashes and without a look at
// further dependencies; name is the file's, for messages.
func (c Config) Pip(ctx context.Context, dir, name string, requirements []byte,
	options ...string) error {
	c = c.withDefaults()
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		python = c.Python
		options = append(options, "--upgrade", "--target",
			filepath.Join(dir, "lib", "python3", "site-packages"))
	}
	tmp, err := os.MkdirTemp("", "gansim-setup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	list := filepath.Join(tmp, name)
	if err := os.WriteFile(list, requirements, 0o600); err != nil {
		return err
	}
	args := []string{"-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
		"--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", list}
	return c.run(ctx, python, append(args, options...)...)
}

// run runs a command; the error ends with the last line that it wrote.
func (c Config) run(ctx context.Context, name string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout = io.MultiWriter(&out, c.Progress)
	cmd.Stderr = cmd.Stdout
	cmd.Env = append(os.Environ(), "PIP_USER=0")
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		last := strings.TrimSpace(out.String())
		if i := strings.LastIndexByte(last, '\n'); i >= 0 {
			last = last[i+1:]
		}
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(last))
	}
	return nil
}

// retarget replaces the folder's name in the scripts of an environment before it is renamed.
func retarget(dir, final string) error {
	files := []string{"pyvenv.cfg"}
	scripts, err := fs.Glob(os.DirFS(dir), "bin/*")
	if err != nil {
		return err
	}
	for _, f := range append(files, scripts...) {
		path := filepath.Join(dir, f)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue // a plain folder has none, and python itself is a link
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if moved := bytes.ReplaceAll(text, []byte(dir), []byte(final)); !bytes.Equal(moved, text) {
			if err := os.WriteFile(path, moved, info.Mode().Perm()); err != nil {
				return err
			}
		}
	}
	return nil
}
