package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/objectness"
)

// Panel A. Claim: BigGAN's images are near natural ones and are seen as objects, DeePSim's are far
// from them and are not (FID to ImageNet 12 to 48 against 242).
//
//	gansim figure --panel a
//
// With the published weights and sets: gansim figure --preset paper --panel a --set imagenet:DIR ...;
// or, in parts, with the paper's numbers beside and the way there with n (see [Conditions] and dataset.Layouts; ImageNet alone has the 50,000 of the legend):
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
	photographs = "photographs"
	batchA      = 16 // images a call
	samplesA    = 24 // kept as pictures
)

// imageSet is a set of panel A.
type imageSet struct {
	name string
	kind setKind
	open func(ctx context.Context) (*dataset.Set, error)
}

// setKind says who made the images.
type setKind int

const (
	natural setKind = iota // the distances' references
	user                   // the user's photographs
	generated
	control // noise and blurred images
)

// conditionsA are the conditions of panel A: both readings of "BigGAN" (see the notes), DeePSim, and as
// controls blurred images and noise.
var conditionsA = []string{"BigGAN_trunc07", "BigGAN_std_008", "DeePSim_4std", "BigGAN_Blur", "pink_noise",
	"white_noise"}

// kind of a condition's images.
func (c Condition) kind() setKind {
	if c.Noise != "" || c.Blur {
		return control
	}
	return generated
}

// setsA lists the sets: the natural ones, the user's photographs, then the conditions.
func (e *env) setsA() ([]imageSet, error) {
	var sets []imageSet
	for _, n := range e.world.Natural {
		sets = append(sets, imageSet{n.Name, natural, func(ctx context.Context) (*dataset.Set, error) {
			return e.openNatural(ctx, n.Spec)
		}})
	}
	if e.photos != nil {
		sets = append(sets, e.drawnSet(photographs, user, func() (dataset.Drawn, error) {
			return Rounded(dataset.Drawn{N: e.photos.Images.N, Identity: "photographs " + e.store.inputs,
				Draw: func(_ context.Context, from, to int) (gansim.Images, error) {
					some := gansim.NewImages(to-from, e.photos.Images.Height, e.photos.Images.Width)
					copy(some.Pix, e.photos.Images.Slice(from, to).Pix)
					return some, nil
				}}), nil
		}))
	}
	for _, name := range conditionsA {
		c, err := FindCondition(name)
		if err != nil {
			return nil, err
		}
		sets = append(sets, e.condition(c))
	}
	return sets, nil
}

// condition is the set of one of the paper's conditions.
func (e *env) condition(c Condition) imageSet {
	n, seed := e.preset.A.Images, e.stream("panel a "+c.Label)
	if c.Noise != "" {
		return e.drawnSet(c.Label, control, func() (dataset.Drawn, error) {
			return Rounded(DrawNoise(c, n, e.world.DeePSim.ImageSize(), e.Seed)), nil
		})
	}
	g := e.world.DeePSim
	if c.Family == bigGAN {
		g = e.world.BigGAN
	}
	return e.drawnSet(c.Label, c.kind(), func() (dataset.Drawn, error) {
		d, err := DrawCodes(e.backend, g, e.store.origin.Weights, c.Recipe, n, seed)
		if err == nil && c.Blur {
			d = Blurred(d, g.ImageSize())
		}
		return Rounded(d), err
	})
}

// drawnSet is a set of images that are drawn as they are asked for.
func (e *env) drawnSet(name string, kind setKind, draw func() (dataset.Drawn, error)) imageSet {
	return imageSet{name, kind, func(ctx context.Context) (*dataset.Set, error) {
		o := dataset.Options{Openers: map[string]dataset.Opener{
			"panel": func(context.Context, dataset.Query) (dataset.Drawn, error) {
				d, err := draw()
				return kept(d), err
			}}}
		return dataset.Open(ctx, "panel:"+name, o)
	}}
}

// openNatural opens a set of photographs: as many of them as the preset asks for, or all if there are
// fewer.
func (e *env) openNatural(ctx context.Context, spec string) (*dataset.Set, error) {
	o := dataset.Options{Seed: e.Seed, Workers: runtime.GOMAXPROCS(0),
		Openers: map[string]dataset.Opener{
			"mini": func(ctx context.Context, q dataset.Query) (dataset.Drawn, error) {
				d, err := miniature(ctx, q)
				return kept(d), err
			}}}
	if strings.HasPrefix(spec, "mini:") { // has no end
		o.N = e.preset.A.Images
		return dataset.Open(ctx, spec, o)
	}
	s, err := dataset.Open(ctx, spec, o)
	if err != nil || s.Len() <= e.preset.A.Images {
		return s, err
	}
	o.N = e.preset.A.Images
	return dataset.Open(ctx, spec, o)
}

func (e *env) panelA(ctx context.Context) (*Section, *figure.PanelA, error) {
	sets, err := e.setsA()
	if err != nil {
		return nil, nil, err
	}
	open := make([]*dataset.Set, len(sets))
	images := 0
	for i, s := range sets {
		if open[i], err = s.open(ctx); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", s.name, err)
		}
		defer open[i].Close()
		images += open[i].Len()
	}
	readers, done, err := e.readersA(images)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	moments := make([]*metric.Moments, len(sets))
	found := make([][]RowA, len(sets))
	err = each(ctx, len(sets), func(ctx context.Context, i int) (err error) {
		if found[i], moments[i], err = e.setA(ctx, readers, sets[i], open[i]); err != nil {
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
	rows := append(distances, slices.Concat(found...)...)
	if err := table(e.store, "panel_a", rows); err != nil {
		return nil, nil, err
	}
	section, err := e.summariseA(rows)
	if err != nil {
		return nil, nil, err
	}
	if e.world.Name == Published {
		section.Notes = append(section.Notes, fmt.Sprintf("FID on %s, objects by %s at %d pixels.",
			e.world.Features.Label(), readers.detector.Name(), e.world.DetectorSize))
	}
	drawing, err := e.drawA(sets, rows)
	return section, drawing, err
}

// readers are what looks at panel A's images.
type readers struct {
	features *features.Extractor
	detector *objectness.Detector
	count    *counter // of images, twice each
}

// readersA compiles the networks; done frees them.
func (e *env) readersA(images int) (r *readers, done func(), err error) {
	r = &readers{count: &counter{total: 2 * images, tell: e.tell("a")}}
	var lock sync.Mutex
	last := map[string]int{}
	r.features, err = features.New(e.backend, e.world.Features, features.Options{Batch: batchA,
		Cache: filepath.Join(e.Out, partsDir, "features"),
		Progress: func(set string, done, _ int) {
			lock.Lock()
			defer lock.Unlock()
			if done > last[set] {
				r.count.add(done - last[set])
				last[set] = done
			}
		}})
	if err != nil {
		return nil, nil, err
	}
	if r.detector, err = objectness.OpenDetector(e.backend, e.world.Detector, e.world.DetectorSize,
		batchA); err != nil {
		r.features.Close()
		return nil, nil, err
	}
	return r, func() { r.features.Close(); r.detector.Close() }, nil
}

// setA runs the detector and the feature network over one set.
func (e *env) setA(ctx context.Context, r *readers, set imageSet, images *dataset.Set) ([]RowA,
	*metric.Moments, error) {
	if set.kind == generated {
		if err := e.keepA(ctx, set.name, images); err != nil {
			return nil, nil, err
		}
	}
	var rows []RowA
	detect := func(list string, span dataset.Span) error {
		key := fmt.Sprintf("detection %s %d %s", set.name, span.From, list)
		some, err := part(ctx, e.store, "panel_a", key, func(o Origin) ([]RowA, error) {
			return e.detections(ctx, r, o, images, span)
		})
		rows = append(rows, some...)
		r.count.add(len(some))
		return err
	}
	f, err := r.features.Features(ctx, images, detect)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range f.Skipped {
		e.warn("%s: skipped %s: %v", set.name, s.Name, s.Reason)
	}
	for i := range rows {
		rows[i].Set, rows[i].Image = set.name, i
	}
	return rows, f.Moments, nil
}

// keepA keeps a set's first images as pictures.
func (e *env) keepA(ctx context.Context, name string, images *dataset.Set) error {
	var some []imaging.RGB
	convert := features.FromPicture(func(m imaging.RGB) (imaging.RGB, error) { return m, nil })
	for item, err := range dataset.Stream(ctx, images, convert, dataset.Span{Want: samplesA}) {
		if err = errors.Join(err, item.Err); err != nil {
			return err
		}
		some = append(some, item.Value)
	}
	return e.store.savePictures("panel_a "+name, some)
}

// detections looks for objects in some images of a set.
func (e *env) detections(ctx context.Context, r *readers, o Origin, set *dataset.Set,
	span dataset.Span) ([]RowA, error) {
	var rows []RowA
	var batch []objectness.Boxed
	flush := func() error {
		found, err := r.detector.DetectBoxed(ctx, batch, objectness.Defaults(e.world.Detector))
		for i, f := range found {
			row := RowA{Origin: o, Kind: "detection", Objects: f.Objects}
			if f.Objects > 0 {
				row.Confidence = &found[i].Confidence
			}
			rows = append(rows, row)
		}
		batch = batch[:0]
		return err
	}
	for item, err := range dataset.Stream(ctx, set, features.FromPicture(r.detector.Fit), span) {
		if err != nil {
			return nil, err
		}
		if item.Err != nil { // the features have told it
			continue
		}
		if batch = append(batch, item.Value); len(batch) == batchA {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(batch) > 0 {
		if err := flush(); err != nil {
			return nil, err
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

func (e *env) summariseA(rows []RowA) (*Section, error) {
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
	if e.world.Name == Miniature {
		s.Notes = append(s.Notes, "FID on the pooled features of the miniature ResNet (256 dimensions), not of "+
			"Inception: sizes cannot be compared with the paper's, only orders.")
	}
	s.Notes = append(s.Notes,
		"FID depends on the number of images (bias about 1/n): compare at equal n. Intervals are 95 %, "+
			"by the infinitesimal jackknife, and do not contain that bias.",
		"The published panel does not say which latent distribution \"BigGAN\" is: the code draws "+
			"0.7 x truncated noise with a random class for FID (BigGAN here) and noise in all dimensions "+
			"for objectness (BigGAN-RND here). Both are shown.",
		"YOLOv8's size and input are not stated; detections above confidence 0.25, IoU 0.7 (its "+
			"defaults). Detection rates have Wilson intervals; the paper prints no numbers for them.")
	return s, nil
}

const normal975 = 1.959963984540054

func (e *env) drawA(sets []imageSet, rows []RowA) (*figure.PanelA, error) {
	p := &figure.PanelA{FIDImages: e.preset.A.Images}
	for _, s := range sets {
		set := figure.Set{Name: s.name, Kind: kind(s.name)}
		p.Sets = append(p.Sets, set)
		if s.kind == natural {
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
		if s.kind == generated {
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
