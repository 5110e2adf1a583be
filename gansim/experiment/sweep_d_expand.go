package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"gansim.example/gansim/actmax"
)

// Limits of a sweep. The published grid has 165,600 runs in batches of up to 10, of 100 steps.
const (
	maxRuns       = 2_000_000
	maxReplicates = 1_000_000
	maxSamples    = 1_000
	maxSteps      = 100_000
)

// nameD are names that are safe in paths and on terminals.
var nameD = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$`)

func checkName(kind, name string) error {
	if !nameD.MatchString(name) {
		return fmt.Errorf("%s %.64q, want letters, digits, spaces and ._-, up to 64, a letter or digit first",
			kind, name)
	}
	return nil
}

// within checks a number.
func within(kind string, v, low, high int) error {
	if v < low || v > high {
		return fmt.Errorf("%s %d, want %d to %d", kind, v, low, high)
	}
	return nil
}

// check checks what stands outside of the parts.
func (c ConfigD) check() error {
	if len(c.Parts) == 0 {
		return errors.New("no parts")
	}
	return first([]error{checkName("name", c.Name), within("rows", c.Rows, 0, maxRuns),
		within("shard", c.Shard, 0, maxRuns)})
}

// expansion makes series of parts.
type expansion struct {
	plan   *PlanD
	atlas  *atlas
	index  map[conditionD]int
	series [][]seriesD // by condition
	runs   int
}

// expand lists the series of each condition.
func (p *PlanD) expand() ([][]seriesD, error) {
	if err := p.Config.check(); err != nil {
		return nil, err
	}
	a, err := newAtlas(p.Config.World)
	if err != nil {
		return nil, err
	}
	x := expansion{plan: p, atlas: a, index: map[conditionD]int{}}
	for i, part := range p.Config.Parts {
		if err := checkName("part", part.Part); err != nil {
			return nil, err
		}
		if err := x.add(int32(i), part); err != nil {
			return nil, fmt.Errorf("part %q: %w", part.Part, err)
		}
	}
	return x.series, nil
}

// check checks a part's numbers, and that no list is empty.
func (p PartD) check(shard int) error {
	for _, list := range []struct {
		field string
		n     int
	}{{"networks", len(p.Networks)}, {"rf or full", len(p.RF) + len(p.Full)},
		{"channels", len(p.Channels)}, {"generators", len(p.Generators)}, {"labels", len(p.Labels)}} {
		if list.n == 0 {
			return fmt.Errorf("no %s", list.field)
		}
	}
	return first([]error{within("steps", p.Steps, 1, maxSteps),
		within("replicates", p.Replicates, 0, maxReplicates),
		within("first_replicate", p.FirstReplicate, 0, maxReplicates),
		within("samples", p.Samples, 0, min(maxSamples, cmp.Or(shard, defaultShard)))})
}

// add appends a part's series.
func (x *expansion) add(number int32, p PartD) error {
	if err := p.check(x.plan.Config.Shard); err != nil {
		return err
	}
	p.Replicates, p.Samples = max(p.Replicates, 1), max(p.Samples, 1)
	var methods []int32
	for _, name := range p.Labels {
		m, err := labelD(name)
		if err != nil {
			return err
		}
		methods = append(methods, int32(slices.Index(x.plan.methods, m)))
	}
	channels, err := actmax.ParseChannels(string(p.Channels))
	switch {
	case err != nil:
		return errors.New(printable(err.Error()))
	case channels.Responding > 0:
		return fmt.Errorf("channels %.64q: first:N is for evolutions", p.Channels)
	}
	all, err := x.conditions(p)
	if err != nil {
		return err
	}
	for _, c := range all {
		some, err := channels.Of(c.layer, x.plan.Config.Seed)
		if err != nil {
			return err
		}
		n := float64(len(some)) * float64(len(methods)) * float64(p.Replicates) * float64(p.Samples)
		if n+float64(x.runs) > maxRuns {
			return fmt.Errorf("%.4g runs of %s, with %d before: more than %d", n, c, x.runs, maxRuns)
		}
		x.runs += int(n)
		at := x.at(c)
		for _, channel := range some {
			for _, m := range methods {
				for k := range p.Replicates {
					x.series[at] = append(x.series[at], seriesD{int32(channel), int32(p.FirstReplicate + k), m,
						int32(p.Samples), number})
				}
			}
		}
	}
	return nil
}

// conditions are those of a part.
func (x *expansion) conditions(p PartD) (all []conditionD, err error) {
	for _, name := range p.Generators {
		if !slices.Contains(generatorsD(), name) {
			return nil, unknown("generator", name, generatorsD())
		}
	}
	for _, name := range p.Networks {
		net, err := x.atlas.net(name)
		if err != nil {
			return nil, err
		}
		for i, layer := range slices.Concat(p.RF, p.Full) {
			l, err := x.atlas.layer(net, layer)
			if err != nil {
				return nil, err
			}
			for _, g := range p.Generators {
				all = append(all, conditionD{net.name, net.family, l, i < len(p.RF), g, p.Steps})
			}
		}
		if len(all)*8 > maxRuns { // lists of names that repeat
			return nil, fmt.Errorf("more than %d conditions", maxRuns/8)
		}
	}
	return all, nil
}

// at is the place of a condition's series.
func (x *expansion) at(c conditionD) int {
	i, ok := x.index[c]
	if !ok {
		i = len(x.series)
		x.index[c] = i
		x.series = append(x.series, nil)
		x.plan.conditions = append(x.plan.conditions, c)
	}
	return i
}
