package experiment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
)

// PlanD is the list of a sweep's runs, in shards. It needs no weights. It is the same for the same
// runs, whatever the order and the parts that the configuration lists them in.
type PlanD struct {
	Config     ConfigD
	methods    []actmax.Method // that series have numbers of
	conditions []conditionD
	shards     []shardD
	ids        []string // of the shards
	hash       string
}

// conditionD is what the runs of a shard share.
type conditionD struct {
	net, family string
	layer       gansim.Layer
	rf          bool
	generator   string
	steps       int
}

// programD is what is compiled once: networks of a family share it.
type programD struct {
	family, layer string
	rf            bool
	generator     string
}

func (c conditionD) program() programD {
	return programD{c.family, c.layer.Name, c.rf, c.generator}
}

func (c conditionD) String() string {
	kind := actmax.Full
	if c.rf {
		kind = actmax.RF
	}
	return fmt.Sprintf("%s %s %s %s, %d steps", c.net, c.layer.Name, kind, c.generator, c.steps)
}

// unit is the one of a channel, at the middle of the map.
func (c conditionD) unit(channel int32) gansim.Unit {
	u := gansim.Unit{Net: c.net, Layer: c.layer.Name, Channel: int(channel), Row: -1, Col: -1}
	if c.layer.Height > 0 {
		u.Row, u.Col = c.layer.Center()
	}
	return u
}

// seriesD are the runs of one condition, unit, optimiser and replicate: a batch of the original
// script, within which runs are ranked.
type seriesD struct {
	channel, replicate int32
	method             int32 // in PlanD.methods
	samples            int32
	part               int32
}

// compare orders the series of a condition.
func (s seriesD) compare(t seriesD) int {
	return cmp.Or(cmp.Compare(s.channel, t.channel), cmp.Compare(s.method, t.method),
		cmp.Compare(s.replicate, t.replicate))
}

type shardD struct {
	condition int
	series    []seriesD
}

func (s shardD) runs() (n int) {
	for _, x := range s.series {
		n += int(x.samples)
	}
	return n
}

// defaultShard is the most runs of a shard where the configuration does not say: a minute of a data
// centre's GPU.
const defaultShard = 400

// NewPlanD lists the runs of a configuration. Names that are not known, empty lists, numbers out of
// range and runs that are listed twice are errors of one line.
func NewPlanD(c ConfigD) (*PlanD, error) {
	p := &PlanD{Config: c, methods: actmax.Labels()}
	series, err := p.expand()
	if err == nil {
		err = p.divide(series)
	}
	if err != nil {
		return nil, fmt.Errorf("experiment: sweep %.64q: %w", c.Name, err)
	}
	p.number()
	return p, nil
}

// Shards is the number of shards.
func (p *PlanD) Shards() int { return len(p.shards) }

// Runs is the number of runs, and rows, of shard i.
func (p *PlanD) Runs(i int) int { return p.shards[i].runs() }

// ID is a hash of the runs of shard i, 32 hexadecimal digits.
func (p *PlanD) ID(i int) string { return p.ids[i] }

// Hash is one of all runs; it does not depend on the size of shards.
func (p *PlanD) Hash() string { return p.hash }

// divide makes shards of the series of each condition. Those of a layer stand together and take turns
// between the generators: each program is compiled once if two are held, and one is compiled while the
// other runs.
func (p *PlanD) divide(series [][]seriesD) error {
	order := make([]int, len(p.conditions))
	for i, s := range series {
		order[i] = i
		slices.SortFunc(s, seriesD.compare)
		for k := 1; k < len(s); k++ {
			if s[k-1].compare(s[k]) == 0 {
				return p.twice(p.conditions[i], s[k-1], s[k])
			}
		}
	}
	text := func(i int) string {
		c := p.conditions[i]
		return fmt.Sprint(c.family, c.layer.Name, c.rf, c.net, c.generator, c.steps)
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(text(a), text(b)) })
	if err := p.choose(series, order); err != nil {
		return err
	}
	limit := cmp.Or(p.Config.Shard, defaultShard)
	for _, i := range order {
		for _, some := range split(series[i], limit) {
			p.shards = append(p.shards, shardD{i, some})
		}
	}
	return nil
}

func (p *PlanD) twice(c conditionD, a, b seriesD) error {
	return fmt.Errorf("%s, channel %d, %s, replicate %d is in part %q and again in %q: give one of them "+
		"another first_replicate", c, a.channel, p.methods[a.method].Label, a.replicate,
		p.Config.Parts[a.part].Part, p.Config.Parts[b.part].Part)
}

// split cuts series into shards of about equal numbers of runs, none above the limit; no series is cut.
func split(series []seriesD, limit int) [][]seriesD {
	total := shardD{series: series}.runs()
	for n := (total + limit - 1) / limit; ; n++ {
		shards := make([][]seriesD, n)
		from, before, most := 0, 0, 0
		for i := range shards {
			start := before
			to := from
			for to < len(series) && before < total*(i+1)/n {
				before += int(series[to].samples)
				to++
			}
			shards[i] = series[from:to]
			from, most = to, max(most, before-start)
		}
		if most <= limit || n >= len(series) {
			return slices.DeleteFunc(shards, func(s []seriesD) bool { return len(s) == 0 })
		}
	}
}

// number hashes the shards.
func (p *PlanD) number() {
	all := sha256.New()
	for _, s := range p.shards {
		h := sha256.New()
		for _, x := range s.series {
			for sample := range x.samples {
				id := p.runID(p.conditions[s.condition], x, int(sample))
				h.Write(id[:])
				all.Write(id[:])
			}
		}
		p.ids = append(p.ids, hex.EncodeToString(h.Sum(nil)[:16]))
	}
	p.hash = hex.EncodeToString(all.Sum(nil)[:16])
}

// runID is a hash of all of the plan that a run's row depends on, and of nothing else.
func (p *PlanD) runID(c conditionD, s seriesD, sample int) (id [8]byte) {
	b := append(p.start(c, s, sample), p.methods[s.method].Label...)
	for _, v := range [...]int{c.steps, int(s.samples)} {
		b = strconv.AppendInt(append(b, 0), int64(v), 10)
	}
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// start spells what the first code of a run depends on: all optimisers of a unit start from the same
// codes, as in the original script.
func (p *PlanD) start(c conditionD, s seriesD, sample int) []byte {
	b := make([]byte, 0, 192)
	for _, part := range [...]string{"panel_d", p.Config.World, c.net, c.layer.Name, c.generator} {
		b = append(append(b, part...), 0)
	}
	b = strconv.AppendUint(b, p.Config.Seed, 10)
	u := c.unit(s.channel)
	for _, v := range [...]int{u.Channel, u.Row, u.Col, int(s.replicate), sample} {
		b = strconv.AppendInt(append(b, 0), int64(v), 10)
	}
	return append(strconv.AppendBool(append(b, 0), c.rf), 0)
}
