package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// firstStatement is the line, from 0, of the first token at the outer level that begins no
// declaration; -1 if there is none. What begins with func is taken for a declaration.
func firstStatement(code string) int {
	var s scanner.Scanner
	src := []byte(code)
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	s.Init(file, src, func(token.Position, string) {}, 0)
	depth := 0
	for begin := true; ; {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return -1
		case token.SEMICOLON:
			begin = depth == 0
			continue
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		if begin && !declares(tok) {
			return file.Line(pos) - 1
		}
		begin = false
	}
}

// declares says that a declaration may begin with a token.
func declares(t token.Token) bool {
	switch t {
	case token.IMPORT, token.TYPE, token.VAR, token.CONST, token.PACKAGE, token.FUNC:
		return true
	}
	return false
}

// Prepared is a cell as GoNB gets it.
type Prepared struct {
	Code   string
	Line   int  // before which, from 0, a line was put in; -1 if none was
	Result bool // the last expression's value is written to stdout between [Mark]s
}

// Mark stands before and after a value that a prepared cell writes to its standard output. It is no
// text that programs write by accident.
const Mark = "\x1bPgansim-result\x1b\\"

// Prepare puts in the line %% where a cell has statements without it, and has the value of an
// expression that ends the cell written out. Cells that it does not understand are left alone.
func Prepare(code string) Prepared {
	p := Prepared{Code: code, Line: -1}
	if foreign(code) {
		return p
	}
	declarations, body, marked, commands := split(code)
	if !marked {
		line := -1
		if !parses(declarations, true) {
			line = firstStatement(declarations)
		}
		if line < 0 || commands {
			return p
		}
		head, tail := cut(declarations, line)
		if !parses(head, true) || !parses(tail, false) {
			return p
		}
		head, tail = cut(code, line)
		if line > 0 {
			head += "\n"
		}
		p.Code, p.Line = head+"%%\n"+tail, line
		body = strings.Repeat("\n", line+1) + tail
	} else if !parses(declarations, true) {
		return p
	}
	p.Code, p.Result = result(p.Code, body)
	return p
}

// result replaces an expression that ends the body, but for a call, which may have no value and is a
// statement of its own right.
func result(code, body string) (string, bool) {
	const before = "package p;func main() {"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", before+body+"\n}", parser.SkipObjectResolution)
	if err != nil || len(file.Decls) != 1 || !isMain(file.Decls[0]) {
		return code, false
	}
	statements := file.Decls[0].(*ast.FuncDecl).Body.List
	if len(statements) == 0 {
		return code, false
	}
	last, ok := statements[len(statements)-1].(*ast.ExprStmt)
	if !ok || !hasValue(last.X) {
		return code, false
	}
	// The body has the cell's lines at their places, from its second line on.
	from, to := offset(code, fset.PositionFor(last.Pos(), false)), offset(code,
		fset.PositionFor(last.End(), false))
	return code[:from] + printed + code[from:to] + ")" + code[to:], true
}

// printed begins the statement that writes a value between marks.
const printed = `fmt.Printf("\x1bPgansim-result\x1b\\%v\x1bPgansim-result\x1b\\", `

// Typed is a line of a prepared cell as it was typed.
func Typed(line string) string {
	before, after, ok := strings.Cut(line, printed)
	if !ok {
		return line
	}
	if i := strings.LastIndexByte(after, ')'); i >= 0 {
		after = after[:i] + after[i+1:]
	}
	return before + after
}

// offset is that of a position by its line and column.
func offset(code string, p token.Position) int {
	at := 0
	for range p.Line - 1 {
		at += strings.IndexByte(code[at:], '\n') + 1
	}
	return at + p.Column - 1
}

// pure are packages and built-in functions whose calls always have one value.
var pure = map[string]bool{"len": true, "cap": true, "min": true, "max": true, "real": true,
	"imag": true, "complex": true, "string": true, "int": true, "float64": true, "float32": true,
	"math": true, "strings": true}

// hasValue says that an expression surely has one value.
func hasValue(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return hasValue(x.X)
	case *ast.UnaryExpr:
		return x.Op != token.ARROW
	case *ast.CallExpr:
		switch f := x.Fun.(type) {
		case *ast.Ident:
			return pure[f.Name]
		case *ast.SelectorExpr:
			name, ok := f.X.(*ast.Ident)
			return ok && (pure[name.Name] && !manyValues[f.Sel.Name] ||
				name.Name == "fmt" && strings.HasPrefix(f.Sel.Name, "Sprint"))
		}
		return false
	}
	return true
}

// manyValues are functions of the pure packages that have more than one value.
var manyValues = map[string]bool{"Frexp": true, "Lgamma": true, "Modf": true, "Sincos": true,
	"Cut": true, "CutPrefix": true, "CutSuffix": true}
