package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gansim.example/gansim"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/ranktest"
)

// Panel C. Claim: DeePSim reproduces photographs better than BigGAN (Pearson r, medians 0.89 ± 0.01
// and 0.60 ± 0.02, signed-rank N = 101, P < 1e-5).
//
//	gansim figure --panel c [--photos DIR]

// RowC is a row of panel C: one photograph inverted through one generator.
type RowC struct {
	Origin
	Image     string   `parquet:"image"`
	SHA256    string   `parquet:"sha256"` // of the file, empty for a render
	Generator string   `parquet:"generator,dict"`
	R         *float64 `parquet:"r"` // empty for a constant picture
	MSE       float64  `parquet:"mse"`
	LossFirst float64  `parquet:"loss_first"`
	LossLast  float64  `parquet:"loss_last"`
	Rate      float64  `parquet:"lr"`
	Steps     int      `parquet:"steps"`
}

// ErrNoPhotos says that panel C has no originals.
var ErrNoPhotos = errors.New("experiment: panel c of the published networks inverts photographs, and none " +
	"are given")

const (
	batchC   = 36 // most pictures computed together
	samplesC = 12 // pictures kept
)

// inversion is how a generator's codes are searched.
type inversion struct {
	name      string
	generator gansim.Generator
	recipe    string
	rate      float64
}

// inversions are the searches of panel C; the paper states neither learning rates nor starts. The rates
// of the miniature world come from a pilot (.01, .03, .1 on pictures outside the panel). For the
// published networks nobody has run one here: gansim invert does.
func (e *env) inversions() []inversion {
	start := "std0.5"
	if e.world.Name == Published {
		start = "std1"
	}
	rates := [2]float64{.1, .1}
	for i, given := range e.Rates {
		if given > 0 {
			rates[i] = given
		}
	}
	return []inversion{
		{deepSim, e.world.DeePSim, start, rates[0]},
		{bigGAN, e.world.BigGAN, "std0.7", rates[1]},
	}
}

// originals are the photographs, or held-out renders of the EcoSet-like set.
func (e *env) originals(ctx context.Context) (images gansim.Images, names, hashes []string, err error) {
	if e.photos != nil {
		return e.photos.Images, e.photos.Names, e.photos.SHA256, nil
	}
	r, err := world.Batch(ctx, world.Request{Set: world.EcoSet, Seed: e.Seed + world.HeldOut + 1,
		N: e.preset.C.Photos})
	if err != nil {
		return images, nil, nil, err
	}
	for i := range r.N {
		names, hashes = append(names, fmt.Sprintf("ecoset-like %03d", i)), append(hashes, "")
	}
	return r.Images(), names, hashes, nil
}

func (e *env) panelC(ctx context.Context) (*Section, *figure.PanelC, error) {
	images, names, hashes, err := e.originals(ctx)
	if err != nil {
		return nil, nil, err
	}
	some, err := pictures(images, samplesC)
	if err != nil {
		return nil, nil, err
	}
	if err := e.store.savePictures("panel_c originals", some); err != nil {
		return nil, nil, err
	}
	batches := (images.N + batchC - 1) / batchC
	size := (images.N + batches - 1) / batches
	inversions := e.inversions()
	count := &counter{total: len(inversions) * batches * e.preset.C.Steps, tell: e.tell("c")}
	var inverters []*invert.Inverter
	for _, v := range inversions {
		x, err := invert.New(e.backend, v.generator, invert.Config{Steps: e.preset.C.Steps,
			Rate: v.rate, Batch: size, Progress: count.next})
		if err != nil {
			return nil, nil, err
		}
		defer x.Close()
		inverters = append(inverters, x)
	}
	found := make([][]RowC, len(inversions)*batches)
	err = each(ctx, len(found), func(ctx context.Context, i int) (err error) {
		k, b := i%len(inversions), i/len(inversions)
		from, to := b*size, min((b+1)*size, images.N)
		key := fmt.Sprintf("%s %d-%d %g", inversions[k].name, from, to, inversions[k].rate)
		found[k*batches+b], err = part(ctx, e.store, "panel_c", key, func(o Origin) ([]RowC, error) {
			r := rowsC{o, inversions[k], names[from:to], hashes[from:to], from}
			return e.invert(ctx, inverters[k], r, images.Slice(from, to))
		})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	rows := slices.Concat(found...)
	if err := table(e.store, "panel_c", rows); err != nil {
		return nil, nil, err
	}
	return e.reportC(rows)
}

// counter turns what is done of all parts into the panel's progress.
type counter struct {
	mu          sync.Mutex
	done, total int
	tell        func(done, total int)
}

func (c *counter) next(int, int) { c.add(1) }

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	if c.tell != nil {
		c.tell(c.done, c.total)
	}
}

// rowsC is what the rows of one batch share.
type rowsC struct {
	Origin
	inversion
	names, hashes []string
	from          int
}

func (e *env) invert(ctx context.Context, x *invert.Inverter, b rowsC, images gansim.Images) (
	[]RowC, error) {
	g := b.generator
	start := gansim.Codes{N: images.N, Dim: g.CodeSize()}
	for i := range images.N { // one stream a picture, so that batches do not matter
		c, err := g.Draw(b.recipe, e.rng("panel c "+b.name, b.from+i), 1)
		if err != nil {
			return nil, err
		}
		start.Z = append(start.Z, c.Z...)
	}
	r, err := x.Invert(ctx, images, start)
	if err != nil {
		return nil, err
	}
	if err := e.keepC(b.name, b.from, r.Images); err != nil {
		return nil, err
	}
	var rows []RowC
	for i := range images.N {
		row := RowC{Origin: b.Origin, Image: b.names[i], SHA256: b.hashes[i], Generator: b.name,
			MSE: r.LossLast[i], LossFirst: r.LossFirst[i], LossLast: r.LossLast[i], Rate: b.rate,
			Steps: e.preset.C.Steps}
		if v, err := ranktest.Pearson(wide(images.At(i)), wide(r.Images.At(i))); err == nil {
			row.R = &v
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// keepC keeps the first reconstructions as pictures.
func (e *env) keepC(generator string, from int, images gansim.Images) error {
	if from >= samplesC {
		return nil
	}
	old, err := e.store.pictures("panel_c " + generator)
	if err != nil {
		return err
	}
	more, err := pictures(images, samplesC-from)
	if err != nil {
		return err
	}
	return e.store.savePictures("panel_c "+generator, append(old[:min(from, len(old))], more...))
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// pairsC pairs the correlations of each image; those that are undefined are left out and counted.
func pairsC(rows []RowC, a, b string) (x, y []float64, undefined int) {
	first := map[int]*float64{}
	var i, j int
	for _, r := range rows {
		switch r.Generator {
		case a:
			first[i] = r.R
			i++
		case b:
			if p := first[j]; p != nil && r.R != nil {
				x, y = append(x, *p), append(y, *r.R)
			} else {
				undefined++
			}
			j++
		}
	}
	return x, y, undefined
}

func (e *env) reportC(rows []RowC) (*Section, *figure.PanelC, error) {
	x, y, undefined := pairsC(rows, "DeePSim", "BigGAN")
	if len(x) == 0 {
		return nil, nil, fmt.Errorf("experiment: no picture with a defined correlation among %d",
			undefined)
	}
	deepsim, err := median("Pearson r, median", "DeePSim", x, e.Seed, paper(paperRDeePSim))
	if err != nil {
		return nil, nil, err
	}
	biggan, err := median("Pearson r, median", "BigGAN", y, e.Seed, paper(paperRBigGAN))
	if err != nil {
		return nil, nil, err
	}
	test, err := ranktest.SignedRank(x, y, ranktest.Options{})
	if err != nil {
		return nil, nil, err
	}
	s := &Section{N: len(x), Values: []Value{deepsim, biggan},
		Tests: []Test{{Result: test, Question: "DeePSim against BigGAN, paired by picture",
			Paper: PaperTest{N: paperPhotos, P: "< 1e-5"}}},
		Notes: []string{
			"SE of a median: bootstrap. The paper does not state its method.",
		}}
	s.Notes = append(s.Notes, e.notesC()...)
	if e.photos == nil {
		s.Notes = append(s.Notes, "Originals are held-out renders of the EcoSet-like set, not photographs.")
	} else {
		s.Notes = append(s.Notes, fmt.Sprintf("%d photographs, %d files skipped.", e.photos.Images.N,
			len(e.photos.Skipped)))
	}
	if undefined > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d pictures without a defined correlation (constant) "+
			"are left out.", undefined))
	}
	drawing, err := e.drawC(x, y, s)
	return s, drawing, err
}

// notesC say how the codes were searched.
func (e *env) notesC() []string {
	v := e.inversions()
	how := fmt.Sprintf("Adam, mean squared error of the pixels, %d iterations, the last iterate; the "+
		"paper: 401. It states neither learning rates nor starts: here DeePSim %g from %s N(0, I) "+
		"and BigGAN %g from 0.7 N(0, I) with a random class", e.preset.C.Steps, v[0].rate,
		strings.TrimPrefix(v[0].recipe, "std"), v[1].rate)
	if e.world.Name == Published {
		return []string{how + ", rates as given, not from a pilot: see gansim invert, which runs one."}
	}
	return []string{how + ", rates from a pilot on other pictures.",
		"Pictures of 64 x 64 pixels are easy: BigGAN comes nearer to DeePSim than at 256 x 256."}
}

func (e *env) drawC(x, y []float64, s *Section) (*figure.PanelC, error) {
	p := &figure.PanelC{
		DeePSim: estimate(s.Values[0]), BigGAN: estimate(s.Values[1]),
		Test: drawn(s.Tests[0])}
	for i := range x {
		p.Pairs = append(p.Pairs, figure.Pair{DeePSim: x[i], BigGAN: y[i]})
	}
	for _, row := range []struct{ name, label string }{
		{"originals", "Original"}, {"DeePSim", "DeePSim"}, {"BigGAN", "BigGAN"}} {
		some, err := e.store.pictures("panel_c " + row.name)
		if err != nil {
			return nil, err
		}
		p.Rows = append(p.Rows, figure.ImageRow{Label: row.label, Kind: kind(row.name),
			Images: some[:min(10, len(some))]})
	}
	return p, nil
}

func estimate(v Value) *figure.Estimate {
	return &figure.Estimate{Value: float64(v.Ours), SE: float64(v.SE)}
}

func drawn(t Test) *figure.Test {
	return &figure.Test{Name: t.Name, N: t.N, Log10P: t.Log10P, Effect: t.EffectSize, HasEffect: true}
}
