package serve

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/optim"
	"gansim.example/gansim/ranktest"
)

// batchOf is the compiled batch for n runs: one of few sizes, so that few programs serve all.
func batchOf(n int) int {
	for _, size := range []int{1, 4, 8} {
		if n <= size {
			return size
		}
	}
	return 12 // as in panels C and D
}

// inversion searches codes of the generator Model for the images, as panel C does: Steps (100) of
// Adam at Rate. Parts: reconstructions, originals as they were compared, codes. Values: Pearson r of
// each, loss of the start and of the end.
func inversion(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	images, err := c.images(0)
	if err != nil {
		return a, err
	}
	if images, err = fit(images, g.ImageSize()); err != nil {
		return a, err
	}
	steps, err := c.steps(100)
	if err != nil {
		return a, err
	}
	h := habitsOf(m)
	recipe := either(c.Recipe, h.invert)
	start := gansim.Codes{N: images.N, Dim: g.CodeSize()}
	for i := range images.N { // one stream a picture, so that batches do not matter
		z, err := g.Draw(recipe, rand.New(rand.NewPCG(c.Seed, uint64(i))), 1)
		if err != nil {
			return a, err
		}
		start.Z = append(start.Z, z.Z...)
	}
	config := invert.Config{Steps: steps, Rate: c.Rate, Batch: batchOf(images.N), Watch: c.glance}
	if c.Rate == 0 {
		config.Rate = h.rate
	}
	key := fmt.Sprintf("invert %s by %d", m.key, config.Batch)
	x, err := hold(c, key, func() (*invert.Inverter, error) { return invert.New(c.server.backend, g, config) })
	if err != nil {
		return a, err
	}
	if x, err = x.With(config); err != nil {
		return a, err
	}
	r, err := x.Invert(c, images, start)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	a.Origin.Recipe, a.Origin.Steps = recipe, steps
	a.Names = []string{"r", "loss_first", "loss_last"}
	a.Values = [][]float64{correlations(images, r.Images), r.LossFirst, r.LossLast}
	c.put(&a, r.Images)
	c.put(&a, images)
	c.putCodes(&a, r.Codes)
	return a, nil
}

// glance tells of an inversion's iteration.
func (c *call) glance(s invert.Iteration) {
	c.tell(s.Done, s.Total, func() string {
		losses, err := s.Losses()
		if err != nil {
			return ""
		}
		sum := 0.0
		for _, l := range losses {
			sum += float64(l)
		}
		return fmt.Sprintf("loss %.4f", sum/float64(len(losses)))
	}, s.Images)
}

// correlations are Pearson's r by image, 0 where a picture is constant.
func correlations(a, b gansim.Images) []float64 {
	r := make([]float64, a.N)
	for i := range r {
		if v, err := ranktest.Pearson(actmax.Widen(a.At(i)), actmax.Widen(b.At(i))); err == nil {
			r[i] = v
		}
	}
	return r
}

// maximize searches codes of the generator Model that drive Unit, as panel D does: N runs (4) of
// Steps (100) by Method. Parts: images of the last codes, the codes. Values: the scores of each run,
// step by step.
func maximize(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	net, s, l, u, err := c.oneUnit()
	if err != nil {
		return a, err
	}
	n, err := c.count(4, g.ImageSize())
	if err != nil {
		return a, err
	}
	steps, err := c.steps(100)
	if err != nil {
		return a, err
	}
	method, err := c.method(habitsOf(m).panel)
	if err != nil {
		return a, err
	}
	if method.Hessian && m.basis == nil {
		return a, fmt.Errorf("%s needs eigenvectors, and none of %s are here", method.Label, m.name)
	}
	recipe := either(c.Recipe, habitsOf(m).maximize)
	var runs []actmax.Run
	for i := range n {
		rng := rand.New(rand.NewPCG(c.Seed, uint64(i)))
		start, err := g.Draw(recipe, rng, 1)
		if err != nil {
			return a, err
		}
		runs = append(runs, actmax.Run{Unit: u, Method: method, Start: actmax.Widen(start.Z),
			Redraw: actmax.Redraws(g, recipe, rng)})
	}
	batch := batchOf(n)
	key := fmt.Sprintf("maximize %s of %s on %s by %d", l.Name, net.key, m.key, batch)
	x, err := hold(c, key, func() (*actmax.Maximizer, error) {
		return actmax.NewMaximizer(c.server.backend, g, s, l.Name, directions(m, g.CodeSize()), batch)
	})
	if err != nil {
		return a, err
	}
	k := &climb{call: c, model: m, generator: g, maximizer: x, steps: steps, total: n}
	if err := k.all(runs, batch); err != nil {
		return a, err
	}
	images, err := c.decode(m, g, k.codes)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m, net)
	a.Origin.Recipe, a.Origin.Steps = recipe, steps
	a.Names, a.Values = []string{u.String(), method.Label}, k.scores
	c.put(&a, images)
	c.putCodes(&a, k.codes)
	return a, nil
}

// method is the optimiser of panel D by its label; the first of the generator's if none is asked for.
func (c *call) method(generator string) (actmax.Method, error) {
	all := actmax.Methods(generator)
	if c.Rate != 0 {
		return actmax.Method{Label: fmt.Sprintf("Adam, rate %g", c.Rate), Adam: true, Rate: c.Rate}, nil
	}
	var known []string
	for _, v := range append(all, actmax.Methods("BigGAN")...) {
		if c.Method == v.Label || c.Method == "" {
			return v, nil
		}
		known = append(known, v.Label)
	}
	return actmax.Method{}, fmt.Errorf("no method %q, known are %v", c.Method, known)
}

// directions is the generator's basis, or the axes.
func directions(m *model, d int) []float64 {
	if m.basis != nil {
		return actmax.Widen(m.basis)
	}
	axes := make([]float64, d*d)
	for i := range d {
		axes[i*d+i] = 1
	}
	return axes
}

// climb runs maximisations batch by batch with progress.
type climb struct {
	*call
	model     *model
	generator gansim.Generator
	maximizer *actmax.Maximizer
	steps     int
	total     int

	codes  gansim.Codes
	scores [][]float64 // by run
}

func (k *climb) all(runs []actmax.Run, batch int) error {
	k.codes = gansim.Codes{Dim: k.generator.CodeSize()}
	for from := 0; from < len(runs); from += batch {
		some := slices.Clone(runs[from:min(from+batch, len(runs))])
		valid := len(some)
		for len(some) < batch {
			some = append(some, some[valid-1])
		}
		if err := k.batch(some, valid, from); err != nil {
			return err
		}
	}
	return nil
}

func (k *climb) batch(runs []actmax.Run, valid, from int) error {
	a := k.maximizer.Begin(runs, valid)
	defer a.End()
	scores := make([][]float64, valid)
	for step := range k.steps {
		if err := k.Err(); err != nil {
			return fmt.Errorf("step %d of %d: %w", step, k.steps, err)
		}
		now, err := a.Step()
		if err != nil {
			return err
		}
		for i := range valid {
			scores[i] = append(scores[i], now[i])
		}
		k.tell(from*k.steps+(step+1)*valid, k.total*k.steps,
			func() string { return fmt.Sprintf("score %.3f", slices.Max(now[:valid])) },
			func() (gansim.Images, error) {
				z, err := k.last(a, valid)
				if err != nil {
					return gansim.Images{}, err
				}
				return k.decode(k.model, k.generator, z)
			})
	}
	z, err := k.last(a, valid)
	if err != nil {
		return err
	}
	k.codes.N += valid
	k.codes.Z = append(k.codes.Z, z.Z...)
	k.scores = append(k.scores, scores...)
	return nil
}

// last are the codes that the last step scored.
func (k *climb) last(a *actmax.Ascent, valid int) (gansim.Codes, error) {
	z, err := a.Codes()
	out := gansim.Codes{N: valid, Dim: k.generator.CodeSize()}
	for _, v := range z[:min(len(z), valid*out.Dim)] {
		out.Z = append(out.Z, float32(v))
	}
	return out, err
}

// evolve searches codes of the generator Model that drive Unit without gradients, as panel B does:
// CMA-ES for Steps generations (20). Parts: images of the last generation, best first, and their
// codes. Values: the best score of each generation, the scores of the images.
func evolve(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	net, s, l, u, err := c.oneUnit()
	if err != nil {
		return a, err
	}
	generations, err := c.steps(20)
	if err != nil {
		return a, err
	}
	h := habitsOf(m)
	recipe, rng := either(c.Recipe, h.evolve), rand.New(rand.NewPCG(c.Seed, 0))
	start, err := g.Draw(recipe, rng, 1)
	if err != nil {
		return a, err
	}
	cma, err := optim.New(optim.Config{Dim: start.Dim, Start: actmax.Widen(start.Z), Sigma: h.sigma,
		Seed: rng.Uint64()})
	if err != nil {
		return a, err
	}
	key := fmt.Sprintf("evolve %s of %s on %s", l.Name, net.key, m.key)
	x, err := hold(c, key, func() (*actmax.Evolver, error) {
		return actmax.NewEvolver(c.server.backend, g, s, l.Name, optim.DefaultPopulation(g.CodeSize()))
	})
	if err != nil {
		return a, err
	}
	t := &actmax.Thread{Evolver: x, CMAES: cma}
	for k := range generations {
		if err := actmax.Evolve(c, u, 1, []*actmax.Thread{t}); err != nil {
			return a, fmt.Errorf("generation %d of %d: %w", k, generations, err)
		}
		c.tell(k+1, generations, func() string { return fmt.Sprintf("score %.3f", t.Best[k]) },
			func() (gansim.Images, error) { return x.Images(c, t.Codes[:min(8, len(t.Codes))]) })
	}
	order := make([]int, len(t.Scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case t.Scores[i] > t.Scores[j]:
			return -1
		case t.Scores[i] < t.Scores[j]:
			return 1
		}
		return 0
	})
	codes := gansim.Codes{N: len(order), Dim: start.Dim}
	var sorted [][]float64
	var scores []float64
	for _, i := range order {
		sorted, scores = append(sorted, t.Codes[i]), append(scores, t.Scores[i])
		for _, v := range t.Codes[i] {
			codes.Z = append(codes.Z, float32(v))
		}
	}
	images, err := x.Images(c, sorted)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m, net)
	a.Origin.Recipe, a.Origin.Steps = recipe, generations
	a.Names, a.Values = []string{u.String(), "CMA-ES"}, [][]float64{t.Best, scores}
	c.put(&a, images)
	c.putCodes(&a, codes)
	return a, nil
}
