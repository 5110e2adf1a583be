package lpips_test

import (
	"maps"
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
	parts := lpips.SqueezeNet.Join(part(program, "net.slice", "features."), part(program, "lin", "lins."))
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
	return nn.Source{Names: slices.Sorted(maps.Keys(fills)),
		Read: func(name string) ([]int, []float32, error) {
			v, err := fills[name].Float32s(w.Salt)
			return fills[name].Shape, v, err
		}}
}

// part is a file with those tensors whose names begin with ours, under the other program's names.
func part(src nn.Source, ours, theirs string) nn.Source {
	names := map[string]string{}
	for _, name := range src.Names {
		if rest, ok := strings.CutPrefix(name, ours); ok {
			if theirs == "features." { // without the number of the slice
				_, rest, _ = strings.Cut(rest, ".")
			}
			names[theirs+rest] = name
		}
	}
	return nn.Source{Names: slices.Sorted(maps.Keys(names)),
		Read: func(name string) ([]int, []float32, error) { return src.Read(names[name]) }}
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
