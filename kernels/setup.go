package kernels

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// requirements pin wheels by version and hash.
//
//go:embed requirements-*.txt
var requirements embed.FS

// requirementFiles are the files of each kind of device; the first that installs is enough. A file
// names the plugin's own wheel first.
var requirementFiles = map[string][]string{
	"cpu":  {"requirements-cpu.txt", "requirements-cpu-fallback.txt"},
	"cuda": {"requirements-cuda.txt"},
}

// ErrNoNVIDIA says that there is no NVIDIA driver for a GPU's plugin to talk to.
var ErrNoNVIDIA = errors.New("no NVIDIA driver is here (neither /dev/nvidiactl nor /dev/dxg)")

// ErrNoPython says that no Python was found that could install a wheel.
var ErrNoPython = errors.New("needs Python 3 with venv or pip " +
	"(on Debian and Ubuntu: apt install python3-venv)")

// SetupConfig tells Setup what to do.
type SetupConfig struct {
	Kind     string    // of device, cpu or cuda; zero means cpu
	Home     string    // zero means [Home]
	Python   string    // the interpreter; zero means python3
	Progress io.Writer // gets what pip says; nil means quiet
}

// Setup installs XLA's plugin for a kind of device with pip into a virtual environment at Home/python and
// returns the plugin's file. The download is checked against a pinned hash, nothing else of it is
// run. If the plugin is there already nothing is done, without a look at the network. A new
// environment is made under another name and then renamed, so an interrupted Setup leaves none.
func Setup(ctx context.Context, c SetupConfig) (plugin string, err error) {
	if c.Kind == "" {
		c.Kind = "cpu"
	}
	if requirementFiles[c.Kind] == nil {
		return "", fmt.Errorf("kernels: setup: unknown kind %q, known are cpu and cuda", c.Kind)
	}
	if c.Kind == "cuda" && !hasNVIDIA() {
		return "", fmt.Errorf("kernels: setup: %w", ErrNoNVIDIA)
	}
	if c.Home == "" {
		if c.Home, err = Home(); err != nil {
			return "", err
		}
	}
	if c.Home, err = filepath.Abs(c.Home); err != nil {
		return "", fmt.Errorf("kernels: setup: %w", err)
	}
	if c.Python == "" {
		c.Python = "python3"
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if p := runtime.GOOS + "/" + runtime.GOARCH; p != "linux/amd64" {
		return "", fmt.Errorf("kernels: setup: there is no XLA plugin for %s; use the go backend", p)
	}
	plugin, err = c.install(ctx)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("kernels: setup: %w", err)
	}
	return plugin, nil
}

// install leaves a good environment alone, adds to one that lacks the plugin, or makes one.
func (c SetupConfig) install(ctx context.Context) (string, error) {
	final := filepath.Join(c.Home, "python")
	if plugin := installed(final, c.Kind); plugin != "" {
		fmt.Fprintln(c.Progress, "already installed:", plugin)
		return plugin, nil
	}
	if err := os.MkdirAll(c.Home, 0o777); err != nil {
		return "", err
	}
	if _, err := os.Stat(final); err == nil {
		return c.fill(ctx, final)
	}
	dir, err := os.MkdirTemp(c.Home, "python-*.part")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // MkdirTemp is for its owner alone
		return "", err
	}
	if err := c.makeEnvironment(ctx, dir); err != nil {
		return "", err
	}
	if _, err := c.fill(ctx, dir); err != nil {
		return "", err
	}
	if err := retarget(dir, final); err != nil {
		return "", err
	}
	if err := os.Rename(dir, final); err != nil && installed(final, c.Kind) == "" {
		return "", err // and not because another Setup was faster
	}
	return installed(final, c.Kind), nil
}

// installed is the plugin of a kind in an environment, if it has a pinned version; empty if there is none or a bad
// one.
func installed(dir, kind string) string {
	for _, file := range requirementFiles[kind] {
		name, version := pinned(file)
		info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info"
		if firstFile(dir, []string{sitePackages + info + "/METADATA"}) == "" {
			continue
		}
		plugin := findPackage(dir, kind)
		if plugin != "" && checkPlugin(plugin) == nil {
			return plugin
		}
	}
	return ""
}

// pinned reads the package's name and version from a requirement file.
func pinned(file string) (name, version string) {
	text, _ := requirements.ReadFile(file) // embedded, so it is there
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		requirement, _, _ := strings.Cut(s.Text(), " ")
		if name, version, ok := strings.Cut(requirement, "=="); ok && !strings.HasPrefix(name, "#") {
			return name, version
		}
	}
	return "", ""
}

// makeEnvironment makes a virtual environment in an empty folder. Where Python lacks the parts for
// that but has pip, the folder stays plain, see fill.
func (c SetupConfig) makeEnvironment(ctx context.Context, dir string) error {
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

// fill installs the first of the pinned wheels that can be had, and returns its plugin.
func (c SetupConfig) fill(ctx context.Context, dir string) (string, error) {
	python, target := filepath.Join(dir, "bin", "python"), []string(nil)
	if _, err := os.Stat(python); err != nil {
		python = c.Python
		target = []string{"--upgrade", "--target",
			filepath.Join(dir, "lib", "python3", "site-packages")}
	}
	var failures []error
	for _, file := range requirementFiles[c.Kind] {
		err := c.pip(ctx, python, file, target)
		if plugin := installed(dir, c.Kind); err == nil && plugin != "" {
			return plugin, nil
		}
		if err == nil {
			err = errors.New("installed, but its plugin is missing or damaged")
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		failures = append(failures, fmt.Errorf("%s: %w", file, err))
	}
	return "", errors.Join(failures...)
}

// pip installs what one requirement file pins.
func (c SetupConfig) pip(ctx context.Context, python, file string, target []string) error {
	name, version := pinned(file)
	fmt.Fprintln(c.Progress, "installing", name, version)
	text, err := requirements.ReadFile(file)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "gansim-setup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	list := filepath.Join(tmp, file)
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return err
	}
	args := []string{"-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
		"--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-compile", "-r", list}
	return c.run(ctx, python, append(args, target...)...)
}

// run runs a command; the error ends with the last line that it wrote.
func (c SetupConfig) run(ctx context.Context, name string, args ...string) error {
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
