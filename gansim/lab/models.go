package lab

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"gansim.example/gansim/internal/wire"
)

// batch asks for images.
func batch(verb, title string, q query, parts ...[]byte) (Images, wire.Answer) {
	a, data, err := ask(verb, title, q.Query, parts...)
	must(err)
	all, err := read(a, data)
	must(err)
	if len(all) == 0 {
		must(fmt.Errorf("%s: the server sent no images", title))
	}
	return all[0], a
}

// Sample draws [N] images (8) of a generator by a [Recipe], from a [Seed].
func Sample(generator string, opts ...Option) Images {
	q := collect(opts)
	q.Model = generator
	m, _ := batch("sample", "Sample "+generator, q)
	return m
}

// Decode gives the images of codes.
func Decode(generator string, codes Codes) Images {
	q := collect(nil)
	q.Model, q.Codes, q.Seed = generator, codes.Dim, 0
	m, _ := batch("decode", "Decode "+generator, q, wire.Floats(codes.Z))
	return m
}

// Pictures gives [N] images (8) of mini:imagenet, mini:ecoset, mini:things or mini:coco, of a folder, or
// a file. Photographs are cut square and made 64 pixels wide, or as wide as the images of the
// generator that [Network] names.
func Pictures(set string, opts ...Option) Images {
	q := collect(opts)
	q.Set, q.Model = set, q.network
	if !strings.HasPrefix(set, "mini:") {
		q.Set = absolute(set)
	}
	m, a := batch("pictures", "Pictures "+filepath.Base(set), q)
	m.Names = a.Names
	return m
}

// Random gives n directions of length 1 in a generator's space.
func Random(codes Codes, n int, opts ...Option) Codes {
	q := collect(opts)
	rng := rand.New(rand.NewPCG(q.Seed, 7))
	out := Codes{N: n, Dim: codes.Dim}
	for range n {
		out.Z = append(out.Z, unit(rng, codes.Dim)...)
	}
	return out
}

// Directions gives the [N] directions (8) along which a generator's images change most: eigenvectors
// of its averaged metric, of length 1.
func Directions(generator string, opts ...Option) Codes {
	q := collect(opts)
	q.Model = generator
	a, data, err := ask("basis", "Directions", q.Query)
	must(err)
	z, err := wire.ToFloats(data[len(data)-1])
	must(err)
	return Codes{N: len(z) / a.Codes, Dim: a.Codes, Z: z}
}

// Inversion is what [Invert] found.
type Inversion struct {
	Originals Images // as they were compared
	Images    Images // reconstructions, with their codes
	R         []float64
	LossFirst []float64 // of the start
	LossLast  []float64
}

// Invert searches codes whose images match the given ones (panel C), in [Steps] (100) of Adam at a
// [Rate], by a [Loss] (mse).
func Invert(generator string, images Images, opts ...Option) Inversion {
	q := collect(opts)
	q.Model, q.Shapes = generator, []wire.Shape{images.shape()}
	a, data, err := ask("invert", "Invert "+generator, q.Query, wire.Floats(images.Pix))
	must(err)
	all, err := read(a, data)
	must(err)
	if len(all) != 2 || len(a.Values) != 3 {
		must(fmt.Errorf("Invert: the server sent %d batches and %d columns", len(all), len(a.Values)))
	}
	all[1].From = images.From
	return Inversion{Originals: all[1], Images: all[0], R: a.Values[0], LossFirst: a.Values[1],
		LossLast: a.Values[2]}
}

// Search is what [Maximize] or [Evolve] found.
type Search struct {
	Unit, Method string
	Images       Images // with their codes; of an evolution best first
	// Scores are the unit's activations by the images.
	Scores []float64
	// Course is the score step by step: of each run, or the best of each generation.
	Course [][]float64
}

// Maximize searches codes that drive a unit by gradient ascent (panel D): [N] runs (4) of
// [Steps] (100) by a [Method].
func Maximize(generator, unit string, opts ...Option) Search {
	q := collect(opts)
	q.Model, q.Unit = generator, unit
	m, a := batch("maximize", "Maximize "+unit, q)
	s := Search{Images: m, Course: a.Values}
	s.name(a)
	for _, run := range a.Values {
		s.Scores = append(s.Scores, run[len(run)-1])
	}
	return s
}

// Evolve searches codes that drive a unit without gradients (panel B), by CMA-ES for [Steps]
// generations (20).
func Evolve(generator, unit string, opts ...Option) Search {
	q := collect(opts)
	q.Model, q.Unit = generator, unit
	m, a := batch("evolve", "Evolve "+unit, q)
	s := Search{Images: m}
	s.name(a)
	if len(a.Values) == 2 {
		s.Course, s.Scores = a.Values[:1], a.Values[1]
	}
	return s
}

func (s *Search) name(a wire.Answer) {
	if len(a.Names) == 2 {
		s.Unit, s.Method = a.Names[0], a.Names[1]
	}
}

// Activations gives a unit's activation by each image.
func Activations(unit string, images Images) []float64 {
	q := wire.Query{Unit: unit, Shapes: []wire.Shape{images.shape()}}
	a, _, err := ask("activations", "Activations "+unit, q, wire.Floats(images.Pix))
	must(err)
	if len(a.Values) != 1 {
		must(remedy{fmt.Errorf("Activations: %q names no channel", unit), "add one, as in " + unit + "/0"})
	}
	return a.Values[0]
}

// Gradient gives the derivative of a unit's activation by the pixels of each image, scaled
// to 0.5 ± 0.5.
func Gradient(unit string, images Images) Images {
	q := query{Query: wire.Query{Unit: unit, Shapes: []wire.Shape{images.shape()}}}
	m, a := batch("gradients", "Gradient "+unit, q, wire.Floats(images.Pix))
	m.From.Model = "gradient of " + a.Names[0]
	size := m.Height * m.Width * 3
	for i := range m.N {
		scale(m.Pix[i*size : (i+1)*size])
	}
	return m
}

// scale brings values to [0, 1], zero to the middle.
func scale(v []float32) {
	largest := float32(0)
	for _, x := range v {
		largest = max(largest, x, -x)
	}
	for i, x := range v {
		if largest > 0 {
			x /= 2 * largest
		}
		v[i] = .5 + x
	}
}

// Layer is one layer of a network.
type Layer = wire.Layer

// Layers are those of a network, for [Show].
type Layers []Layer

// Units lists a network's layers, with how many channels and places each has.
func Units(network string) Layers {
	a, _, err := ask("layers", "Units "+network, wire.Query{Model: network})
	must(err)
	return a.Layers
}
