package proxy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gansim.example/kernels/jupyter/cell"
)

// failure is the content of an error message.
type failure struct {
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"` // one line
	Traceback []string `json:"traceback"`
}

var (
	// crash begins the last words of a Go program.
	crash = regexp.MustCompile(`(?m)^(panic: |fatal error: |SIG[A-Z]+: |unexpected fault address)`)
	// ended is GoNB's note on a program that did not end well.
	ended = regexp.MustCompile(`(?m)^(\^C\n)?(exit status \d+|signal: [a-z ]+)( \(core dumped\))?\n\z`)
	// place is GoNB's note on where in a cell something is, in a stack and in what the compiler says.
	place = regexp.MustCompile(`(?:\x1b\[7m)?\[\[ Cell \[(\d+)\] Line (\d+) \]\](?:\x1b\[0m)?` +
		`|Cell\[(\d+)\]: Line (\d+)`)
	// generated is a line of the program that GoNB made of the cells.
	generated = regexp.MustCompile(`\S*/gonb_[0-9a-f]+/main(_test)?\.go:\d+`)
	colour    = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// longest is how many lines of a stack an error shows.
const longest = 40

// explain says in one line why the running cell failed, and below it what helps to find out more. It
// uses up what the program wrote to stderr at its end.
func (p *proxy) explain() failure {
	x := p.running
	var given failure
	_ = json.Unmarshal(x.failure.Content, &given)
	given.Value = strings.TrimSpace(colour.ReplaceAllString(given.Value, ""))
	program := ended.MatchString(given.Value + "\n")
	held := p.renumber(string(x.held))
	if program {
		held = strings.TrimRight(ended.ReplaceAllString(held, ""), "\n")
	}
	x.held = nil
	why := ""
	if p.Killed != nil && program {
		why = p.Killed()
	}
	switch {
	case why != "":
		return plain("MemoryLimit", why, held)
	case x.interrupted:
		return plain("Interrupted", "the cell was interrupted", quiet(held))
	case program && crash.MatchString(held):
		return crashed(held)
	case program && held != "":
		before, last := cutLast(held)
		return plain("Error", last, before)
	case program && strings.HasPrefix(given.Value, "signal: killed"):
		return plain("Killed", "the cell was killed, perhaps by the system for want of memory", "")
	case program:
		return plain("Error", "the cell's program ended with "+given.Value, "")
	}
	return p.compile(given)
}

// plain is a failure with its one line first, then what the program had written.
func plain(name, value, more string) failure {
	f := failure{Name: name, Value: value, Traceback: []string{"\x1b[31m" + name + "\x1b[0m: " + value}}
	if more != "" {
		f.Traceback = append(f.Traceback, more)
	}
	return f
}

// quiet drops the stacks that an interrupt makes Go write.
func quiet(held string) string {
	if crash.MatchString(held) || strings.Contains(held, "SIGINT") {
		return ""
	}
	return held
}

func cutLast(s string) (before, last string) {
	i := strings.LastIndexByte(s, '\n')
	return strings.TrimRight(s[:max(i, 0)], "\n"), s[i+1:]
}

// crashed makes the panic's own line and its place in the cell the one line.
func crashed(held string) failure {
	at := crash.FindStringIndex(held)[0]
	before, stack := held[:at], held[at:]
	line, _, _ := strings.Cut(stack, "\n")
	name, value := "Panic", strings.TrimPrefix(line, "panic: ")
	if value == line {
		name = "Crash"
	}
	if m := lineOf.FindString(stack); m != "" {
		value += " (" + m + ")"
	}
	lines := strings.Split(generated.ReplaceAllString(stack, ""), "\n")
	if len(lines) > longest {
		lines = append(lines[:longest], fmt.Sprintf("… %d more lines", len(lines)-longest))
	}
	return plain(name, value, strings.TrimSpace(before+strings.Join(lines, "\n")))
}

// lineOf is a place as renumber writes it.
var lineOf = regexp.MustCompile(`cell \[\d+\] line \d+`)

// renumber writes places in cells as they were typed, not as GoNB got them.
func (p *proxy) renumber(s string) string {
	return place.ReplaceAllStringFunc(s, func(found string) string {
		m := place.FindStringSubmatch(found)
		id, _ := strconv.Atoi(m[1] + m[3])
		line, _ := strconv.Atoi(m[2] + m[4])
		if put, known := p.lines[id]; known && put >= 0 && line-1 > put {
			line--
		}
		return fmt.Sprintf("cell [%d] line %d", id, line)
	})
}

// compile makes the compiler's first complaint the one line; the rest follows, one line each.
func (p *proxy) compile(given failure) failure {
	var found []string
	for _, t := range given.Traceback {
		lines := strings.Split(strings.TrimRight(colour.ReplaceAllString(t, ""), "\n"), "\n")
		if !place.MatchString(lines[0]) || len(lines) < 2 {
			continue
		}
		complaint := p.renumber(lines[0]) + ": " + lines[len(lines)-1]
		for i, l := range lines {
			if i > 1 && strings.TrimLeft(l, " ") == "^" {
				complaint += "\n\t" + cell.Typed(strings.TrimSpace(lines[i-1]))
			}
		}
		found = append(found, complaint)
	}
	if len(found) == 0 {
		value := given.Value
		for l := range strings.Lines(value) {
			l = strings.TrimSpace(l)
			if l != "" && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, "failed to run") {
				return plain("Error", strings.TrimSpace(generated.ReplaceAllString(l, "")), value)
			}
		}
		return plain("Error", value, "")
	}
	first, _, _ := strings.Cut(found[0], "\n")
	if n := len(found) - 1; n > 0 {
		first += fmt.Sprintf(" (and %d more)", n)
	}
	return plain("CompileError", first, strings.Join(found, "\n"))
}
