package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
)

// evolutionFile is what a case of gradient evolution says beside its tensors.
type evolutionFile struct {
	Optimizer map[string]struct {
		Name  string
		LR    float64
		Betas []float64
		Eps   float64
	}
	Steps int
	Basis struct {
		Gauss4 string
		D      int
	}
}

// actmaxTiny follows each optimiser on the tiny generator from one start, in float64.
func actmaxTiny(r *run) error {
	c, err := oracle.OpenCase(r.dir, r.name)
	if err != nil {
		return err
	}
	var f evolutionFile
	if err := json.Unmarshal(c.Extra, &f); err != nil {
		return err
	}
	g, err := openTiny(r.dir, c)
	if err != nil {
		return err
	}
	start, err := c.Input("latent")
	if err != nil {
		return err
	}
	e := &evolution{evolutionFile: f, run: r, generator: g, start: start,
		basis: oracle.Basis(c.Salt, f.Basis.Gauss4, f.Basis.D), got: map[string][]float64{}}
	e.got["basis"] = e.basis
	probe := newProbe(c.Salt, "probe/tiny", g.ImageSize())
	if err := e.first(probe); err != nil {
		return err
	}
	if err := e.follow(probe); err != nil {
		return err
	}
	return compareTensors(r, c, e.got)
}

// evolution gathers tensors under their names in the case.
type evolution struct {
	evolutionFile
	run       *run
	generator gansim.Generator
	start     oracle.Tensor // [runs, d]
	basis     []float64     // [d, d]
	got       map[string][]float64
}

// first renders the start and differentiates the sum of its scores.
func (e *evolution) first(s gansim.Scorer) error {
	program, err := graphx.New(e.run.backend, []gansim.Params{e.generator.Params(), s.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			images := e.generator.Decode(nets[0], in[0])
			score := ReduceAllSum(s.Activations(nets[1], images, ""))
			return []*Node{images, Gradient(score, in[0])[0]}
		})
	if err != nil {
		return err
	}
	n, d := e.start.Shape[0], e.start.Shape[1]
	out, err := program.Call(tensors.FromFlatDataAndDimensions(e.start.Data, n, d))
	if err != nil {
		return err
	}
	size := e.generator.ImageSize()
	images, err := rawLayout.published(out[0], []int{n, 3, size, size})
	if err != nil {
		return err
	}
	gradient, err := graphx.Float64s(out[1])
	if err != nil {
		return err
	}
	for label := range e.Optimizer {
		e.got[label+"/image[1]"] = images
		e.got["grad("+label+"/score[1], latent)"] = gradient
		e.got["grad("+label+"/score[1], w)"] = e.rotated(gradient, false)
		e.got[label+"/w[0]"] = e.rotated(e.start.Data, false)
	}
	return nil
}

// rotated multiplies rows by the basis, or by its transpose.
func (e *evolution) rotated(rows []float64, transposed bool) []float64 {
	d := e.start.Shape[1]
	out := make([]float64, len(rows))
	for i := range out {
		for k, v := range rows[i/d*d : i/d*d+d] {
			at := k*d + i%d
			if transposed {
				at = i%d*d + k
			}
			out[i] += v * e.basis[at]
		}
	}
	return out
}

// method is an optimiser of the file.
func (e *evolution) method(label string) (actmax.Method, error) {
	o := e.Optimizer[label]
	if adam := o.Name == "Adam"; !adam && o.Name != "SGD" ||
		adam && (!slices.Equal(o.Betas, []float64{.9, .999}) || o.Eps != 1e-8) {
		return actmax.Method{}, fmt.Errorf("%s: no code for %+v", label, o)
	}
	return actmax.Method{Label: label, Adam: o.Name == "Adam", Rate: o.LR,
		Hessian: strings.HasSuffix(label, "Hess")}, nil
}

// follow runs all optimisers in one batch.
func (e *evolution) follow(s gansim.Scorer) error {
	n, d := e.start.Shape[0], e.start.Shape[1]
	labels := slices.Sorted(maps.Keys(e.Optimizer))
	var runs []actmax.Run
	for _, label := range labels {
		method, err := e.method(label)
		if err != nil {
			return err
		}
		for i := range n {
			z := e.start.Data[i*d : (i+1)*d]
			runs = append(runs, actmax.Run{Unit: actmax.CenterUnit(s, s.Layers()[0], 0),
				Method: method, Start: z, Redraw: func() ([]float64, error) { return z, nil }})
		}
	}
	m, err := actmax.NewMaximizer(e.run.backend, e.generator, s, actmax.MaximizerConfig{
		Layer: s.Layers()[0].Name, Basis: e.basis, Batch: len(runs)})
	if err != nil {
		return err
	}
	a, err := m.Begin(runs, len(runs))
	if err != nil {
		return err
	}
	defer a.End()
	for k := 1; k <= e.Steps; k++ {
		scores, err := a.Step()
		if err != nil {
			return err
		}
		state, err := a.State()
		if err != nil {
			return err
		}
		for i, label := range labels {
			e.got[label+"/scores"] = append(e.got[label+"/scores"], scores[i*n:(i+1)*n]...)
			w := state.W[i*n*d : (i+1)*n*d]
			if runs[i*n].Method.Hessian {
				w = e.rotated(w, true)
			}
			e.got[fmt.Sprintf("%s/code[%d]", label, k)] = w
		}
	}
	return nil
}

// probe is a network of one unit: the sum of an image times formula numbers.
type probe struct {
	size    int
	weights []float64 // [size, size, 3]
}

var _ gansim.Scorer = probe{}

func newProbe(salt, name string, size int) probe {
	h := oracle.Hash(salt, name)
	index, _ := channelsLastOrder([]int{1, 3, size, size})
	p := probe{size, make([]float64, len(index))}
	for i, from := range index {
		p.weights[i] = oracle.U(h, uint64(from))
	}
	return p
}

// Name is what its unit is called in the cases.
func (probe) Name() string { return "probe" }

// Params are the formula numbers.
func (p probe) Params() gansim.Params {
	return gansim.Params{Names: []string{"probe"}, Tensors: []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(p.weights, len(p.weights), 1)}}
}

// Layers has one unit.
func (probe) Layers() []gansim.Layer { return []gansim.Layer{{Name: "probe", Channels: 1}} }

// Activations gives the sum for each image, [n, 1].
func (p probe) Activations(w gansim.Weights, images *Node, _ string) *Node {
	return Dot(Reshape(images, -1, len(p.weights)), w("probe")).Product()
}
