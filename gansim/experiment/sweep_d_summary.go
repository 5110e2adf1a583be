package experiment

import (
	"math/rand/v2"

	"gansim.example/gansim/sweep"
)

// TotalD is what some runs of a plan take.
type TotalD struct {
	Part     string  `json:"part"` // empty for the whole plan
	Runs     int     `json:"runs"`
	Shards   int     `json:"shards"`       // that hold some of them
	Programs int     `json:"programs"`     // that are compiled for them; networks of one architecture share one
	Bytes    int64   `json:"bytes"`        // of their rows on disk
	Images   int64   `json:"images"`       // generated, scored and differentiated: runs times steps
	Hours    float64 `json:"device_hours"` // on a device of the given rate; 0 without one
}

// SummaryD says what a plan takes, by part.
type SummaryD struct {
	Parts       []TotalD // in the order of the configuration
	All         TotalD
	BytesPerRow float64 // of a shard's file
}

// Summary sums a plan up for a device that generates, scores and differentiates so many images a
// second, all of it counted; zero means that the rate is not known. A run of s steps takes s images.
func (p *PlanD) Summary(imagesPerSecond float64) (SummaryD, error) {
	perRow, err := p.bytesPerRow()
	if err != nil {
		return SummaryD{}, err
	}
	tallies := make([]tallyD, len(p.Config.Parts))
	var all tallyD
	for i, s := range p.shards {
		for _, x := range s.series {
			c := p.conditions[s.condition]
			tallies[x.part].add(i, c, x)
			all.add(i, c, x)
		}
	}
	sum := SummaryD{All: all.total("", perRow, imagesPerSecond), BytesPerRow: perRow}
	for i, t := range tallies {
		sum.Parts = append(sum.Parts, t.total(p.Config.Parts[i].Part, perRow, imagesPerSecond))
	}
	return sum, nil
}

// tallyD counts series of shards in order.
type tallyD struct {
	runs, shards, last int
	images             int64
	programs           map[programD]bool
}

func (t *tallyD) add(shard int, c conditionD, s seriesD) {
	if t.programs == nil {
		t.programs, t.last = map[programD]bool{}, -1
	}
	if shard != t.last {
		t.shards, t.last = t.shards+1, shard
		t.programs[c.program()] = true
	}
	t.runs += int(s.samples)
	t.images += int64(s.samples) * int64(c.steps)
}

func (t tallyD) total(part string, perRow, rate float64) TotalD {
	out := TotalD{Part: part, Runs: t.runs, Shards: t.shards, Programs: len(t.programs), Images: t.images,
		Bytes: int64(perRow * float64(t.runs))}
	if rate > 0 {
		out.Hours = float64(t.images) / rate / 3600
	}
	return out
}

// bytesPerRow measures the file of the largest shard, with scores that are drawn.
func (p *PlanD) bytesPerRow() (float64, error) {
	most := 0
	for i := range p.shards {
		if p.Runs(i) > p.Runs(most) {
			most = i
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rows := p.rows(most, Origin{Weights: "0123456789abcdef", Precision: "float32"})
	for i := range rows {
		rows[i].Score, rows[i].MaxScore = rng.NormFloat64(), rng.NormFloat64()
		rows[i].MaxStep = rng.IntN(p.conditions[p.shards[most].condition].steps)
	}
	data, err := sweep.Encode(rows)
	return float64(len(data)) / float64(len(rows)), err
}
