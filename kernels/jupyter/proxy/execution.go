package proxy

import (
	"encoding/json"
	"time"

	"gansim.example/kernels/jupyter/cell"
	"gansim.example/kernels/jupyter/wire"
)

// heldFor is how long output to stderr waits for the end of its program: what a program writes right
// before it fails becomes the error.
const heldFor = 150 * time.Millisecond

// execution is a cell that runs.
type execution struct {
	request     wire.Message
	content     request
	prepared    cell.Prepared
	count       int
	interrupted bool
	out         splitter
	held        []byte        // of stderr
	stderr      wire.Message  // the last message of held
	failure     *wire.Message // GoNB's error
	reply       *wire.Message // GoNB's last word on the shell channel
	idle        *wire.Message // and on what it publishes
}

// request is the content of an execute_request.
type request struct {
	Code         string `json:"code"`
	Silent       bool   `json:"silent"`
	StoreHistory *bool  `json:"store_history"`
	StopOnError  *bool  `json:"stop_on_error"`
}

// enqueue runs a cell when those before it are done.
func (p *proxy) enqueue(m wire.Message) {
	p.queue = append(p.queue, m)
	p.next()
}

// next runs the first cell that waits, if none runs.
func (p *proxy) next() {
	if p.running != nil || len(p.queue) == 0 {
		return
	}
	m := p.queue[0]
	p.queue = p.queue[1:]
	x := &execution{request: m}
	if err := json.Unmarshal(m.Content, &x.content); err != nil {
		p.refuse(m, "error", err.Error())
		p.next()
		return
	}
	keep := !x.content.Silent && (x.content.StoreHistory == nil || *x.content.StoreHistory)
	x.prepared = cell.Prepare(x.content.Code)
	x.count = p.count
	if keep {
		x.count++
		p.history.add(x.count, x.content.Code)
	}
	p.count = x.count
	p.lines[x.count] = x.prepared.Line
	p.running = x
	if p.Busy != nil {
		p.Busy(true)
	}
	p.forward(shell, m.With(map[string]any{"code": x.prepared.Code, "silent": x.content.Silent,
		"store_history": keep, "user_expressions": map[string]any{}, "allow_stdin": true}))
}

// refuse answers a cell that is not run.
func (p *proxy) refuse(m wire.Message, status, why string) {
	p.status(m, "busy")
	p.toClient(shell, wire.New(m, "execute_reply", map[string]any{"status": status,
		"execution_count": p.count, "ename": "Error", "evalue": why, "traceback": []string{}}))
	p.status(m, "idle")
}

// output handles what GoNB publishes of the running cell.
func (p *proxy) output(m wire.Message) {
	x := p.running
	switch m.Header.Type {
	case "stream":
		p.stream(m)
		return
	case "error":
		x.failure = &m
		return
	case "status":
		var status struct {
			State string `json:"execution_state"`
		}
		_ = json.Unmarshal(m.Content, &status)
		if status.State == "idle" {
			x.idle = &m
			p.finish()
			return
		}
	case "execute_input":
		m = m.With(map[string]any{"code": x.content.Code, "execution_count": x.count})
	default:
		p.showHeld()
		p.pieces(m, x.out.end())
	}
	p.publish(m)
}

// stream passes on what the program wrote, less what is meant for us.
func (p *proxy) stream(m wire.Message) {
	var s struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	_ = json.Unmarshal(m.Content, &s)
	x := p.running
	if s.Name != "stderr" {
		if !crash.Match(x.held) {
			p.showHeld()
		}
		p.pieces(m, x.out.write(s.Text))
		return
	}
	x.held = append(x.held, s.Text...)
	x.stderr = m
	if crash.Match(x.held) || ended.MatchString(s.Text) {
		p.flush.Stop()
		return
	}
	p.flush.Reset(heldFor)
}

// pieces publishes parts of the standard output.
func (p *proxy) pieces(m wire.Message, parts []piece) {
	for _, part := range parts {
		var kind string
		var content any
		switch part.kind {
		case text:
			kind, content = "stream", map[string]string{"name": "stdout", "text": part.text}
		case value:
			kind = "execute_result"
			content = map[string]any{"execution_count": p.running.count, "metadata": struct{}{},
				"data": map[string]string{"text/plain": part.text}}
		case clearNow, clearLater:
			kind, content = "clear_output", map[string]bool{"wait": part.kind == clearLater}
		}
		p.publish(wire.New(p.running.request, kind, content))
	}
}

// showHeld publishes what was written to stderr.
func (p *proxy) showHeld() {
	x := p.running
	p.flush.Stop()
	if x == nil || len(x.held) == 0 {
		return
	}
	p.publish(x.stderr.With(map[string]string{"name": "stderr",
		"text": p.renumber(string(x.held))}))
	x.held = nil
}

// finish ends the running cell when GoNB has said both of its last words: output first, then the
// error, the reply, and that it is idle.
func (p *proxy) finish() {
	x := p.running
	if x.reply == nil || x.idle == nil {
		return
	}
	p.again.Stop()
	p.pieces(*x.idle, x.out.end())
	content := map[string]any{"status": "ok", "execution_count": x.count,
		"user_expressions": struct{}{}, "payload": []string{}}
	failed := x.failure != nil
	if failed {
		f := p.explain()
		p.showHeld()
		p.publish(wire.New(x.request, "error", f))
		content = map[string]any{"status": "error", "execution_count": x.count, "ename": f.Name,
			"evalue": f.Value, "traceback": f.Traceback, "user_expressions": struct{}{}}
	}
	p.showHeld()
	p.toClient(shell, wire.New(x.request, "execute_reply", content))
	p.publish(*x.idle)
	p.running = nil
	if p.Busy != nil {
		p.Busy(false)
	}
	if x.interrupted || failed && (x.content.StopOnError == nil || *x.content.StopOnError) {
		waiting := p.queue
		p.queue = nil
		for _, m := range waiting {
			p.refuse(m, "aborted", "a cell before this one failed")
		}
	}
	p.next()
}
