package parity

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
)

// The bounds on a network in float64: rounding alone, no unit changes sides.
const float64Bound = 1e-6

// Below this cosine a gradient points elsewhere, whatever its length.
const leastCosine = .998

// pipeline builds what a case computes: it puts every output that the case may ask for.
type pipeline func(b *builder)

// builder builds the graph of a case.
type builder struct {
	salt    string
	nets    []models.Network
	weights []gansim.Weights
	in      map[string]*Node // pictures [n, h, w, 3]; codes [n, d]
	out     map[string]*Node // pictures and maps with channels last
}

// tap records a network's activations.
func (b *builder) tap(name, _ string, x *Node) { b.out[name] = x }

// put records an output.
func (b *builder) put(name string, x *Node) { b.out[name] = x }

// network compares a case with the pipeline, in float64 and in float32.
func network(build pipeline) func(r *run) error {
	return func(r *run) error {
		c, err := oracle.OpenCase(r.dir, r.name)
		if err != nil {
			return err
		}
		for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			if err := r.compute(c, build, dtype); err != nil {
				return fmt.Errorf("%s: %w", dtype, err)
			}
		}
		return nil
	}
}

// compute runs the case and compares its outputs, one line each.
func (r *run) compute(c *oracle.Case, build pipeline, dtype dtypes.DType) error {
	nets, params, err := r.networks(c, dtype)
	if err != nil {
		return err
	}
	args, names, err := inputs(c, dtype)
	if err != nil {
		return err
	}
	expected := make([]oracle.Expected, len(c.Tensors))
	for i, name := range c.Tensors {
		if expected[i], err = c.Expected(name); err != nil {
			return err
		}
	}
	program, err := graphx.New(r.backend, params, func(w []gansim.Weights, in []*Node) []*Node {
		b := &builder{salt: c.Salt, nets: nets, weights: w, in: map[string]*Node{}, out: map[string]*Node{}}
		for i, name := range names {
			b.in[name] = in[i]
		}
		build(b)
		b.scalars(c)
		outs := make([]*Node, len(expected))
		for i, e := range expected {
			outs[i] = published(b.output(e.Name), e.Shape)
		}
		return outs
	})
	if err != nil {
		return err
	}
	outs, err := program.Call(args...)
	if err != nil {
		return err
	}
	defer graphx.Free(outs...)
	for i, e := range expected {
		got, err := hostFloats(outs[i])
		if err != nil {
			return err
		}
		d, err := e.Difference(got)
		if err != nil {
			return err
		}
		r.line(judge(e, d, dtype))
	}
	return nil
}

// judge holds a difference against the bounds of the fixtures' description.
func judge(e oracle.Expected, d oracle.Difference, dtype dtypes.DType) Line {
	l := Line{Stage: e.Name + " " + strings.ToLower(dtype.String()), MaxAbs: d.MaxAbs, RelL2: d.RelL2,
		Measure: "rel_l2", Tolerance: float64Bound}
	gradient := strings.HasPrefix(e.Name, "grad(")
	if dtype == dtypes.Float32 {
		l.Tolerance = e.F32.ToleranceF32()
		if gradient {
			l.Tolerance = e.F32.GradientToleranceF32()
		}
	}
	l.OK = d.RelL2 <= l.Tolerance && (!gradient || d.Cosine >= leastCosine)
	return l
}

// networks fills the case's networks by formula.
func (r *run) networks(c *oracle.Case, dtype dtypes.DType) ([]models.Network, []gansim.Params, error) {
	var nets []models.Network
	var params []gansim.Params
	for _, name := range c.Weights {
		m, err := models.Find(name)
		if err != nil {
			return nil, nil, err
		}
		src, err := source(r.dir, name)
		if err != nil {
			return nil, nil, err
		}
		net, err := m.Load(src, nn.LoadOptions{Float64: dtype == dtypes.Float64, Truncation: truncationOf(c)})
		if err != nil {
			return nil, nil, err
		}
		nets, params = append(nets, net), append(params, net.Params())
	}
	return nets, params, nil
}

// source gives a network's tensors by formula.
func source(dir, name string) (nn.Source, error) {
	file, err := oracle.LoadWeights(dir, name)
	if err != nil {
		return nn.Source{}, err
	}
	fills := map[string]oracle.Fill{}
	src := nn.Source{Read: func(name string) ([]int, []float32, error) {
		v, err := fills[name].Float32s(file.Salt)
		return fills[name].Shape, v, err
	}}
	for _, f := range file.Tensors {
		fills[f.Key] = f
		src.Names = append(src.Names, f.Key)
	}
	return src, nil
}

var truncationNote = regexp.MustCompile(`truncation[= ]([0-9.]*[0-9])`)

// truncationOf is BigGAN's in a case, which says it in its notes; 0 where it does not.
func truncationOf(c *oracle.Case) float64 {
	m := truncationNote.FindStringSubmatch(c.Notes)
	if m == nil {
		return 0
	}
	t, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0
	}
	return t
}

// inputs makes a case's inputs in our layout.
func inputs(c *oracle.Case, dtype dtypes.DType) (args []any, names []string, err error) {
	for _, in := range c.Inputs {
		t, err := c.Input(in.Name)
		if err != nil {
			return nil, nil, err
		}
		shape, values := t.Shape, t.Data
		switch {
		case in.Formula == "image" || len(shape) == 4 && shape[1] == 3:
			shape, values = channelsLast(shape, values)
		case len(shape) > 2: // codes are flat
			shape = []int{shape[0], len(values) / shape[0]}
		}
		args, names = append(args, tensor(values, shape, dtype)), append(names, in.Name)
	}
	return args, names, nil
}

func tensor(values []float64, shape []int, dtype dtypes.DType) *tensors.Tensor {
	if dtype == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(values, shape...)
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(narrow, shape...)
}

// channelsLast turns [n, c, h, w] into [n, h, w, c].
func channelsLast(shape []int, values []float64) ([]int, []float64) {
	n, c, h, w := shape[0], shape[1], shape[2], shape[3]
	out := make([]float64, len(values))
	for i, v := range values {
		item, channel, pixel := i/(c*h*w), i/(h*w)%c, i%(h*w)
		out[(item*h*w+pixel)*c+channel] = v
	}
	return []int{n, h, w, c}, out
}

// published turns a result into the layout of PyTorch: channels before pixels.
func published(x *Node, want []int) *Node {
	switch {
	case x.Rank() == 4:
		return TransposeAllAxes(x, 0, 3, 1, 2)
	case x.Rank() == 3 && len(want) == 3:
		return TransposeAllAxes(x, 0, 2, 1)
	}
	return x
}

func hostFloats(t *tensors.Tensor) ([]float64, error) {
	if t.DType() == dtypes.Float64 {
		return tensors.CopyFlatData[float64](t)
	}
	narrow, err := tensors.CopyFlatData[float32](t)
	wide := make([]float64, len(narrow))
	for i, v := range narrow {
		wide[i] = float64(v)
	}
	return wide, err
}

// scalars adds the chosen units and probes.
func (b *builder) scalars(c *oracle.Case) {
	for layer, at := range c.Units {
		if x := b.out[layer]; x != nil {
			b.put("unit:"+layer, unit(x, at))
		}
	}
}

// unit gives the case's one chosen unit.
func (b *builder) unit() *Node {
	for name, x := range b.out {
		if strings.HasPrefix(name, "unit:") {
			return x
		}
	}
	panic(errors.New("the case chooses no unit"))
}

// unit reads channel, row and column of x, or the channel alone of [n, c].
func unit(x *Node, at []int) *Node {
	spec := []SliceAxisSpec{AxisRange()}
	if x.Rank() == 4 {
		spec = append(spec, AxisElem(at[1]), AxisElem(at[2]))
	}
	return Reshape(Slice(x, append(spec, AxisElem(at[0]))...), -1)
}

var gradientName = regexp.MustCompile(`^grad\((.*), ([^,]*)\)$`)

// output finds an output, or builds a gradient: grad(scalar, input).
func (b *builder) output(name string) *Node {
	if x := b.out[name]; x != nil {
		return x
	}
	m := gradientName.FindStringSubmatch(name)
	if m == nil {
		panic(errors.New("the pipeline gives no " + strconv.Quote(name)))
	}
	of, at := b.out[m[1]], b.in[m[2]]
	if of == nil || at == nil {
		panic(fmt.Errorf("the pipeline gives no %q", name))
	}
	return Gradient(ReduceAllSum(of), at)[0]
}
