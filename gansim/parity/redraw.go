package parity

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/oracle"
)

// stepTolerance is that of networks, gradients and steps in float64, relative.
const stepTolerance = 1e-6

// redrawFile is redraw.json: Adam on s = max(0, a.z - b) with resampling of samples that scored
// exactly zero.
type redrawFile struct {
	Salt  string
	N, D  int
	LR    float64
	A     []float64
	B     float64
	Z0    []float64
	Basis struct {
		Gauss4 string
		Q      []float64
	}
	MaskRule struct {
		Scores []any // numbers, or "NaN"
		Redraw []bool
	} `json:"mask_rule"`
	Runs map[string][]redrawStep
}

type redrawStep struct {
	Step         int
	Z, Scores    []float64
	WAfterStep   []float64 `json:"w_after_step"`
	Redraw       []bool
	WAfterRedraw []float64 `json:"w_after_redraw"`
	First        []float64 `json:"exp_avg"`
	Second       []float64 `json:"exp_avg_sq"`
	AdamStep     int       `json:"adam_step"`
}

// redraw follows both runs, plain and in a rotated basis, state by state.
func redraw(r *run) error {
	var f redrawFile
	if err := r.read(&f); err != nil {
		return err
	}
	for i, v := range f.MaskRule.Scores {
		score, ok := v.(float64)
		if !ok {
			score = math.NaN()
		}
		got := actmax.NeedsRedraw(score)
		r.exact(fmt.Sprintf("mask of %v", v), got == f.MaskRule.Redraw[i],
			fmt.Sprintf("got %v, want %v", got, f.MaskRule.Redraw[i]))
	}
	r.relative("basis", oracle.Basis(f.Salt, f.Basis.Gauss4, f.D), f.Basis.Q, stepTolerance)
	for _, label := range slices.Sorted(maps.Keys(f.Runs)) {
		if err := f.follow(r, label); err != nil {
			return fmt.Errorf("%s: %w", label, err)
		}
	}
	return nil
}

func (f redrawFile) follow(r *run, label string) error {
	m, err := actmax.NewMaximizer(r.backend, codeImage{f.D}, rectifiedUnit{f},
		actmax.MaximizerConfig{Layer: "unit", Basis: f.Basis.Q, Batch: f.N})
	if err != nil {
		return err
	}
	// The rows of one draw per step go to the samples that need one, in order.
	step, row := 0, 0
	fresh := func() ([]float64, error) {
		h := oracle.Hash(f.Salt, fmt.Sprintf("redraw/fresh/%d", step))
		z := make([]float64, f.D)
		for j := range z {
			z[j] = oracle.Gauss4(h, row*f.D+j)
		}
		row++
		return z, nil
	}
	var runs []actmax.Run
	for i := range f.N {
		runs = append(runs, actmax.Run{Unit: gansim.Unit{Layer: "unit", Row: -1, Col: -1},
			Method: actmax.Method{Label: label, Adam: true, Rate: f.LR,
				Hessian: strings.HasSuffix(label, "Hess")},
			Start: f.Z0[i*f.D : (i+1)*f.D], Redraw: fresh})
	}
	a, err := m.Begin(runs, f.N)
	if err != nil {
		return err
	}
	defer a.End()
	for k, want := range f.Runs[label] {
		step, row = want.Step, 0
		scores, err := a.Step()
		if err != nil {
			return err
		}
		z, err := a.Codes()
		if err != nil {
			return err
		}
		got, err := a.State()
		if err != nil {
			return err
		}
		stage := func(name string) string { return fmt.Sprintf("%s %s[%d]", label, name, want.Step) }
		for _, c := range []struct {
			name      string
			got, want []float64
		}{
			{"z", z, want.Z}, {"scores", scores, want.Scores}, {"w", got.W, want.WAfterStep},
			{"w redrawn", got.WAfterRedraw, want.WAfterRedraw}, {"exp_avg", got.First, want.First},
			{"exp_avg_sq", got.Second, want.Second},
		} {
			r.relative(stage(c.name), c.got, c.want, stepTolerance)
		}
		r.exact(stage("redraw"), slices.Equal(got.Redrawn, want.Redraw),
			fmt.Sprintf("got %v, want %v", got.Redrawn, want.Redraw))
		r.exact(stage("adam_step"), k+1 == want.AdamStep, fmt.Sprintf("got %d, want %d", k+1, want.AdamStep))
	}
	return nil
}

// codeImage is a generator whose image is the code itself.
type codeImage struct{ dim int }

func (codeImage) Name() string          { return "code" }
func (g codeImage) CodeSize() int       { return g.dim }
func (codeImage) ImageSize() int        { return 1 }
func (codeImage) Params() gansim.Params { return gansim.Params{} }
func (g codeImage) Decode(_ gansim.Weights, z *Node) *Node {
	return Reshape(z, -1, 1, 1, g.dim)
}
func (codeImage) Draw(recipe string, _ *rand.Rand, _ int) (gansim.Codes, error) {
	return gansim.Codes{}, fmt.Errorf("no recipe %q", recipe)
}

// rectifiedUnit is a network of the one unit that redraw.json scores by.
type rectifiedUnit struct{ redrawFile }

func (rectifiedUnit) Name() string { return "rectified" }
func (u rectifiedUnit) Params() gansim.Params {
	return gansim.Params{Names: []string{"a"},
		Tensors: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(u.A, u.D, 1)}}
}
func (rectifiedUnit) Layers() []gansim.Layer {
	return []gansim.Layer{{Name: "unit", Channels: 1}}
}
func (u rectifiedUnit) Activations(w gansim.Weights, images *Node, _ string) *Node {
	s := AddScalar(Dot(Reshape(images, -1, u.D), w("a")).Product(), -u.B)
	return Max(s, ZerosLike(s))
}
