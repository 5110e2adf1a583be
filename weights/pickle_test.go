package weights

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPickleRefuses are pickles that must not get through; the error names what they want.
func TestPickleRefuses(t *testing.T) {
	inert := "cmine\nNet\n"
	for _, c := range []struct{ name, pickle, want string }{
		{"reduce", "\x80\x02cos\nsystem\n" + text8("x") + "\x85R.", `"os.system" at offset 2`},
		{"stack global", "\x80\x04\x8c\x12numpy.__builtins__\x8c\x04eval\x93\x8c\x011\x85R.",
			`"numpy.__builtins__.eval" at offset 28`},
		{"builtins in a module", "\x80\x04\x8c\x10mine.__dict__.x\n\x8c\x04Eval\x93.", "__dict__"},
		{"dunder name", "\x80\x02cmine\n__import__\n.", "__import__"},
		{"function", "\x80\x02cpip\nmain\n.", `"pip.main"`},
		{"function of nobody", "\x80\x02cmine\nrun\n.", `"mine.run"`},
		{"attribute", "\x80\x04\x8c\x04mine\x8c\x08Net.load\x93.", `"mine.Net.load"`},
		{"library class", "\x80\x02ctimeit\nTimer\n.", `"timeit.Timer"`},
		{"library package", "\x80\x02cxml.sax\nHandler\n.", `"xml.sax.Handler"`},
		{"load_from_bytes", "\x80\x02ctorch.storage\n_load_from_bytes\n.", "_load_from_bytes"},
		{"torch class", "\x80\x02ctorch.package\nImporter\n.", `"torch.package.Importer"`},
		{"numpy class", "\x80\x02cnumpy.testing\nRunner\n.", `"numpy.testing.Runner"`},
		{"getattr", "\x80\x02c__builtin__\ngetattr\n.", `"__builtin__.getattr"`},
		{"apply", "\x80\x02c__builtin__\napply\n.", `"__builtin__.apply"`},
		{"control character", "\x80\x02cmi\x1b[2Jne\nNet\n.", `\x1b`},
		{"long name", "\x80\x02c" + strings.Repeat("m", 2000) + "\nNet\n.", "1000 bytes"},
		{"inst", "(imine\nNet\n.", "INST"},
		{"inst of a function", "(ios\nsystem\n.", `"os.system"`},
		{"obj", "\x80\x02(" + inert + "o.", "OBJ"},
		{"newobj of a function", "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)\x81.",
			"_rebuild_tensor_v2"},
		{"newobj of a storage", "\x80\x02ctorch\nFloatStorage\n)\x81.", "FloatStorage"},
		{"newobj of a string", "\x80\x02" + text8("x") + ")\x81.", "a string"},
		{"newobj_ex", "\x80\x04" + inert + ")N\x92.", "None as keywords"},
		{"ext1", "\x80\x02\x82\x01.", "extension"}, {"ext2", "\x80\x02\x83\x01\x00.", "extension"},
		{"ext4", "\x80\x02\x84\x01\x00\x00\x00.", "extension"},
		{"buffer", "\x80\x05\x97.", "buffer"}, {"read-only buffer", "\x80\x05\x98.", "buffer"},
		{"text persistent id", "\x80\x02Pstorage\n.", "persistent id"},
		{"persistent id of a module", "\x80\x02(" + text8("module") + inert + text8("f.py") +
			text8("import os") + "tQ.", `of kind "module"`},
		{"persistent id, short", "\x80\x02(" + text8("storage") + "tQ.", "persistent id"},
		{"persistent id, long", "\x80\x02(" + text8("storage") + "NNNNNNtQ.", "persistent id"},
		{"persistent id of a class", "\x80\x02(" + text8("storage") + inert + text8("0") +
			text8("cpu") +
			int4(1) + "tQ.", "persistent id"},
		{"negative storage", "\x80\x02(" + text8("storage") + "ctorch\nFloatStorage\n" + text8("0") +
			text8("cpu") + int4(-1) + "tQ.", "persistent id"},
		{"build on a list", "\x80\x02]}b.", "BUILD on a list"},
		{"build on a class", "\x80\x02" + inert + "}b.", "BUILD on global"},
		{"build on a tensor", "\x80\x02" + planned{storage: "FloatStorage"}.pickle() + "}b.",
			"BUILD on a tensor"},
		{"call of a string", "\x80\x02" + text8("x") + ")R.", "calls a string"},
		{"call of a record", "\x80\x02" + inert + ")R)R.", "calls an object"},
		{"call with a list", "\x80\x02" + inert + "]R.", "with a list"},
		{"codecs", "\x80\x02c_codecs\nencode\n" + text8("a") + text8("rot13") + "\x86R.",
			"_codecs.encode"},
		{"rebuild", "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.", "0 arguments"},
		{"rebuild by type", "\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n" +
			"_rebuild_from_type_v2\nctorch\nTensor\n)}tR.", "unknown function"},
		{"parameter", "\x80\x02ctorch._utils\n_rebuild_parameter\n(]tR.", "no tensor"},
		{"stride of text", "\x80\x02ctorch._utils\n_rebuild_tensor\n((" + text8("storage") +
			"ctorch\nFloatStorage\n" + text8("0") + text8("cpu") + int4(1) + "tQK\x00)(" + text8("x") +
			"ttR.", "a string among"},
		{"append to a dictionary", "\x80\x02}Na.", "appends to a dictionary"},
		{"entry of a list", "\x80\x02]NNs.", "entry of a list"},
		{"key without value", "\x80\x02}(Nu.", "without a value"},
		{"pop below a mark", "\x80\x02N(0R.", "empty stack"},
		{"no protocol", "N.", "protocol 0 or 1"}, {"protocol 1", "\x80\x01N.", "protocol 1"},
		{"protocol 6", "\x80\x06N.", "protocol 6"}, {"empty", "", "without STOP"},
		{"two values", "\x80\x02NN.", "2 values"}, {"mark left", "\x80\x02N(.", "1 marks"},
		{"sparse memo", "\x80\x02Nr\xff\xff\xff\x7f.", "memo"},
		{"memo not set", "\x80\x02Nq\x05h\x04.", "memo 4"},
	} {
		_, err := newMachine("p", []byte(c.pickle), 0).run()
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
		if _, err := Parse(torchOf(t, c.pickle)); err == nil {
			t.Errorf("%s: no error within a checkpoint", c.name)
		}
	}
}

// TestPickleAccepts are pickles with objects beside the tensors, which stay records.
func TestPickleAccepts(t *testing.T) {
	for _, c := range []struct{ name, value string }{
		{"object", "cmine.nets\nNet\n)\x81}" + text8("a") + "K\x01sb"},
		{"private class", "cmine\n_Layer\n)\x81"},
		{"class in a class", "\x8c\x04mine\x8c\x09Net.Block\x93)\x81"},
		{"script's class", "c__main__\nNet\n)R"},
		{"module", "ctorch.nn.modules.conv\nConv2d\n)\x81}b"},
		{"list class", "cmine\nList\n)\x81(K\x01K\x02e"},
		{"dictionary class", "cmine\nDict\n)\x81(K\x01K\x02u"},
		{"keywords", "cmine\nNet\n)}\x92"},
		{"set", "\x8f(K\x01\x90"}, {"frozenset", "(K\x01\x91"},
		{"numpy scalar", "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n" + text8("f8") +
			"\x89\x88\x87R" +
			"(K\x03" + text8("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x0812345678\x86R"},
		{"size", "ctorch\nSize\n(K\x01K\x02t\x85R"},
		{"path", "cpathlib\nPosixPath\n" + text8("/") + "\x85R"},
		{"dtype", "ctorch\nfloat32\n"}, {"long", "\x8a\x0912345678\x01"}, {"empty long", "\x8a\x00"},
		{"protocol 1 object", "ccopy_reg\n_reconstructor\n(cmine\nNet\nc__builtin__\nobject\nNtR}b"},
		{"Python 2", "ccollections\nOrderedDict\n]]" + text8("a") + "aK\x01aa\x85R"},
		{"ordered dictionary with attributes", "ccollections\nOrderedDict\n)R}" +
			text8("_metadata") + "}sb"},
		{"defaultdict", "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R"},
		{"text numbers", "(I1\nI01\nL5L\nF1.5\nS'a'\nVb\nt"}, {"list of a mark", "(K\x01l"},
		{"dictionary of a mark", "(K\x01K\x02d"}, {"pop", "N0N(N1"}, {"dup", "]2a"},
		{"float", "G\x3f\xf0\x00\x00\x00\x00\x00\x00"},
		{"bytearray", "\x96\x01\x00\x00\x00\x00\x00\x00\x00x"},
	} {
		tensor := planned{name: "w", storage: "FloatStorage", key: "0", numel: 2, size: []int{2},
			stride: []int{1}}
		p := "\x80\x04}" + text8("other") + c.value + "s" + text8("w") + tensor.pickle() + "s."
		f, err := Parse(torchOf(t, p, ramp(2)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if x, ok := f.Tensor("w"); !ok || len(f.Tensors) != 1 || string(x.Data) != ramp(2) {
			t.Errorf("%s: tensors %v", c.name, f.Tensors)
		}
	}
}

// TestPickleBombs are pickles that want far more than their size, or nest without end. Each must
// be refused within a second and 64 MB.
func TestPickleBombs(t *testing.T) {
	const million = 1_000_000
	var memo, modules strings.Builder
	for i := range million { // one value in many slots
		memo.WriteString("r" + string([]byte{byte(i), byte(i >> 8), byte(i >> 16), 0}))
	}
	// Modules that hold the next one twice: 2^60 tensors when walked.
	module := "cmine\nNet\n)\x81}(" + text8("_parameters") + "}" + text8("_modules") + "}("
	modules.WriteString("\x80\x02" + module + "uubq\x000")
	for i := range 60 {
		get := "h" + string([]byte{byte(i)})
		modules.WriteString(module + text8("a") + get + text8("b") + get + "uubq" +
			string([]byte{byte(i + 1)}))
		if i < 59 {
			modules.WriteString("0")
		}
	}
	self := "\x80\x02cmine\nNet\n)\x81q\x00}(" + text8("_parameters") + "}" + text8("_modules") + "}" +
		text8("again") + "h\x00sub."
	for _, c := range []struct{ name, pickle string }{
		{"lists", "\x80\x02" + strings.Repeat("]", million) + strings.Repeat("a", million-1) + "."},
		{"lists, then appended", "\x80\x02" + strings.Repeat("](", million)},
		{"dictionaries", "\x80\x02" + strings.Repeat("}N", million) + "."},
		{"marks", "\x80\x02" + strings.Repeat("(", million) + "."},
		{"tuples", "\x80\x02)" + strings.Repeat("\x85", million) + "."},
		{"tuples in turn", "\x80\x02)" + strings.Repeat("2\x86", million) + "."},
		{"memo", "\x80\x02N" + memo.String() + "."},
		{"memo of lists", "\x80\x04" + strings.Repeat("]\x940", million) + "."},
		{"records", "\x80\x02cmine\nNet\nq\x000" + strings.Repeat("h\x00)\x810", million) + "."},
		{"storages", "\x80\x02" +
			strings.Repeat(planned{storage: "FloatStorage"}.pickle()+"0", 10000) + "N."},
		{"bytes of bytes", "\x80\x02c_codecs\nencode\nq\x000" + text8(strings.Repeat("x", million)) +
			"q\x010" + strings.Repeat("h\x00h\x01"+text8("latin1")+"\x86R0", 2000) + "."},
		{"dictionaries of a list", "\x80\x02ccollections\nOrderedDict\nq\x000](" +
			strings.Repeat("NN\x86", 60000) + "eq\x010" + strings.Repeat("h\x00h\x01\x85R0", 2000) +
			"."},
		{"modules", modules.String() + "."}, {"module in itself", self},
		{"containers", "\x80\x02}q\x00" + text8("model") + "h\x00s."},
		{"long memo", "\x80\x02N" + "r\xff\xff\x1f\x00" + "."},
		{"classes", "\x80\x02" + strings.Repeat("cmine\nNet\n0", 200000) + "N."},
	} {
		b := torchOf(t, c.pickle)
		var err error
		seconds, bytes := cost(func() { _, err = Parse(b) })
		t.Logf("%s: %.3f s, %.1f MB: %v", c.name, seconds, float64(bytes)/1e6, err)
		if err == nil || seconds > limit || bytes > 64e6 {
			t.Errorf("%s: error %v after %.2f s and %d bytes", c.name, err, seconds, bytes)
		}
	}
}

// FuzzPickle wants no panic and no more memory than the limit says.
func FuzzPickle(f *testing.F) {
	for _, e := range fixtures(f) {
		b, err := os.ReadFile(filepath.Join(formats(f), e.File))
		if err != nil || !isZip(b) || len(b) > 100_000 {
			continue
		}
		if a, err := openArchive(b); err == nil {
			for _, m := range a.members {
				if p, err := a.contents(m); err == nil && strings.HasSuffix(m.name, ".pkl") {
					f.Add(p)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine("p", b, 0)
		var v any
		var err error
		_, bytes := cost(func() { v, err = m.run() })
		if bytes > 2*basePickle+100*uint64(len(b))+1<<20 {
			t.Errorf("%d bytes allocated for a pickle of %d", bytes, len(b))
		}
		if err == nil {
			_, _ = findState(v, []string{"model", "state_dict"})
		}
	})
}
