package kernels

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pluginsEnv lists folders with plugins, as go-xla has it.
const pluginsEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// sitePackages is where Python packages lie below the folder that Setup fills: a virtual
// environment or, where Python cannot make one, a plain folder of the same form.
const sitePackages = "lib*/python3*/site-packages/"

// pluginPatterns are the files of each kind, the preferred first: those of any folder of plugins,
// and those of the Python packages that we know.
var pluginPatterns = map[string]struct{ folder, packages []string }{
	"cpu": {
		folder: []string{"pjrt_c_api_cpu_plugin.so", "pjrt_c_api_cpu_v*_plugin.so", "libpjrt_cpu.so"},
		packages: []string{"lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
			"fastatomstruct_xla_cpu/libpjrt_cpu.so"},
	},
	"cuda": {
		folder: []string{"pjrt_c_api_cuda_plugin.so", "pjrt_c_api_cuda_v*_plugin.so",
			"xla_cuda_plugin.so"},
		packages: []string{"jax_plugins/xla_cuda*/xla_cuda_plugin.so"},
	},
}

// Home is the folder for everything that gansim keeps: $GANSIM_HOME, or gansim in the user's cache
// folder. It need not exist.
func Home() (string, error) {
	if home := os.Getenv("GANSIM_HOME"); home != "" {
		return filepath.Abs(home)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("kernels: %w; set GANSIM_HOME", err)
	}
	return filepath.Join(cache, "gansim"), nil
}

// findPlugin looks for the plugin of a kind, cpu or cuda: in the folders of pluginsEnv, in the Python
// environment that Setup makes, and in the one that is active, where JAX may be installed.
func findPlugin(kind string) (string, error) {
	patterns := pluginPatterns[kind]
	var looked []string
	for _, dir := range filepath.SplitList(os.Getenv(pluginsEnv)) {
		if dir == "" {
			continue
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		if path := firstFile(dir, patterns.folder); path != "" {
			return path, nil
		}
		looked = append(looked, dir)
	}
	home, err := Home()
	if err != nil {
		return "", err
	}
	for _, dir := range [...]string{filepath.Join(home, "python"), os.Getenv("VIRTUAL_ENV"),
		os.Getenv("CONDA_PREFIX")} {
		if dir == "" {
			continue
		}
		if path := findPackage(dir, kind); path != "" {
			return path, nil
		}
		looked = append(looked, dir)
	}
	return "", fmt.Errorf("no plugin in %s", strings.Join(looked, ", "))
}

// findPackage looks for a plugin below the folder of a Python environment.
func findPackage(python, kind string) string {
	var patterns []string
	for _, p := range pluginPatterns[kind].packages {
		patterns = append(patterns, sitePackages+p)
	}
	return firstFile(python, patterns)
}

// firstFile is the first file in dir that one of the patterns names, empty if there is none. Where
// a pattern fits several, versions count upwards, so the last is taken.
func firstFile(dir string, patterns []string) string {
	for _, pattern := range patterns {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err == nil && len(found) > 0 {
			return filepath.Join(dir, filepath.FromSlash(slices.Max(found)))
		}
	}
	return ""
}

// checkPlugin refuses, before it is loaded into the process, a file that is no plugin for this
// machine: a library loaded in vain prints, and a truncated one may crash.
func checkPlugin(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if runtime.GOOS != "linux" {
		return nil // not ELF
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("not a shared library, or damaged: %w", err)
	}
	defer f.Close()
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return fmt.Errorf("built for %v, this program for %v", f.Machine, want)
	}
	for _, p := range f.Progs {
		if p.Off+p.Filesz > uint64(info.Size()) {
			return fmt.Errorf("damaged: ends at byte %d, should reach %d", info.Size(), p.Off+p.Filesz)
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("not a shared library, or damaged: %w", err)
	}
	for _, s := range symbols {
		if s.Name == "GetPjrtApi" && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return errors.New("not a PJRT plugin: exports no GetPjrtApi")
}

// hasNVIDIA says whether the system shows an NVIDIA device (Linux, or Linux under Windows).
func hasNVIDIA() bool {
	for _, file := range [...]string{"/dev/nvidiactl", "/dev/dxg"} {
		if _, err := os.Stat(file); err == nil {
			return true
		}
	}
	return false
}
