package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/ranktest"
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
	s, err := e.summariseD(rows)
	if err != nil {
		return nil, nil, err
	}
	return s, e.drawD(rows, s), nil
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

// scoresD gives a column of the rows that match; an empty net or layer matches all.
func scoresD(rows []RowD, generator, net, layer string, column func(RowD) float64) []float64 {
	var out []float64
	for _, r := range rows {
		if r.Generator == generator && (net == "" || r.Net == net) && (layer == "" || r.Layer == layer) {
			out = append(out, column(r))
		}
	}
	return out
}

func maxScore(r RowD) float64  { return r.MaxScore }
func lastScore(r RowD) float64 { return r.Score }

func (e *env) summariseD(rows []RowD) (*Section, error) {
	s := &Section{N: len(rows)}
	published := map[string]float64{"DeePSim": paperScoreDeePSim, "BigGAN": paperScoreBigGAN}
	for _, column := range []struct {
		name string
		of   func(RowD) float64
	}{{"maximum score, median", maxScore}, {"last score, median", lastScore}} {
		for _, g := range []string{"DeePSim", "BigGAN"} {
			v, err := median(column.name, g, scoresD(rows, g, "", "", column.of), e.Seed,
				paper(published[g]))
			if err != nil {
				return nil, err
			}
			s.Values = append(s.Values, v)
		}
	}
	for _, net := range netsOf(rows) {
		for _, layer := range e.preset.D.Layers {
			for _, g := range []string{"DeePSim", "BigGAN"} {
				v, err := median("maximum score, median", fmt.Sprintf("%s %s %s", net, layer, g),
					scoresD(rows, g, net, layer, maxScore), e.Seed, nil)
				if err != nil {
					return nil, err
				}
				s.Values = append(s.Values, v)
			}
		}
	}
	effect := paperEffect
	for _, net := range append([]string{""}, netsOf(rows)...) {
		t, err := ranktest.RankSum(scoresD(rows, "BigGAN", net, "", maxScore),
			scoresD(rows, "DeePSim", net, "", maxScore), ranktest.Options{})
		if err != nil {
			return nil, err
		}
		test := Test{Result: t, Question: "BigGAN against DeePSim, all runs"}
		if net == "" {
			test.Paper = PaperTest{N: paperRuns, P: "< 1e-5", Effect: &effect}
		} else {
			test.Question = "BigGAN against DeePSim, " + net
		}
		s.Tests = append(s.Tests, test)
	}
	best, err := e.bestPaired(rows)
	if err != nil {
		return nil, err
	}
	s.Tests = append(s.Tests, best)
	s.Notes = []string{
		"As published, DeePSim runs use Adam at rate 0.1 only, most BigGAN runs slower ones: part of " +
			"the difference is the optimiser. The last test compares the best run of each generator per " +
			"unit (paired), which is fairer.",
		"SGD in the Hessian basis equals plain SGD up to rounding, since no eigenvalue scales it.",
		"The basis is that of the pixels' squared error, averaged over codes; the paper's is LPIPS.",
		"Images fill the visual field: this panel places none in receptive fields, though gansim maximize " +
			"can. Runs of a unit are not independent: P is descriptive.",
		fmt.Sprintf("The composition of the published %d runs is unknown; this is a grid of its own.",
			paperRuns),
	}
	return s, nil
}

func netsOf(rows []RowD) []string {
	var nets []string
	for _, r := range rows {
		if !slices.Contains(nets, r.Net) {
			nets = append(nets, r.Net)
		}
	}
	return nets
}

// bestPaired compares the best maximum of each generator for the same unit, at the same position and
// with the images placed alike.
func (e *env) bestPaired(rows []RowD) (Test, error) {
	best := map[string]map[string]float64{}
	var units []string
	for _, r := range rows {
		u := fmt.Sprintf("%s/%s/%d/%d/%d %t", r.Net, r.Layer, r.Unit, r.Y, r.X, r.RF)
		if best[u] == nil {
			best[u] = map[string]float64{}
			units = append(units, u)
		}
		if old, ok := best[u][r.Generator]; !ok || r.MaxScore > old { // a best score may be negative
			best[u][r.Generator] = r.MaxScore
		}
	}
	var x, y []float64
	for _, u := range units {
		if len(best[u]) == 2 { // a part of a grid may have one generator of a unit only
			x, y = append(x, best[u]["BigGAN"]), append(y, best[u]["DeePSim"])
		}
	}
	t, err := ranktest.SignedRank(x, y, ranktest.Options{})
	return Test{Result: t, Question: "BigGAN against DeePSim, best run per unit, paired"}, err
}

func (e *env) drawD(rows []RowD, s *Section) *figure.PanelD {
	p := &figure.PanelD{}
	for i, net := range netsOf(rows) {
		n := figure.Net{Name: netLabel(net), Test: drawn(s.Tests[1+i])}
		for _, layer := range e.preset.D.Layers {
			n.Layers = append(n.Layers, figure.Layer{Name: layer,
				DeePSim: scoresD(rows, "DeePSim", net, layer, maxScore),
				BigGAN:  scoresD(rows, "BigGAN", net, layer, maxScore)})
		}
		for _, g := range []struct {
			name string
			to   **figure.Estimate
		}{{"DeePSim", &n.DeePSim}, {"BigGAN", &n.BigGAN}} {
			v, err := median("", g.name, scoresD(rows, g.name, net, "", maxScore), e.Seed, nil)
			if err == nil && v.N > 1 {
				*g.to = estimate(v)
			}
		}
		p.Nets = append(p.Nets, n)
	}
	return p
}

func netLabel(net string) string {
	if strings.HasSuffix(net, "_linf8") {
		return "mini ResNet linf8 (robust)"
	}
	return "mini ResNet"
}
