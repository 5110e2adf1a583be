package kernels

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// alone gives the test a GANSIM_HOME without plugins.
func alone(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("GANSIM_HOME", home)
	for _, name := range []string{pluginsEnv, "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	return home
}

// compute3 runs a graph on a backend.
func compute3(t *testing.T, b compute.Backend) {
	t.Helper()
	y, err := graph.CallOnce(b, func(x *graph.Node) *graph.Node {
		return graph.AddScalar(graph.MatMul(x, x), 1)
	}, [][]float64{{1, 1}, {0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	got := y.Value().([][]float64)
	if want := []float64{2, 3, 1, 2}; !slices.Equal(slices.Concat(got...), want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOpenGo(t *testing.T) {
	b, err := Open("go")
	if err != nil {
		t.Fatal(err)
	}
	compute3(t, b)
	b.Finalize()
}

func TestOpenUnknown(t *testing.T) {
	for _, name := range []string{"xla", "xla:", "xla:tpu", "xla:plugin.so", "cpu", "Go", "go,x=1"} {
		b, err := Open(name)
		if err == nil || b != nil {
			t.Errorf("%q: backend %v, error %v", name, b, err)
			continue
		}
		if strings.Contains(name, ",") {
			continue
		}
		for _, known := range Names() {
			if !strings.Contains(err.Error(), known) {
				t.Errorf("%q: error %q does not name %s", name, err, known)
			}
		}
	}
}

func TestAutoFallsBack(t *testing.T) {
	alone(t)
	b, skipped, err := OpenAuto()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	if !strings.Contains(b.Name(), "Go") || len(skipped) != 2 {
		t.Errorf("opened %s, skipped %v", b.Name(), skipped)
	}
	for _, s := range skipped {
		if s.Err == nil || !slices.Contains(Names(), s.Name) {
			t.Errorf("skipped %+v", s)
		}
	}
}

func TestNoPlugin(t *testing.T) {
	home := alone(t)
	for name, command := range map[string]string{"xla:cpu": "gansim setup --cpu",
		"xla:cuda": "gansim setup --cuda"} {
		_, err := Open(name)
		if !hasXLA {
			if !errors.Is(err, ErrNoXLA) {
				t.Errorf("%s: %v, want ErrNoXLA", name, err)
			}
			continue
		}
		var p *PluginError
		if !errors.As(err, &p) || p.Backend != name || p.Command != command ||
			!strings.Contains(err.Error(), command) || !strings.Contains(err.Error(), home) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadPlugin(t *testing.T) {
	if !hasXLA || runtime.GOOS != "linux" {
		t.Skip("needs XLA on Linux")
	}
	alone(t)
	good := fakePlugin("GetPjrtApi")
	for _, c := range []struct {
		name, says string
		content    []byte
	}{
		{"missing", "no such file", nil},
		{"empty", "damaged", []byte{}},
		{"text", "damaged", []byte("version https://git-lfs.github.com/spec/v1\n")},
		{"cut", "damaged", good[:len(good)-1]},
		{"other library", "GetPjrtApi", fakePlugin("GetPjrtAp")},
		{"other machine", "built for", append([]byte(nil), otherMachine(good)...)},
	} {
		path := filepath.Join(t.TempDir(), "pjrt_c_api_cpu_plugin.so")
		if c.content != nil {
			if err := os.WriteFile(path, c.content, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv(pluginsEnv, filepath.Dir(path))
		for _, name := range []string{"xla:" + path, "xla:cpu"} {
			_, err := Open(name)
			says := c.says
			if c.content == nil && name == "xla:cpu" {
				says = "no plugin in"
			}
			var p *PluginError
			if !errors.As(err, &p) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s, %s: %v, want a PluginError that says %q", c.name, name, err, says)
			} else if name == "xla:cpu" && !strings.Contains(err.Error(), "gansim setup --cpu") {
				t.Errorf("%s: %v has no command", c.name, err)
			}
		}
	}
	if err := checkPlugin(t.TempDir()); err == nil {
		t.Error("a folder: no error")
	}
}

func TestFindPlugin(t *testing.T) {
	home := alone(t)
	site := filepath.Join(home, "python", "lib", "python3.11", "site-packages")
	active := filepath.Join(home, "active")
	t.Setenv("VIRTUAL_ENV", active)
	for _, c := range []struct{ kind, path string }{ // each is preferred to those before
		{"cpu", filepath.Join(site, "fastatomstruct_xla_cpu", "libpjrt_cpu.so")},
		{"cpu", filepath.Join(site, "lammps_jax_pjrt_cpu", "pjrt_c_api_cpu_plugin.so")},
		{"cpu", filepath.Join(home, "two", "pjrt_c_api_cpu_v0.83.4_plugin.so")},
		{"cpu", filepath.Join(home, "two", "pjrt_c_api_cpu_plugin.so")},
		{"cpu", filepath.Join(home, "[one]", "pjrt_c_api_cpu_plugin.so")},
		{"cuda", filepath.Join(active, "lib", "python3.12", "site-packages", "jax_plugins", "xla_cuda13",
			"xla_cuda_plugin.so")},
		{"cuda", filepath.Join(site, "jax_plugins", "xla_cuda12", "xla_cuda_plugin.so")},
		{"cuda", filepath.Join(site, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")},
		{"cuda", filepath.Join(home, "two", "xla_cuda_plugin.so")},
	} {
		dirs := []string{filepath.Join(home, "[one]"), filepath.Join(home, "two")}
		t.Setenv(pluginsEnv, strings.Join(dirs, string(filepath.ListSeparator)))
		if err := os.MkdirAll(filepath.Dir(c.path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := findPlugin(c.kind); got != c.path {
			t.Errorf("found %q, %v, want %q", got, err, c.path)
		}
	}
}

// TestXLA uses the plugin that is installed, or the one of $GANSIM_TEST_PLUGIN.
func TestXLA(t *testing.T) {
	name := "xla:cpu"
	if path := os.Getenv("GANSIM_TEST_PLUGIN"); path != "" {
		name = "xla:" + path
	} else if _, err := findPlugin("cpu"); err != nil || !hasXLA {
		t.Skip("no XLA plugin; install one with: gansim setup --cpu")
	}
	for range 2 { // again after Finalize
		b, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if b.NumDevices() != 1 {
			t.Errorf("%d devices, want 1", b.NumDevices())
		}
		compute3(t, b)
		b.Finalize()
	}
	if b, err := Open(name + ",tf32=x"); err == nil {
		b.Finalize()
		t.Error("tf32=x: no error")
	}
}

func TestInspect(t *testing.T) {
	home := alone(t)
	s := Inspect()
	if s.Home != home || s.Cgo != hasXLA || s.SIMD != hasSIMD || s.Go != runtime.Version() {
		t.Errorf("got %+v", s)
	}
	var names []string
	for _, b := range s.Backends {
		names = append(names, b.Name)
		if opens := b.Name == "go"; opens != (b.Err == nil) || opens != (len(b.Devices) > 0) {
			t.Errorf("got %+v", b)
		}
	}
	if want := Names()[1:]; !slices.Equal(names, want) {
		t.Errorf("backends %q, want %q", names, want)
	}
	if hasSIMD && SIMDReminder() != "" {
		t.Errorf("reminder with SIMD: %q", SIMDReminder())
	}
}

func TestHome(t *testing.T) {
	t.Setenv("GANSIM_HOME", "relative")
	if home, err := Home(); err != nil || !filepath.IsAbs(home) {
		t.Errorf("%q, %v, want an absolute path", home, err)
	}
	t.Setenv("GANSIM_HOME", "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if home, err := Home(); runtime.GOOS == "linux" && home != "/cache/gansim" {
		t.Errorf("%q, %v, want /cache/gansim", home, err)
	}
}
