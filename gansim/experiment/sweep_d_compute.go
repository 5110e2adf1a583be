package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
)

// Compute computes the rows of shard i. It is safe for concurrent use. On an error, also that of a
// context, there are no rows.
func (s *SweepD) Compute(ctx context.Context, i int) ([]RowD, error) {
	shard := s.shards[i]
	c := s.conditions[shard.condition]
	rows, err := s.compute(ctx, i, shard, c)
	if err != nil {
		return nil, fmt.Errorf("experiment: sweep %q: shard %d of %d, %s: %w", s.Config.Name, i+1, s.Shards(),
			c, err)
	}
	return rows, nil
}

func (s *SweepD) compute(ctx context.Context, i int, shard shardD, c conditionD) ([]RowD, error) {
	place, err := s.placement(ctx, c)
	if err != nil {
		return nil, err
	}
	g, err := s.generator(c.generator)
	if err != nil {
		return nil, err
	}
	var runs []actmax.Run
	for _, x := range shard.series {
		some, err := s.runsOf(g, c, x)
		if err != nil {
			return nil, err
		}
		runs = append(runs, some...)
	}
	for k := range runs {
		runs[k].Placement = place
	}
	m, release, err := s.maximizer(c)
	if err != nil {
		return nil, err
	}
	defer release()
	out, err := m.Maximize(ctx, runs, c.steps)
	if err != nil {
		return nil, err
	}
	rows := s.rows(i, Origin{Weights: s.world.Weights, Precision: "float32"})
	return rows, fillScores(rows, out, shard.series)
}

// runsOf draws the starts of a series.
func (s *SweepD) runsOf(g gansim.Generator, c conditionD, x seriesD) ([]actmax.Run, error) {
	runs := make([]actmax.Run, x.samples)
	method := s.methods[x.method]
	for k := range runs {
		start := s.start(c, x, k)
		z, err := g.Draw(startD(c.generator), stream("start", start), 1)
		if err != nil {
			return nil, err
		}
		runs[k] = actmax.Run{Unit: c.unit(x.channel), Method: method, Start: actmax.Widen(z.Z),
			Redraw: actmax.Redraws(g, startD(c.generator), stream("redraw "+method.Label, start))}
	}
	return runs, nil
}

// stream is the stream of random numbers of one use; it depends on what is given alone.
func stream(use string, content []byte) *rand.Rand {
	sum := sha256.Sum256(append([]byte(use+"\x00"), content...))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

// rows of shard i before anything is computed.
func (p *PlanD) rows(i int, o Origin) []RowD {
	shard := p.shards[i]
	c := p.conditions[shard.condition]
	o.Preset, o.Seed = p.Config.Name, p.Config.Seed
	var rows []RowD
	for _, x := range shard.series {
		u := c.unit(x.channel)
		for k := range x.samples {
			id := p.runID(c, x, int(k))
			o.Run = hex.EncodeToString(id[:])
			rows = append(rows, RowD{Origin: o, Net: c.net, Layer: c.layer.Name, Unit: u.Channel, Y: u.Row,
				X: u.Col, RF: c.rf, Label: p.methods[x.method].Label, Generator: c.generator,
				Replicate: int(x.replicate)})
		}
	}
	return rows
}

// fillScores fills rows in with their outcomes. Runs of a series are ranked by their last scores, 0 is the
// best; of equal ones the first.
func fillScores(rows []RowD, out []actmax.Outcome, series []seriesD) error {
	var last []float64
	for i, o := range out {
		if math.IsNaN(o.Score) || math.IsInf(o.Score, 0) || math.IsInf(o.MaxScore, 0) {
			return fmt.Errorf("channel %d, %s, replicate %d: score %v, maximum %v", rows[i].Unit, rows[i].Label,
				rows[i].Replicate, o.Score, o.MaxScore)
		}
		rows[i].Score, rows[i].MaxScore, rows[i].MaxStep = o.Score, o.MaxScore, o.MaxStep
		last = append(last, o.Score)
	}
	from := 0
	for _, x := range series {
		to := from + int(x.samples)
		for rank, k := range actmax.Best(last[from:to], to-from) {
			rows[from+k].BatchRank = rank
		}
		from = to
	}
	return nil
}
