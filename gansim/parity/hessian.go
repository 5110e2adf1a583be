package parity

import (
	"encoding/json"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"gansim.example/gansim"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/nn"
)

// hessianTiny compares the metrics of the tiny generator, in float64, for each distance.
func hessianTiny(r *run) error {
	c, err := oracle.OpenCase(r.dir, r.name)
	if err != nil {
		return err
	}
	var f struct {
		Cutoff   int
		Exponent float64
	}
	if err := json.Unmarshal(c.Extra, &f); err != nil {
		return err
	}
	g, err := openTiny(r.dir, c)
	if err != nil {
		return err
	}
	codes, err := c.Input("latent")
	if err != nil {
		return err
	}
	got := map[string][]float64{}
	if got["image"], err = rendered(r, g, codes); err != nil {
		return err
	}
	for kind, open := range distances {
		d, err := open(r.dir, c)
		if err != nil {
			return err
		}
		p, err := hessian.New(r.backend, g, d, g.CodeSize())
		if err != nil {
			return err
		}
		m := metricAt{p, kind, got}
		want, err := c.Expected(m.name("hessian"))
		if err != nil {
			return err
		}
		at := slices.Collect(slices.Chunk(codes.Data, g.CodeSize()))[:want.Shape[0]]
		if err := m.at(r, at, c.Salt); err != nil {
			return err
		}
		if err := m.average(r, at, f.Cutoff, f.Exponent); err != nil {
			return err
		}
	}
	return compareTensors(r, c, got)
}

// rendered draws codes, [n, 3, size, size].
func rendered(r *run, g *tiny, codes oracle.Tensor) ([]float64, error) {
	p, err := graphx.New(r.backend, []gansim.Params{g.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node { return []*Node{g.Decode(nets[0], in[0])} })
	if err != nil {
		return nil, err
	}
	out, err := p.Call(rawLayout.tensor(codes, graphx.Precision(g.Params())))
	if err != nil {
		return nil, err
	}
	return rawLayout.published(out[0], []int{codes.Shape[0], 3, g.ImageSize(), g.ImageSize()})
}

// metricAt gathers a distance's tensors under their names in the case.
type metricAt struct {
	products *hessian.Products
	kind     string
	got      map[string][]float64
}

func (m metricAt) name(tensor string) string { return tensor + "(" + m.kind + ")" }

// at finds the metrics at codes and their products with the case's vector.
func (m metricAt) at(r *run, codes [][]float64, salt string) error {
	d := len(codes[0])
	vectors := make([][]float64, d+1) // the axes, then the vector
	h := oracle.Hash(salt, "hessian/v")
	for i := range vectors {
		vectors[i] = make([]float64, d)
		for j := range d {
			if i == d {
				vectors[i][j] = oracle.U(h, uint64(j))
			} else if i == j {
				vectors[i][j] = 1
			}
		}
	}
	for _, code := range codes {
		rows, err := m.products.Times(r.ctx, code, vectors)
		if err != nil {
			return err
		}
		for _, row := range rows[:d] {
			m.got[m.name("hessian")] = append(m.got[m.name("hessian")], row...)
		}
		m.got[m.name("hvp")] = append(m.got[m.name("hvp")], rows[d]...)
	}
	return nil
}

// average takes the mean of the metrics and what follows from it.
func (m metricAt) average(r *run, codes [][]float64, cutoff int, exponent float64) error {
	whole, err := m.products.Average(r.ctx, codes, nil)
	if err != nil {
		return err
	}
	d := len(whole.Values)
	first, err := whole.Block(0, d/2)
	if err != nil {
		return err
	}
	second, err := whole.Block(d/2, d)
	if err != nil {
		return err
	}
	a, err := whole.Subspace(cutoff, exponent)
	if err != nil {
		return err
	}
	var square mat.Dense
	square.Mul(a.T(), a)
	for name, v := range map[string][]float64{
		"hessian_average": mat.DenseCopyOf(whole.Matrix).RawMatrix().Data, "eigenvalues": whole.Values,
		"eigenvalues_first_half": first.Values, "eigenvalues_second_half": second.Values,
		"cma_AtA": square.RawMatrix().Data,
	} {
		m.got[m.name(name)] = v
	}
	return nil
}

// distances open the distances that metrics are taken of, by their names in the cases. Images in
// [0, 1] are handed to LPIPS as they are, as the paper does; its weights are the case's second.
var distances = map[string]func(dir string, c *oracle.Case) (gansim.Distance, error){
	"mse": func(string, *oracle.Case) (gansim.Distance, error) { return nn.PixelMSE(), nil },
	"lpips": func(dir string, c *oracle.Case) (gansim.Distance, error) {
		src, err := source(dir, c.Weights[1])
		if err != nil {
			return gansim.Distance{}, err
		}
		config := lpips.SqueezeNet
		config.Unscaled = true
		net, err := config.Load(src, nn.LoadOptions{Float64: true})
		if err != nil {
			return gansim.Distance{}, err
		}
		return gansim.Distance{Name: net.Name, Params: net.Params(), Graph: net.Distance}, nil
	},
}

// compareTensors holds every tensor of a case against what was found under its name, in float64.
func compareTensors(r *run, c *oracle.Case, got map[string][]float64) error {
	for _, name := range c.Tensors {
		v, ok := got[name]
		if !ok {
			r.line(Line{Stage: name, Error: "no code for this tensor"})
			continue
		}
		want, err := c.Expected(name)
		if err != nil {
			return err
		}
		kept, err := want.Kept(v)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.relative(name, kept, want.Values, stepTolerance)
	}
	return nil
}
