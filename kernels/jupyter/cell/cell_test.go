package cell

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		code   string
		want   Status
		indent string
	}{
		{"", Complete, ""},
		{"%%\nfmt.Println(1)", Complete, ""},
		{"%%\nfmt.Println(\"{\")", Complete, ""},
		{"fmt.Println(1)", Complete, ""},
		{"x := 1\nx + 1", Complete, ""},
		{"import \"fmt\"\nfmt.Println(1)", Complete, ""},
		{"import (\n\t\"fmt\"\n)\n\nvar x = []int{1}", Complete, ""},
		{"func f() int { return 1 }", Complete, ""},
		{"func (t T) f() int { return 1 }", Complete, ""},
		{"%%bash\nfor {", Complete, ""},
		{"!ls (", Complete, ""},
		{"for i := range 3 {", Incomplete, "\t"},
		{"%%\nfor i := range 3 {\n\tif true {", Incomplete, "\t\t"},
		{"f(1,", Incomplete, "\t"},
		{"x := 1 +", Incomplete, ""},
		{"x := `a", Incomplete, ""},
		{"/* a", Incomplete, ""},
		{"x := \"a", Invalid, ""},
		{"x := 1)", Invalid, ""},
		{"f(]", Invalid, ""},
		{"%%\nx := := 1", Invalid, ""},
		{"import 1", Invalid, ""},
		{"}{", Invalid, ""},
		{"%%\n}\nfunc f() {", Invalid, ""},
	} {
		if got, indent := Check(c.code); got != c.want || indent != c.indent {
			t.Errorf("%q: got %s %q, want %s %q", c.code, got, indent, c.want, c.indent)
		}
	}
}

func TestPrepare(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"declarations", "func f() {}", "func f() {}"},
		{"marked", "%%\nf()", "%%\nf()"},
		{"statements", "f()\ng()", "%%\nf()\ng()"},
		{"both", "import \"fmt\"\nvar x = 1\nfmt.Println(x)",
			"import \"fmt\"\nvar x = 1\n%%\nfmt.Println(x)"},
		{"assignment", "x := f(\n\t1)\ng(x)", "%%\nx := f(\n\t1)\ng(x)"},
		{"wrong", "x := := 1", "x := := 1"},
		{"commands", "!ls\nf()", "!ls\nf()"},
		{"foreign", "%%bash\nls", "%%bash\nls"},
		{"value", "6*7", "%%\nPRINT(6*7)"},
		{"value in main", "%%\nx := 1\nx", "%%\nx := 1\nPRINT(x)"},
		{"value and comment", "x := []int{1}\nx[0] // x[0]", "%%\nx := []int{1}\nPRINT(x[0]) // x[0]"},
		{"call with a value", "len(x)", "%%\nPRINT(len(x))"},
		{"call of many", "math.Modf(x)", "%%\nmath.Modf(x)"},
		{"receive", "<-c", "%%\n<-c"},
		{"command before main", "%env A=1\n%%\n1", "%env A=1\n%%\nPRINT(1)"},
	} {
		want := strings.ReplaceAll(c.want, "PRINT(", printed)
		if got := Prepare(c.code); got.Code != want || got.Result != strings.Contains(c.want, "PRINT(") {
			t.Errorf("%s: got %q, want %q", c.name, got.Code, want)
		}
	}
	if got := Typed(Prepare("%%\nx[f(1)]").Code); got != "%%\nx[f(1)]" {
		t.Errorf("typed: got %q", got)
	}
	if got := Prepare("import \"fmt\"\nf()").Line; got != 1 {
		t.Errorf("line put in at %d, want 1", got)
	}
}

// FuzzCell checks that no code stops the program, that a cell that GoNB is given is as complete as the
// one that was typed, and that preparing keeps what was typed.
func FuzzCell(f *testing.F) {
	for _, code := range []string{"", "6*7", "%%\nx", "!ls\n%%\nx\n", "func f() {", "import \"fmt\"\nx",
		"`", "/*", "%%bash\n", "x // x", "}", "func(){}()"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		before, _ := Check(code)
		p := Prepare(code)
		if p.Code == code {
			return
		}
		if before != Complete {
			t.Errorf("%q is %s, and became %q", code, before, p.Code)
		}
		if after, _ := Check(p.Code); after != Complete {
			t.Errorf("%q became %q, which is %s", code, p.Code, after)
		}
	})
}
