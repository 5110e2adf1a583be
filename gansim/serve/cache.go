package serve

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"gansim.example/gansim/internal/wire"
)

// resource is what the cache holds: a network or a compiled program.
type resource interface {
	Bytes() int64
	Close()
}

// cache holds networks and programs up to a limit; of those not in use, the least recently used goes
// first. What is in use is never taken away, so the limit can be exceeded for a while.
type cache struct {
	resident func() int64 // size of the process, bytes; 0 if unknown

	mu      sync.Mutex
	limit   int64
	held    int64 // by entries and values
	clock   int64
	entries map[string]*entry
	evicted int
	looked  time.Time // when the process was last found too large
}

// lookEvery bounds how often memory is collected because the process is too large: that takes time.
const lookEvery = 2 * time.Second

// entry is one resource; err and value are set when ready is closed.
type entry struct {
	key   string
	ready chan struct{}
	value resource
	err   error
	bytes int64
	refs  int
	used  int64
}

func newCache(limit int64, resident func() int64) *cache {
	return &cache{limit: limit, resident: resident, entries: map[string]*entry{}}
}

// acquire gives the entry of a key, made by open if there is none; others that ask meanwhile wait
// for it. release it.
func (k *cache) acquire(key string, open func() (resource, error)) (*entry, error) {
	k.mu.Lock()
	k.clock++
	e, ok := k.entries[key]
	if ok {
		e.refs, e.used = e.refs+1, k.clock
		k.mu.Unlock()
		<-e.ready
		if e.err != nil {
			return nil, e.err
		}
		return e, nil
	}
	e = &entry{key: key, ready: make(chan struct{}), refs: 1, used: k.clock}
	k.entries[key] = e
	k.mu.Unlock()
	e.value, e.err = guarded(open)
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(e.ready)
	if e.err != nil {
		delete(k.entries, key)
		return nil, e.err
	}
	e.bytes = e.value.Bytes()
	k.held += e.bytes
	k.trim(func() bool { return k.held > k.limit })
	return e, nil
}

// guarded turns a panic into an error, so that those who wait are told.
func guarded(open func() (resource, error)) (r resource, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the server panicked: %v", v)
		}
	}()
	return open()
}

// release ends a use.
func (k *cache) release(e *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e.refs--
	k.trim(func() bool { return k.held > k.limit })
	if now := time.Now(); now.Sub(k.looked) > lookEvery && k.resident() > k.limit {
		k.looked = now
		debug.FreeOSMemory()
		k.trim(func() bool { return k.resident() > k.limit })
	}
}

// trim evicts while over says so.
func (k *cache) trim(over func() bool) {
	for over() {
		var oldest *entry
		for _, e := range k.entries {
			if e.refs == 0 && (oldest == nil || e.used < oldest.used) {
				oldest = e
			}
		}
		if oldest == nil {
			return
		}
		delete(k.entries, oldest.key)
		k.held -= oldest.bytes
		k.evicted++
		oldest.value.Close()
		oldest.value = nil
		if k.held <= k.limit {
			debug.FreeOSMemory()
		}
	}
}

// reserve makes room for a value that stays; it fails when there is none.
func (k *cache) reserve(bytes int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trim(func() bool { return k.held+bytes > k.limit })
	if bytes > 0 && k.held+bytes > k.limit {
		return fmt.Errorf("%d MB do not fit into the server's limit of %d MB, of which %d are in use",
			bytes>>20, k.limit>>20, k.held>>20)
	}
	k.held += bytes
	return nil
}

// list describes what is held, most recently used first.
func (k *cache) list() ([]wire.Item, wire.Memory) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*entry
	for _, e := range k.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(b.used, a.used) })
	items := []wire.Item{}
	for _, e := range all {
		items = append(items, wire.Item{Name: e.key, Bytes: e.bytes, InUse: e.refs})
	}
	return items, wire.Memory{Limit: k.limit, Held: k.held, Resident: k.resident(), Evicted: k.evicted}
}

// hold gives a program or network for the time of a call.
func hold[T resource](c *call, key string, open func() (T, error)) (T, error) {
	var none T
	e, err := c.server.cache.acquire(key, func() (resource, error) {
		v, err := open()
		if err != nil {
			return nil, err
		}
		return v, nil
	})
	if err != nil {
		return none, err
	}
	c.held = append(c.held, e)
	return e.value.(T), nil
}
