package weights

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of the search for tensors: a pickle's values may contain one another any number of times.
const (
	maxContainers = 4       // dictionaries around the state dict
	maxNesting    = 64      // modules within modules
	maxFullName   = 4096    // bytes of a tensor's name
	maxWork       = 1 << 22 // entries looked at and bytes of names; large models have 10^5
)

// state is what was found.
type state struct {
	tensors  []namedView
	metadata map[string]string
	work     int
}

type namedView struct {
	name string
	view *view
}

// findState looks for the dictionary or the module that holds a model's tensors.
func findState(root any, containers []string) (*state, error) {
	s := &state{}
	v, path := root, []string{}
	for len(path) < maxContainers {
		next, name := inside(v, containers)
		if name == "" {
			break
		}
		v, path = next, append(path, name)
	}
	if err := s.collect(v); err != nil {
		return nil, err
	}
	if len(s.tensors) == 0 {
		return nil, &FormatError{Reason: "no tensors found in " + describe(v) +
			strings.TrimSuffix(" under "+strings.Join(path, "."), " under ")}
	}
	if len(path) > 0 {
		s.note("container", strings.Join(path, "."))
	}
	return s, nil
}

// inside returns the value of the first container there is in a dictionary.
func inside(v any, containers []string) (any, string) {
	d, ok := v.(*dict)
	if !ok {
		return nil, ""
	}
	for _, name := range containers {
		next, _ := d.get(name)
		switch next := next.(type) {
		case *dict:
			if name != "" && len(next.pairs) > 0 {
				return next, name
			}
		case *record:
			if name != "" && isModule(next) {
				return next, name
			}
		}
	}
	return nil, ""
}

func (s *state) note(key, value string) {
	if s.metadata == nil {
		s.metadata = map[string]string{}
	}
	s.metadata[key] = value
}

// collect takes the tensors of a state dict or a module, or one that stands alone.
func (s *state) collect(v any) error {
	switch v := v.(type) {
	case *view:
		return s.add("", v)
	case *dict:
		for _, p := range v.pairs {
			t, ok := p.value.(*view)
			if !ok {
				continue
			}
			name, ok := p.key.(string)
			if !ok {
				return &FormatError{Offset: t.at, Reason: "tensor under a key that is " + kind(p.key)}
			}
			if err := s.add(name, t); err != nil {
				return err
			}
		}
	case *record:
		if !isModule(v) {
			return nil
		}
		s.note("class", v.class.module+"."+v.class.name)
		if names := classNames(v); names != "" {
			s.note("names", names)
		}
		return s.module(v, "", 0)
	}
	return nil
}

func (s *state) add(name string, v *view) error {
	reason := ""
	switch {
	case !utf8.ValidString(name):
		reason = "name is not UTF-8"
	case len(name) > maxFullName:
		reason = fmt.Sprintf("name of more than %d bytes", maxFullName)
	}
	if s.work += 1 + len(name); s.work > maxWork {
		reason = "too many tensors and modules"
	}
	if reason != "" {
		return &FormatError{Offset: v.at, Tensor: name[:min(len(name), 200)], Reason: reason}
	}
	s.tensors = append(s.tensors, namedView{name, v})
	return nil
}

// attribute is a dictionary in the state of an object, nil if there is none.
func attribute(r *record, name string) *dict {
	fields, ok := r.state.(*dict)
	if !ok {
		return nil
	}
	v, _ := fields.get(name)
	d, _ := v.(*dict)
	return d
}

// isModule is true for what looks like a torch.nn.Module.
func isModule(r *record) bool {
	return attribute(r, "_parameters") != nil && attribute(r, "_modules") != nil
}

// module collects as Module.state_dict in PyTorch's torch/nn/modules/module.py does: parameters,
// buffers that are not marked as passing, then the modules inside.
func (s *state) module(r *record, prefix string, depth int) error {
	fields, _ := r.state.(*dict)
	s.work += 1 + len(prefix) + fields.len()
	for _, part := range [3]string{"_parameters", "_buffers", "_modules"} {
		s.work += attribute(r, part).len()
	}
	if s.work > maxWork || depth > maxNesting || len(prefix) > maxFullName {
		return &FormatError{Tensor: prefix[:min(len(prefix), 200)],
			Reason: fmt.Sprintf("modules nest more than %d deep, or too many", maxNesting)}
	}
	passing := passingBuffers(r)
	for _, part := range [2]string{"_parameters", "_buffers"} {
		for name, v := range attribute(r, part).named {
			t, ok := v.(*view)
			if !ok || part == "_buffers" && passing[name] {
				continue
			}
			if err := s.add(prefix+name, t); err != nil {
				return err
			}
		}
	}
	for name, v := range attribute(r, "_modules").named {
		if child, ok := v.(*record); ok {
			if err := s.module(child, prefix+name+".", depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *dict) len() int {
	if d == nil {
		return 0
	}
	return len(d.pairs)
}

// named goes through the entries whose keys are strings; a nil dictionary has none.
func (d *dict) named(yield func(string, any) bool) {
	if d == nil {
		return
	}
	for _, p := range d.pairs {
		if name, ok := p.key.(string); ok && !yield(name, p.value) {
			return
		}
	}
}

// passingBuffers are the names in _non_persistent_buffers_set.
func passingBuffers(r *record) map[string]bool {
	out := map[string]bool{}
	fields, ok := r.state.(*dict)
	if !ok {
		return out
	}
	v, _ := fields.get("_non_persistent_buffers_set")
	set, ok := v.(*record)
	if !ok {
		return out
	}
	items := set.items // protocol 4; protocol 2 calls set with a list
	if len(set.args) == 1 {
		if l, ok := set.args[0].(*list); ok {
			items = l.items
		}
	}
	for _, item := range items {
		if name, ok := item.(string); ok {
			out[name] = true
		}
	}
	return out
}

// classNames are the names of a detector's classes by number, as a JSON object: its attribute
// names, a dictionary or a list. It is empty if there is none of that kind.
func classNames(r *record) string {
	fields, ok := r.state.(*dict)
	if !ok {
		return ""
	}
	names := map[string]string{}
	v, _ := fields.get("names")
	switch v := v.(type) {
	case *dict:
		for _, p := range v.pairs {
			n, ok1 := p.key.(int64)
			name, ok2 := p.value.(string)
			if ok1 && ok2 {
				names[strconv.FormatInt(n, 10)] = name
			}
		}
	case *list:
		for i, item := range v.items {
			if name, ok := item.(string); ok {
				names[strconv.Itoa(i)] = name
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	b, _ := json.Marshal(names) // a map of strings always has a JSON form
	return string(b)
}

// describe says what a value without tensors is, with the first keys of a dictionary.
func describe(v any) string {
	d, ok := v.(*dict)
	if !ok || len(d.pairs) == 0 {
		return kind(v)
	}
	var keys []string
	for name := range d.named {
		if len(keys) == 8 {
			keys = append(keys, "...")
			break
		}
		keys = append(keys, fmt.Sprintf("%.40q", name))
	}
	return kind(v) + " with keys " + strings.Join(keys, ", ")
}
