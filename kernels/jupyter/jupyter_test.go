package jupyter

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gansim.example/kernels"
)

// checkout makes a module of our name.
func checkout(t *testing.T, gomod string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(gomod), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRoot(t *testing.T) {
	dir := checkout(t, "module "+module+"\n")
	inside := filepath.Join(dir, "notebooks")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Root(inside); err != nil || got != dir {
		t.Errorf("got %s, %v, want %s", got, err, dir)
	}
	outside := t.TempDir()
	t.Setenv("GANSIM_ROOT", dir)
	if got, err := Root(outside); err != nil || got != dir {
		t.Errorf("from GANSIM_ROOT: got %s, %v, want %s", got, err, dir)
	}
	t.Setenv("GANSIM_ROOT", outside)
	if _, err := Root(outside); !errors.Is(err, ErrNoCheckout) {
		t.Errorf("got %v, want %v", err, ErrNoCheckout)
	}
	t.Setenv("GANSIM_ROOT", "")
	if got, err := Root(outside); err != nil || above(".") != got {
		t.Errorf("of the source: got %s, %v, want %s", got, err, above("."))
	}
}

func TestModInit(t *testing.T) {
	root := checkout(t, "module "+module+"\n\ngo 1.26\n\ntool a.example/tool\n\n"+
		"require b.example v1.0.0\n\nreplace b.example => ./vendored/b\n\n"+
		"replace c.example v1.0.0 => ../c\n\nreplace d.example => e.example v1.2.0\n")
	t.Setenv("GANSIM_GO", "")
	dir := t.TempDir()
	if err := ModInit(t.Context(), dir, "gonb_1", root); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, want := range []string{"module gonb_1\n", module + " v0.0.0", module + " => " + root + "\n",
		"b.example => " + filepath.Join(root, "vendored", "b"), "b.example v1.0.0\n",
		"c.example v1.0.0 => " + filepath.Join(filepath.Dir(root), "c"), "d.example => e.example v1.2.0"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "tool") {
		t.Errorf("has a tool:\n%s", got)
	}
	if err := ModInit(t.Context(), dir, "gonb_1", ""); !errors.Is(err, ErrNoCheckout) {
		t.Errorf("got %v, want %v", err, ErrNoCheckout)
	}
}

// TestShim runs the shim as GoNB does, with stand-ins that write down how they were called.
func TestShim(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("go", string(shim))
	t.Setenv("LOG", log)
	t.Setenv("GOPROXY", "")
	t.Setenv("GOFLAGS", "")
	t.Setenv("GANSIM_BIN", write("bin", "#!/bin/sh\necho gansim $* >> $LOG\n"))
	t.Setenv("GANSIM_GO", write("real",
		"#!/bin/sh\necho go $* $GOPROXY >> $LOG\n[ \"$GOPROXY\" != $FAIL ]\n"))
	for _, c := range []struct{ name, args, fail, want string }{
		{"new module", "mod init gonb_12", "no", "gansim kernel module gonb_12\n"},
		{"other module", "mod init mine", "no", "go mod init mine\n"},
		{"get, here", "get", "no", "go get off\n"},
		{"get for tests, here", "get -t", "no", "go get -t off\n"},
		{"get, not here", "get", "off", "go get off\ngo get\n"},
		{"get a module", "get a.example@v1", "no", "go get a.example@v1\n"},
		{"build", "build -o x", "no", "go build -o x\n"},
	} {
		t.Setenv("FAIL", c.fail)
		_ = os.Remove(log)
		if out, err := exec.Command(path, strings.Fields(c.args)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
		if got, _ := os.ReadFile(log); string(got) != c.want {
			t.Errorf("%s: called %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParseMemory(t *testing.T) {
	for in, want := range map[string]int64{"off": 0, "1GB": 1 << 30, "500 MB": 500 << 20,
		"1.5g": 3 << 29, "2GiB": 2 << 30, "1048576": 1 << 20} {
		if got, err := ParseMemory(in); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"x", "0", "-1GB", "101%", "NaN%", "0%", "NaN", "1e30GB", "12"} {
		if got, err := ParseMemory(in); err == nil {
			t.Errorf("%s: got %d, want an error", in, got)
		}
	}
	if got, err := ParseMemory(""); err != nil || got <= 0 || got > machineMemory() {
		t.Errorf("default: %d, %v, of %d", got, err, machineMemory())
	}
}

func TestCells(t *testing.T) {
	all := []process{{pid: 1}, {pid: 2, parent: 1, exe: "/b/gonb"}, {pid: 3, parent: 2, exe: "/b/gopls"},
		{pid: 4, parent: 2, exe: "/t/gonb_1/gonb_1"}, {pid: 5, parent: 4, exe: "/bin/sh"},
		{pid: 6, parent: 4, exe: "/b/gansim", server: true}, {pid: 7, parent: 2, exe: "/bin/dash"},
		{pid: 8, parent: 7, exe: "/go/bin/go"}, {pid: 9, parent: 8, exe: "/go/compile"}}
	var got []int
	for _, p := range cells(all, 2) {
		got = append(got, p.pid)
	}
	if want := []int{4, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := len(below(all, 2)); n != 7 {
		t.Errorf("%d below, want 7", n)
	}
}

func TestProcesses(t *testing.T) {
	for _, p := range processes() {
		if p.pid == os.Getpid() {
			if p.parent != os.Getppid() || p.resident < 1<<20 {
				t.Errorf("got %+v", p)
			}
			return
		}
	}
	t.Error("not found")
}

func TestCleanUp(t *testing.T) {
	temp := t.TempDir()
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	mine, err := makeDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(temp, prefix+strconv.Itoa(ended.ProcessState.Pid())+"-1")
	fresh := stale + "2"
	for _, d := range []string{stale, fresh, filepath.Join(temp, prefix+"x")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	cleanUp(temp)
	if _, err := os.Stat(stale); err == nil {
		t.Error("the folder of a dead kernel is left")
	}
	for _, d := range []string{mine, fresh} {
		if _, err := os.Stat(d); err != nil {
			t.Error(err)
		}
	}
}

// TestGuard sees the guard end its command, and what that has started, with the pipe.
func TestGuard(t *testing.T) {
	if os.Getenv("GUARD") != "" {
		err := Guard(context.Background(), os.Getenv("GUARD"), os.Stdin, []string{"sh", "-c",
			"sleep 100 & echo $! > $GUARD/child; wait"})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := filepath.Join(t.TempDir(), "kernel")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestGuard$")
	cmd.Env = append(os.Environ(), "GUARD="+dir)
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := filepath.Join(dir, "child")
	for range 500 {
		if text, _ := os.ReadFile(child); len(text) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	started := below(processes(), cmd.Process.Pid)
	if len(started) < 2 {
		t.Errorf("started %v", started)
	}
	_ = alive.(io.Closer).Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is left")
	}
	for _, p := range processes() {
		for _, s := range started {
			if p.pid == s.pid {
				t.Errorf("left: %+v", p)
			}
		}
	}
}

func TestLogo(t *testing.T) {
	for _, size := range []int{32, 64} {
		img, err := png.Decode(bytes.NewReader(logo(size)))
		if err != nil || img.Bounds().Dx() != size || img.Bounds().Dy() != size {
			t.Errorf("%d: %v, %v", size, img, err)
			continue
		}
		if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
			t.Errorf("%d: the corner is not see-through", size)
		}
		if r, g, b, _ := img.At(size/2, size/2).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff {
			t.Errorf("%d: the middle is %x %x %x", size, r, g, b)
		}
	}
}

func TestRequirements(t *testing.T) {
	for _, want := range []string{"jupyterlab==4.6.6 ", "nbclient==0.11.0 ", "nbconvert==7.17.2 ",
		"\npapermill==", "\njupyter-console==", "\nnotebook==7."} {
		if !strings.Contains(string(Requirements()), want) {
			t.Errorf("lacks %q", want)
		}
	}
	t.Setenv("GANSIM_HOME", t.TempDir())
	_, err := Environment(t.Context(), EnvironmentConfig{Python: "/does/not/exist"})
	if !errors.Is(err, kernels.ErrNoPython) {
		t.Errorf("got %v, want %v", err, kernels.ErrNoPython)
	}
}
