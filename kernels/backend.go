// Package kernels opens the engines that graphs run on, installs the plugins that XLA needs, and
// says what there is (for gansim doctor).
//
// Backends have names:
//
//	auto              the first of xla:cuda, xla:cpu and go that opens
//	go                pure Go, always there
//	xla:cpu           XLA on the processor, from a plugin
//	xla:cuda          XLA on an NVIDIA GPU, from a plugin
//	xla:/abs/plugin   a PJRT plugin by its absolute path
//
// Plugins are looked for in $PJRT_PLUGIN_LIBRARY_PATH and then in $GANSIM_HOME/python, where
// [Setup] installs them. XLA needs cgo: a program built with CGO_ENABLED=0 has the go backend
// alone.
package kernels

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"gansim.example/kernels/native"
)

// ErrNoXLA says that the program was built without cgo and so without XLA.
var ErrNoXLA = errors.New("this program was built without cgo and has the go backend alone; " +
	"build it with CGO_ENABLED=1 and a C compiler")

// errNoDevice is why auto does not try the CUDA plugin.
var errNoDevice = errors.New("no NVIDIA device here")

// PluginError says why a backend that was asked for cannot be had, and what to do about it.
type PluginError struct {
	Backend string // such as xla:cpu
	Plugin  string // the plugin's file, empty if none was found
	Command string // what installs the plugin, empty if we know none
	Err     error
}

// Error gives backend, file, cause and command.
func (e *PluginError) Error() string {
	s := "kernels: " + e.Backend + ": "
	if e.Plugin != "" && !strings.HasSuffix(e.Backend, e.Plugin) {
		s += e.Plugin + ": "
	}
	s += e.Err.Error()
	if e.Command != "" {
		s += "; install the plugin with: " + e.Command
	}
	return s
}

// Unwrap gives the cause.
func (e *PluginError) Unwrap() error { return e.Err }

// Skipped is a backend that auto passed over, and why.
type Skipped struct {
	Name string
	Err  error
}

// Names lists the backends that [Open] knows, in the order in which auto tries them.
func Names() []string { return []string{"auto", "xla:cuda", "xla:cpu", "go"} }

// Open opens a backend by its name; the empty name means auto. Options of the XLA backend may
// follow after commas, such as xla:cuda,tf32 (TF32 is off unless asked for).
//
// A backend that is named but cannot be had gives a [*PluginError] or [ErrNoXLA]. The caller should
// Finalize the backend when done. Opening an XLA backend loads its plugin into the process for
// good; opening xla:cuda may add to XLA_FLAGS in the environment.
func Open(name string) (compute.Backend, error) {
	base, options, _ := strings.Cut(name, ",")
	kind, isXLA := strings.CutPrefix(base, "xla:")
	switch {
	case options != "" && !isXLA:
		return nil, fmt.Errorf("kernels: backend %s takes no options, got %q", base, options)
	case base == "" || base == "auto":
		b, _, err := OpenAuto()
		return b, err
	case base == "go":
		return openGo(), nil
	case isXLA && (kind == "cpu" || kind == "cuda"):
		return openNamed(kind, options)
	case isXLA && filepath.IsAbs(kind):
		return openPlugin(base, kind, options)
	}
	return nil, fmt.Errorf("kernels: unknown backend %q, known are %s and xla:/path/to/plugin.so",
		name, strings.Join(Names(), ", "))
}

// OpenAuto opens the first backend that can be had and says which were passed over.
func OpenAuto() (compute.Backend, []Skipped, error) {
	var skipped []Skipped
	for _, kind := range [...]string{"cuda", "cpu"} {
		var b compute.Backend
		err := errNoDevice
		if kind != "cuda" || hasNVIDIA() {
			b, err = openNamed(kind, "")
		}
		if err == nil {
			return b, skipped, nil
		}
		skipped = append(skipped, Skipped{Name: "xla:" + kind, Err: err})
	}
	return openGo(), skipped, nil
}

// Small is the backend to take for networks as small as the miniature world's where the user leaves the
// choice: go, if it was built with its vector kernels and there is no GPU, else auto. On two cores the
// go backend draws the miniature figure in half the time of XLA on the processor, whose compilation
// takes as long as the work.
func Small() string {
	if hasSIMD && !hasNVIDIA() {
		return "go"
	}
	return "auto"
}

// openGo opens the pure Go backend, our own.
func openGo() compute.Backend { return native.New() }

// openNamed opens XLA on a kind of device, cpu or cuda.
func openNamed(kind, options string) (compute.Backend, error) {
	name := "xla:" + kind
	if !hasXLA {
		return nil, fmt.Errorf("kernels: %s: %w", name, ErrNoXLA)
	}
	path, err := findPlugin(kind)
	if err != nil {
		return nil, &PluginError{Backend: name, Command: "gansim setup --" + kind, Err: err}
	}
	return openPlugin(name, path, options)
}

// openPlugin opens XLA on the plugin of a file.
func openPlugin(name, path, options string) (compute.Backend, error) {
	if !hasXLA {
		return nil, fmt.Errorf("kernels: %s: %w", name, ErrNoXLA)
	}
	failure := &PluginError{Backend: name, Plugin: path}
	if kind, ok := strings.CutPrefix(name, "xla:"); ok && !filepath.IsAbs(kind) {
		failure.Command = "gansim setup --" + kind
	}
	if strings.Contains(path, ",") {
		failure.Err = errors.New("a comma in the path cannot be given to XLA")
		return nil, failure
	}
	if failure.Err = checkPlugin(path); failure.Err != nil {
		return nil, failure
	}
	b, err := newXLA(path, options)
	if err != nil {
		failure.Err = err
		return nil, failure
	}
	return b, nil
}
