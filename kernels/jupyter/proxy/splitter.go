package proxy

import (
	"strings"

	"gansim.example/kernels/jupyter/cell"
)

// kind is what a piece of standard output is.
type kind int

const (
	text kind = iota
	value
	clearNow
	clearLater // when there is new output
)

// piece is a part of standard output.
type piece struct {
	kind kind
	text string
}

// What a terminal takes for an order to clear the screen, or the screen and what scrolled away, clears
// the cell's output at once, or when new output comes.
const (
	clearScreen = "\x1b[2J"
	clearAll    = "\x1b[3J"
)

// splitter parts standard output at what is meant for us, however it is cut into messages.
type splitter struct {
	rest    string // not yet passed on
	inValue bool
}

// write takes more output and gives what is known of it.
func (s *splitter) write(more string) (out []piece) {
	s.rest += more
	for {
		at, sequence := len(s.rest), ""
		for _, q := range []string{cell.Mark, clearScreen, clearAll} {
			if i := strings.Index(s.rest, q); i >= 0 && i < at && (q == cell.Mark || !s.inValue) {
				at, sequence = i, q
			}
		}
		if sequence == "" {
			break
		}
		before := s.rest[:at]
		s.rest = s.rest[at+len(sequence):]
		switch {
		case s.inValue:
			out = append(out, piece{value, before})
		case before != "":
			out = append(out, piece{text, before})
		}
		switch sequence {
		case cell.Mark:
			s.inValue = !s.inValue
		case clearScreen:
			out = append(out, piece{kind: clearNow})
		case clearAll:
			out = append(out, piece{kind: clearLater})
		}
	}
	if s.inValue {
		return out
	}
	keep := beginning(s.rest)
	if shown := s.rest[:len(s.rest)-keep]; shown != "" {
		out = append(out, piece{text, shown})
		s.rest = s.rest[len(shown):]
	}
	return out
}

// beginning is the length of the end of s that may begin a sequence.
func beginning(s string) int {
	for i := max(0, len(s)-len(cell.Mark)); i < len(s); i++ {
		for _, q := range []string{cell.Mark, clearScreen, clearAll} {
			if strings.HasPrefix(q, s[i:]) {
				return len(s) - i
			}
		}
	}
	return 0
}

// end gives what is left.
func (s *splitter) end() (out []piece) {
	if s.rest != "" {
		out = append(out, piece{text, s.rest})
	}
	*s = splitter{}
	return out
}
