package main

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"gansim.example/gansim/models"
	"gansim.example/gansim/parity"
	"gansim.example/weights"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gansim": main})
}

// TestScripts runs testdata/script. Beside the usual commands there are "exits CODE COMMAND…", "network
// NAME FILE [TENSOR]", which writes random weights of a published network, with one NaN in a tensor,
// "serve FOLDER", which sets $MIRROR to its address, "cut FILE BYTES", "split FILE PREFIX TO PREFIX TO",
// which writes the tensors whose names begin so, and "waits COMMAND…", until the command no longer says
// that no server is running.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GANSIM_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
			fixtures, err := parity.Dir()
			e.Setenv("FIXTURES", fixtures)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "network": network, "serve": serveFolder, "cut": cut, "split": split,
			"waits": waits},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func network(ts *testscript.TestScript, _ bool, args []string) {
	m, err := models.Find(args[0])
	ts.Check(err)
	src := m.Table.Random(1)
	var tensors []weights.Tensor
	for _, name := range src.Names {
		shape, values, err := src.Read(name)
		ts.Check(err)
		if len(args) > 2 && name == args[2] {
			values[0] = float32(math.NaN())
		}
		t, err := weights.FromFloats(name, weights.F32, shape, values)
		ts.Check(err)
		tensors = append(tensors, t)
	}
	path := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	ts.Check(err)
	_, err = weights.WriteSafetensors(f, tensors, nil)
	ts.Check(errors.Join(err, f.Close()))
}

func serveFolder(ts *testscript.TestScript, _ bool, args []string) {
	s := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(s.Close)
	ts.Setenv("MIRROR", s.URL)
}

func waits(ts *testscript.TestScript, _ bool, args []string) {
	for range 200 {
		ts.Check(ts.Exec(args[0], args[1:]...))
		if !strings.Contains(ts.ReadFile("stdout"), "No server") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no server after 10 s")
}

func cut(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

func split(ts *testscript.TestScript, _ bool, args []string) {
	whole, err := weights.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	for ; len(args) > 2; args = args[2:] {
		part, err := whole.Rename(func(name string) (string, bool) {
			return name, strings.HasPrefix(name, args[1])
		})
		ts.Check(err)
		f, err := os.Create(ts.MkAbs(args[2]))
		ts.Check(err)
		_, err = weights.WriteSafetensors(f, part.Tensors, nil)
		ts.Check(errors.Join(err, f.Close()))
	}
}

// TestHelp checks that the help of each verb fits a screen and, where it computes something, shows
// an example.
func TestHelp(t *testing.T) {
	const lines, width = 32, 100
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" {
			return // cobra's own
		}
		var b bytes.Buffer
		c.SetOut(&b)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(all) > lines {
			t.Errorf("%s: help has %d lines, want at most %d", c.CommandPath(), len(all), lines)
		}
		for _, l := range all {
			if n := len([]rune(l)); n > width {
				t.Errorf("%s: help has a line of %d characters, want at most %d: %s", c.CommandPath(), n,
					width, l)
			}
		}
		if c.HasParent() && c.Name() != "help" && c.Example == "" {
			t.Errorf("%s: no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
}

func TestGoOn(t *testing.T) {
	c := trainCommand()
	if err := c.ParseFlags([]string{"--seed", "3", "--out", "x"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		only          []string
		current, want string
	}{
		{nil, "yolov8", "gansim train --resume --only yolov8,biggan,metric --seed 3 --out x"},
		{[]string{"deepsim", "alexnet"}, "alexnet",
			"gansim train --resume --only alexnet --seed 3 --out x"},
		{[]string{"deepsim"}, "", "gansim train --resume --only deepsim --seed 3 --out x"},
	} {
		if got := goOn(c, test.only, test.current); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
