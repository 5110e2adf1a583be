package nn_test

import (
	"errors"
	"os"
	"testing"

	"github.com/gomlx/compute"

	"gansim.example/kernels"
)

// backends names the backends under test: pure Go, and what $GANSIM_TEST_BACKEND names, such as
// xla:cpu or xla:/path/to/plugin.so.
func backends() []string {
	names := []string{"go"}
	if other := os.Getenv("GANSIM_TEST_BACKEND"); other != "" {
		names = append(names, other)
	}
	return names
}

// open opens a backend, or skips the test where its plugin is not installed.
func open(t testing.TB, name string) compute.Backend {
	t.Helper()
	b, err := kernels.Open(name)
	var missing *kernels.PluginError
	if errors.As(err, &missing) {
		t.Skipf("%v (gansim setup --cpu installs a plugin for the processor)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}
