// Package cell reads the code of notebook cells: whether a cell is complete, and where GoNB wants the
// line that starts main.
package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// Status is the answer to "may this code be run?", as the protocol spells it.
type Status string

// The statuses of a cell.
const (
	Complete   Status = "complete"
	Incomplete Status = "incomplete" // more lines are needed
	Invalid    Status = "invalid"    // more lines would not help
)

// mainLine matches the lines %% and %main, with arguments, which start the program's main function.
var mainLine = regexp.MustCompile(`^(%%|%main)(\s|$)`)

// foreign says that a cell's first line hands the rest to another program or to a file.
func foreign(code string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(code, "\n"), "\n")
	return strings.HasPrefix(first, "%%") && !mainLine.MatchString(first)
}

// special says that a line speaks to GoNB, not to Go.
func special(line string) bool {
	return strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!")
}

// split parts a cell into its declarations and the body of main, with GoNB's own lines left blank, so
// that line numbers stay; marked says that a line %% or %main parts them, and commands that there
// are other special lines.
func split(code string) (declarations, body string, marked, commands bool) {
	lines := strings.Split(code, "\n")
	for i, l := range lines {
		if !special(l) {
			continue
		}
		if mainLine.MatchString(l) && !marked {
			marked = true
			declarations = strings.Join(lines[:i], "\n")
			lines = append(make([]string, i+1), lines[i+1:]...)
			continue
		}
		commands = commands || !mainLine.MatchString(l)
		lines[i] = ""
	}
	rest := strings.Join(lines, "\n")
	if !marked {
		return rest, "", false, commands
	}
	kept := strings.Split(declarations, "\n")
	for i, l := range kept {
		if special(l) {
			kept[i] = ""
		}
	}
	return strings.Join(kept, "\n"), rest, true, commands
}

// Check says whether a cell may be run; of an incomplete one also how the next line is indented.
func Check(code string) (status Status, indent string) {
	if strings.TrimSpace(code) == "" || foreign(code) {
		return Complete, ""
	}
	declarations, body, marked, _ := split(code)
	tokens := scan(declarations + "\n" + body)
	switch {
	case tokens.bad:
		return Invalid, ""
	case tokens.open:
		return Incomplete, strings.Repeat("\t", tokens.depth)
	case marked && parses(declarations, true) && parses(body, false):
		return Complete, ""
	case marked:
		return Invalid, ""
	case parses(declarations, true):
		return Complete, ""
	}
	line := firstStatement(declarations)
	if line < 0 {
		return Invalid, ""
	}
	if head, tail := cut(declarations, line); parses(head, true) && parses(tail, false) {
		return Complete, ""
	}
	return Invalid, ""
}

// tokens is what the scanner says of code.
type tokens struct {
	bad   bool // more text cannot make it right
	open  bool // it ends within something
	depth int  // of open brackets
}

// pairs are the brackets by the one that closes.
var pairs = map[token.Token]token.Token{
	token.RPAREN: token.LPAREN, token.RBRACK: token.LBRACK, token.RBRACE: token.LBRACE,
}

func scan(code string) (t tokens) {
	var s scanner.Scanner
	fail := func(_ token.Position, msg string) {
		if strings.Contains(msg, "raw string literal not terminated") ||
			strings.Contains(msg, "comment not terminated") {
			t.open = true
			return
		}
		t.bad = true
	}
	src := []byte(code)
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(src)), src, fail, 0)
	var stack []token.Token
	last := token.SEMICOLON
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			t.depth = len(stack)
			t.open = t.open || len(stack) > 0 || wantsMore(last)
			return t
		case token.LPAREN, token.LBRACK, token.LBRACE:
			stack = append(stack, tok)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(stack) == 0 || stack[len(stack)-1] != pairs[tok] {
				t.bad = true
				return t
			}
			stack = stack[:len(stack)-1]
		}
		if tok != token.SEMICOLON || lit == ";" {
			last = tok
		}
	}
}

// wantsMore says that no line can end with a token.
func wantsMore(t token.Token) bool {
	switch t {
	case token.INC, token.DEC, token.SEMICOLON, token.RPAREN, token.RBRACK, token.RBRACE,
		token.BREAK, token.CONTINUE, token.FALLTHROUGH, token.RETURN, token.COLON:
		return false
	}
	return t.IsOperator() || t.IsKeyword()
}

// parses says whether code is right as declarations of a file, or as the body of a function.
func parses(code string, declarations bool) bool {
	if declarations {
		code = "package p;" + code
	} else {
		code = "package p;func main() {" + code + "\n}"
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", code, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	return declarations || len(file.Decls) == 1 && isMain(file.Decls[0])
}

func isMain(d ast.Decl) bool {
	f, ok := d.(*ast.FuncDecl)
	return ok && f.Name.Name == "main"
}

// cut parts code before a line.
func cut(code string, line int) (head, tail string) {
	lines := strings.Split(code, "\n")
	return strings.Join(lines[:line], "\n"), strings.Join(lines[line:], "\n")
}
