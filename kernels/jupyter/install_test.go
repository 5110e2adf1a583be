package jupyter

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestInstall(t *testing.T) {
	prefix := t.TempDir()
	t.Setenv("GANSIM_HOME", "/the/home")
	opens := map[string]bool{"go": true, "xla:cpu": true}
	c := InstallConfig{Prefix: prefix, Program: "/bin/gansim", Memory: "1GB",
		Opens: func(name string) error {
			if opens[name] {
				return nil
			}
			return errors.New("no")
		}}
	names := func(specs []Spec, err error) (out []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range specs {
			out = append(out, s.Name)
		}
		return out
	}
	if got := names(Install(c)); !slices.Equal(got, []string{"gansim-go", "gansim-xla-cpu"}) {
		t.Errorf("installed %v", got)
	}
	file := filepath.Join(prefix, "share", "jupyter", "kernels", "gansim-xla-cpu", "kernel.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var k kernelFile
	if err := json.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	if k.Display != "gansim (XLA CPU)" || k.Interrupt != "message" || k.Argv[0] != "/bin/gansim" ||
		k.Env["GANSIM_BACKEND"] != "xla:cpu" || k.Env["GANSIM_MEMORY"] != "1GB" ||
		k.Env["GANSIM_HOME"] != "/the/home" {
		t.Errorf("got %s", text)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	names(Install(c))
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("written again: %v, %v", info, err)
	}
	// A backend that has gone takes its kernel with it; others' kernels stay.
	opens["xla:cpu"] = false
	other := filepath.Join(prefix, "share", "jupyter", "kernels", "gansim-other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(other, "kernel.json")
	if err := os.WriteFile(foreign, []byte(`{"display_name": "x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	names(Install(c))
	if got := names(List(c)); !slices.Equal(got, []string{"gansim-go"}) {
		t.Errorf("listed %v", got)
	}
	if got := names(Uninstall(c)); !slices.Equal(got, []string{"gansim-go"}) {
		t.Errorf("removed %v", got)
	}
	if got := names(List(c)); len(got) != 0 {
		t.Errorf("left %v", got)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	c.Backends = []string{"xla:cuda"}
	if _, err := Install(c); err == nil {
		t.Error("a backend that does not open was installed")
	}
}
