package kernels

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"gansim.example/kernels/internal/pyenv"
)

// requirements pin wheels by version and hash.
//
//go:embed requirements-*.txt
var requirements embed.FS

// Requirements is an embedded file of requirements, such as requirements-jupyter.txt.
func Requirements(file string) ([]byte, error) { return requirements.ReadFile(file) }

// requirementFiles are the files of each kind of device; the first that installs is enough. A file
// names the plugin's own wheel first.
var requirementFiles = map[string][]string{
	"cpu":  {"requirements-cpu.txt", "requirements-cpu-fallback.txt"},
	"cuda": {"requirements-cuda.txt"},
}

// ErrNoNVIDIA says that there is no NVIDIA driver for a GPU's plugin to talk to.
var ErrNoNVIDIA = errors.New("no NVIDIA driver is here (neither /dev/nvidiactl nor /dev/dxg)")

// ErrNoPython says that no Python was found that could install a wheel.
var ErrNoPython = pyenv.ErrNoPython

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
	err := c.python().Make(ctx, final, func(dir string) error {
		_, err := c.fill(ctx, dir)
		return err
	}, func() bool { return installed(final, c.Kind) != "" })
	if err != nil {
		return "", err
	}
	return installed(final, c.Kind), nil
}

// python makes Python environments as c says.
func (c SetupConfig) python() pyenv.Config {
	return pyenv.Config{Python: c.Python, Progress: c.Progress}
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

// fill installs the first of the pinned wheels that can be had, and returns its plugin.
func (c SetupConfig) fill(ctx context.Context, dir string) (string, error) {
	var failures []error
	for _, file := range requirementFiles[c.Kind] {
		text, err := requirements.ReadFile(file)
		if err != nil {
			return "", err
		}
		name, version := pinned(file)
		fmt.Fprintln(c.Progress, "installing", name, version)
		err = c.python().Pip(ctx, dir, file, text, "--no-compile")
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
