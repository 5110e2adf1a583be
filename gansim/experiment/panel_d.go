package experiment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/figure"
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

// methodsD are the preset's methods for a generator.
func (e *env) methodsD(generator string) []actmax.Method {
	all := actmax.Methods(generator)
	if e.preset.D.Labels == nil {
		return all
	}
	return slices.DeleteFunc(all, func(m actmax.Method) bool {
		return !slices.Contains(e.preset.D.Labels, m.Label)
	})
}

func (e *env) panelD(ctx context.Context) (*Section, *figure.PanelD, error) {
	nets := []gansim.Scorer{e.world.ResNet, e.world.Robust}
	generators := []gansim.Generator{e.world.BigGAN, e.world.DeePSim}
	var groups []groupD
	compiled := map[string]func() (*actmax.Maximizer, error){} // the networks share programs
	for _, net := range nets {
		for _, layer := range e.preset.D.Layers {
			for _, g := range generators {
				key := layer + " " + g.Name()
				if compiled[key] == nil {
					batch := min(batchD, e.preset.D.Channels*len(e.methodsD(g.Name())))
					compiled[key] = sync.OnceValues(func() (*actmax.Maximizer, error) {
						return actmax.NewMaximizer(e.backend, g, net, actmax.MaximizerConfig{
							Layer: layer, Basis: actmax.Widen(e.world.Bases[g.Name()]), Batch: batch})
					})
				}
				groups = append(groups, groupD{net, layer, g, compiled[key]})
			}
		}
	}
	found := make([][]RowD, len(groups))
	done := e.steps("d", len(groups))
	err := each(ctx, len(groups), func(ctx context.Context, i int) (err error) {
		g := groups[i]
		key := fmt.Sprintf("%s %s %s", g.net.Name(), g.layer, g.gan.Name())
		found[i], err = part(ctx, e.store, "panel_d", key, func(o Origin) ([]RowD, error) {
			return e.maximise(ctx, o, g)
		})
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
	t := newTableD(rows, e.Seed, true)
	s, err := t.summarise()
	if err != nil {
		return nil, nil, err
	}
	return s, t.draw(s), nil
}

// groupD are the runs that are computed together: all units and methods of one generator on one
// layer.
type groupD struct {
	net     gansim.Scorer
	layer   string
	gan     gansim.Generator
	program func() (*actmax.Maximizer, error)
}

// maximise runs a group. All methods of a unit start from the same code, as in the paper.
func (e *env) maximise(ctx context.Context, o Origin, group groupD) ([]RowD, error) {
	net, layer, g := group.net, group.layer, group.gan
	l, err := actmax.FindLayer(net, layer)
	if err != nil {
		return nil, err
	}
	var runs []actmax.Run
	for channel := range min(e.preset.D.Channels, l.Channels) {
		u := actmax.CenterUnit(net, l, channel)
		start, err := g.Draw(startD(g.Name()), e.rng("panel d start "+g.Name()+u.String(), 0), 1)
		if err != nil {
			return nil, err
		}
		for _, method := range e.methodsD(g.Name()) {
			rng := e.rng("panel d redraw "+g.Name()+u.String()+method.Label, 0)
			runs = append(runs, actmax.Run{Unit: u, Method: method, Start: actmax.Widen(start.Z),
				Redraw: actmax.Redraws(g, startD(g.Name()), rng)})
		}
	}
	m, err := group.program()
	if err != nil {
		return nil, err
	}
	if m, err = m.On(net); err != nil {
		return nil, err
	}
	out, err := m.Maximize(ctx, runs, e.preset.D.Steps)
	if err != nil {
		return nil, err
	}
	var rows []RowD
	for i, r := range runs {
		rows = append(rows, RowD{Origin: o, Net: net.Name(), Layer: layer, Unit: r.Unit.Channel,
			Y: r.Unit.Row, X: r.Unit.Col, Label: r.Method.Label, Generator: g.Name(),
			Score: out[i].Score, MaxScore: out[i].MaxScore, MaxStep: out[i].MaxStep})
	}
	return rows, nil
}
