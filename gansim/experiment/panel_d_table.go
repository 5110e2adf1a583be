package experiment

import (
	"fmt"
	"slices"
	"strings"

	"gansim.example/gansim/figure"
	"gansim.example/gansim/ranktest"
)

// tableD is panel D's table, which its section of the report and its picture are made from.
type tableD struct {
	rows   []RowD
	layers []string // in the order of the picture
	seed   uint64   // of the bootstrap
	mini   bool     // of miniature networks
}

// newTableD is the table of some rows. Layers stand in the order of the rows, dense ones last.
func newTableD(rows []RowD, seed uint64, mini bool) tableD {
	d := tableD{rows: rows, seed: seed, mini: mini}
	for _, r := range rows {
		if !slices.Contains(d.layers, r.Layer) {
			d.layers = append(d.layers, r.Layer)
		}
	}
	slices.SortStableFunc(d.layers, func(a, b string) int {
		dense := func(layer string) int { return strings.Count(layer[:min(2, len(layer))], "fc") }
		return dense(a) - dense(b)
	})
	return d
}

// ReportD makes panel D of rows alone, as of a merged sweep: figure.png, .svg and .pdf, panel_d.png and
// .svg, report.md and report.json in the folder. The report says where the rows come from: preset,
// world and what else is known of it.
func ReportD(dir string, rows []RowD, r Report) (*Report, error) {
	d := newTableD(rows, r.Seed, r.World == Miniature)
	var err error
	if r.D, err = d.summarise(); err != nil {
		return nil, err
	}
	page := figure.Figure{D: d.draw(r.D), Miniature: d.mini,
		Note: fmt.Sprintf("Sweep %s, seed %d, %d runs.", r.Preset, r.Seed, len(rows))}
	if _, err := page.Save(dir); err != nil {
		return nil, err
	}
	return &r, r.save(dir)
}

// summarise computes the panel's values and tests. What a generator has no rows for is left out.
func (d tableD) summarise() (*Section, error) {
	s := &Section{N: len(d.rows)}
	add := func(name, group string, values []float64, published *float64) error {
		if len(values) == 0 {
			return nil
		}
		v, err := median(name, group, values, d.seed, published)
		s.Values = append(s.Values, v)
		return err
	}
	published := map[string]float64{"DeePSim": paperScoreDeePSim, "BigGAN": paperScoreBigGAN}
	for _, column := range []struct {
		name string
		of   func(RowD) float64
	}{{"maximum score, median", maxScore}, {"last score, median", lastScore}} {
		for _, g := range []string{"DeePSim", "BigGAN"} {
			if err := add(column.name, g, d.scores(g, "", "", column.of), paper(published[g])); err != nil {
				return nil, err
			}
		}
	}
	for _, net := range d.nets() {
		for _, layer := range d.layers {
			for _, g := range []string{"DeePSim", "BigGAN"} {
				group := fmt.Sprintf("%s %s %s", net, layer, g)
				if err := add("maximum score, median", group, d.scores(g, net, layer, maxScore), nil); err != nil {
					return nil, err
				}
			}
		}
	}
	s.Notes = d.notes()
	var err error
	s.Tests, err = d.tests()
	return s, err
}

// tests compare the generators: all runs, those of each network, and the best of each unit. There is
// none where a generator has no rows.
func (d tableD) tests() ([]Test, error) {
	var tests []Test
	effect := paperEffect
	for _, net := range append([]string{""}, d.nets()...) {
		x, y := d.scores("BigGAN", net, "", maxScore), d.scores("DeePSim", net, "", maxScore)
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		t, err := ranktest.RankSum(x, y, ranktest.Options{})
		if err != nil {
			return nil, err
		}
		test := Test{Result: t, Question: questionD(net)}
		if net == "" {
			test.Paper = PaperTest{N: paperRuns, P: "< 1e-5", Effect: &effect}
		}
		tests = append(tests, test)
	}
	if len(tests) == 0 {
		return nil, nil
	}
	best, err := d.bestPaired()
	if err != nil {
		return nil, err
	}
	return append(tests, best), nil
}

func (d tableD) notes() []string {
	notes := []string{
		"As published, DeePSim runs use Adam at rate 0.1 only, most BigGAN runs slower ones: part of " +
			"the difference is the optimiser. The last test compares the best run of each generator per " +
			"unit (paired), which is fairer.",
		"SGD in the Hessian basis equals plain SGD up to rounding, since no eigenvalue scales it.",
	}
	if d.mini {
		notes = append(notes,
			"The basis is that of the pixels' squared error, averaged over codes; the paper's is LPIPS.")
	}
	placed := 0
	for _, r := range d.rows {
		if r.RF {
			placed++
		}
	}
	if placed == 0 {
		notes = append(notes, "Images fill the visual field: this panel places none in receptive fields, "+
			"though gansim maximize can.")
	} else {
		notes = append(notes, fmt.Sprintf("Of %d runs, %d show their images in the unit's receptive field.",
			len(d.rows), placed))
	}
	return append(notes, "Runs of a unit are not independent: P is descriptive.",
		fmt.Sprintf("The composition of the published %d runs is unknown; this is a grid of its own.",
			paperRuns))
}

// nets lists the networks in the order of the rows.
func (d tableD) nets() []string {
	var nets []string
	for _, r := range d.rows {
		if !slices.Contains(nets, r.Net) {
			nets = append(nets, r.Net)
		}
	}
	return nets
}

// bestPaired compares the best maximum of each generator for the same unit, at the same position and
// with the images placed alike.
func (d tableD) bestPaired() (Test, error) {
	best := map[string]map[string]float64{}
	var units []string
	for _, r := range d.rows {
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

// draw makes the picture of the panel, with the tests of its section.
func (d tableD) draw(s *Section) *figure.PanelD {
	p := &figure.PanelD{}
	for _, net := range d.nets() {
		n := figure.Net{Name: d.label(net)}
		for _, t := range s.Tests {
			if t.Question == questionD(net) {
				n.Test = drawn(t)
			}
		}
		for _, layer := range d.layers {
			n.Layers = append(n.Layers, figure.Layer{Name: layer,
				DeePSim: d.scores("DeePSim", net, layer, maxScore),
				BigGAN:  d.scores("BigGAN", net, layer, maxScore)})
		}
		for _, g := range []struct {
			name string
			to   **figure.Estimate
		}{{"DeePSim", &n.DeePSim}, {"BigGAN", &n.BigGAN}} {
			v, err := median("", g.name, d.scores(g.name, net, "", maxScore), d.seed, nil)
			if err == nil && v.N > 1 {
				*g.to = estimate(v)
			}
		}
		p.Nets = append(p.Nets, n)
	}
	return p
}

// questionD is the question of a test over one network's runs, or all.
func questionD(net string) string {
	if net == "" {
		net = "all runs"
	}
	return "BigGAN against DeePSim, " + net
}

// label is a network's name in the picture.
func (d tableD) label(net string) string {
	name := "ResNet-50"
	if d.mini {
		name = "mini ResNet"
	}
	kind, ok := strings.CutPrefix(net, "resnet50")
	switch {
	case !ok:
		return net
	case kind == "":
		return name
	}
	return name + strings.ReplaceAll(kind, "_", " ") + " (robust)"
}

// scores gives a column of the rows that match; an empty net or layer matches all.
func (d tableD) scores(generator, net, layer string, column func(RowD) float64) []float64 {
	var out []float64
	for _, r := range d.rows {
		if r.Generator == generator && (net == "" || r.Net == net) && (layer == "" || r.Layer == layer) {
			out = append(out, column(r))
		}
	}
	return out
}

func maxScore(r RowD) float64  { return r.MaxScore }
func lastScore(r RowD) float64 { return r.Score }
