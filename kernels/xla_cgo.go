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
		if err := prepareCUDA(path, options); err != nil {
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
// installation. It also turns off go-xla's own search, which prints, and products through Triton,
// whose tuning takes minutes a program on all processors, unless TF32 is asked for, which failed
// without it. What the user has set stays.
func prepareCUDA(path, options string) error {
	const checks, variable = "GOPJRT_CUDA_CHECKS", "XLA_FLAGS"
	const data, triton = "--xla_gpu_cuda_data_dir=", "--xla_gpu_enable_triton_gemm="
	if os.Getenv(checks) == "" {
		if err := os.Setenv(checks, "0"); err != nil {
			return err
		}
	}
	flags := os.Getenv(variable)
	if dir := libdevice(path); dir != "" && !strings.Contains(flags, data) {
		flags += " " + data + dir
	}
	if !strings.Contains(flags, triton) && !strings.Contains(options, "tf32") {
		flags += " " + triton + "false"
	}
	return os.Setenv(variable, strings.TrimSpace(flags))
}

// libdevice is the folder of CUDA that holds the device library, empty if there is none.
func libdevice(plugin string) string {
	site := filepath.Dir(filepath.Dir(filepath.Dir(plugin)))
	for _, dir := range [...]string{filepath.Join(site, "nvidia", "cu13"),
		filepath.Join(site, "nvidia", "cuda_nvcc"), "/usr/local/cuda"} {
		if _, err := fs.Stat(os.DirFS(dir), "nvvm/libdevice"); err == nil {
			return dir
		}
	}
	return ""
}
