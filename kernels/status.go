package kernels

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/gomlx/compute"
)

// Status is what gansim doctor reports about the engine.
type Status struct {
	Go       string // version of the compiler
	Platform string // such as linux/amd64
	Cgo      bool   // without it there is no XLA
	SIMD     bool   // vector kernels of the Go backend
	Home     string // empty if it cannot be told
	Modules  []Module
	Backends []BackendStatus // in the order in which auto tries them
}

// Module is a Go module that results may depend on.
type Module struct{ Path, Version string }

// BackendStatus is one backend as found.
type BackendStatus struct {
	Name        string
	Plugin      string // the plugin's file, empty for go or if there is none
	Description string
	Devices     []string
	Err         error // why it does not open, nil if it does
}

// Inspect opens every backend in turn, closes it again, and reports.
func Inspect() Status {
	s := Status{
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Cgo:      hasXLA,
		SIMD:     hasSIMD,
		Modules:  Modules(),
	}
	s.Home, _ = Home() // the backends' errors say why not
	for _, name := range Names() {
		if name != "auto" {
			s.Backends = append(s.Backends, InspectBackend(name))
		}
	}
	return s
}

// InspectBackend opens one backend, closes it again, and reports.
func InspectBackend(name string) BackendStatus {
	s := BackendStatus{Name: name}
	if kind, ok := pluginOf(name); ok && hasXLA {
		s.Plugin, _ = findPlugin(kind) // if there is none, Open says so
	}
	b, err := Open(name)
	if err != nil {
		s.Err = err
		return s
	}
	defer b.Finalize()
	s.Description = b.Description()
	for i := range b.NumDevices() {
		s.Devices = append(s.Devices, b.DeviceDescription(compute.DeviceNum(i)))
	}
	return s
}

// pluginOf is the kind of plugin that a backend of this name needs.
func pluginOf(name string) (kind string, ok bool) {
	switch name {
	case "xla:cpu":
		return "cpu", true
	case "xla:cuda":
		return "cuda", true
	}
	return "", false
}

// modules lists the engine's modules with the versions that this program was built with; those of a
// local replacement are marked. Empty if the program does not know.
func Modules() []Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var out []Module
	for _, d := range info.Deps {
		if slices.Contains([]string{"github.com/gomlx/compute", "github.com/gomlx/go-xla",
			"github.com/gomlx/gomlx", "gonum.org/v1/gonum"}, d.Path) {
			version := d.Version
			if d.Replace != nil {
				version = fmt.Sprintf("%s (replaced by %s %s)", version, d.Replace.Path, d.Replace.Version)
			}
			out = append(out, Module{Path: d.Path, Version: version})
		}
	}
	return out
}

// SIMDReminder is a line for whoever runs the go backend in a program that was built without its
// vector kernels; empty where there is nothing to gain.
func SIMDReminder() string {
	if hasSIMD || runtime.GOARCH != "amd64" {
		return ""
	}
	return "the go backend is about 8 times slower without vector kernels: " +
		"build with GOEXPERIMENT=simd (make does)"
}
