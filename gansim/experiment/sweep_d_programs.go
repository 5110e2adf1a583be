package experiment

import (
	"sync"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
)

// programs keeps compiled maximizers: those in use, and of the others the ones used last.
type programs struct {
	limit int
	mu    sync.Mutex
	held  map[programD]*program
	clock int
}

// program is compiled once and bound to each network of a family.
type program struct {
	users, used int // and when last, by the clock of programs
	mu          sync.Mutex
	bound       map[string]*actmax.Maximizer // by network
}

// take gives the program of a condition on its network, compiled if it is not held. Release it after use.
func (p *programs) take(c conditionD, net gansim.Scorer, compile func() (*actmax.Maximizer, error)) (
	m *actmax.Maximizer, release func(), err error) {
	x := p.hold(c.program())
	if m, err = x.on(c.net, net, compile); err != nil {
		p.release(x)
		return nil, nil, err
	}
	return m, sync.OnceFunc(func() { p.release(x) }), nil
}

func (p *programs) hold(key programD) *program {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = map[programD]*program{}
	}
	if p.held[key] == nil {
		p.held[key] = &program{bound: map[string]*actmax.Maximizer{}}
	}
	x := p.held[key]
	x.users++
	p.trim()
	return x
}

func (p *programs) release(x *program) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.users--
	p.clock++
	x.used = p.clock
	p.trim()
}

// trim frees the programs used longest ago that nobody uses, down to the limit.
func (p *programs) trim() {
	for len(p.held) > p.limit {
		var oldest *program
		var at programD
		for key, x := range p.held {
			if x.users == 0 && (oldest == nil || x.used < oldest.used) {
				oldest, at = x, key
			}
		}
		if oldest == nil {
			return
		}
		oldest.close()
		delete(p.held, at)
	}
}

func (p *programs) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.held {
		x.close()
	}
	p.held = nil
}

// on binds a program to a network.
func (x *program) on(name string, net gansim.Scorer, compile func() (*actmax.Maximizer, error)) (
	*actmax.Maximizer, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m := x.bound[name]; m != nil {
		return m, nil
	}
	create := compile
	for _, other := range x.bound {
		create = func() (*actmax.Maximizer, error) { return other.On(net) }
		break
	}
	m, err := create()
	if err == nil {
		x.bound[name] = m
	}
	return m, err
}

func (x *program) close() {
	for _, m := range x.bound {
		m.Close()
	}
}
