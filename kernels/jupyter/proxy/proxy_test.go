package proxy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gansim.example/kernels/jupyter/wire"
)

// session is a proxy whose messages go into a list.
type session struct {
	*proxy
	sent []event
}

func newSession() *session {
	s := &session{}
	s.proxy = newProxy(Config{}, func(e event) error {
		s.sent = append(s.sent, e)
		return nil
	})
	return s
}

// ask sends a request of a client.
func (s *session) ask(kind string, content any) wire.Message {
	m := wire.New(wire.Message{Identities: [][]byte{[]byte("me")}}, kind, content)
	_ = s.request(event{client: true, channel: shell, message: m})
	return m
}

// gonb sends what GoNB says of a request.
func (s *session) gonb(c channel, to wire.Message, kind string, content any) {
	s.answer(event{channel: c, message: wire.New(to, kind, content)})
}

func stream(name, text string) any { return map[string]string{"name": name, "text": text} }

// end has GoNB end a cell; an empty value means well.
func (s *session) end(to wire.Message, value string) {
	if value != "" {
		s.gonb(iopub, to, "stream", stream("stderr", value+"\n"))
		s.gonb(iopub, to, "error", failure{"ERROR", value, []string{value}})
	}
	s.gonb(iopub, to, "status", map[string]string{"execution_state": "idle"})
	s.gonb(shell, to, "execute_reply", map[string]string{"status": "ok"})
}

// log lists what clients got since it was last asked, by type and what matters of it.
func (s *session) log() (out []string) {
	for _, e := range s.sent {
		if !e.client {
			continue
		}
		var c struct {
			Text, Evalue, Status, Code string
			Execution_state            string
			Data                       map[string]string
			Wait                       *bool
		}
		_ = json.Unmarshal(e.message.Content, &c)
		line := e.message.Header.Type + " " + c.Text + c.Evalue + c.Execution_state + c.Data["text/plain"]
		if e.message.Header.Type == "execute_reply" {
			line = "execute_reply " + c.Status
		}
		if c.Wait != nil {
			line += fmt.Sprint(*c.Wait)
		}
		out = append(out, line)
	}
	s.sent = nil
	return out
}

func (s *session) check(t *testing.T, want ...string) {
	t.Helper()
	if got := s.log(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func code(s string) any { return map[string]any{"code": s} }

func TestOrder(t *testing.T) {
	s := newSession()
	m := s.ask("execute_request", code("f()"))
	s.gonb(iopub, m, "stream", stream("stdout", "a\n"))
	s.gonb(iopub, m, "stream", stream("stderr", "warning\n"))
	s.gonb(iopub, m, "stream", stream("stdout", "b\n"))
	// The reply overtakes the output, as it may: it comes by another way.
	s.gonb(shell, m, "execute_reply", map[string]string{"status": "error"})
	s.gonb(iopub, m, "stream", stream("stderr", "lab: no such unit\n"))
	s.gonb(iopub, m, "stream", stream("stderr", "exit status 1\n"))
	s.gonb(iopub, m, "error", failure{"ERROR", "exit status 1", nil})
	s.gonb(iopub, m, "status", map[string]string{"execution_state": "idle"})
	s.check(t, "stream a\n", "stream warning\n", "stream b\n", "error lab: no such unit",
		"execute_reply error", "status idle")
}

func TestPanic(t *testing.T) {
	s := newSession()
	m := s.ask("execute_request", code("import \"fmt\"\nfmt.Println()\nboom()")) // %% comes before line 2
	s.gonb(iopub, m, "stream", stream("stderr", "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n"))
	s.gonb(iopub, m, "stream", stream("stdout", "late\n"))
	s.gonb(iopub, m, "stream", stream("stderr",
		"\t \x1b[7m[[ Cell [1] Line 4 ]]\x1b[0m /tmp/gonb_1a/main.go:12 +0x1\n"))
	s.end(m, "exit status 2")
	s.check(t, "stream late\n", "error boom (cell [1] line 3)", "execute_reply error", "status idle")
}

func TestCompileError(t *testing.T) {
	s := newSession()
	m := s.ask("execute_request", code("x := 1"))
	s.gonb(iopub, m, "error", failure{"ERROR", "# gonb_1\n./main.go:3:2: declared and not used: x",
		[]string{"# gonb_1", "Cell[1]: Line 2\nfunc main() {\n\tx := 1\n ^\n}\n\n" +
			"\x1b[31mdeclared and not used: x\x1b[0m",
			"Cell[1]: Line 3\nfunc\n\n\x1b[31mundefined: y\x1b[0m"}})
	s.end(m, "")
	s.check(t, "error cell [1] line 1: declared and not used: x (and 1 more)", "execute_reply error",
		"status idle")
}

func TestKilled(t *testing.T) {
	s := newSession()
	s.Killed = func() string { return "too much" }
	m := s.ask("execute_request", code("f()"))
	s.end(m, "signal: killed")
	s.check(t, "error too much", "execute_reply error", "status idle")
}

// TestQueue sees cells run one after the other, and those after a failure not at all.
func TestQueue(t *testing.T) {
	s := newSession()
	a, b, c := s.ask("execute_request", code("a()")), s.ask("execute_request", code("b()")),
		s.ask("execute_request", code("c()"))
	if len(s.sent) != 1 {
		t.Fatalf("%d cells run at once", len(s.sent))
	}
	s.end(a, "")
	s.check(t, "execute_reply ok", "status idle")
	s.end(b, "exit status 3")
	s.check(t, "error the cell's program ended with exit status 3", "execute_reply error", "status idle",
		"status busy", "execute_reply aborted", "status idle")
	s.end(c, "") // was not asked for
	s.log()
	s.ask("execute_request", map[string]any{"code": "d()", "stop_on_error": false})
	if s.running == nil || s.running.count != 3 {
		t.Errorf("running %+v, want cell 3", s.running)
	}
}

func TestResultAndClear(t *testing.T) {
	s := newSession()
	m := s.ask("execute_request", code("6*7"))
	if got := string(s.sent[0].message.Content); !strings.Contains(got, "%%\\nfmt.Printf(") {
		t.Errorf("GoNB gets %s", got)
	}
	s.gonb(iopub, m, "execute_input", code("changed"))
	s.gonb(iopub, m, "stream", stream("stdout", "a\x1b[2"))
	s.gonb(iopub, m, "stream", stream("stdout", "Jb\x1b[3J\x1b[1mbold\x1bPgansim-res"))
	s.gonb(iopub, m, "stream", stream("stdout", "ult\x1b\\4"))
	s.gonb(iopub, m, "stream", stream("stdout", "2\x1bPgansim-result\x1b\\"))
	s.end(m, "")
	s.check(t, "execute_input ", "stream a", "clear_output false", "stream b", "clear_output true",
		"stream \x1b[1mbold", "execute_result 42", "execute_reply ok", "status idle")
}

func TestAnswers(t *testing.T) {
	s := newSession()
	for _, c := range []struct {
		kind    string
		content any
		want    string
	}{
		{"is_complete_request", code("for {"), `{"indent":"\t","status":"incomplete"}`},
		{"is_complete_request", code("1"), `{"status":"complete"}`},
		{"history_request", map[string]any{"hist_access_type": "tail", "n": 3},
			`{"history":[[0,1,"a(1)"],[0,2,"b/c"],[0,3,"a(1)"]],"status":"ok"}`},
		{"history_request", map[string]any{"hist_access_type": "tail", "n": 1, "output": true},
			`{"history":[[0,3,["a(1)",null]]],"status":"ok"}`},
		{"history_request", map[string]any{"hist_access_type": "range", "start": 2, "stop": 3},
			`{"history":[[0,2,"b/c"]],"status":"ok"}`},
		{"history_request", map[string]any{"hist_access_type": "search", "pattern": "a*", "unique": true},
			`{"history":[[0,3,"a(1)"]],"status":"ok"}`},
		{"history_request", map[string]any{"hist_access_type": "search", "pattern": "b*", "n": 9},
			`{"history":[[0,2,"b/c"]],"status":"ok"}`},
		{"history_request", map[string]any{"hist_access_type": "search", "pattern": "["},
			`{"history":[],"status":"ok"}`},
	} {
		s.history = history{{1, "a(1)"}, {2, "b/c"}, {3, "a(1)"}}
		s.ask(c.kind, c.content)
		if len(s.sent) != 3 || string(s.sent[1].message.Content) != c.want {
			t.Errorf("%s %v: got %s, want %s", c.kind, c.content, s.sent[1].message.Content, c.want)
		}
		s.sent = nil
	}
}

func TestCompletion(t *testing.T) {
	s := newSession()
	m := s.ask("complete_request", map[string]any{"code": "é.Pri"})
	if got := string(s.sent[0].message.Content); !strings.Contains(got, `"cursor_pos":5`) {
		t.Errorf("GoNB gets %s", got)
	}
	s.sent = nil
	s.gonb(shell, m, "complete_reply", map[string]any{"status": "ok", "cursor_start": 2, "cursor_end": 5,
		"matches": []string{"Println", "Sprint"}, "metadata": map[string]any{}})
	var got struct{ Matches []string }
	_ = json.Unmarshal(s.sent[0].message.Content, &got)
	if !slices.Equal(got.Matches, []string{"Println"}) || string(s.sent[0].message.Identities[0]) != "me" {
		t.Errorf("got %v", got.Matches)
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add("a\x1b[2Jb\x1bPgansim-result\x1b\\4\x1bPgansim-result\x1b\\\x1b[", 3)
	f.Fuzz(func(t *testing.T, s string, cut int) {
		cut = min(max(cut, 0), len(s))
		var whole, parts splitter
		join := func(ps []piece) (out string) {
			for _, p := range ps {
				switch p.kind {
				case text:
					out += p.text
				default:
					out += fmt.Sprintf("<%d %q>", p.kind, p.text)
				}
			}
			return out
		}
		want := join(append(whole.write(s), whole.end()...))
		got := join(parts.write(s[:cut]))
		got += join(parts.write(s[cut:])) + join(parts.end())
		if got != want {
			t.Errorf("%q cut at %d: got %q, want %q", s, cut, got, want)
		}
	})
}
