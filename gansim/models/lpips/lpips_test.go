package lpips_test

import (
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/nn"
	"gansim.example/kernels"
)

// rounding is the largest relative L2 difference allowed: the fixtures are float32 numbers.
const rounding = 1e-6

// TestDistance: the distance is that of the original program, from either kind of files, scaled and
// as the paper's metric has it; an image is no distance from itself.
func TestDistance(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	file, err := oracle.OpenCase(dir, "lpips_squeeze")
	if err != nil {
		t.Fatal(err)
	}
	program := formula(t, dir)
	parts := lpips.SqueezeNet.Published(part(program, "net.slice", "features."), part(program, "lin", "lins."))
	for _, c := range []struct {
		name     string
		src      nn.Source
		unscaled bool
	}{{"distance", program, false}, {"distance", parts, false}, {"distance_unscaled", parts, true}} {
		config := lpips.SqueezeNet
		config.Unscaled = c.unscaled
		got := distances(t, file, config, c.src)
		want, err := file.Expected(c.name)
		if err != nil {
			t.Fatal(err)
		}
		pairs, same := got[:len(got)/2], got[len(got)/2:]
		if d := oracle.Compare(pairs, want.Values); d.RelL2 > rounding {
			t.Errorf("%s: %v, want %v", c.name, pairs, want.Values)
		}
		if slices.Max(same) != 0 {
			t.Errorf("%s of images to themselves is %v", c.name, same)
		}
	}
}

// formula is the program's state dict filled by formula.
func formula(t *testing.T, dir string) nn.Source {
	t.Helper()
	w, err := oracle.LoadWeights(dir, "lpips_squeeze")
	if err != nil {
		t.Fatal(err)
	}
	fills := map[string]oracle.Fill{}
	for _, f := range w.Tensors {
		fills[f.Key] = f
	}
	return func(name string) ([]int, []float32, bool) {
		f, ok := fills[name]
		if !ok {
			return nil, nil, false
		}
		v, err := f.Float32s(w.Salt)
		if err != nil {
			t.Fatal(err)
		}
		return f.Shape, v, true
	}
}

// part is a file with those tensors whose names begin with ours, under the other program's names.
func part(src nn.Source, ours, theirs string) nn.Source {
	return func(name string) ([]int, []float32, bool) {
		rest, ok := strings.CutPrefix(name, theirs)
		if !ok {
			return nil, nil, false
		}
		if theirs == "lins." {
			return src(ours + rest)
		}
		for _, slice := range "1234567" {
			if shape, v, ok := src(ours + string(slice) + "." + rest); ok {
				return shape, v, true
			}
		}
		return nil, nil, false
	}
}

// distances are those of the case's pairs of images, then of the first images from themselves.
func distances(t *testing.T, file *oracle.Case, c lpips.Config, src nn.Source) []float64 {
	t.Helper()
	n, err := c.Load(src, nn.LoadOptions{Float64: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	var in []any
	for _, name := range []string{"img0", "img1"} {
		x, err := file.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, tensors.FromFlatDataAndDimensions(x.Data, x.Shape...))
	}
	p, err := graphx.New(b, []gansim.Params{n.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			x, y := TransposeAllAxes(in[0], 0, 2, 3, 1), TransposeAllAxes(in[1], 0, 2, 3, 1)
			return []*Node{Concatenate([]*Node{n.Distance(nets[0], x, y),
				n.Distance(nets[0], x, x)}, 0)}
		})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := tensors.CopyFlatData[float64](out[0])
	if err != nil {
		t.Fatal(err)
	}
	return d
}
