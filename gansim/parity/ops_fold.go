package parity

import (
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
)

// folded is a layer that package nn folds while weights are read, and how a graph applies it.
type folded struct {
	layer func(c oracle.OpCase) nn.Layer
	apply func(w gansim.Weights, x *Node, c oracle.OpCase) *Node
}

// foldings are the operators that are layers of a checkpoint: spectral norm is divided out and batch
// norm becomes a scale and an offset.
var foldings = map[string]folded{
	"spectral_norm_conv": {
		func(c oracle.OpCase) nn.Layer {
			w := c.Inputs["weight_orig"].Shape
			return nn.Layer{Kind: nn.Kernel, In: w[1], Out: w[0], Size: [2]int{w[2], w[3]}, Spectral: true}
		},
		func(w gansim.Weights, x *Node, c oracle.OpCase) *Node {
			p := c.Args.Int("padding")
			return nn.Conv(x, w("layer.weight"), nn.ConvOptions{Padding: [2][2]int{{p, p}, {p, p}}})
		},
	},
	"spectral_norm_linear": {
		func(c oracle.OpCase) nn.Layer {
			w := c.Inputs["weight_orig"].Shape
			return nn.Layer{Kind: nn.Linear, In: w[1], Out: w[0], Spectral: true}
		},
		func(w gansim.Weights, x *Node, _ oracle.OpCase) *Node {
			return nn.Dense(x, w("layer.weight"), nil)
		},
	},
	"batch_norm_eval": {
		func(c oracle.OpCase) nn.Layer {
			return nn.Layer{Kind: nn.Norm, Out: c.Inputs["x"].Shape[1], Eps: c.Args.Float("eps")}
		},
		func(w gansim.Weights, x *Node, _ oracle.OpCase) *Node {
			return nn.Fixed{}.Affine(w, "layer", x)
		},
	},
}

// opFolded reads a case's inputs as a checkpoint would hold them and compares what the folded layer
// computes, in float64. Operators that nothing is folded of are left alone.
func opFolded(r *run, op operator, c oracle.OpCase) error {
	f, ok := foldings[c.Op]
	if !ok {
		return nil
	}
	l := f.layer(c)
	l.Name = "layer"
	src := nn.Source{Read: func(name string) ([]int, []float32, error) {
		in := c.Inputs[caseInput(name)]
		values := make([]float32, len(in.Data))
		for i, v := range in.Data {
			values[i] = float32(v)
		}
		return in.Shape, values, nil
	}}
	for name := range c.Inputs {
		if published := "layer." + name; name != "x" {
			if c.Op == "batch_norm_eval" && (name == "mean" || name == "var") {
				published = "layer.running_" + name
			}
			src.Names = append(src.Names, published)
		}
	}
	ps, err := nn.Table{l}.Load(src, nn.LoadOptions{Float64: true})
	if err != nil {
		return err
	}
	p, err := graphx.New(r.backend, []gansim.Params{ps},
		func(w []gansim.Weights, in []*Node) []*Node {
			y := f.apply(w[0], in[0], c)
			return append([]*Node{y}, Gradient(ReduceAllSum(Mul(y, in[1])), in[0])...)
		})
	if err != nil {
		return err
	}
	outs, err := p.Call(rawLayout.tensor(c.Inputs["x"], dtypes.Float64),
		rawLayout.tensor(c.Cotangent, dtypes.Float64))
	if err != nil {
		return err
	}
	for i, name := range []string{"y", "grad(x)"} {
		want, _ := c.Expected(name)
		got, err := rawLayout.published(outs[i], want.Shape)
		if err != nil {
			return err
		}
		kept, err := want.Kept(got)
		if err != nil {
			return err
		}
		r.relative(c.Name+"/folded "+name, kept, want.Values, op.tolerance())
	}
	return nil
}

// caseInput is the case's name of a checkpoint's tensor.
func caseInput(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "layer."), "running_")
}
