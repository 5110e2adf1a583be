package experiment

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// stratumD is what a part of a plan has its share of.
type stratumD struct {
	condition    int
	method, part int32
}

// ranked is a series and its place in the order in which a plan grows.
type ranked struct {
	place     float64
	condition int
	series    seriesD
}

// choose keeps as many runs as the configuration asks for: each part, condition and optimiser has its
// share, up to a series. Which of its series are kept is drawn by the seed, and fewer runs are some of
// more, so that a sweep can grow. The last series may be cut short. Series stay in order.
func (p *PlanD) choose(series [][]seriesD, order []int) error {
	want := p.Config.Rows
	total := 0
	for _, s := range series {
		total += shardD{series: s}.runs()
	}
	if want == 0 || want == total {
		return nil
	}
	if want > total {
		return fmt.Errorf("%d rows wanted of %d runs", want, total)
	}
	var all []ranked
	for _, i := range order {
		all = append(all, p.spread(i, series[i])...)
		series[i] = nil
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.place, b.place) })
	for _, r := range all {
		if want <= 0 {
			break
		}
		r.series.samples = min(r.series.samples, int32(want))
		want -= int(r.series.samples)
		series[r.condition] = append(series[r.condition], r.series)
	}
	for _, s := range series {
		slices.SortFunc(s, seriesD.compare)
	}
	return nil
}

// spread places the series of each stratum of a condition evenly in (0, 1), from a drawn offset and in
// a drawn order.
func (p *PlanD) spread(condition int, series []seriesD) []ranked {
	strata := map[stratumD][]seriesD{}
	var keys []stratumD
	for _, s := range series {
		k := stratumD{condition, s.method, s.part}
		if strata[k] == nil {
			keys = append(keys, k)
		}
		strata[k] = append(strata[k], s)
	}
	var out []ranked
	for _, k := range keys {
		h := fnv.New64a()
		first := strata[k][0]
		fmt.Fprint(h, p.conditions[condition], p.methods[k.method].Label, first.channel, first.replicate)
		rng := rand.New(rand.NewPCG(p.Config.Seed, h.Sum64()))
		offset, some := rng.Float64(), strata[k]
		for i, at := range rng.Perm(len(some)) {
			out = append(out, ranked{(float64(i) + offset) / float64(len(some)), condition, some[at]})
		}
	}
	return out
}
