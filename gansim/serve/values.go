package serve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gansim.example/gansim/internal/wire"
)

// values are what clients keep by name, as bytes of their own making. Each notebook has names of its
// own; clients without an owner share theirs. They go when the notebook's kernel does.
type values struct {
	cache *cache
	mu    sync.Mutex
	all   map[string]value // by owner and name
}

type value struct {
	owner int
	name  string
	kind  string // what the client calls its type
	data  []byte
}

func place(owner int, name string) string { return strconv.Itoa(owner) + " " + name }

func (v *values) set(x value) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := place(x.owner, x.name)
	if err := v.cache.reserve(int64(len(x.data)) - int64(len(v.all[key].data))); err != nil {
		return err
	}
	v.all[key] = x
	return nil
}

func (v *values) get(owner int, name string) (value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if x, ok := v.all[place(owner, name)]; ok {
		return x, nil
	}
	var known []string
	for _, x := range v.all {
		if x.owner == owner {
			known = append(known, x.name)
		}
	}
	slices.Sort(known)
	text := "nothing is kept"
	if len(known) > 0 {
		text = "kept are " + strings.Join(known, ", ")
	}
	return value{}, &hinted{fmt.Errorf("no value %q: %s", name, text), "run the cell that keeps it again"}
}

// drop forgets an owner's values.
func (v *values) drop(owner int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, x := range v.all {
		if x.owner == owner {
			delete(v.all, key)
			_ = v.cache.reserve(-int64(len(x.data))) // giving back cannot fail
		}
	}
}

func (v *values) list() []wire.Item {
	v.mu.Lock()
	defer v.mu.Unlock()
	items := []wire.Item{}
	for _, x := range v.all {
		items = append(items, wire.Item{Name: x.name, Bytes: int64(len(x.data))})
	}
	slices.SortFunc(items, func(a, b wire.Item) int { return cmp.Compare(a.Name, b.Name) })
	return items
}

func keep(c *call) (wire.Answer, error) {
	if c.Key == "" || len(c.parts) != 1 {
		return wire.Answer{}, errors.New("serve: a value to keep needs a name and one part")
	}
	return wire.Answer{}, c.server.values.set(value{c.conn.owner, c.Key, c.Method, c.parts[0]})
}

func load(c *call) (wire.Answer, error) {
	v, err := c.server.values.get(c.conn.owner, c.Key)
	if err != nil {
		return wire.Answer{}, err
	}
	c.out = [][]byte{v.data}
	return wire.Answer{Names: []string{v.kind}}, nil
}

func status(c *call) (wire.Answer, error) { return wire.Answer{Status: c.server.status()}, nil }

func retire(c *call) (wire.Answer, error) {
	c.server.retire()
	return wire.Answer{}, nil
}
