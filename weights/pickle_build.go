package weights

import (
	"fmt"
	"slices"
)

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.pushClass(module, name)
}

func (m *machine) stackGlobal() error {
	var name, module any
	if err := m.pop(&name, &module); err != nil {
		return err
	}
	n, ok1 := name.(string)
	s, ok2 := module.(string)
	if !ok1 || !ok2 || len(n) > maxName || len(s) > maxName {
		return m.errorf("pickle names a global by %s and %s", kind(module), kind(name))
	}
	return m.pushClass(s, n)
}

// inst reads the global of the protocol-0 instruction INST, to name it in the error.
func (m *machine) inst() error {
	if err := m.global(); err != nil {
		return err
	}
	return m.errorf("instruction INST in a pickle is not allowed")
}

func (m *machine) pushClass(module, name string) error {
	key := module + "\n" + name
	c := m.classes[key]
	if c == nil {
		var reason string
		if c, reason = findClass(module, name); reason != "" {
			m.refused = true
			return &FormatError{Offset: m.base + int64(m.op), Reason: fmt.Sprintf(
				"global %.200q at offset %d of %s is not allowed: %s; nothing was run",
				module+"."+name, m.op, m.name, reason)}
		}
		if err := m.spend(256 + 2*len(key)); err != nil {
			return err
		}
		m.classes[key] = c
	}
	return m.push(c)
}

// reduce is the call of a global: one of the few that are known, or else a record.
func (m *machine) reduce() error {
	var args, callee any
	if err := m.pop(&args, &callee); err != nil {
		return err
	}
	c, ok1 := callee.(*class)
	a, ok2 := args.(tuple)
	if !ok1 || !ok2 {
		return m.errorf("pickle calls %s with %s", kind(callee), kind(args))
	}
	if c.call == nil {
		return m.put(&record{class: c, args: a}, 128, nil)
	}
	v, err := c.call(m, a)
	return m.put(v, 0, err)
}

func (m *machine) newObject() error {
	var args, callee any
	if err := m.pop(&args, &callee); err != nil {
		return err
	}
	return m.object(callee, args)
}

func (m *machine) newObjectWithKeys() error {
	var keys, args, callee any
	if err := m.pop(&keys, &args, &callee); err != nil {
		return err
	}
	if _, ok := keys.(*dict); !ok {
		return m.errorf("pickle builds an object with %s as keywords", kind(keys))
	}
	return m.object(callee, args)
}

func (m *machine) object(callee, args any) error {
	c, ok1 := callee.(*class)
	a, ok2 := args.(tuple)
	if !ok1 || !ok2 || c.call != nil || c.storage {
		return m.errorf("pickle builds an object of %s with %s", kind(callee), kind(args))
	}
	return m.put(&record{class: c, args: a}, 128, nil)
}

// build keeps the state of a record. That of a dictionary (state dicts carry versions of their
// modules in an attribute) is dropped.
func (m *machine) build() error {
	var state any
	if err := m.pop(&state); err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *record:
		v.state = state
	case *dict:
	default:
		return m.errorf("instruction BUILD on %s is not allowed", kind(v))
	}
	return nil
}

// newDict copies the items that Python 2 passes to an OrderedDict: a list of lists of two.
func newDict(m *machine, args tuple) (any, error) {
	d := new(dict)
	if err := m.spend(32); err != nil || len(args) == 0 {
		return d, err
	}
	items, ok := args[0].(*list)
	if !ok || len(args) != 1 {
		return nil, m.errorf("pickle makes a dictionary of %s", kind(args[0]))
	}
	if err := m.spend(32 * len(items.items)); err != nil {
		return nil, err
	}
	d.pairs = make([]pair, 0, len(items.items))
	for _, item := range items.items {
		var both []any
		switch item := item.(type) {
		case *list:
			both = item.items
		case tuple:
			both = item
		}
		if len(both) != 2 {
			return nil, m.errorf("pickle makes a dictionary of %s", kind(item))
		}
		d.pairs = append(d.pairs, pair{both[0], both[1]})
	}
	return d, nil
}

// encode is how protocol 2 writes bytes: as a string of their Latin-1 characters.
func encode(m *machine, args tuple) (any, error) {
	if len(args) == 2 {
		s, ok := args[0].(string)
		if args[1] == "latin1" && ok {
			if err := m.spend(24 + len(s)); err != nil {
				return nil, err
			}
			out := make([]byte, 0, len(s))
			for _, r := range s {
				if r > 255 {
					return nil, m.errorf("pickle has bytes that are not Latin-1")
				}
				out = append(out, byte(r))
			}
			return out, nil
		}
	}
	return nil, m.errorf("pickle calls _codecs.encode in another way than for bytes")
}

// reconstruct is how protocols below 2 make an object: class, base and the base's state.
func reconstruct(m *machine, args tuple) (any, error) {
	if len(args) == 3 {
		if c, ok := args[0].(*class); ok && c.call == nil && !c.storage {
			return &record{class: c, args: slices.Clone(args[1:])}, m.spend(128 + 32)
		}
	}
	return nil, m.errorf("pickle calls _reconstructor in an unknown way")
}

func sizeTuple(m *machine, args tuple) (any, error) {
	if len(args) == 1 {
		if t, ok := args[0].(tuple); ok {
			return t, nil
		}
	}
	return nil, m.errorf("pickle makes a torch.Size in an unknown way")
}
