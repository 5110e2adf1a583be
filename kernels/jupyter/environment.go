package jupyter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gansim.example/kernels"
	"gansim.example/kernels/internal/pyenv"
)

// requirementsFile pins Jupyter.
const requirementsFile = "requirements-jupyter.txt"

// stamp is the file in an environment that tells of which requirements it is.
const stamp = "gansim-requirements.sha256"

// ErrOldPython says that Jupyter's wheels are for later Pythons.
var ErrOldPython = errors.New("needs Python 3.11 or later")

// Requirements are JupyterLab, Notebook and what runs notebooks, pinned by version and hash.
func Requirements() []byte {
	text, err := kernels.Requirements(requirementsFile)
	if err != nil {
		panic(err) // it is embedded
	}
	return text
}

// EnvironmentConfig tells Environment what to do.
type EnvironmentConfig struct {
	Python   string    // the interpreter, 3.11 or later; zero means python3
	Progress io.Writer // gets what pip says; nil means quiet
}

// Environment makes a Python environment with Jupyter at $GANSIM_HOME/jupyter and returns its folder,
// whose bin has jupyter. All downloads are pinned by their hashes. What is there already is left alone,
// without a look at the network; what is there of other requirements is replaced. Errors that callers
// can test for are [kernels.ErrNoPython] and [ErrOldPython].
func Environment(ctx context.Context, c EnvironmentConfig) (dir string, err error) {
	home, err := kernels.Home()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(home, "jupyter")
	sum := sha256.Sum256(Requirements())
	want := []byte(hex.EncodeToString(sum[:]) + "\n")
	good := func() bool {
		got, err := os.ReadFile(filepath.Join(dir, stamp))
		_, missing := os.Stat(filepath.Join(dir, "bin", "jupyter"))
		_, broken := os.Stat(filepath.Join(dir, "bin", "python"))
		return err == nil && missing == nil && broken == nil && bytes.Equal(got, want)
	}
	if good() {
		return dir, nil
	}
	if c.Python == "" {
		c.Python = "python3"
	}
	if err := newEnough(ctx, c.Python); err != nil {
		return "", fmt.Errorf("jupyter: %w", err)
	}
	if err := os.MkdirAll(home, 0o777); err != nil {
		return "", err
	}
	p := pyenv.Config{Python: c.Python, Progress: c.Progress}
	err = p.Make(ctx, dir, func(part string) error {
		if _, err := os.Stat(filepath.Join(part, "bin", "python")); err != nil {
			return kernels.ErrNoPython // pip alone gives no jupyter that could be started
		}
		if err := p.Pip(ctx, part, requirementsFile, Requirements()); err != nil {
			return err
		}
		if err := settle(part); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(part, stamp), want, 0o644); err != nil {
			return err
		}
		return os.RemoveAll(dir)
	}, good)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("jupyter: %w", err)
	}
	return dir, nil
}

// settings keep JupyterLab from asking, on its first page and of the network, for news.
const settings = `{"@jupyterlab/apputils-extension:notification": {
  "fetchNews": "false", "checkForUpdates": false}}
`

// settle writes the settings that JupyterLab has in an environment where the user chose no others.
func settle(dir string) error {
	folder := filepath.Join(dir, "share", "jupyter", "lab", "settings")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overrides.json"), []byte(settings), 0o644)
}

// newEnough says why a Python is none that Jupyter can be installed with.
func newEnough(ctx context.Context, python string) error {
	out, err := exec.CommandContext(ctx, python, "-I", "-c",
		"import sys; print('.'.join(map(str, sys.version_info[:3])), sys.version_info >= (3, 11))").Output()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", kernels.ErrNoPython, python, err)
	}
	version, ok, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if ok != "True" {
		return fmt.Errorf("%w, %s is %s", ErrOldPython, python, version)
	}
	return nil
}
