package weights

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixture is a line of the index of checkpoint files.
type fixture struct {
	indexEntry
	Container string
	Stripped  []string
	Names     map[string]string
	Optional  bool
	Harmless  bool `json:"no_execution_is_enough"`
	Summary   map[string]struct {
		Shape []int
		DType string
		Sum   float64
		First []float64
	}
}

// fixtures are all files of the index.
func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(formats(tb), "index.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var all struct{ Files []fixture }
	if err := json.Unmarshal(b, &all); err != nil {
		tb.Fatal(err)
	}
	return all.Files
}

// said is what the error about a hostile or broken file must say.
var said = map[string]string{
	"evil_os_system.pt": `global "posix.system" at offset 2 of`, "evil_raw_pickle.pt": `"os.system"`,
	"evil_eval.pt": `"builtins.eval"`, "evil_stack_global.pt": `"os.system" at offset 14 of`,
	"evil_inst.pt": `"os.system"`, "evil_obj.pt": `"os.system"`, "evil_ext.pt": "extension code",
	"evil_nested_popen.pt": `"subprocess.Popen"`, "evil_build.pt": `"os.system"`,
	"evil_attr_walk.pt":     `"torch.hub.load"`,
	"evil_runpy.pt":         `"torch._utils._rebuild_tensor_v2.__globals__"`,
	"view_past_end.pt":      `tensor "w": it reaches outside its storage`,
	"view_negative_size.pt": "negative dimension", "view_negative_offset.pt": `tensor "w": it reaches`,
	"view_negative_stride.pt": `tensor "w": it reaches`, "view_stride_overflow.pt": `"w": it reaches`,
	"view_huge_expanded.pt": "copies of views", "view_size_overflow.pt": "overflows",
	"view_rank_mismatch.pt": "2 sizes", "storage_short.pt": "holds 48 bytes",
	"storage_missing.pt":      `record "archive/data/7" is not in`,
	"storage_unknown_type.pt": `"torch.QuantumStorage"`, "storage_complex.pt": "complex64",
	"storage_traversal.pt": "is not in the archive", "zip_traversal.pt": "leads out of the archive",
	"zip_duplicate_member.pt": `"archive/data/0": appears twice`, "zip_truncated_60.pt": "incomplete",
	"zip_truncated_tail.pt": "incomplete", "zip_crc_mismatch.pt": `data/0": checksum is`,
	"legacy_truncated.pt": "ends early", "legacy_bad_magic.pt": "not a PyTorch file",
	"empty.pt": "empty file", "html_instead.pt": `a web page "404 Not Found", not weights`,
	"html_instead.safetensors": "web page", "lfs_pointer.pt": "a Git LFS pointer, not weights",
	"lfs_pointer.safetensors": "Git LFS pointer", "not_torch.pt": "without data.pkl",
	"torchscript.pt": "TorchScript", "bomb_doubling.pt": "leaves 61 values",
	"bomb_deep.pt": "deep", "bomb_cycle.pt": "no tensors", "bomb_long_string.pt": "4294967280 bytes",
	"bomb_long_string8.pt": "are left", "bomb_bytes8.pt": "are left", "bomb_long4.pt": "are left",
	"bomb_long4_negative.pt": "are left", "bomb_frame.pt": "pickle frame of",
	"pickle_stack_underflow.pt": "empty stack", "pickle_no_stop.pt": "without STOP",
	"pickle_unknown_opcode.pt": "unknown pickle instruction 0xff", "pickle_bad_memo.pt": "memo 99",
	"pickle_protocol_99.pt": "protocol 99", "pickle_mark_missing.pt": "a mark",
	"pickle_persid_not_tuple.pt": "persistent id", "pickle_top_is_int.pt": "found in an integer",
	"npy_object.npy": "pickles and are not read", "npy_expression.npy": "not a plain literal",
	"npy_huge_shape.npy": "ends early", "npy_negative_shape.npy": `"-2`,
	"npy_truncated.npy": "ends early", "npy_header_past_end.npy": "60000 bytes",
	"npy_bad_version.npy": "unknown version 9.0", "npy_missing_key.npy": "fortran_order is missing",
	"npy_structured.npy": "structured arrays", "npz_traversal.npz": "leads out of the archive",
	"npz_inflates.npz": "as a bomb", "npz_truncated.npz": "incomplete",
}

// TestCheckpoints reads every file of the index, whatever its format, with time, memory and the
// disk watched.
func TestCheckpoints(t *testing.T) {
	canary := t.TempDir()
	t.Setenv("GANSIM_CANARY_DIR", canary)
	for _, e := range fixtures(t) {
		t.Run(e.File, func(t *testing.T) {
			path := filepath.Join(formats(t), e.File)
			var f *File
			var err error
			seconds, bytes := cost(func() { f, err = Open(path) })
			if seconds > limit || bytes > 64<<20 {
				t.Errorf("took %.2f s and %d bytes", seconds, bytes)
			}
			b, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if g, parseErr := Parse(b); (err == nil) != (parseErr == nil) || !reflect.DeepEqual(f, g) {
				t.Errorf("parsed from memory: %v, from the file: %v", parseErr, err)
			}
			switch {
			case e.Expect == "ok" || e.Level == "model":
				if err != nil {
					t.Fatal(err)
				}
				if e.Expect == "ok" {
					checkFixture(t, f, e)
				}
			default:
				checkError(t, err, path, "")
				if err != nil && !strings.Contains(err.Error(), said[e.File]) {
					t.Errorf("error %q, must say %q (%s)", err, said[e.File], e.Must)
				}
			}
		})
	}
	for _, pattern := range []string{filepath.Join(canary, "*"), "/tmp/gansim-canary*",
		"gansim-canary*", "../gansim-canary*", "../../gansim-canary*"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			t.Errorf("reading left %q", found)
		}
	}
}

// limit is the time to refuse a file, seconds.
var limit = 1.0

// cost is the time and the allocated memory of a call. A call that takes too long is made again, up
// to twice, as another program may have held it up.
func cost(call func()) (seconds float64, bytes uint64) {
	seconds = math.Inf(1)
	for try := 0; try < 3 && seconds > limit; try++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		call()
		seconds = min(seconds, time.Since(start).Seconds())
		runtime.ReadMemStats(&after)
		bytes = after.TotalAlloc - before.TotalAlloc
	}
	return seconds, bytes
}

func checkFixture(t *testing.T, f *File, e fixture) {
	t.Helper()
	if got := f.Metadata["container"]; got != e.Container {
		t.Errorf("container %q, want %q", got, e.Container)
	}
	if e.Summary != nil {
		checkSummary(t, f, e)
		return
	}
	plain := *f
	if !strings.HasSuffix(e.File, ".safetensors") {
		plain.Metadata = nil
	}
	checkValues(t, &plain, e.indexEntry)
	if e.Stripped == nil {
		return
	}
	g, err := f.Under("module.model.", "module.").Rename(func(name string) (string, bool) {
		return strings.ReplaceAll(name, ".1.", "."), true
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range g.Tensors {
		names = append(names, x.Name)
	}
	if want := slices.Sorted(slices.Values(e.Stripped)); !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// checkValues is checkContents for types and numbers that JSON does not have.
func checkValues(t *testing.T, f *File, e indexEntry) {
	t.Helper()
	types := map[DType]string{F32: "float32", F16: "float16", BF16: "bfloat16", F64: "float64",
		I64: "int64", I32: "int32", I16: "int16", I8: "int8", U8: "uint8", Bool: "bool"}
	if len(f.Tensors) != len(e.Tensors) {
		t.Errorf("%d tensors, want %d", len(f.Tensors), len(e.Tensors))
	}
	if diff := cmp.Diff(e.Metadata, f.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	for name, want := range e.Tensors {
		got, ok := f.Tensor(name)
		if want.DType == ">f4" { // of NumPy, in the other byte order
			want.DType = "float32"
		}
		if !ok || types[got.DType] != want.DType || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s: %s %v, want %s %v", name, got.DType, got.Shape, want.DType, want.Shape)
			continue
		}
		v := values(t, got)
		for i, x := range v {
			switch x, _ := x.(float64); {
			case math.IsNaN(x):
				v[i] = "NaN"
			case math.IsInf(x, 1):
				v[i] = "Inf"
			case math.IsInf(x, -1):
				v[i] = "-Inf"
			}
		}
		if diff := cmp.Diff(want.Values, v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func checkSummary(t *testing.T, f *File, e fixture) {
	t.Helper()
	var names map[string]string
	if err := json.Unmarshal([]byte(f.Metadata["names"]), &names); err != nil {
		t.Errorf("names %q: %v", f.Metadata["names"], err)
	}
	if diff := cmp.Diff(e.Names, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if len(f.Tensors) != len(e.Summary) {
		t.Errorf("%d tensors, want %d", len(f.Tensors), len(e.Summary))
	}
	for name, want := range e.Summary {
		got, ok := f.Tensor(name)
		if !ok || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s: shape %v, want %v", name, got.Shape, want.Shape)
			continue
		}
		sum := 0.0
		v := values(t, got)
		for i, x := range v {
			if i < len(want.First) && x != want.First[i] {
				t.Errorf("%s: element %d is %v, want %v", name, i, x, want.First[i])
			}
			sum += x.(float64)
		}
		if math.Abs(sum-want.Sum) > 1e-9*float64(1+len(v)) {
			t.Errorf("%s: sum %v, want %v", name, sum, want.Sum)
		}
	}
}
