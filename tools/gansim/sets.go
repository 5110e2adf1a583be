package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/experiment"
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
	return experiment.DrawRenders(set, cmp.Or(q.N, drawnImages), size, q.Seed), nil
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
		return rounded(experiment.DrawNoise(kind, cmp.Or(q.N, drawnImages), size, q.Seed), bits),
			parameters(q, "bits", "size")
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
	if _, err := g.Draw(recipe, rand.New(rand.NewPCG(q.Seed, 0)), 1); err != nil {
		return dataset.Drawn{}, misuse{err}
	}
	d, err := experiment.DrawCodes(o.backend, g, g.hash, recipe, cmp.Or(q.N, drawnImages), q.Seed)
	if kind.Blur {
		d = experiment.Blurred(d, g.ImageSize())
	}
	return rounded(d, bits), err
}

// rounded are the images as 8-bit files hold them, unless 32 bits are wanted.
func rounded(d dataset.Drawn, bits string) dataset.Drawn {
	if bits == "32" {
		d.Identity += " bits 32"
		return d
	}
	return experiment.Rounded(d)
}
