package actmax

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
)

// photoBatch is the number of pictures of a compiled call.
const photoBatch = 16

// Viewer scores pictures on units of one layer of a network.
type Viewer struct {
	program *graphx.Program
}

// NewViewer compiles a network up to the layer.
func NewViewer(backend compute.Backend, s gansim.Scorer, layer string) (*Viewer, error) {
	l, err := FindLayer(s, layer)
	if err != nil {
		return nil, err
	}
	program, err := graphx.New(backend, []gansim.Params{s.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{pick(s.Activations(nets[0], in[0], l.Name), in[1], in[2], in[3])}
		})
	return &Viewer{program}, err
}

// Close frees the device's memory; the viewer is not to be used afterwards.
func (v *Viewer) Close() { v.program.Close() }

// Scores gives the unit's activation for each picture.
func (v *Viewer) Scores(ctx context.Context, u gansim.Unit, images gansim.Images) ([]float64, error) {
	channel, row, col := indices(slices.Repeat([]gansim.Unit{u}, photoBatch))
	var scores []float64
	err := graphx.Padded(images.N, photoBatch, func(rows []int, valid int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("actmax: %v: picture %d of %d: %w", u, rows[0], images.N, err)
		}
		some, err := v.program.Rows(valid, 1, graphx.Gather(images, rows), channel, row, col)
		for _, s := range some {
			scores = append(scores, float64(s))
		}
		return err
	})
	return scores, err
}

// Best are the indices of the n pictures with the highest scores, best first; equal ones in their order.
func Best(scores []float64, n int) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return order[:min(n, len(order))]
}
