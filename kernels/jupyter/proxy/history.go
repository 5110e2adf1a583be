package proxy

import (
	"encoding/json"
	"path"
	"slices"
)

// history is what was run in this session, which has number 0, the protocol's "current one".
type history []input

// input is a cell as it was run.
type input struct {
	count int
	code  string
}

// MarshalJSON writes an input as the protocol has it: session, line, code.
func (i input) MarshalJSON() ([]byte, error) { return json.Marshal([]any{0, i.count, i.code}) }

// withOutput is an input with its output, which is not kept.
type withOutput struct{ input }

// MarshalJSON writes session, line, and the code with no output.
func (i withOutput) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{0, i.count, []any{i.code, nil}})
}

func (h *history) add(count int, code string) { *h = append(*h, input{count, code}) }

// search answers a history_request.
func (h history) search(content json.RawMessage) any {
	var q struct {
		Output  bool   `json:"output"`
		Type    string `json:"hist_access_type"`
		Start   int    `json:"start"`
		Stop    *int   `json:"stop"`
		N       *int   `json:"n"`
		Pattern string `json:"pattern"`
		Unique  bool   `json:"unique"`
	}
	_ = json.Unmarshal(content, &q)
	found := []input{}
	for _, i := range h {
		switch q.Type {
		case "range":
			if i.count < q.Start || q.Stop != nil && i.count >= *q.Stop {
				continue
			}
		case "search":
			if match, err := path.Match(slashless(q.Pattern), slashless(i.code)); err != nil || !match {
				continue
			}
		}
		if q.Unique {
			found = slices.DeleteFunc(found, func(o input) bool { return o.code == i.code })
		}
		found = append(found, i)
	}
	if q.N != nil && q.Type != "range" && *q.N >= 0 && len(found) > *q.N {
		found = found[len(found)-*q.N:]
	}
	answer := map[string]any{"status": "ok", "history": found}
	if q.Output {
		rows := []withOutput{}
		for _, i := range found {
			rows = append(rows, withOutput{i})
		}
		answer["history"] = rows
	}
	return answer
}

// slashless hides slashes, which the stars of path.Match do not pass.
func slashless(s string) string {
	b := []rune(s)
	for i := slices.Index(b, '/'); i >= 0; i = slices.Index(b, '/') {
		b[i] = '\u2215'
	}
	return string(b)
}
