package parity

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/optim/ingraph"
)

// trajectory is what a case says of its steps.
type trajectory struct {
	Steps     int
	Optimizer struct {
		Label string
		LR    float64
	}
	Basis *struct {
		Gauss4 string
		D      int
		// Reflections are the factors of the basis; zero means D.
		Reflections int
	}
	Placement *placement
}

// placement is where an image lies on a grey canvas.
type placement struct {
	Canvas        int
	Grey          float64
	Row0, Col0    int
	Height, Width int
}

// place lays images on the canvas; gradients flow through the resize.
func (p placement) place(images *Node) *Node {
	small := nn.ResizeBilinear(images, p.Height, p.Width, true)
	pad := func(low, size int) PadAxis { return PadAxis{Start: low, End: p.Canvas - low - size} }
	grey := Scalar(images.Graph(), images.DType(), p.Grey)
	return Pad(small, grey, PadAxis{}, pad(p.Row0, p.Height), pad(p.Col0, p.Width), PadAxis{})
}

// steps are a case's steps while they are computed.
type steps struct {
	*run
	c     *oracle.Case
	dtype dtypes.DType
	got   map[string][]float64 // results under the case's names
}

// following repeats a case of several steps in float64 and float32; compute fills got.
func following(compute func(s *steps) error) func(r *run) error {
	return func(r *run) error {
		c, err := oracle.OpenCase(r.dir, r.name)
		if err != nil {
			return err
		}
		for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
			s := &steps{r, c, dtype, map[string][]float64{}}
			if err := compute(s); err != nil {
				return fmt.Errorf("%s: %w", dtype, err)
			}
			if err := s.compare(); err != nil {
				return fmt.Errorf("%s: %w", dtype, err)
			}
		}
		return nil
	}
}

func (s *steps) compare() error {
	for _, name := range s.c.Tensors {
		e, err := s.c.Expected(name)
		if err != nil {
			return err
		}
		got, ok := s.got[name]
		if !ok {
			return fmt.Errorf("the steps give no %q", name)
		}
		d, err := e.Difference(got)
		if err != nil {
			return err
		}
		l := judge(e, d, s.dtype)
		if s.dtype == dtypes.Float32 && later(name) {
			l.Tolerance = e.F32.GradientToleranceF32()
			l.OK = d.RelL2 <= l.Tolerance
		}
		s.line(l)
	}
	return nil
}

// later reports whether a result comes after the first step, where float32 may have gone its own way.
func later(name string) bool {
	return name == "scores" || name == "losses" || name == "latents" ||
		strings.HasPrefix(name, "code[") ||
		(strings.HasPrefix(name, "image[") && name != "image[1]")
}

// keep copies a result to the host in the case's layout.
func (s *steps) keep(name string, t *tensors.Tensor) error {
	v, err := hostFloats(t)
	if err == nil {
		s.got[name] = append(s.got[name], v...)
	}
	return err
}

// state starts an optimiser at the case's codes, turned into the basis if there is one.
func (s *steps) state(basis []float64) ([]*tensors.Tensor, error) {
	z, err := s.c.Input("latent")
	if err != nil {
		return nil, err
	}
	start := z.Data
	if d := z.Shape[1]; basis != nil {
		start = make([]float64, len(z.Data))
		for i := range start {
			for k := range d {
				start[i] += z.Data[i/d*d+k] * basis[k*d+i%d]
			}
		}
	}
	zero := func() *tensors.Tensor { return tensor(make([]float64, len(start)), z.Shape, s.dtype) }
	return []*tensors.Tensor{tensor(start, z.Shape, s.dtype), zero(), zero()}, nil
}

// invertSteps follows Adam on the error of an inversion.
func invertSteps(s *steps) error {
	e, err := s.c.Expected("losses")
	if err != nil {
		return err
	}
	// The rate is in the notes alone.
	var rate float64
	if _, after, ok := strings.Cut(s.c.Notes, "(lr "); ok {
		_, err = fmt.Sscanf(after, "%g", &rate)
	}
	if err != nil || rate == 0 {
		return fmt.Errorf("no learning rate in %q", s.c.Notes)
	}
	nets, params, err := s.networks(s.c, s.dtype)
	if err != nil {
		return err
	}
	args, _, err := inputs(s.c, s.dtype)
	if err != nil {
		return err
	}
	g := nets[0].(gansim.Generator)
	program, err := graphx.New(s.backend, params, func(w []gansim.Weights, in []*Node) []*Node {
		losses := nn.MSE(g.Decode(w[0], in[0]), in[3])
		gradient := Gradient(ReduceAllSum(losses), in[0])[0]
		z, m, v := ingraph.Adam{}.Step(in[0], in[1], in[2], gradient, in[4],
			Scalar(in[0].Graph(), in[0].DType(), rate))
		return []*Node{z, m, v, losses}
	})
	if err != nil {
		return err
	}
	state, err := s.state(nil)
	if err != nil {
		return err
	}
	for k := range e.Shape[0] {
		out, err := program.Call(state[0], state[1], state[2], args[1], s.scalar(k+1))
		if err != nil {
			return err
		}
		if err := s.keep("losses", out[3]); err != nil {
			return err
		}
		if err := s.keep("latents", out[0]); err != nil {
			return err
		}
		state = out[:3]
	}
	return nil
}

func (s *steps) scalar(v int) any {
	if s.dtype == dtypes.Float64 {
		return float64(v)
	}
	return float32(v)
}

// ascendSteps follows Adam up a unit's activation, in code space or in a basis.
func ascendSteps(s *steps) error {
	var t trajectory
	if err := json.Unmarshal(s.c.Extra, &t); err != nil {
		return err
	}
	nets, params, err := s.networks(s.c, s.dtype)
	if err != nil {
		return err
	}
	var basis []float64
	if t.Basis != nil {
		basis = oracle.Basis(s.c.Salt, t.Basis.Gauss4, t.Basis.D)
		s.got["basis"] = basis
	}
	g := nets[0].(gansim.Generator)
	program, err := graphx.New(s.backend, params, func(w []gansim.Weights, in []*Node) []*Node {
		b := &builder{nets: nets, weights: w, in: map[string]*Node{}, out: map[string]*Node{}}
		turned, z := in[0], in[0]
		if basis != nil {
			z = Dot(turned, Transpose(nn.Constant(turned, basis, t.Basis.D, t.Basis.D), 0, 1)).Product()
		}
		image := g.Decode(w[0], z)
		seen := image
		if t.Placement != nil {
			seen = t.Placement.place(image)
		}
		b.logits(1, b.normalise(1, seen, 0))
		b.scalars(s.c)
		scores := b.unit()
		up := Gradient(ReduceAllSum(scores), turned, z)
		next, m, v := ingraph.Adam{}.Step(turned, in[1], in[2], Neg(up[0]), in[3],
			Scalar(turned.Graph(), turned.DType(), t.Optimizer.LR))
		return []*Node{next, m, v, scores, up[0], up[1], z,
			published(image, image.Shape().Dimensions), published(seen, seen.Shape().Dimensions)}
	})
	if err != nil {
		return err
	}
	state, err := s.state(basis)
	if err != nil {
		return err
	}
	if basis != nil {
		if err := s.keep("w[0]", state[0]); err != nil {
			return err
		}
	}
	// The code after step k is the one that step k+1 begins with.
	for k := range t.Steps + 1 {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		out, err := program.Call(state[0], state[1], state[2], s.scalar(k+1))
		if err != nil {
			return err
		}
		if err := s.record(k, t.Steps, out); err != nil {
			return err
		}
		state = out[:3]
	}
	return nil
}

// record keeps what the case may ask for of step k, counted from 0.
func (s *steps) record(k, last int, out []*tensors.Tensor) error {
	results := map[string]*tensors.Tensor{fmt.Sprintf("code[%d]", k): out[6]}
	if k < last {
		results["scores"] = out[3]
		results[fmt.Sprintf("image[%d]", k+1)] = out[7]
		results[fmt.Sprintf("placed[%d]", k+1)] = out[8]
	}
	if k == 0 {
		results["grad(score[1], w)"], results["grad(score[1], latent)"] = out[4], out[5]
	}
	for name, t := range results {
		if err := s.keep(name, t); err != nil {
			return err
		}
	}
	return nil
}
