package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
	"gansim.example/weights"
)

// hunt is what the verbs share that search codes for units.
type hunt struct {
	gans      *[]string
	unit      populationFlag
	placement *string
	n         *int
	seed      *uint64
	out       *string
	backend   *string
	basis     *string
	recipe    *string
	photos    *string
	best      *int
	asJSON    *bool
	files     *networkFiles

	players    []*player
	scorer     gansim.Scorer
	netHash    string
	basisHash  string
	population actmax.Population
	units      []gansim.Unit
	boxes      map[[2]int]actmax.Box // by position
	pictures   dataset.Photographs
	viewer     *actmax.Viewer
}

// flags adds the shared flags; n counts what of says.
func (h *hunt) flags(c *cobra.Command, n int, of, out string) {
	h.gans = c.Flags().StringSlice("gan", nil, ganUsage)
	complete(c, "gan", ganNames())
	h.unit = unitFlags(c)
	kind := choiceFlag(c, "placement", actmax.Full, "where the image lies", actmax.Placements())
	h.placement = &kind.value
	h.n = countFlag(c, n, of)
	h.seed, h.out = seedFlag(c, "of starts and draws"), outFlag(c, out)
	h.backend, h.asJSON = backendFlag(c), jsonFlag(c)
	h.basis = c.Flags().String("basis", "", "`file` of gansim hessian (default: the miniature's)")
	h.recipe = c.Flags().String("recipe", "", "of the first codes (default: the paper's)")
	h.photos = c.Flags().String("photos", "", "`folder`: a unit's best stand beside its images")
	h.best = c.Flags().Int("best", 3, "of the photographs, on the sheet")
	h.files = weightsFlag(c)
}

// open finds the generators, the network and its units, before anything is computed.
func (h *hunt) open(c *cobra.Command) error {
	switch {
	case len(*h.gans) == 0:
		return misused(c, "no --gan given, known are %s", strings.Join(ganNames(), ", "))
	case *h.n < 1:
		return misused(c, "-n %d: want at least 1", *h.n)
	case *h.best < 0:
		return misused(c, "--best %d: want 0 or more", *h.best)
	case len(*h.gans) > 1 && c.Name() == "maximize":
		return misused(c, "one --gan at a time")
	}
	all, err := newCast(h.files)
	if err != nil {
		return err
	}
	if h.population, err = h.unit.parse(c); err != nil {
		return err
	}
	for _, name := range *h.gans {
		p, err := all.generator(name)
		if err != nil {
			return err
		}
		h.players = append(h.players, p)
	}
	if h.scorer, h.netHash, err = all.scorer(h.population.Net); err != nil {
		return err
	}
	if h.units, err = h.population.Units(h.scorer, *h.seed); err != nil {
		return misused(c, "%w", err)
	}
	if _, ok := h.scorer.(actmax.Inner); !ok && *h.placement != actmax.Full {
		return misused(c, "--placement %s: the receptive field of %s is not known", *h.placement,
			h.scorer.Name())
	}
	if *h.basis != "" {
		if err := h.readBasis(); err != nil {
			return err
		}
	}
	return checkOut(*h.out)
}

// readBasis gives the metric of a file to the generators of its size.
func (h *hunt) readBasis() error {
	f, err := weights.OpenSafetensors(*h.basis)
	if err != nil {
		return err
	}
	h.basisHash = f.SHA256()
	var misfit error
	taken := false
	for _, p := range h.players {
		if err := p.readMetric(*h.basis); err != nil {
			misfit = err
			continue
		}
		taken = true
	}
	if taken {
		return nil
	}
	return misfit
}

// prepare finds receptive fields and photographs, as far as they are asked for.
func (h *hunt) prepare(c *cobra.Command, b compute.Backend) error {
	h.boxes = map[[2]int]actmax.Box{}
	for _, u := range h.units {
		at := [2]int{u.Row, u.Col}
		if _, ok := h.boxes[at]; ok || *h.placement == actmax.Full {
			continue
		}
		box, err := actmax.UnitBox(c.Context(), b, h.scorer.(actmax.Inner), u, actmax.FieldConfig{Seed: *h.seed})
		if err != nil {
			return err
		}
		h.boxes[at] = box
	}
	if *h.photos == "" || *h.best == 0 {
		return nil
	}
	var err error
	h.pictures, err = dataset.Folder(c.Context(), *h.photos, imaging.ReadPhotograph, dataset.Options{
		Size: h.players[0].ImageSize(), Progress: newProgress(c.ErrOrStderr(), "photographs")})
	if err != nil {
		return err
	}
	h.viewer, err = actmax.NewViewer(b, h.scorer, h.units[0].Layer)
	return err
}

// place is where images lie for a unit.
func (h *hunt) place(u gansim.Unit) actmax.Placement {
	if *h.placement == actmax.Full {
		return actmax.Placement{}
	}
	return actmax.Placement{Kind: *h.placement, Box: h.boxes[[2]int{u.Row, u.Col}],
		Input: h.scorer.(actmax.Inner).InputSize()}
}

// photographs are a unit's best, for the sheet.
func (h *hunt) photographs(ctx context.Context, u gansim.Unit) ([]imaging.Cell, error) {
	if h.viewer == nil {
		return nil, nil
	}
	scores, err := h.viewer.Scores(ctx, u, h.pictures.Images)
	if err != nil {
		return nil, err
	}
	var cells []imaging.Cell
	for _, i := range actmax.Best(scores, *h.best) {
		m, err := imaging.FromImages(h.pictures.Images, i)
		if err != nil {
			return nil, err
		}
		cells = append(cells, imaging.Cell{Picture: m})
	}
	return cells, nil
}

// starts are the published recipes of first codes by generator and verb.
var starts = map[string]map[string]string{
	"DeePSim": {"maximize": "std1", "evolve": "std1", "invert": "std1"},
	"BigGAN":  {"maximize": "std0.7", "evolve": "evolve", "invert": "std0.7"},
}

// recipeOf is the recipe asked for, or the published one.
func recipeOf(given string, g *player, verb string) string {
	if given != "" {
		return given
	}
	return starts[g.family][verb]
}

// stream numbers a stream of random numbers by what it is for.
func stream(name string, i int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", name, i)
	return h.Sum64()
}

// fileName makes a name that every file system takes.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\:*?\"<>| ", r) {
			return '_'
		}
		return r
	}, s)
}

// names lists things for completion.
func names[T any](all []T, name func(T) string) []string {
	var out []string
	for _, v := range all {
		out = append(out, name(v))
	}
	return out
}
