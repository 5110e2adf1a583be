package experiment

import (
	"context"
	"fmt"
	"slices"

	"gansim.example/gansim/actmax"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/models/resnet"
)

// Panel D. Claim: gradients find codes of DeePSim that drive units of ResNet-50 and of its robust
// twin more than BigGAN's (medians 5.22 ± 0.04 and 1.115 ± 0.005, rank-sum over 97,730 runs
// P < 1e-5, r = -0.533).
//
//	gansim figure --panel d

// RowD is a row of panel D: one maximisation.
type RowD struct {
	Origin
	Net       string  `parquet:"net,dict"`
	Layer     string  `parquet:"layer,dict"`
	Unit      int     `parquet:"unit"`
	Y         int     `parquet:"y"`
	X         int     `parquet:"x"`
	RF        bool    `parquet:"rf"` // the image was placed in the unit's receptive field
	Label     string  `parquet:"label,dict"`
	Generator string  `parquet:"generator,dict"`
	Replicate int     `parquet:"replicate"`
	BatchRank int     `parquet:"batch_rank"`
	Score     float64 `parquet:"score"`
	MaxScore  float64 `parquet:"maxscore"`
	MaxStep   int     `parquet:"maxstep"`
}

// batchD is the largest number of runs computed together.
const batchD = 36

// startsD are the sampling recipes of the runs' first codes.
func startD(generator string) string {
	if generator == "DeePSim" {
		return "std1"
	}
	return "std0.7"
}

// planD lists panel D's runs: of a sweep that has the preset's name, or of a plain grid.
func (e *env) planD() (*PlanD, error) {
	config := e.preset.D.grid(e.preset.Name)
	if e.preset.D.Sweep {
		var err error
		if config, err = FindConfigD(e.preset.Name); err != nil {
			return nil, err
		}
	}
	config.Seed = e.Seed
	if e.Rows > 0 {
		config.Rows = e.Rows
	}
	return NewPlanD(*config)
}

// grid is the configuration of a plain grid: both networks, all layers, one run of each method.
func (d SizeD) grid(name string) *ConfigD {
	c := &ConfigD{Name: name, World: Miniature, Shard: 2 * batchD}
	for _, generator := range []string{bigGAN, deepSim} {
		p := PartD{Part: generator, Networks: []string{resnet.Mini.Name, resnet.Robust(resnet.Mini).Name},
			Full: d.Layers, Channels: Choice(fmt.Sprintf("0-%d", d.Channels-1)),
			Generators: []string{generator}, Steps: d.Steps}
		for _, m := range actmax.Methods(generator) {
			if d.Labels == nil || slices.Contains(d.Labels, m.Label) {
				p.Labels = append(p.Labels, m.Label)
			}
		}
		c.Parts = append(c.Parts, p)
	}
	return c
}

func (e *env) panelD(ctx context.Context) (*Section, *figure.PanelD, error) {
	plan, err := e.planD()
	if err != nil {
		return nil, nil, err
	}
	s := plan.On(e.backend, e.world.ofD(), OptionsD{})
	defer s.Close()
	found := make([][]RowD, plan.Shards())
	done := e.steps("d", plan.Shards())
	err = each(ctx, plan.Shards(), func(ctx context.Context, i int) (err error) {
		found[i], err = part(ctx, e.store, "panel_d", plan.ID(i), func(Origin) ([]RowD, error) {
			return s.Compute(ctx, i)
		})
		e.release()
		if err == nil {
			done()
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	rows := slices.Concat(found...)
	if err := table(e.store, "panel_d", rows); err != nil {
		return nil, nil, err
	}
	t := newTableD(rows, e.Seed, e.world.Name == Miniature)
	section, err := t.summarise()
	if err != nil {
		return nil, nil, err
	}
	return section, t.draw(section), nil
}
