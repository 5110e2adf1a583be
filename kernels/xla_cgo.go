//go:build cgo

package kernels

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla" // silences XLA's log, unless TF_CPP_MIN_LOG_LEVEL is set
	"github.com/gomlx/go-xla/pjrt"
)

// hasXLA says whether XLA was compiled in.
const hasXLA = true

// newXLA loads a plugin and opens its devices. Options that the caller gives come last, so they
// win.
func newXLA(path, options string) (compute.Backend, error) {
	config, values := path, pjrt.NamedValuesMap{}
	switch pluginKind(path) {
	case "cpu":
		// The plugin's own choice is four devices that share the processor.
		values["cpu_device_count"] = int64(1)
		config += ",shared_buffers=true"
	case "cuda":
		config += ",shared_buffers=false,tf32=false"
		if err := prepareCUDA(path); err != nil {
			return nil, err
		}
	}
	if options != "" {
		config += "," + options
	}
	b, err := xla.NewWithOptions(config, values)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// pluginKind tells by the file's name what it runs on: cpu, cuda or unknown.
func pluginKind(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, kind := range [...]string{"cuda", "cpu"} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return ""
}

// prepareCUDA tells XLA where CUDA's device library is: among the wheels beside the plugin's
// package (<site-packages>/jax_plugins/xla_cuda13/xla_cuda_plugin.so), or in the system's
// installation. It also turns off go-xla's own search, which prints.
func prepareCUDA(path string) error {
	const checks, flags, flag = "GOPJRT_CUDA_CHECKS", "XLA_FLAGS", "--xla_gpu_cuda_data_dir="
	if os.Getenv(checks) == "" {
		if err := os.Setenv(checks, "0"); err != nil {
			return err
		}
	}
	old := os.Getenv(flags)
	if strings.Contains(old, flag) {
		return nil
	}
	site := filepath.Dir(filepath.Dir(filepath.Dir(path)))
	for _, dir := range [...]string{filepath.Join(site, "nvidia", "cu13"),
		filepath.Join(site, "nvidia", "cuda_nvcc"), "/usr/local/cuda"} {
		if _, err := fs.Stat(os.DirFS(dir), "nvvm/libdevice"); err == nil {
			return os.Setenv(flags, strings.TrimSpace(old+" "+flag+dir))
		}
	}
	return nil
}
