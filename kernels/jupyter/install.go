package jupyter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"gansim.example/kernels"
)

// InstallConfig tells where kernels are to be installed, listed or removed.
type InstallConfig struct {
	User      bool   // in the user's own folder of Jupyter
	Prefix    string // in Prefix/share/jupyter
	SysPrefix bool   // in the Python environment that is active, or python3's
	// Zero means all that is known: the three are tried in the order Prefix, SysPrefix, User; if
	// none is chosen it is the active environment, else the user's folder.

	Name     string                  // begins the kernels' names; zero means gansim
	Memory   string                  // limit for cells, see [ParseMemory]; zero means the default
	Backends []string                // zero means all that open
	Program  string                  // the gansim that runs kernels; zero means this one
	Opens    func(name string) error // says why a backend does not open; zero means to try
}

// Spec is an installed kernel.
type Spec struct {
	Name    string `json:"name"`
	Display string `json:"display_name"`
	Backend string `json:"backend"`
	Dir     string `json:"dir"`
}

// variants are the kernels, by their backends.
var variants = []struct{ backend, suffix, display string }{
	{"go", "go", "Go"}, {"xla:cpu", "xla-cpu", "XLA CPU"}, {"xla:cuda", "xla-cuda", "XLA CUDA"},
}

// kernelFile is the content of kernel.json.
type kernelFile struct {
	Argv      []string          `json:"argv"`
	Display   string            `json:"display_name"`
	Language  string            `json:"language"`
	Interrupt string            `json:"interrupt_mode"`
	Env       map[string]string `json:"env"`
	Metadata  metadata          `json:"metadata"`
}

type metadata struct {
	Gansim   string `json:"gansim,omitempty"` // the backend; marks a kernel as ours
	Debugger bool   `json:"debugger"`
}

// Install installs a kernel for each backend that opens, and takes away those of its name that do not
// any more. Done again it changes nothing.
func Install(c InstallConfig) ([]Spec, error) {
	if _, err := ParseMemory(c.Memory); err != nil {
		return nil, fmt.Errorf("jupyter: %w", err)
	}
	dir, err := c.folder()
	if err != nil {
		return nil, err
	}
	if c.Program == "" {
		if c.Program, err = program(); err != nil {
			return nil, err
		}
	}
	if c.Opens == nil {
		c.Opens = func(name string) error { return kernels.InspectBackend(name).Err }
	}
	var out []Spec
	for _, v := range variants {
		if len(c.Backends) > 0 && !slices.Contains(c.Backends, v.backend) {
			continue
		}
		s := Spec{Name: c.name() + "-" + v.suffix, Display: c.name() + " (" + v.display + ")",
			Backend: v.backend}
		s.Dir = filepath.Join(dir, s.Name)
		if err := c.Opens(v.backend); err != nil {
			if len(c.Backends) > 0 {
				return out, err
			}
			if _, ours := readSpec(s.Dir); ours {
				if err := os.RemoveAll(s.Dir); err != nil {
					return out, err
				}
			}
			continue
		}
		if err := c.write(s); err != nil {
			return out, fmt.Errorf("jupyter: install: %w", err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (c InstallConfig) name() string {
	if c.Name == "" {
		return "gansim"
	}
	return c.Name
}

// write writes a kernel's folder, each file only if it differs.
func (c InstallConfig) write(s Spec) error {
	env := map[string]string{"GANSIM_BACKEND": s.Backend}
	for _, name := range []string{"GANSIM_HOME", "PJRT_PLUGIN_LIBRARY_PATH"} {
		if v := os.Getenv(name); v != "" {
			env[name] = v
		}
	}
	if c.Memory != "" {
		env["GANSIM_MEMORY"] = c.Memory
	}
	if root, err := Root("."); err == nil {
		env["GANSIM_ROOT"] = root
	}
	text, err := json.MarshalIndent(kernelFile{Argv: []string{c.Program, "kernel", "run",
		"{connection_file}"}, Display: s.Display, Language: "go", Interrupt: "message", Env: env,
		Metadata: metadata{Gansim: s.Backend}}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"logo-32x32.png": logo(32), "logo-64x64.png": logo(64),
		"logo-svg.svg": logoSVG, "kernel.json": append(text, '\n')} {
		path := filepath.Join(s.Dir, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := os.WriteFile(path+".part", content, 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".part", path); err != nil {
			return err
		}
	}
	return nil
}

// List finds the kernels that are installed where c says; if it says nothing, in all places that are
// known.
func List(c InstallConfig) (out []Spec, err error) {
	dirs, err := c.places()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return out, err
		}
		for _, e := range entries {
			s, ours := readSpec(filepath.Join(dir, e.Name()))
			if ours && (c.Name == "" || strings.HasPrefix(s.Name, c.Name+"-")) {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// Uninstall removes the kernels that [List] finds, and returns them.
func Uninstall(c InstallConfig) ([]Spec, error) {
	found, err := List(c)
	if err != nil {
		return nil, err
	}
	for i, s := range found {
		if err := os.RemoveAll(s.Dir); err != nil {
			return found[:i], err
		}
	}
	return found, nil
}

// readSpec reads a kernel's folder, and says whether the kernel is one of ours.
func readSpec(dir string) (s Spec, ours bool) {
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	var k kernelFile
	if err != nil || json.Unmarshal(text, &k) != nil || k.Metadata.Gansim == "" {
		return s, false
	}
	return Spec{Name: filepath.Base(dir), Display: k.Display, Backend: k.Metadata.Gansim,
		Dir: dir}, true
}

// folder is where kernels are installed.
func (c InstallConfig) folder() (string, error) {
	if !c.User && c.Prefix == "" && !c.SysPrefix {
		c.SysPrefix = activeEnvironment() != ""
		c.User = !c.SysPrefix
	}
	dirs, err := c.places()
	if err != nil {
		return "", err
	}
	return dirs[0], nil
}

// places are the folders of kernels that c names, or all.
func (c InstallConfig) places() (dirs []string, err error) {
	all := !c.User && c.Prefix == "" && !c.SysPrefix
	if c.Prefix != "" {
		prefix, err := filepath.Abs(c.Prefix)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, filepath.Join(prefix, "share", "jupyter", "kernels"))
	}
	if c.SysPrefix || all && activeEnvironment() != "" {
		prefix, err := sysPrefix()
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, filepath.Join(prefix, "share", "jupyter", "kernels"))
	}
	if c.User || all {
		data, err := dataDir()
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, filepath.Join(data, "kernels"))
	}
	return dirs, nil
}

func activeEnvironment() string {
	if v := os.Getenv("VIRTUAL_ENV"); v != "" {
		return v
	}
	return os.Getenv("CONDA_PREFIX")
}

// sysPrefix is the folder of the active Python environment, or of python3.
func sysPrefix() (string, error) {
	if v := activeEnvironment(); v != "" {
		return v, nil
	}
	out, err := exec.Command("python3", "-I", "-c", "import sys; print(sys.prefix)").Output()
	if err != nil {
		return "", fmt.Errorf("jupyter: python3: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// dataDir is the user's folder of Jupyter.
func dataDir() (string, error) {
	if d := os.Getenv("JUPYTER_DATA_DIR"); d != "" {
		return d, nil
	}
	home, err := os.UserHomeDir()
	switch d := os.Getenv("XDG_DATA_HOME"); {
	case err != nil:
		return "", fmt.Errorf("jupyter: %w", err)
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case d != "":
		return filepath.Join(d, "jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// program is this executable; where it will not stay, as under go run, a copy below $GANSIM_HOME.
func program() (string, error) {
	exe, err := os.Executable()
	if err != nil || !strings.Contains(exe, string(filepath.Separator)+"go-build") {
		return exe, err
	}
	home, err := kernels.Home()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(exe)
	if err != nil {
		return "", err
	}
	path := filepath.Join(home, "kernel", "gansim")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".part", text, 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(path+".part", path)
}
