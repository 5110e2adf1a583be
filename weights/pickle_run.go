package weights

import "strconv"

func (m *machine) setProtocol() error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	if n < 2 || n > lastProtocol {
		return m.errorf("pickle of protocol %d, only 2 to %d are read", n, lastProtocol)
	}
	m.protocol = int(n)
	return nil
}

// frame only checks that the frame is there; its instructions are run as any others.
func (m *machine) frame() error {
	n, err := m.number(8)
	if err != nil {
		return err
	}
	if n > uint64(len(m.b)-m.at) {
		return m.errorf("pickle frame of %d bytes, %d are left (truncated?)", n, len(m.b)-m.at)
	}
	return nil
}

func (m *machine) mark() error {
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// drop is POP, which removes a mark if that is on top.
func (m *machine) drop() error {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return nil
	}
	var v any
	return m.pop(&v)
}

func (m *machine) appendItems() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.extend(items)
}

// extend appends to the list (or what stands for one) on top of the stack.
func (m *machine) extend(items []any) error {
	if err := m.spend(32 * len(items)); err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *list:
		v.items = append(v.items, items...)
	case *record:
		v.items = append(v.items, items...)
	default:
		return m.errorf("pickle appends to %s", kind(v))
	}
	return nil
}

// setItems adds keys and values in turn to the dictionary (or what stands for one) on top.
func (m *machine) setItems(items []any) error {
	if len(items)%2 != 0 {
		return m.errorf("pickle has a key without a value")
	}
	if err := m.spend(32 * len(items)); err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*dict)
	if r, isRecord := v.(*record); isRecord {
		d, ok = &r.dict, true
	}
	if !ok {
		return m.errorf("pickle sets an entry of %s", kind(v))
	}
	for i := 0; i < len(items); i += 2 {
		d.pairs = append(d.pairs, pair{items[i], items[i+1]})
	}
	return nil
}

func (m *machine) lineIndex() (uint64, error) {
	s, err := m.line()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, m.errorf("pickle has memo index %.40q", s)
	}
	return n, nil
}

func (m *machine) get(i uint64, err error) error {
	if err != nil {
		return err
	}
	if i < uint64(m.memoized) {
		if v := m.memo[i/memoChunk][i%memoChunk]; v != (unset{}) {
			return m.push(v)
		}
	}
	return m.errorf("pickle uses memo %d, which is not set", i)
}

// memoize remembers the top of the stack. Writers number from 0 (or 1) up, so an index beyond the
// pickle's length is a lie.
func (m *machine) memoize(i uint64, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	if i >= uint64(min(maxMemo, len(m.b))) {
		return m.errorf("pickle sets memo %d, more than a pickle of %d bytes can need", i, len(m.b))
	}
	for ; m.memoized <= int(i); m.memoized++ {
		if m.memoized%memoChunk == 0 {
			if err := m.spend(24 * memoChunk); err != nil {
				return err
			}
			m.memo = append(m.memo, new([memoChunk]any))
		}
		m.memo[m.memoized/memoChunk][m.memoized%memoChunk] = unset{}
	}
	m.memo[i/memoChunk][i%memoChunk] = v
	return nil
}

// kind names a value in an error.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, bigInt:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case []byte:
		return "bytes"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dictionary"
	case *class:
		return "global " + v.String()
	case *record:
		return "an object of " + v.class.String()
	case *storage:
		return "a storage"
	case *view:
		return "a tensor"
	}
	return "an unknown value"
}

// whole is v as an integer from 0 up.
func whole(v any) (int64, bool) {
	n, ok := v.(int64)
	return n, ok && n >= 0
}
