package experiment

import (
	"context"
	"math/rand/v2"
	"testing"

	"gansim.example/gansim/sweep"
)

// drawnD is the published number of runs with scores that are drawn.
type drawnD struct{ *PlanD }

func (d drawnD) Key() sweep.Key {
	return sweep.Key{Table: "panel_d", Plan: d.Hash(), Seed: 1, Preset: "paper", World: Published}
}

func (d drawnD) Compute(_ context.Context, i int) ([]RowD, error) {
	rng := rand.New(rand.NewPCG(1, uint64(i)))
	rows := d.rows(i, Origin{})
	for k := range rows {
		rows[k].Score, rows[k].MaxScore = rng.ExpFloat64(), rng.ExpFloat64()
	}
	return rows, nil
}

// BenchmarkSweepD plans, reads and merges the published number of runs.
func BenchmarkSweepD(b *testing.B) {
	c, err := FindConfigD("paper")
	if err != nil {
		b.Fatal(err)
	}
	c.Rows, c.Seed = paperRuns, 1
	var p *PlanD
	b.Run("plan", func(b *testing.B) {
		for b.Loop() {
			if p, err = NewPlanD(*c); err != nil {
				b.Fatal(err)
			}
		}
	})
	dir := b.TempDir()
	if err := sweep.Run(b.Context(), dir, drawnD{p}, sweep.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Run("status", func(b *testing.B) {
		for b.Loop() {
			if s, err := sweep.ReadStatus(dir); err != nil || !s.Finished {
				b.Fatal(s, err)
			}
		}
	})
	var rows []RowD
	b.Run("merge", func(b *testing.B) {
		for b.Loop() {
			if rows, _, _, err = sweep.Merge[RowD](dir, false); err != nil {
				b.Fatal(err)
			}
			if err := WriteRows(dir, "panel_d", rows); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("report", func(b *testing.B) {
		for b.Loop() {
			if _, err := ReportD(dir, rows, Report{Preset: "paper", World: Published, Seed: 1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPlanD lists the runs of the published grid; the goal is two seconds.
func BenchmarkPlanD(b *testing.B) {
	config, err := FindConfigD("paper")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := NewPlanD(*config); err != nil {
			b.Fatal(err)
		}
	}
}
