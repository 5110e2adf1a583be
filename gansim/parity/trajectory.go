package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/oracle"
)

// A long evolution is compared tightly up to surelyEqual steps. Later ones are reported: roundings
// flip a rectifier somewhere and Adam, which follows signs, amplifies it, so only a wrong turn fails.
const (
	surelyEqual     = 10
	wrongTurn       = .1
	trajectoryBatch = 1
)

// trajectoryOf follows a long evolution by the maximizer itself, in float64: placement, basis and unit
// are its run-time inputs.
func trajectoryOf(r *run) error {
	c, err := oracle.OpenCase(r.dir, r.name)
	if err != nil {
		return err
	}
	var t trajectory
	if err := json.Unmarshal(c.Extra, &t); err != nil {
		return err
	}
	method, err := actmax.FindMethod(t.Optimizer.Label)
	if err != nil {
		return err
	}
	if method.Rate != t.Optimizer.LR || t.Basis == nil || t.Placement == nil || len(c.Units) != 1 {
		return fmt.Errorf("no code for rate %g of %s, or no basis, placement or one unit",
			t.Optimizer.LR, method.Label)
	}
	nets, _, err := r.networks(c, dtypes.Float64)
	if err != nil {
		return err
	}
	layer := slices.Collect(maps.Keys(c.Units))[0]
	at := c.Units[layer]
	basis := oracle.Reflections(c.Salt, t.Basis.Gauss4, t.Basis.Reflections, t.Basis.D)
	config := actmax.MaximizerConfig{Layer: layer, Basis: basis, Batch: trajectoryBatch,
		Input: t.Placement.Canvas}
	m, err := actmax.NewMaximizer(r.backend, nets[0].(gansim.Generator), nets[1].(gansim.Scorer), config)
	if err != nil {
		return err
	}
	defer m.Close()
	z, err := c.Input("latent")
	if err != nil {
		return err
	}
	p := t.Placement
	a, err := m.Begin([]actmax.Run{{Method: method, Start: z.Data,
		Unit: gansim.Unit{Layer: layer, Channel: at[0], Row: at[1], Col: at[2]},
		Placement: actmax.Placement{Kind: actmax.RF, Input: p.Canvas, Box: actmax.Box{
			X: [2]int{p.Col0, p.Col0 + p.Width}, Y: [2]int{p.Row0, p.Row0 + p.Height}}}}}, trajectoryBatch)
	if err != nil {
		return err
	}
	defer a.End()
	return r.followLong(c, a, t.Steps)
}

// followLong compares scores step by step, and the codes after the steps that the case has.
func (r *run) followLong(c *oracle.Case, a *actmax.Ascent, steps int) error {
	want, err := c.Expected("scores")
	if err != nil {
		return err
	}
	var scores []float64
	for k := range steps + 1 { // the code after step k is the one that step k+1 scores
		if err := r.ctx.Err(); err != nil {
			return err
		}
		s, err := a.Step()
		if err != nil {
			return err
		}
		z, err := a.Codes()
		if err != nil {
			return err
		}
		if code, err := c.Expected(fmt.Sprintf("code[%d]", k)); err == nil {
			d, err := code.Difference(z)
			if err != nil {
				return err
			}
			r.long(fmt.Sprintf("code[%d]", k), d, k)
		}
		scores = append(scores, s...)
	}
	first := min(surelyEqual, steps)
	early := oracle.Compare(scores[:first], want.Values[:first])
	r.long(fmt.Sprintf("scores to step %d", first), early, first)
	r.long("scores", oracle.Compare(scores[:steps], want.Values), steps)
	return nil
}

func (r *run) long(stage string, d oracle.Difference, step int) {
	l := Line{Stage: stage, MaxAbs: d.MaxAbs, RelL2: d.RelL2, Tolerance: float64Bound, Measure: "rel_l2"}
	if step > surelyEqual {
		l.Tolerance = wrongTurn
	}
	l.OK = d.RelL2 <= l.Tolerance
	r.line(l)
}
