package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini/world"
)

// drawnImages is how many images a set to be drawn has where nobody says: the class preset's.
const drawnImages = 2000

// setSpecs is the help of image sets.
const setSpecs = "Sets: folder, archive, .parquet, list (.txt), statistics (.npz), imagenet:DIR (ecoset: things:\n" +
	"coco:), gen:NAME/RECIPE?n=N&seed=S, mini:imagenet (ecoset things coco). "

// strictSets is the help of --strict where there are image sets.
const strictSets = "stop at files that cannot be read and at weights that are not finite"

// setOpener opens the image sets of a command line.
type setOpener struct {
	command *cobra.Command
	cast    *cast
	backend compute.Backend
	dataset.Options
}

// open opens all sets; all names must differ.
func (o setOpener) open(specs []string) ([]*dataset.Set, error) {
	o.Workers = runtime.GOMAXPROCS(0)
	o.Openers = map[string]dataset.Opener{"gen": o.gen, "mini": o.mini}
	var sets []*dataset.Set
	for i, spec := range specs {
		if slices.Contains(specs[:i], spec) {
			return sets, misused(o.command, "set %s is given twice", spec)
		}
		s, err := dataset.Open(o.command.Context(), spec, o.Options)
		if err != nil {
			return sets, err
		}
		if sets = append(sets, s); s.Note != "" {
			fmt.Fprintf(o.command.ErrOrStderr(), "gansim: %s\n", s.Note)
		}
	}
	return sets, nil
}

func closeSets(sets []*dataset.Set) {
	for _, s := range sets {
		_ = s.Close() // only read from
	}
}

// parameters refuses what a set does not know.
func parameters(q dataset.Query, known ...string) error {
	for name := range q.Values {
		if name != "as" && !slices.Contains(known, name) {
			return misuse{fmt.Errorf("no parameter %q, want n, seed, as, %s", name, strings.Join(known, ", "))}
		}
	}
	return nil
}

// sizeOf is the height and width that a set is asked for, pixels.
func sizeOf(q dataset.Query, habit int) (int, error) {
	v := q.Values.Get("size")
	if v == "" {
		return habit, nil
	}
	size, err := strconv.Atoi(v)
	if err != nil || size < 1 || size > 4096 {
		return 0, misuse{fmt.Errorf("size=%s, want 1 to 4096 pixels", v)}
	}
	return size, nil
}

// mini draws renders of the miniature world that no network has learned from.
func (o setOpener) mini(_ context.Context, q dataset.Query) (dataset.Drawn, error) {
	set, err := world.ParseSet(q.Name)
	if err != nil {
		return dataset.Drawn{}, misuse{err}
	}
	if err := parameters(q, "size"); err != nil {
		return dataset.Drawn{}, err
	}
	size, err := sizeOf(q, world.DefaultSize)
	if err != nil {
		return dataset.Drawn{}, err
	}
	d := dataset.Drawn{N: cmp.Or(q.N, drawnImages), Piece: 64,
		Identity: fmt.Sprintf("mini %v size %d seed %d", set, size, q.Seed)}
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		r, err := world.Batch(ctx, world.Request{Set: set, Seed: q.Seed + heldOut, From: uint64(from),
			N: to - from, Size: size})
		return r.Images(), err
	}
	return d, nil
}

// gen draws images of a condition of panel A or of a generator and recipe. Those of a generator are
// the same as the images of gansim sample, for one seed.
func (o setOpener) gen(_ context.Context, q dataset.Query) (dataset.Drawn, error) {
	bits := q.Values.Get("bits")
	if bits != "" && bits != "8" && bits != "32" {
		return dataset.Drawn{}, misuse{fmt.Errorf("bits=%s, want 8, as in a PNG, or 32", bits)}
	}
	name, recipe, _ := strings.Cut(q.Name, "/")
	kind, err := experiment.FindCondition(cmp.Or(recipe, name))
	if err == nil && kind.Noise != "" && recipe == "" {
		size, err := sizeOf(q, 256)
		if err != nil {
			return dataset.Drawn{}, err
		}
		return rounded(noise(kind, q, size), bits), parameters(q, "bits", "size")
	}
	if err := parameters(q, "bits"); err != nil {
		return dataset.Drawn{}, err
	}
	if err == nil && recipe == "" {
		name = kind.Family // the miniature
	}
	g, unknown := o.cast.generator(name)
	switch {
	case unknown != nil:
		known := names(experiment.Conditions(), func(c experiment.Condition) string { return c.Name })
		return dataset.Drawn{}, fmt.Errorf("%w; or a condition: %s", unknown, strings.Join(known, ", "))
	case err == nil && kind.Family != g.family:
		return dataset.Drawn{}, misuse{fmt.Errorf("%s is no condition of %s", kind.Name, g.Name())}
	case err == nil:
		recipe = kind.Recipe
	case recipe == "":
		recipe = recipes(g.family)[0]
	}
	d, err := o.drawn(g, recipe, q)
	if kind.Blur {
		d = blurred(d, g.ImageSize())
	}
	return rounded(d, bits), err
}

// drawn are images of a generator.
func (o setOpener) drawn(g *player, recipe string, q dataset.Query) (dataset.Drawn, error) {
	if _, err := g.Draw(recipe, rand.New(rand.NewPCG(q.Seed, 0)), 1); err != nil {
		return dataset.Drawn{}, misuse{err}
	}
	decoder, err := decode.New(o.backend, g)
	if err != nil {
		return dataset.Drawn{}, err
	}
	codes := &codeStream{g: g, recipe: recipe, seed: q.Seed}
	return dataset.Drawn{N: cmp.Or(q.N, drawnImages), Generated: true, Piece: 4 * decode.Batch,
		Identity: fmt.Sprintf("gen %s %s recipe %s seed %d", g.Name(), g.hash, recipe, q.Seed),
		Draw: func(ctx context.Context, from, to int) (gansim.Images, error) {
			z, err := codes.at(from, to)
			if err != nil {
				return gansim.Images{}, err
			}
			return decoder.Images(ctx, z)
		},
		Close: func() error { decoder.Close(); return nil }}, nil
}

// noise are images of pink or white noise.
func noise(kind experiment.Condition, q dataset.Query, size int) dataset.Drawn {
	draw := dataset.White
	if kind.Noise == "pink" {
		draw = dataset.Pink
	}
	return dataset.Drawn{N: cmp.Or(q.N, drawnImages), Generated: true,
		Identity: fmt.Sprintf("gen %s size %d seed %d", kind.Name, size, q.Seed),
		Draw: func(ctx context.Context, from, to int) (gansim.Images, error) {
			return draw(from, to, size, q.Seed), ctx.Err()
		}}
}

// blurred is the condition's blur, in proportion where images are not as large as the paper's. Like
// there, the images have been in files of 8 bits before.
func blurred(d dataset.Drawn, size int) dataset.Drawn {
	d = rounded(d, "8")
	scale, draw := float64(size)/256, d.Draw
	radius, sigma := int(math.Round(experiment.BlurRadius*scale)), experiment.BlurSigma*scale
	d.Identity += fmt.Sprintf(" blur %d %g", radius, sigma)
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		images, err := draw(ctx, from, to)
		if err != nil {
			return images, err
		}
		return imaging.GaussianBlur(images, radius, sigma)
	}
	return d
}

// rounded are the images as 8-bit files hold them, unless 32 bits are wanted.
func rounded(d dataset.Drawn, bits string) dataset.Drawn {
	if bits == "32" {
		d.Identity += " bits 32"
		return d
	}
	draw := d.Draw
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		images, err := draw(ctx, from, to)
		for i, v := range images.Pix {
			images.Pix[i] = float32(imaging.Quantize(v)) / 255
		}
		return images, err
	}
	return d
}

// codeStream gives pieces of a generator's codes, which are drawn one after the other.
type codeStream struct {
	g      gansim.Generator
	recipe string
	seed   uint64

	rng  *rand.Rand
	next int // code that comes next
}

// skipped codes are drawn so many at a time.
const skipPiece = 64

func (s *codeStream) at(from, to int) (gansim.Codes, error) {
	if s.rng == nil || from < s.next {
		s.rng, s.next = rand.New(rand.NewPCG(s.seed, 0)), 0
	}
	for s.next < from {
		n := min(skipPiece, from-s.next)
		if _, err := s.g.Draw(s.recipe, s.rng, n); err != nil {
			return gansim.Codes{}, err
		}
		s.next += n
	}
	s.next = to
	return s.g.Draw(s.recipe, s.rng, to-from)
}
