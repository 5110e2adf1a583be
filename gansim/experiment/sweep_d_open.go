package experiment

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/mini"
)

// WorldD opens what a plan names; each is asked for once. Networks must be safe for concurrent use.
type WorldD struct {
	Scorer    func(name string) (gansim.Scorer, error)
	Generator func(name string) (gansim.Generator, error) // BigGAN or DeePSim
	// Basis gives the eigenvectors of a generator's metric as columns, [CodeSize, CodeSize]
	// row-major. It is asked for only if an optimiser of the plan works in the basis.
	Basis   func(generator string) ([]float64, error)
	Weights string // hash of all weights, for the rows
}

// MiniatureD opens the miniature world.
func MiniatureD() (WorldD, error) {
	w, err := mini.Open()
	if err != nil {
		return WorldD{}, err
	}
	basis := func(name string) ([]float64, error) { return actmax.Widen(w.Bases[name]), nil }
	return WorldD{w.Scorer, w.Generator, basis, combined(w.Hashes)}, nil
}

// OptionsD of a sweep. Rows are equal to the byte for equal batches only.
type OptionsD struct {
	Batch    int // the most runs computed together; zero means 36
	Programs int // the most compiled programs kept, but for those in use; zero means 4
}

// SweepD computes a plan's shards. It is safe for concurrent use.
type SweepD struct {
	*PlanD
	OptionsD
	backend    compute.Backend
	world      WorldD
	scorers    memo[string, gansim.Scorer]
	generators memo[string, gansim.Generator]
	bases      memo[string, []float64]
	boxes      memo[conditionD, actmax.Box]
	programs   programs
	needs      map[programD]needD
}

// needD is what a program is compiled for.
type needD struct {
	batch int
	basis bool
}

// On readies a plan for a backend and the world that it names. Nothing is opened or compiled yet.
// Close the sweep.
func (p *PlanD) On(backend compute.Backend, w WorldD, o OptionsD) *SweepD {
	if o.Batch == 0 {
		o.Batch = batchD
	}
	if o.Programs == 0 {
		o.Programs = 4
	}
	s := &SweepD{PlanD: p, OptionsD: o, backend: backend, world: w, needs: map[programD]needD{}}
	s.programs.limit = o.Programs
	for i, shard := range p.shards {
		key := p.conditions[shard.condition].program()
		need := s.needs[key]
		need.batch = max(need.batch, min(o.Batch, p.Runs(i)))
		for _, x := range shard.series {
			need.basis = need.basis || p.methods[x.method].Hessian
		}
		s.needs[key] = need
	}
	return s
}

// Close frees the device's memory. No shard is to be computed meanwhile or afterwards.
func (s *SweepD) Close() { s.programs.close() }

func (s *SweepD) generator(name string) (gansim.Generator, error) {
	return s.generators.get(name, func() (gansim.Generator, error) { return s.world.Generator(name) })
}

// scorer opens a network and makes sure that it is the plan's.
func (s *SweepD) scorer(c conditionD) (gansim.Scorer, error) {
	net, err := s.scorers.get(c.net, func() (gansim.Scorer, error) { return s.world.Scorer(c.net) })
	if err != nil {
		return nil, err
	}
	l, err := actmax.FindLayer(net, c.layer.Name)
	if err == nil && l != c.layer {
		err = fmt.Errorf("%s has a layer %+v, the plan's %s network has %+v", net.Name(), l, s.Config.World,
			c.layer)
	}
	return net, err
}

// placement is where a condition's images lie.
func (s *SweepD) placement(ctx context.Context, c conditionD) (actmax.Placement, error) {
	if !c.rf {
		return actmax.Placement{}, nil
	}
	net, err := s.scorer(c)
	if err != nil {
		return actmax.Placement{}, err
	}
	inner, ok := net.(actmax.Inner)
	if !ok {
		return actmax.Placement{}, fmt.Errorf("the receptive field of %s is not known", c.net)
	}
	field := conditionD{net: c.net, layer: c.layer} // one for all generators
	box, err := s.boxes.get(field, func() (actmax.Box, error) {
		seed := stream("field", s.start(field, seriesD{}, 0)).Uint64()
		return actmax.UnitBox(ctx, s.backend, inner, c.unit(0), actmax.FieldConfig{Seed: seed})
	})
	return actmax.Placement{Kind: actmax.RF, Box: box, Input: inner.InputSize()}, err
}

// maximizer is the program of a condition on its network; release it after use.
func (s *SweepD) maximizer(c conditionD) (m *actmax.Maximizer, release func(), err error) {
	net, err := s.scorer(c)
	if err != nil {
		return nil, nil, err
	}
	g, err := s.generator(c.generator)
	if err != nil {
		return nil, nil, err
	}
	return s.programs.take(c, net, func() (*actmax.Maximizer, error) {
		key := c.program()
		config := actmax.MaximizerConfig{Layer: c.layer.Name, Batch: s.needs[key].batch}
		if s.needs[key].basis {
			config.Basis, err = s.bases.get(c.generator, func() ([]float64, error) {
				return s.world.Basis(c.generator)
			})
			if err != nil {
				return nil, err
			}
		}
		if c.rf {
			config.Input = net.(actmax.Inner).InputSize()
		}
		return actmax.NewMaximizer(s.backend, g, net, config)
	})
}

// memo keeps what is made once; what was not made for an error is made again.
type memo[K comparable, V any] struct {
	mu  sync.Mutex
	all map[K]*memory[V]
}

type memory[V any] struct {
	mu    sync.Mutex
	made  bool
	value V
}

func (m *memo[K, V]) get(key K, create func() (V, error)) (V, error) {
	m.mu.Lock()
	if m.all == nil {
		m.all = map[K]*memory[V]{}
	}
	if m.all[key] == nil {
		m.all[key] = &memory[V]{}
	}
	e := m.all[key]
	m.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.made {
		return e.value, nil
	}
	v, err := create()
	if err == nil {
		e.value, e.made = v, true
	}
	return v, err
}
