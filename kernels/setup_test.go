package kernels

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fakePlugin is the smallest shared library that exports a symbol; its last byte belongs to a
// segment.
func fakePlugin(symbol string) []byte {
	machine := elf.EM_X86_64
	if runtime.GOARCH == "arm64" {
		machine = elf.EM_AARCH64
	}
	names := "\x00" + symbol + "\x00"
	const headers, segment, sections = 64, 56, 64
	symbols := uint64(headers + segment + 3*sections)
	text := symbols + 2*elf.Sym64Size
	end := text + uint64(len(names))
	var b bytes.Buffer
	for _, part := range []any{
		elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_DYN),
			Machine: uint16(machine), Version: 1, Phoff: headers, Shoff: headers + segment,
			Ehsize: headers, Phentsize: segment, Phnum: 1, Shentsize: sections, Shnum: 3, Shstrndx: 2},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Filesz: end, Memsz: end},
		elf.Section64{},
		elf.Section64{Type: uint32(elf.SHT_DYNSYM), Off: symbols, Size: 2 * elf.Sym64Size, Link: 2,
			Entsize: elf.Sym64Size},
		elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: text, Size: uint64(len(names))},
		elf.Sym64{}, elf.Sym64{Name: 1, Shndx: 1}, []byte(names),
	} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func otherMachine(plugin []byte) []byte {
	plugin = bytes.Clone(plugin)
	binary.LittleEndian.PutUint16(plugin[18:], uint16(elf.EM_S390))
	return plugin
}

// python is a stand-in for Python: it makes environments and installs fakes, as far as Setup asks,
// and logs its arguments. $FAKE holds what it lacks.
const python = `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
echo "$*" >> "$FAKE_LOG"
case "$3 $FAKE" in
"venv "*novenv*) echo "ensurepip is not available" >&2; exit 1 ;;
"venv "*) mkdir -p "$4/bin" "$4/lib/python3.11/site-packages"; cp "$0" "$4/bin/python"
	echo "#!$4/bin/python" > "$4/bin/pip"; echo "command = $4" > "$4/pyvenv.cfg"; exit ;;
"pip "*nopip*) echo "No module named pip" >&2; exit 1 ;;
"pip "*slow*) echo started; exec sleep 60 ;;
esac
[ "$4" = install ] || exit 0
site=$here/../lib/python3.11/site-packages
while [ $# -gt 0 ]; do
	case $1 in -r) list=$2 ;; --target) site=$2 ;; esac
	shift
done
case "$list $FAKE" in
*requirements-cpu.txt*nofirst*|*nowheel*) echo "No matching distribution found" >&2; exit 1 ;;
*fallback*) d=$site/fastatomstruct_xla_cpu; f=libpjrt_cpu.so; i=$d-2026.6.23 ;;
*) d=$site/lammps_jax_pjrt_cpu; f=pjrt_c_api_cpu_plugin.so; i=$d-0.11.2 ;;
esac
mkdir -p "$d" "$i.dist-info" && touch "$i.dist-info/METADATA" && cp "$FAKE_PLUGIN" "$d/$f"
`

// fakePython gives a SetupConfig whose Python is the stand-in above.
func fakePython(t *testing.T, lacks string) (c SetupConfig, log string) {
	t.Helper()
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Skip("there is no plugin for this platform")
	}
	dir := t.TempDir()
	c = SetupConfig{Home: filepath.Join(dir, "home"), Python: filepath.Join(dir, "python3")}
	log = filepath.Join(dir, "log")
	plugin := filepath.Join(dir, "plugin.so")
	if err := os.WriteFile(c.Python, []byte(python), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plugin, fakePlugin("GetPjrtApi"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE", lacks)
	t.Setenv("FAKE_LOG", log)
	t.Setenv("FAKE_PLUGIN", plugin)
	t.Setenv("GANSIM_HOME", c.Home)
	t.Setenv(pluginsEnv, "")
	return c, log
}

func TestSetup(t *testing.T) {
	for _, c := range []struct{ name, lacks, plugin string }{
		{"all there", "", "lib/python3.11/site-packages/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"},
		{"fallback", "nofirst", "lib/python3.11/site-packages/fastatomstruct_xla_cpu/libpjrt_cpu.so"},
		{"without venv", "novenv",
			"lib/python3/site-packages/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, log := fakePython(t, c.lacks)
			var progress bytes.Buffer
			config.Progress = &progress
			got, err := Setup(t.Context(), config)
			dir := filepath.Join(config.Home, "python")
			if want := filepath.Join(dir, filepath.FromSlash(c.plugin)); err != nil || got != want {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
			if found, err := findPlugin("cpu"); found != got {
				t.Errorf("found %q, %v, want %q", found, err, got)
			}
			entries, err := os.ReadDir(config.Home)
			if err != nil || len(entries) != 1 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
			for _, script := range []string{"bin/pip", "pyvenv.cfg"} {
				text, err := os.ReadFile(filepath.Join(dir, script))
				if err == nil && (!strings.Contains(string(text), dir) ||
					strings.Contains(string(text), ".part")) {
					t.Errorf("%s says %q", script, text)
				}
			}
			if !strings.Contains(progress.String(), "installing") {
				t.Errorf("progress: %q", &progress)
			}
			before, _ := os.ReadFile(log)
			if !strings.Contains(string(before), "--require-hashes") {
				t.Errorf("commands: %s", before)
			}
			again, err := Setup(t.Context(), config)
			if after, _ := os.ReadFile(log); again != got || err != nil || len(after) != len(before) {
				t.Errorf("again: %q, %v, commands %s", again, err, after[len(before):])
			}
		})
	}
}

func TestSetupKeepsEnvironment(t *testing.T) {
	config, _ := fakePython(t, "")
	site := filepath.Join(config.Home, "python", "lib", "python3.11", "site-packages")
	if err := os.MkdirAll(filepath.Join(site, "jupyter"), 0o777); err != nil {
		t.Fatal(err)
	}
	got, err := Setup(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(site, "jupyter")); err != nil {
		t.Error(err)
	}
	// A damaged plugin is installed again.
	if err := os.Truncate(got, 100); err != nil {
		t.Fatal(err)
	}
	again, err := Setup(t.Context(), config)
	if err != nil || again != got || checkPlugin(got) != nil {
		t.Errorf("again: %q, %v, %v", again, err, checkPlugin(got))
	}
}

func TestSetupErrors(t *testing.T) {
	for _, c := range []struct{ name, lacks, says string }{
		{"nothing", "novenv nopip", "apt install python3-venv"},
		{"no wheel", "nowheel", "No matching distribution"},
	} {
		config, _ := fakePython(t, c.lacks)
		_, err := Setup(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
		if entries, err := os.ReadDir(config.Home); err != nil || len(entries) != 0 {
			t.Errorf("%s left behind: %v, %v", c.name, entries, err)
		}
	}
	config, _ := fakePython(t, "")
	config.Python = filepath.Join(config.Home, "no-python")
	if _, err := Setup(t.Context(), config); !errors.Is(err, ErrNoPython) {
		t.Errorf("no Python: %v", err)
	}
}

func TestSetupCancelled(t *testing.T) {
	config, _ := fakePython(t, "slow")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config.Progress = writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("started")) {
			cancel()
		}
	})
	start := time.Now()
	if _, err := Setup(ctx, config); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
	if entries, err := os.ReadDir(config.Home); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// TestSetupForReal downloads the plugin, 63 MB; only with GANSIM_TEST_SETUP=1.
func TestSetupForReal(t *testing.T) {
	if os.Getenv("GANSIM_TEST_SETUP") == "" {
		t.Skip("downloads 63 MB; set GANSIM_TEST_SETUP=1")
	}
	alone(t)
	plugin, err := Setup(t.Context(), SetupConfig{Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(plugin)
	b, err := Open("xla:cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	t.Log(b.Description())
	compute3(t, b)
}
