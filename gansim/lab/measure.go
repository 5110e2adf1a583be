package lab

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gansim.example/gansim/internal/wire"
)

// unit draws a direction of length 1.
func unit(rng *rand.Rand, dim int) []float32 {
	v, sum := make([]float64, dim), 0.0
	for i := range v {
		v[i] = rng.NormFloat64()
		sum += v[i] * v[i]
	}
	out := make([]float32, dim)
	for i := range v {
		out[i] = float32(v[i] / math.Sqrt(sum))
	}
	return out
}

// Distance is a Fréchet inception distance.
type Distance struct {
	Value  float64
	Lo, Hi float64 // 95 % interval; both 0 where there is none
	NA, NB int
	Notes  []string // doubts, such as too few images
	From   Origin
}

// FID is the Fréchet distance of two batches of images on the pooled features of the miniature
// ResNet, or of the [Network] named.
func FID(a, b Images, opts ...Option) Distance {
	q := collect(opts)
	q.Model, q.Seed, q.Shapes = q.network, 0, []wire.Shape{a.shape(), b.shape()}
	got, _, err := ask("fid", "FID", q.Query, wire.Floats(a.Pix), wire.Floats(b.Pix))
	must(err)
	e := got.Estimate
	if e == nil {
		must(fmt.Errorf("FID: the server sent no distance"))
	}
	d := Distance{Value: e.Value, NA: e.NA, NB: e.NB, Notes: got.Notes, From: got.Origin}
	if e.Lo != nil && e.Hi != nil {
		d.Lo, d.Hi = *e.Lo, *e.Hi
	}
	return d
}

// Distances gives the distance of each image of a from its partner in b, of one size, by a [Loss]
// (mse).
func Distances(a, b Images, opts ...Option) []float64 {
	q := collect(opts)
	q.Seed, q.Shapes = 0, []wire.Shape{a.shape(), b.shape()}
	got, _, err := ask("distance", "Distances", q.Query, wire.Floats(a.Pix), wire.Floats(b.Pix))
	must(err)
	if len(got.Values) != 1 {
		must(fmt.Errorf("Distances: the server sent %d columns", len(got.Values)))
	}
	return got.Values[0]
}

// Box is an object that was found.
type Box = wire.Box

// Detections are the objects found in images.
type Detections struct {
	Images     Images
	Boxes      [][]Box   // by image, surest first
	Confidence []float64 // of the surest by image, 0 where there is none
	From       Origin
}

// Rate is the share of images with an object.
func (d Detections) Rate() float64 {
	n := 0
	for _, b := range d.Boxes {
		if len(b) > 0 {
			n++
		}
	}
	return float64(n) / float64(max(1, len(d.Boxes)))
}

// Detect finds objects with the miniature YOLOv8, or the YOLOv8 or YOLOv5 that [Network] names.
func Detect(images Images, opts ...Option) Detections {
	q := collect(opts)
	q.Model, q.Seed, q.Shapes = q.network, 0, []wire.Shape{images.shape()}
	a, _, err := ask("detect", "Detect", q.Query, wire.Floats(images.Pix))
	must(err)
	d := Detections{Images: images, Boxes: a.Boxes, From: a.Origin}
	if len(a.Values) == 1 {
		d.Confidence = a.Values[0]
	}
	return d
}

// Outcome is a test of significance.
type Outcome struct {
	Test      string
	N         int
	Statistic float64
	Z         float64
	P, Log10P float64
	Effect    float64 // r = Z/sqrt(N)
	Sentence  string
	Markdown  string
	Notes     []string
}

// Test compares two samples by ranks, and shows the outcome in a sentence and a table. With [Paired]
// it is Wilcoxon's signed-rank test, else the rank-sum test. [Labels] name the samples.
func Test(x, y []float64, opts ...Option) Outcome {
	q := collect(opts)
	q.Samples, q.Method = [][]float64{x, y}, "rank-sum"
	if q.paired {
		q.Method = "signed-rank"
	}
	a, _, err := ask("test", "Test", q.Query)
	must(err)
	t := a.Test
	if t == nil {
		must(fmt.Errorf("Test: the server sent no test"))
	}
	o := Outcome{t.Name, t.N, t.Statistic, t.Z, t.P, t.Log10P, t.Effect, t.Sentence, a.Markdown, a.Notes}
	Show(o)
	return o
}

// Stats describes samples in a table: a []float64, a map of them by name, as [RowSet.By] gives, or
// a list of them with [Labels].
func Stats(samples any, opts ...Option) {
	q := collect(opts)
	switch s := samples.(type) {
	case []float64:
		q.Samples = [][]float64{s}
	case [][]float64:
		q.Samples = s
	case map[string][]float64:
		q.Names = slices.Sorted(maps.Keys(s))
		for _, name := range q.Names {
			q.Samples = append(q.Samples, s[name])
		}
	default:
		must(remedy{fmt.Errorf("Stats: cannot describe a %T", samples),
			"give a []float64 or a map[string][]float64"})
	}
	a, _, err := ask("describe", "Stats", q.Query)
	must(err)
	out().markdown(a.Markdown)
}
