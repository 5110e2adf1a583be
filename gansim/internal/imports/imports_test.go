package imports

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gansim.example"

// layers are the packages from top to bottom; each may import those of the layers below it. A name
// covers the packages in its folder, which may import each other, but for those that have a name of
// their own; a star stands for one package.
var layers = [][]string{
	{"tools", "notebooks"},
	{"gansim/serve", "gansim/lab"},
	{"gansim/experiment", "gansim/parity"},
	{"gansim/figure", "gansim/sweep", "gansim/mini", "gansim/features"},
	{"gansim/invert", "gansim/actmax", "gansim/objectness", "gansim/metric", "gansim/hessian"},
	{"gansim/models"},
	{"gansim/models/*", "gansim/decode"},
	{"gansim/nn", "gansim/internal/graphx"},
	{"gansim/dataset", "gansim/imaging", "gansim/imstat", "gansim/ranktest", "gansim/optim"},
	{"gansim/internal/oracle", "gansim/internal/imports"},
	{"gansim"},
	{"weights", "gansim/internal/wire"},
}

// apart opens backends. It imports nothing of ours, and only the top layer and tests import it: all
// others are given a backend.
const apart = "kernels"

// never are imports that the layers would allow and the design does not.
var never = []struct{ from, to, why string }{
	{"gansim/invert", "gansim/models/*", "inversion knows the vocabulary, not a model"},
	{"gansim/actmax", "gansim/models/*", "maximisation knows the vocabulary, not a model"},
	{"gansim/figure", "gansim/models/*", "figures are drawn from rows"},
	{"gansim/figure", "gansim/nn", "figures are drawn from rows"},
	{"gansim/figure", "gansim/internal/graphx", "figures are drawn from rows"},
	{"gansim/figure", "gansim/invert", "figures are drawn from rows"},
	{"gansim/figure", "gansim/actmax", "figures are drawn from rows"},
}

// engine is the module that needs cgo. Whoever imports it past kernels cannot be built without a C
// compiler, tests included.
const engine = "github.com/gomlx/go-xla"

// place is where a package stands: its name in the table, the folder that the name stands for, and
// its layer, 0 at the top.
type place struct {
	name, folder string
	layer        int
}

// find places a package by its path in the module, under the longest name that fits; ok is false if
// it is not in the table.
func find(pkg string) (p place, ok bool) {
	for i, names := range layers {
		for _, name := range names {
			folder := pkg
			for strings.Count(folder, "/") > strings.Count(name, "/") {
				folder = path.Dir(folder)
			}
			if name == "gansim" {
				folder = pkg // the vocabulary alone: all below it have names of their own
			}
			match, _ := path.Match(name, folder)
			if match && strings.Count(name, "/") >= strings.Count(p.name, "/") {
				p, ok = place{name: name, folder: folder, layer: i}, true
			}
		}
	}
	return p, ok
}

// refuse says why package from may not import package to, both by their paths in the module; empty
// if it may.
func refuse(from, to string, test bool) string {
	if within(from, apart) {
		if within(to, apart) {
			return ""
		}
		return apart + " imports nothing of ours"
	}
	f, ok := find(from)
	if !ok {
		return from + " is not in the table of layers"
	}
	if within(to, apart) {
		if test || f.layer == 0 {
			return ""
		}
		return "a backend is passed in; only tools, notebooks and tests open one"
	}
	t, ok := find(to)
	if !ok {
		return to + " is not in the table of layers"
	}
	for _, n := range never {
		if n.from == f.name && n.to == t.name && !test {
			return n.why
		}
	}
	switch {
	case t.folder == f.folder, t.layer > f.layer:
		return ""
	case t.layer < f.layer:
		return "upward"
	case test:
		return ""
	}
	return "sideways"
}

func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		test, refused  bool
	}{
		{"down", "gansim/metric", "gansim/ranktest", false, false},
		{"down by many", "tools/gansim", "weights", false, false},
		{"up", "gansim/nn", "gansim/models/resnet", false, true},
		{"up in a test", "gansim/nn", "gansim/models/resnet", true, true},
		{"sideways", "gansim/dataset", "gansim/imaging", false, true},
		{"sideways in a test", "gansim/dataset", "gansim/imaging", true, false},
		{"list of models to a model", "gansim/models", "gansim/models/biggan", false, false},
		{"model to the list of models", "gansim/models/biggan", "gansim/models", false, true},
		{"model to model", "gansim/models/biggan", "gansim/models/deepsim", false, true},
		{"same folder", "gansim/mini", "gansim/mini/world", false, false},
		{"same folder, from below", "gansim/mini/train", "gansim/mini", false, false},
		{"from a folder below", "gansim/optim/ingraph", "gansim", false, false},
		{"same folder of a model", "gansim/models/biggan/table", "gansim/models/biggan", false, false},
		{"vocabulary to weights", "gansim", "weights", false, false},
		{"weights to vocabulary", "weights", "gansim", false, true},
		{"weights to its parser", "weights", "weights/torch", false, false},
		{"kernels to weights", "kernels", "weights", false, true},
		{"command to kernels", "tools/gansim", "kernels", false, false},
		{"library to kernels", "gansim/experiment", "kernels", false, true},
		{"test to kernels", "gansim/nn", "kernels", true, false},
		{"inversion to a model", "gansim/invert", "gansim/models/biggan", false, true},
		{"test of inversion to a model", "gansim/invert", "gansim/models/biggan", true, false},
		{"figure to inversion", "gansim/figure", "gansim/invert", false, true},
		{"from no layer", "gansim/util", "gansim", false, true},
		{"to no layer", "gansim/mini", "gansim/util", false, true},
	} {
		if why := refuse(c.from, c.to, c.test); (why != "") != c.refused {
			t.Errorf("%s: got %q, want refused %v", c.name, why, c.refused)
		}
	}
}

// TestImports reads the imports of every Go file of the module, whatever its build tags.
func TestImports(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, file)
		}
		if filepath.Ext(file) == ".go" {
			files++
			check(t, root, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("read %d files, want the whole module", files)
	}
}

// skip leaves out folders that are not part of the module, as the go command does.
func skip(root, dir string) error {
	if dir == root {
		return nil
	}
	base := filepath.Base(dir)
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") ||
		strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// check reads the imports of one file.
func check(t *testing.T, root, file string) {
	t.Helper()
	rel, err := filepath.Rel(root, file)
	if err != nil {
		t.Fatal(err)
	}
	rel = filepath.ToSlash(rel)
	from := path.Dir(rel)
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range parsed.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			continue
		}
		if within(full, engine) && !within(from, apart) {
			t.Errorf("%s imports %s: only %s may", rel, full, apart)
		}
		to, ours := strings.CutPrefix(full, module+"/")
		if !ours {
			continue
		}
		test := strings.HasSuffix(rel, "_test.go")
		if to == from && test {
			continue // an external test of its own package
		}
		if why := refuse(from, to, test); why != "" {
			t.Errorf("%s imports %s: %s", rel, to, why)
		}
	}
}

// TestTable finds names that are listed twice.
func TestTable(t *testing.T) {
	all := slices.Sorted(slices.Values(slices.Concat(layers...)))
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			t.Errorf("%s stands in two layers", all[i])
		}
	}
}
