package serve

import (
	"cmp"
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
	loss, lossKey, err := c.distance()
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
	config := invert.Config{Steps: steps, Rate: c.Rate, Batch: batchOf(images.N), Loss: loss,
		Watch: c.glance}
	if c.Rate == 0 {
		config.Rate = h.rate
	}
	key := fmt.Sprintf("invert %s by %d, %s", m.key, config.Batch, lossKey)
	x, err := hold(c, key, func() (*invert.Inverter, error) {
		return invert.New(c.server.backend, g, config)
	})
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
	t := &actmax.Thread{Evolver: x, Search: cma}
	for k := range generations {
		if err := actmax.Evolve(c, u, 1, []*actmax.Thread{t}); err != nil {
			return a, fmt.Errorf("generation %d of %d: %w", k, generations, err)
		}
		c.tell(k+1, generations, func() string { return fmt.Sprintf("score %.3f", t.Best[k]) },
			func() (gansim.Images, error) { return x.Images(c, t.Codes[:min(8, len(t.Codes))]) })
	}
	sorted, scores := ranked(t)
	codes := gansim.Codes{N: len(sorted), Dim: start.Dim}
	for _, code := range sorted {
		for _, v := range code {
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

// ranked gives the codes and scores of a search's last generation, best first.
func ranked(t *actmax.Thread) (codes [][]float64, scores []float64) {
	order := make([]int, len(t.Scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(t.Scores[j], t.Scores[i]) })
	for _, i := range order {
		codes, scores = append(codes, t.Codes[i]), append(scores, t.Scores[i])
	}
	return codes, scores
}
