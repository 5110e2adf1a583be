package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
	"gansim.example/kernels"
	"gansim.example/weights"
)

// countdown is a context that is cancelled after so many looks.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// results reads a folder, but for hidden files.
func results(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s is left", path)
		}
		if err != nil || d.IsDir() {
			return err
		}
		found[d.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSearchesResume: each verb that searches, interrupted on the way and called again, writes the same
// bytes as at one go, and says how to go on.
func TestSearchesResume(t *testing.T) {
	for _, c := range []struct {
		args  []string
		looks int64
		kept  int      // pieces at least
		files []string // patterns: which unit responds first depends on the networks
	}{
		{[]string{"maximize", "--gan", "DeePSim", "--unit", "alexnet/conv1/0,3", "--placement", "rf",
			"-n", "2", "--steps", "3", "--batch", "2", "--label", "Adam01Hess"}, 36, 1,
			[]string{"maximize.png", "maximize.csv", "maximize.parquet", "maximize.safetensors",
				"DeePSim_alexnet_conv1_3_16_16_01.png"}},
		{[]string{"evolve", "--unit", "alexnet/conv1/first:1", "--generations", "4", "--population", "4",
			"--label", "CholCMA_prod,CholCMA", "--images"}, 5, 1,
			[]string{"evolve.png", "evolve.csv", "evolve.parquet", "evolve.safetensors",
				"BigGAN_alexnet_conv1_*_16_16_0_03.png"}},
		{[]string{"invert", "mini:things", "-n", "3", "--steps", "3", "--batch", "2", "--gan", "DeePSim",
			"--restarts", "2", "--best", "--pilot", "1", "--loss", "mse+l1", "--space", "hess"}, 25, 1,
			[]string{"invert.png", "invert.csv", "invert.parquet", "invert.safetensors", "DeePSim_002.png"}},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			args := append(c.args, "--backend", "go", "--out", "results")
			var talk bytes.Buffer
			t.Chdir(t.TempDir())
			if err := run(t.Context(), &talk, &talk, args); err != nil {
				t.Fatalf("%v: %s", err, &talk)
			}
			want := results(t, "results")
			for _, pattern := range c.files {
				there := func(name string) bool {
					ok, err := path.Match(pattern, name)
					return ok && err == nil && len(want[name]) > 0
				}
				if !slices.ContainsFunc(slices.Collect(maps.Keys(want)), there) {
					t.Errorf("no %s", pattern)
				}
			}
			t.Chdir(t.TempDir())
			stopped := &countdown{Context: t.Context()}
			stopped.left.Store(c.looks)
			err := run(stopped, &talk, &talk, args)
			talk.Reset()
			code := report(&talk, err)
			if !errors.Is(err, context.Canceled) || code != 1 ||
				!strings.Contains(talk.String(), "hint: go on with the same command") {
				t.Fatalf("code %d, error %v, says %s", code, err, &talk)
			}
			pieces, err := filepath.Glob("results/.pieces/*.safetensors")
			if err != nil || len(pieces) < c.kept {
				t.Errorf("%d pieces are kept (%v)", len(pieces), err)
			}
			if finished, _ := filepath.Glob("results/[^.]*"); len(finished) > 0 {
				t.Errorf("an interrupted run wrote %q", finished)
			}
			if err := run(t.Context(), &talk, &talk, args); err != nil {
				t.Fatal(err)
			}
			got := results(t, "results")
			if len(got) != len(want) {
				t.Errorf("%d files, want %d", len(got), len(want))
			}
			for name, b := range want {
				if !bytes.Equal(got[name], b) {
					t.Errorf("%s differs after a resumed run", name)
				}
			}
		})
	}
}

// bowl is a generator of one pixel, (z0^2, 3 z1, 0).
type bowl struct{}

func (bowl) Name() string          { return "bowl" }
func (bowl) CodeSize() int         { return 2 }
func (bowl) ImageSize() int        { return 1 }
func (bowl) Params() gansim.Params { return gansim.Params{} }
func (bowl) Decode(_ gansim.Weights, z *graph.Node) *graph.Node {
	part := func(i int) *graph.Node { return graph.Slice(z, graph.AxisRange(), graph.AxisElem(i)) }
	all := []*graph.Node{graph.Square(part(0)), graph.MulScalar(part(1), 3), graph.ZerosLike(part(0))}
	return graph.Reshape(graph.Concatenate(all, 1), -1, 1, 1, 3)
}
func (bowl) Draw(string, *rand.Rand, int) (gansim.Codes, error) { return gansim.Codes{}, nil }

// TestHessianResumes: an average goes on from the codes that are done, and its file is read back.
func TestHessianResumes(t *testing.T) {
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	codes := [][]float64{{1, 5}, {3, -2}, {2, 0}}
	average := func(ctx context.Context) (*averaging, error) {
		var talk bytes.Buffer
		c := &cobra.Command{}
		c.SetContext(ctx)
		c.SetErr(&talk)
		a := &averaging{Generator: "bowl", Distance: "mse", N: 3, out: "results", batch: 2,
			player: &player{Generator: bowl{}, family: "BigGAN"}}
		return a, a.run(c, b, nn.PixelMSE(), codes)
	}
	t.Chdir(t.TempDir())
	stopped := &countdown{Context: t.Context()}
	stopped.left.Store(2)
	if _, err := average(stopped); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want an interrupted run", err)
	}
	pieces, err := filepath.Glob("results/.pieces/*.safetensors")
	if err != nil || len(pieces) != 1 {
		t.Fatalf("%d pieces are kept (%v)", len(pieces), err)
	}
	f, err := weights.OpenSafetensors(pieces[0])
	if err != nil || f.Metadata["codes"] != "2" {
		t.Errorf("%s codes are done, want 2 (%v)", f.Metadata["codes"], err)
	}
	a, err := average(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &player{Generator: bowl{}}
	if err := p.readMetric(a.Metric); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2. / 3 * 9, 2. / 3 * 4 * (1 + 9 + 4) / 3} {
		if got := p.metric.Values[i]; math.Abs(got/want-1) > 1e-5 {
			t.Errorf("eigenvalue %d is %v, want %v", i, got, want)
		}
	}
	if len(results(t, "results")["spectrum.png"]) == 0 {
		t.Error("no plot of the spectrum")
	}
	p.Generator = decoyOf{bowl{}}
	if err := p.readMetric(a.Metric); err == nil {
		t.Error("a metric of another size was taken")
	}
}

// decoyOf is a generator of more dimensions.
type decoyOf struct{ bowl }

func (decoyOf) CodeSize() int { return 3 }

// TestSearchMisuse: what cannot be meant is refused before anything is computed, with what is known.
func TestSearchMisuse(t *testing.T) {
	for _, c := range []struct {
		line, want string
		code       int
	}{
		{"maximize --unit alexnet/conv5/1", "known are DeePSim, BigGAN, biggan_deep_128", 2},
		{"maximize --gan Dream --unit alexnet/conv5/1", `"Dream" is not known, known are DeePSim`, 2},
		{"maximize --gan DeePSim", "no --unit given", 2},
		{"maximize --gan DeePSim --unit conv5/1", "net/layer/channels", 2},
		{"maximize --gan DeePSim --unit vgg/conv5/1", "known are alexnet, resnet50", 2},
		{"maximize --gan DeePSim --unit alexnet/conv9/1", `want one of ["features.0"`, 2},
		{"maximize --gan DeePSim --unit alexnet/conv5/500", "has 128 channels", 2},
		{"maximize --gan DeePSim --unit alexnet/conv5/1 --label Adam1", "known are Adam01", 2},
		{"maximize --gan DeePSim --net alexnet --unit resnet50/layer1/1", "name two networks", 2},
		{"maximize --gan DeePSim --unit alexnet/conv5/1 --placement left", "known are full, rf, rf-paper", 2},
		{"maximize --gan DeePSim --unit published:alexnet/conv5/1", "weights of alexnet are not here", 1},
		{"maximize --gan deepsim_fc6 --unit alexnet/conv5/1", "weights of deepsim_fc6 are not here", 1},
		{"maximize --gan DeePSim --unit alexnet/conv5/1 --recipe x", `no recipe "x", want one of std4`, 2},
		{"maximize --gan DeePSim --unit alexnet/conv5/1 --basis none", "none", 1},
		{"evolve --unit alexnet/conv5/1 --label CMA", "known are CholCMA", 2},
		{"evolve --unit alexnet/conv5/1 --generations 1", "want at least 2", 2},
		{"evolve --unit alexnet/conv5/1 --population 1", "want at least 2", 2},
		{"invert nowhere", "nowhere", 1},
		{"invert mini:x", "imagenet, ecoset, things, coco", 2},
		{"invert", "no SET given", 2},
		{"invert mini:coco --loss huber", "known are mse, l1, lpips_alex", 2},
		{"invert mini:coco --loss x*mse", "is no number", 2},
		{"invert mini:coco --loss 0*mse", "want a positive number", 2},
		{"invert mini:coco --space class --gan DeePSim", "have no such part", 2},
		{"invert mini:coco -n 0", "want at least 1", 2},
		{"invert mini:coco --loss lpips_alex", "gansim weights fetch lpips_alex", 1},
		{"hessian", "no --gan given", 2},
		{"hessian --gan BigGAN --distance l2", "known are mse, lpips_squeeze", 2},
		{"hessian --gan BigGAN -n 0", "want at least 1", 2},
	} {
		t.Setenv("GANSIM_HOME", t.TempDir())
		var talk bytes.Buffer
		err := run(t.Context(), &talk, &talk, append(strings.Fields(c.line), "--backend", "go", "--out",
			filepath.Join(t.TempDir(), "results")))
		if code := report(&talk, err); code != c.code || !strings.Contains(talk.String(), c.want) {
			t.Errorf("%s: code %d, says %s, want %d with %q", c.line, code, &talk, c.code, c.want)
		}
	}
}
