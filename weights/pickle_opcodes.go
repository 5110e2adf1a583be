package weights

import "slices"

// opcode is one instruction of a pickle. STOP is in [machine.run].
type opcode struct {
	name string // as in Python's Lib/pickletools.py
	run  func(m *machine) error
}

// opcodes are the instructions of protocols 1 to 5 and those of protocol 0 that hold plain values
// (so that a global in a text pickle is named too). INST, OBJ, the EXT codes, text persistent ids
// and out-of-band buffers are refused: PyTorch writes none of them.
var opcodes = [256]opcode{
	0x80: {"PROTO", (*machine).setProtocol},
	0x95: {"FRAME", (*machine).frame},

	'N':  {"NONE", constant(nil)},
	0x88: {"NEWTRUE", constant(true)},
	0x89: {"NEWFALSE", constant(false)},
	'K':  {"BININT1", unsigned(1)},
	'M':  {"BININT2", unsigned(2)},
	'J': {"BININT", func(m *machine) error {
		n, err := m.number(4)
		return m.put(int64(int32(n)), 8, err)
	}},
	0x8a: {"LONG1", long(1)},
	0x8b: {"LONG4", long(4)},
	'G':  {"BINFLOAT", (*machine).float},
	'I':  {"INT", text('I')},
	'L':  {"LONG", text('L')},
	'F':  {"FLOAT", text('F')},
	'S':  {"STRING", text('S')},
	'V':  {"UNICODE", text('V')},

	0x8c: {"SHORT_BINUNICODE", str(1)},
	'X':  {"BINUNICODE", str(4)},
	0x8d: {"BINUNICODE8", str(8)},
	'U':  {"SHORT_BINSTRING", str(1)},
	'T':  {"BINSTRING", str(4)},
	'C':  {"SHORT_BINBYTES", raw(1)},
	'B':  {"BINBYTES", raw(4)},
	0x8e: {"BINBYTES8", raw(8)},
	0x96: {"BYTEARRAY8", raw(8)},

	'(':  {"MARK", (*machine).mark},
	'0':  {"POP", (*machine).drop},
	'1':  {"POP_MARK", func(m *machine) error { _, err := m.popMark(); return err }},
	'2':  {"DUP", func(m *machine) error { v, err := m.top(); return m.put(v, 0, err) }},
	')':  {"EMPTY_TUPLE", func(m *machine) error { return m.put(tuple{}, 24, nil) }},
	0x85: {"TUPLE1", tupleOf(1)},
	0x86: {"TUPLE2", tupleOf(2)},
	0x87: {"TUPLE3", tupleOf(3)},
	't': {"TUPLE", func(m *machine) error {
		items, err := m.popMark()
		return m.put(tuple(slices.Clone(items)), 24+16*len(items), err)
	}},
	']': {"EMPTY_LIST", func(m *machine) error { return m.put(new(list), 32, nil) }},
	'l': {"LIST", func(m *machine) error {
		items, err := m.popMark()
		return m.put(&list{slices.Clone(items)}, 32+16*len(items), err)
	}},
	'a': {"APPEND", func(m *machine) error {
		var v any
		if err := m.pop(&v); err != nil {
			return err
		}
		return m.extend([]any{v})
	}},
	'e': {"APPENDS", (*machine).appendItems},
	'}': {"EMPTY_DICT", func(m *machine) error { return m.put(new(dict), 32, nil) }},
	'd': {"DICT", func(m *machine) error {
		items, err := m.popMark()
		if err == nil {
			items, err = slices.Clone(items), m.put(new(dict), 32, nil)
		}
		if err != nil {
			return err
		}
		return m.setItems(items)
	}},
	's': {"SETITEM", func(m *machine) error {
		var key, value any
		if err := m.pop(&value, &key); err != nil {
			return err
		}
		return m.setItems([]any{key, value})
	}},
	'u': {"SETITEMS", func(m *machine) error {
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.setItems(items)
	}},
	0x8f: {"EMPTY_SET", func(m *machine) error {
		return m.put(&record{class: setClass}, 128, nil)
	}},
	0x90: {"ADDITEMS", (*machine).appendItems},
	0x91: {"FROZENSET", func(m *machine) error {
		items, err := m.popMark()
		return m.put(&record{class: setClass, list: list{slices.Clone(items)}}, 128+16*len(items), err)
	}},

	'g':  {"GET", func(m *machine) error { return m.get(m.lineIndex()) }},
	'h':  {"BINGET", func(m *machine) error { return m.get(m.number(1)) }},
	'j':  {"LONG_BINGET", func(m *machine) error { return m.get(m.number(4)) }},
	'p':  {"PUT", func(m *machine) error { return m.memoize(m.lineIndex()) }},
	'q':  {"BINPUT", func(m *machine) error { return m.memoize(m.number(1)) }},
	'r':  {"LONG_BINPUT", func(m *machine) error { return m.memoize(m.number(4)) }},
	0x94: {"MEMOIZE", func(m *machine) error { return m.memoize(uint64(m.memoized), nil) }},

	'c':  {"GLOBAL", (*machine).global},
	0x93: {"STACK_GLOBAL", (*machine).stackGlobal},
	'R':  {"REDUCE", (*machine).reduce},
	0x81: {"NEWOBJ", (*machine).newObject},
	0x92: {"NEWOBJ_EX", (*machine).newObjectWithKeys},
	'b':  {"BUILD", (*machine).build},
	'Q':  {"BINPERSID", (*machine).persistent},

	'P':  {"PERSID", refuse("persistent id in text form")},
	'i':  {"INST", (*machine).inst},
	'o':  {"OBJ", refuse("instruction OBJ")},
	0x82: {"EXT1", refuse("extension code")},
	0x83: {"EXT2", refuse("extension code")},
	0x84: {"EXT4", refuse("extension code")},
	0x97: {"NEXT_BUFFER", refuse("out-of-band buffer")},
	0x98: {"READONLY_BUFFER", refuse("out-of-band buffer")},
}

// put pushes v, of so many bytes, unless there is an error.
func (m *machine) put(v any, bytes int, err error) error {
	if err != nil {
		return err
	}
	if err := m.spend(bytes); err != nil {
		return err
	}
	return m.push(v)
}

func constant(v any) func(*machine) error {
	return func(m *machine) error { return m.push(v) }
}

func unsigned(bytes int) func(*machine) error {
	return func(m *machine) error {
		n, err := m.number(bytes)
		return m.put(int64(n), 8, err)
	}
}

func long(bytes int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(bytes) // a negative length is a huge one
		if err != nil {
			return err
		}
		v, err := m.integer(b)
		return m.put(v, 0, err)
	}
}

func str(bytes int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(bytes)
		if err != nil {
			return err
		}
		if err := m.spend(16 + len(b)); err != nil {
			return err
		}
		return m.push(string(b))
	}
}

func raw(bytes int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(bytes)
		return m.put(b, 24, err)
	}
}

func text(code byte) func(*machine) error {
	return func(m *machine) error {
		s, err := m.line()
		if err != nil {
			return err
		}
		v, err := textValue(code, s)
		if err != nil {
			return m.errorf("pickle has a line of text that is not read: %.40q", s)
		}
		return m.put(v, 32+len(s), nil)
	}
}

func tupleOf(n int) func(*machine) error {
	return func(m *machine) error {
		from := len(m.stack) - n
		if from < m.floor() {
			return m.errorf("pickle takes from an empty stack")
		}
		t := tuple(slices.Clone(m.stack[from:]))
		m.stack = m.stack[:from]
		return m.put(t, 24+16*n, nil)
	}
}

func refuse(what string) func(*machine) error {
	return func(m *machine) error { return m.errorf("%s in a pickle is not allowed", what) }
}
