package proxy

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf16"

	"gansim.example/kernels/jupyter/cell"
	"gansim.example/kernels/jupyter/wire"
)

// info is the content of a kernel_info_reply.
func (p *proxy) info() any {
	link := func(text, url string) map[string]string { return map[string]string{"text": text, "url": url} }
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       wire.Version,
		"implementation":         "gansim",
		"implementation_version": p.Version,
		"banner": fmt.Sprintf("gansim %s: %s in notebooks, by GoNB. Statements need no %%%%; "+
			"%%help lists commands.", p.Version, runtime.Version()),
		"debugger": false,
		"language_info": map[string]string{"name": "go", "version": runtime.Version(),
			"mimetype": "text/x-go", "file_extension": ".go", "pygments_lexer": "go",
			"codemirror_mode": "go", "nbconvert_exporter": ""},
		"help_links": []any{link("Go", "https://go.dev/doc/"),
			link("GoNB", "https://github.com/janpfeifer/gonb")},
	}
}

// isComplete is the content of an is_complete_reply.
func isComplete(content json.RawMessage) any {
	var c struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(content, &c)
	status, indent := cell.Check(c.Code)
	if status != cell.Incomplete {
		return map[string]any{"status": status}
	}
	return map[string]any{"status": status, "indent": indent}
}

// withDefaults adds what GoNB needs and clients may leave out.
func withDefaults(content json.RawMessage, defaults map[string]any) map[string]any {
	given := map[string]any{}
	_ = json.Unmarshal(content, &given)
	for key, v := range defaults {
		if given[key] == nil {
			given[key] = v
		}
	}
	if given["cursor_pos"] == nil {
		code, _ := given["code"].(string)
		given["cursor_pos"] = len(utf16.Encode([]rune(code)))
	}
	return given
}

// onlyPrefixed drops completions that do not begin with what was typed, if others do.
func onlyPrefixed(reply, request json.RawMessage) any {
	var typed struct {
		Code string `json:"code"`
	}
	r := struct {
		Status   string          `json:"status"`
		Matches  []string        `json:"matches"`
		Start    int             `json:"cursor_start"`
		End      int             `json:"cursor_end"`
		Metadata json.RawMessage `json:"metadata"`
	}{}
	_ = json.Unmarshal(request, &typed)
	if json.Unmarshal(reply, &r) != nil {
		return reply
	}
	code := utf16.Encode([]rune(typed.Code))
	if r.Start < 0 || r.Start > r.End || r.End > len(code) {
		return r
	}
	prefix := strings.ToLower(string(utf16.Decode(code[r.Start:r.End])))
	kept := []string{}
	for _, m := range r.Matches {
		if strings.HasPrefix(strings.ToLower(m), prefix) {
			kept = append(kept, m)
		}
	}
	if len(kept) > 0 {
		r.Matches = kept
	}
	return r
}
