package actmax

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/optim"
)

// Evolver scores codes of one generator on units of one layer.
type Evolver struct {
	generator  gansim.Generator
	program    *graphx.Program
	decoder    *decode.Decoder
	population int
}

// NewEvolver compiles generator and network up to the layer, for populations of the given size.
func NewEvolver(backend compute.Backend, g gansim.Generator, s gansim.Scorer, layer string,
	population int) (*Evolver, error) {
	l, err := FindLayer(s, layer)
	if err != nil {
		return nil, err
	}
	program, err := graphx.New(backend, []gansim.Params{g.Params(), s.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			images := g.Decode(nets[0], in[0])
			return []*Node{pick(s.Activations(nets[1], images, l.Name), in[1], in[2], in[3])}
		})
	if err != nil {
		return nil, err
	}
	decoder, err := decode.New(backend, g)
	if err != nil {
		return nil, err
	}
	return &Evolver{g, program, decoder, population}, nil
}

// Bytes is what the evolver's networks take on the device.
func (e *Evolver) Bytes() int64 { return e.program.Bytes() + e.decoder.Bytes() }

// Close frees the device's memory; the evolver is not to be used afterwards.
func (e *Evolver) Close() { e.program.Close(); e.decoder.Close() }

// Scores gives the unit's activation for each code.
func (e *Evolver) Scores(u gansim.Unit, codes [][]float64) ([]float64, error) {
	units := make([]gansim.Unit, e.population)
	for i := range units {
		units[i] = u
	}
	channel, row, col := indices(units)
	scores := make([]float64, 0, len(codes))
	err := graphx.Padded(len(codes), e.population, func(rows []int, valid int) error {
		z := make([]float32, 0, e.population*e.generator.CodeSize())
		for _, r := range rows {
			for _, x := range codes[r] {
				z = append(z, float32(x))
			}
		}
		v, err := e.program.Rows(valid, 1, graphx.Tensor(z, e.population, e.generator.CodeSize()),
			channel, row, col)
		for _, x := range v {
			scores = append(scores, float64(x))
		}
		return err
	})
	return scores, err
}

// Images decodes codes.
func (e *Evolver) Images(ctx context.Context, codes [][]float64) (gansim.Images, error) {
	c := gansim.Codes{N: len(codes), Dim: e.generator.CodeSize()}
	for _, z := range codes {
		for _, x := range z {
			c.Z = append(c.Z, float32(x))
		}
	}
	return e.decoder.Images(ctx, c)
}

// Thread is one of the evolutions that run side by side for a unit.
type Thread struct {
	Evolver *Evolver
	Search  optim.Search
	Codes   [][]float64 // the last generation
	Scores  []float64   // of those codes
	Best    []float64   // the best score of each generation
	History [][]float64 // the scores of each generation
}

// Replay brings a fresh thread to where one with the same search was that had these scores, without
// the networks: a search depends on its seed and the scores alone. So scores are all that has to be
// kept of an evolution.
func (t *Thread) Replay(history [][]float64) error {
	for _, scores := range history {
		t.Codes = t.Search.Ask()
		if err := t.tell(scores); err != nil {
			return err
		}
	}
	return nil
}

func (t *Thread) tell(scores []float64) error {
	t.Scores = scores
	if err := t.Search.Tell(scores); err != nil {
		return err
	}
	t.History = append(t.History, scores)
	t.Best = append(t.Best, slices.Max(scores))
	return nil
}

// Evolve advances all threads together, generation by generation, as the paper's concurrent
// evolutions do. Generation 0 evaluates the start alone; the codes that follow the last generation
// are never rendered. When ctx ends, all threads have the same generations behind them.
func Evolve(ctx context.Context, u gansim.Unit, generations int, threads []*Thread) error {
	for g := range generations {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("actmax: %v, generation %d of %d: %w", u, g, generations, err)
		}
		for _, t := range threads {
			t.Codes = t.Search.Ask()
			scores, err := t.Evolver.Scores(u, t.Codes)
			if err != nil {
				return err
			}
			if err := t.tell(scores); err != nil {
				return fmt.Errorf("actmax: %v: %w", u, err)
			}
		}
	}
	return nil
}
