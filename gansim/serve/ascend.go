package serve

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/wire"
)

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
	vectors, err := c.eigenvectors(m, g, method.Hessian)
	if err != nil {
		return a, err
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
	key := fmt.Sprintf("maximize %s of %s on %s by %d %s", l.Name, net.key, m.key, batch, c.Basis)
	x, err := hold(c, key, func() (*actmax.Maximizer, error) {
		return actmax.NewMaximizer(c.server.backend, g, s,
			actmax.MaximizerConfig{Layer: l.Name, Basis: vectors, Batch: batch})
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
	a, err := k.maximizer.Begin(runs, valid)
	if err != nil {
		return err
	}
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
