package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/objectness"
)

// Panel A. Claim: BigGAN's images are near natural ones and are seen as objects, DeePSim's are far
// from them and are not (FID to ImageNet 12 to 48 against 242).
//
//	gansim figure --panel a
//
// With the published weights and sets, at the paper's size, with its numbers beside and the way there
// with n (see [Conditions] and dataset.Layouts; ImageNet alone has the 50,000 of the legend):
//
//	gansim fid imagenet:DIR things:DIR coco:DIR ecoset:DIR gen:deepsim_fc6/DeePSim_4std?n=50000
//	    gen:biggan_deep_256/BigGAN_trunc07?n=50000 gen:biggan_deep_256/BigGAN_std_008?n=50000
//	    gen:biggan_deep_256/BigGAN_Blur?n=21000 gen:pink_noise?n=50000 --infinity --out results/fid
//	gansim detect imagenet:DIR gen:biggan_deep_256/BigGAN_std_008?n=50000
//	    gen:deepsim_fc6/DeePSim_4std?n=50000 gen:pink_noise?n=50000 --net yolov8x --out results/detect

// RowA is a row of panel A: kind "fid" compares two sets, kind "detection" describes one image.
type RowA struct {
	Origin
	Kind       string   `parquet:"kind,dict"`
	SetA       string   `parquet:"set_a,dict"`
	SetB       string   `parquet:"set_b,dict"`
	NA         int      `parquet:"n_a"`
	NB         int      `parquet:"n_b"`
	FID        *float64 `parquet:"fid"`
	Lo         *float64 `parquet:"lo"`
	Hi         *float64 `parquet:"hi"`
	Set        string   `parquet:"set,dict"`
	Image      int      `parquet:"image"`
	Objects    int      `parquet:"n_objects"`
	Confidence *float64 `parquet:"confidence"` // the largest; empty when nothing is detected
}

const (
	pinkNoise   = "Pink noise"
	photographs = "photographs"
	batchA      = 16 // images a call
	samplesA    = 24 // kept as pictures
)

// imageSet is a set of panel A.
type imageSet struct {
	name      string
	generated bool
	draw      func(ctx context.Context) (gansim.Images, error)
}

// setsA lists the sets: the natural ones, then the generators' as panel A's sampling recipes have
// them (both readings of "BigGAN": see the notes), then noise.
func (e *env) setsA() []imageSet {
	n := e.preset.A.Images
	natural := func(name string, set world.Set) imageSet {
		return imageSet{name, false, func(ctx context.Context) (gansim.Images, error) {
			r, err := world.Batch(ctx, world.Request{Set: set, Seed: e.Seed + heldOut, N: n})
			return r.Images(), err
		}}
	}
	generated := func(name string, g gansim.Generator, recipe string) imageSet {
		return imageSet{name, true, func(ctx context.Context) (gansim.Images, error) {
			codes, err := g.Draw(recipe, e.rng("panel a "+name, 0), n)
			if err != nil {
				return gansim.Images{}, err
			}
			decoder, err := decode.New(e.backend, g)
			if err != nil {
				return gansim.Images{}, err
			}
			images, err := decoder.Images(ctx, codes)
			return quantised(images), err
		}}
	}
	sets := []imageSet{
		natural("ImageNet-like", world.ImageNet), natural("THINGS-like", world.Things),
		natural("COCO-like", world.COCO), natural("EcoSet-like", world.EcoSet),
	}
	if e.photos != nil {
		sets = append(sets, imageSet{photographs, false,
			func(context.Context) (gansim.Images, error) { return quantised(e.photos.Images), nil }})
	}
	return append(sets,
		generated("BigGAN", e.world.BigGAN, "trunc0.7"),
		generated("BigGAN-RND", e.world.BigGAN, "random"),
		generated("DeePSim", e.world.DeePSim, "std4"),
		imageSet{pinkNoise, true, func(context.Context) (gansim.Images, error) {
			return quantised(dataset.PinkNoise(n, e.world.DeePSim.ImageSize(), e.Seed)), nil
		}})
}

func (e *env) panelA(ctx context.Context) (*Section, *figure.PanelA, error) {
	e.prepareA()
	sets := e.setsA()
	moments := make([]*metric.Moments, len(sets))
	found := make([][]RowA, len(sets))
	done := e.steps("a", len(sets)+1)
	err := each(ctx, len(sets), func(ctx context.Context, i int) (err error) {
		defer done()
		if found[i], moments[i], err = e.setA(ctx, sets[i]); err != nil {
			return fmt.Errorf("%s: %w", sets[i].name, err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	distances, err := e.distances(ctx, sets, moments)
	if err != nil {
		return nil, nil, err
	}
	done()
	rows := append(distances, slices.Concat(found...)...)
	if err := table(e.store, "panel_a", rows); err != nil {
		return nil, nil, err
	}
	section, err := summariseA(rows)
	if err != nil {
		return nil, nil, err
	}
	drawing, err := e.drawA(sets, rows)
	return section, drawing, err
}

// featureRow is an image's features, kept with the finished parts.
type featureRow struct {
	Origin
	Features []float32 `parquet:"features"`
}

// setA runs the detector and the feature network over one set.
func (e *env) setA(ctx context.Context, set imageSet) ([]RowA, *metric.Moments, error) {
	var images gansim.Images
	load := func() (err error) {
		if images.N == 0 {
			if images, err = set.draw(ctx); err != nil {
				return err
			}
			some, err := pictures(images, samplesA)
			if err != nil {
				return err
			}
			return e.store.savePictures("panel_a "+set.name, some)
		}
		return nil
	}
	features, err := part(ctx, e.store, "panel_a", "features "+set.name,
		func(o Origin) ([]featureRow, error) {
			if err := load(); err != nil {
				return nil, err
			}
			return e.features(ctx, o, images)
		})
	if err != nil {
		return nil, nil, err
	}
	rows, err := part(ctx, e.store, "panel_a", "detection "+set.name, func(o Origin) ([]RowA, error) {
		if err := load(); err != nil {
			return nil, err
		}
		return e.detections(ctx, o, set.name, images)
	})
	if err != nil {
		return nil, nil, err
	}
	all := metric.Features{N: len(features), Dim: len(features[0].Features)}
	for _, f := range features {
		all.X = append(all.X, f.Features...)
	}
	m, err := metric.MomentsOf(all)
	return rows, m, err
}

// prepareA sets the programs that all sets share, to be compiled when the first asks for them.
func (e *env) prepareA() {
	e.featureNet = sync.OnceValues(func() (*graphx.Program, error) {
		net := e.world.ResNet
		return graphx.New(e.backend, []gansim.Params{net.Params()},
			func(nets []gansim.Weights, in []*Node) []*Node {
				return []*Node{net.Activations(nets[0], in[0], "avgpool")}
			})
	})
	e.detector = sync.OnceValues(func() (*objectness.Detector, error) {
		return objectness.NewDetector(e.backend, e.world.YOLOv8, batchA)
	})
}

// features are the miniature ResNet's pooled ones.
func (e *env) features(ctx context.Context, o Origin, images gansim.Images) ([]featureRow, error) {
	program, err := e.featureNet()
	if err != nil {
		return nil, err
	}
	width := e.world.ResNet.Stages[len(e.world.ResNet.Stages)-1].Out
	var rows []featureRow
	err = graphx.Padded(images.N, batchA, func(at []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := program.Rows(valid, width, graphx.Gather(images, at))
		for i := range len(v) / width {
			rows = append(rows, featureRow{o, v[i*width : (i+1)*width]})
		}
		return err
	})
	return rows, err
}

func (e *env) detections(ctx context.Context, o Origin, set string, images gansim.Images) (
	[]RowA, error) {
	d, err := e.detector()
	if err != nil {
		return nil, err
	}
	found, err := d.Detect(ctx, images, objectness.Options{})
	if err != nil {
		return nil, err
	}
	rows := make([]RowA, len(found))
	for i, f := range found {
		rows[i] = RowA{Origin: o, Kind: "detection", Set: set, Image: i, Objects: f.Objects}
		if f.Objects > 0 {
			rows[i].Confidence = &found[i].Confidence
		}
	}
	return rows, nil
}

func (e *env) distances(ctx context.Context, sets []imageSet, moments []*metric.Moments) (
	[]RowA, error) {
	return part(ctx, e.store, "panel_a", "fid", func(o Origin) ([]RowA, error) {
		var names []string
		for _, s := range sets {
			names = append(names, s.name)
		}
		pairs, err := metric.Matrix(ctx, names, moments)
		if err != nil {
			return nil, err
		}
		var rows []RowA
		for _, p := range pairs {
			rows = append(rows, RowA{Origin: o, Kind: "fid", SetA: p.A, SetB: p.B, NA: p.NA, NB: p.NB,
				FID: &p.FID, Lo: finite(p.Lo), Hi: finite(p.Hi)})
		}
		return rows, nil
	})
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// confidences of one set's images; NaN where nothing was detected.
func confidences(rows []RowA, set string) (all, detected []float64) {
	for _, r := range rows {
		if r.Kind != "detection" || r.Set != set {
			continue
		}
		if r.Confidence == nil {
			all = append(all, math.NaN())
			continue
		}
		all, detected = append(all, *r.Confidence), append(detected, *r.Confidence)
	}
	return all, detected
}

// setNames lists the sets with detection rows, in order.
func setNames(rows []RowA) []string {
	var names []string
	for _, r := range rows {
		if r.Kind == "detection" && r.Image == 0 {
			names = append(names, r.Set)
		}
	}
	return names
}

func summariseA(rows []RowA) (*Section, error) {
	s := &Section{Tests: []Test{}}
	for _, r := range rows {
		if r.Kind != "fid" {
			continue
		}
		v := Value{Name: "FID " + r.SetB + " to " + r.SetA, Group: r.SetB, Ours: Number(*r.FID),
			SE: Number(math.NaN()), Paper: paperFID(r.SetA, r.SetB), N: min(r.NA, r.NB), Lo: r.Lo, Hi: r.Hi}
		if r.Lo != nil && r.Hi != nil {
			v.SE = Number((*r.Hi - *r.FID) / normal975)
		}
		s.Values = append(s.Values, v)
	}
	for _, name := range setNames(rows) {
		all, _ := confidences(rows, name)
		d, err := objectness.Summarize(all)
		if err != nil {
			return nil, err
		}
		s.N += d.N
		s.Values = append(s.Values,
			Value{Name: "object detection rate", Group: name, Ours: Number(d.Rate), N: d.N,
				SE: Number(math.Sqrt(d.Rate * (1 - d.Rate) / float64(d.N))),
				Lo: finite(d.RateLo), Hi: finite(d.RateHi)},
			Value{Name: "max confidence, detected images", Group: name, Ours: Number(d.Confidence),
				SE: Number(d.ConfidenceSEM), N: d.Detected},
			Value{Name: "max confidence, 0 when none", Group: name, Ours: Number(d.Fill0),
				SE: Number(d.Fill0SEM), N: d.N})
	}
	s.Notes = []string{
		"FID on the pooled features of the miniature ResNet (256 dimensions), not of Inception: " +
			"sizes cannot be compared with the paper's, only orders.",
		"FID depends on the number of images (bias about 1/n): compare at equal n. Intervals are 95 %, " +
			"by the infinitesimal jackknife, and do not contain that bias.",
		"The published panel does not say which latent distribution \"BigGAN\" is: the code draws " +
			"0.7 x truncated noise with a random class for FID (BigGAN here) and noise in all dimensions " +
			"for objectness (BigGAN-RND here). Both are shown.",
		"YOLOv8's size and input are not stated; detections above confidence 0.25, IoU 0.7 (its " +
			"defaults). Detection rates have Wilson intervals; the paper prints no numbers for them.",
	}
	return s, nil
}

const normal975 = 1.959963984540054

func (e *env) drawA(sets []imageSet, rows []RowA) (*figure.PanelA, error) {
	p := &figure.PanelA{FIDImages: e.preset.A.Images}
	for _, s := range sets {
		set := figure.Set{Name: s.name, Kind: kind(s.name)}
		p.Sets = append(p.Sets, set)
		if !s.generated && s.name != photographs {
			p.References = append(p.References, s.name)
		}
		all, detected := confidences(rows, s.name)
		d, err := objectness.Summarize(all)
		if err != nil {
			return nil, err
		}
		p.Detection = append(p.Detection,
			figure.Rate{Set: set, N: d.N, Value: d.Rate, Lo: d.RateLo, Hi: d.RateHi})
		p.Confidence = append(p.Confidence, figure.Group{Set: set, Values: detected})
		if s.generated && s.name != pinkNoise {
			some, err := e.store.pictures("panel_a " + s.name)
			if err != nil {
				return nil, err
			}
			p.Grids = append(p.Grids, figure.Grid{Set: set, Images: some[:min(18, len(some))]})
		}
	}
	for _, r := range rows {
		if r.Kind == "fid" {
			d := figure.Distance{A: r.SetA, B: r.SetB, Value: *r.FID, Lo: *r.FID, Hi: *r.FID}
			if r.Lo != nil && r.Hi != nil {
				d.Lo, d.Hi = *r.Lo, *r.Hi
			}
			p.FID = append(p.FID, d)
		}
	}
	return p, nil
}
