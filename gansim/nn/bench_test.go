package nn_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/nn"
)

// random is a checkpoint of a network's shapes: weights scaled by their fan-in, neutral norms.
func random(table nn.Table) nn.Source {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string][]int{}
	for _, p := range table.Published() {
		shapes[p.Name] = p.Shape
	}
	return func(name string) ([]int, []float32, bool) {
		shape, ok := shapes[name]
		n := size(shape)
		scale, offset := 0., 0.
		if len(shape) > 1 {
			scale = math.Sqrt(2 * float64(shape[0]) / float64(n))
		}
		gain := len(shape) == 1 && strings.HasSuffix(name, ".weight")
		if gain || strings.Contains(name, ".running_var") {
			scale, offset = 0, 1
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(offset + scale*rng.NormFloat64())
		}
		return shape, values, ok
	}
}

// FLOPs of one image's way through the miniature networks, forward.
const (
	alexnetFLOPs = 73e6
	deepsimFLOPs = 135e6
	bigganFLOPs  = 95e6
	resnetFLOPs  = 67e6
)

// networks are the miniature networks with random weights.
type networks struct {
	deep *deepsim.Generator
	big  *biggan.Generator
	alex *alexnet.Network
	res  *resnet.Network
}

func load(b *testing.B) networks {
	deep, err := deepsim.Mini.Load(random(deepsim.Mini.Table()))
	big, err1 := biggan.Mini.Load(random(biggan.Mini.Table()))
	alex, err2 := alexnet.Mini.Load(random(alexnet.Mini.Table()))
	res, err3 := resnet.Mini.Load(random(resnet.Mini.Table()))
	if err := errors.Join(err, err1, err2, err3); err != nil {
		b.Fatal(err)
	}
	return networks{deep, big, alex, res}
}

// job is one benchmark: a scorer's layer on a generator's images, or the images alone.
type job struct {
	name      string
	generator gansim.Generator
	scorer    gansim.Scorer
	layer     string
	gradient  bool // at the code, of the sum of squares
	batch     int
	flops     float64 // per image
}

// BenchmarkNetworks times the miniature networks, forward and with the gradient at the code. A
// gradient counts as three times the forward operations, though it needs less than that.
func BenchmarkNetworks(b *testing.B) {
	for _, name := range backends() {
		b.Run(name[:min(len(name), 3)], func(b *testing.B) {
			backend, n := open(b, name), load(b)
			for _, j := range []job{
				{"DeePSim+AlexNet", n.deep, n.alex, "conv5", false, 31, deepsimFLOPs + alexnetFLOPs},
				{"DeePSim", n.deep, nil, "", false, 31, deepsimFLOPs},
				{"DeePSim+ResNet", n.deep, n.res, "fc", false, 31, deepsimFLOPs + resnetFLOPs},
				{"BigGAN", n.big, nil, "", false, 22, bigganFLOPs},
				{"DeePSim-gradient", n.deep, nil, "", true, 8, 3 * deepsimFLOPs},
				{"DeePSim+ResNet-gradient", n.deep, n.res, "layer4", true, 8,
					3 * (deepsimFLOPs + resnetFLOPs)},
				{"BigGAN-gradient", n.big, nil, "", true, 8, 3 * bigganFLOPs},
			} {
				b.Run(j.name, func(b *testing.B) { j.run(b, backend) })
			}
		})
	}
}

func (j job) run(b *testing.B, backend compute.Backend) {
	nets := []gansim.Params{j.generator.Params()}
	if j.scorer != nil {
		nets = append(nets, j.scorer.Params())
	}
	p, err := graphx.New(backend, nets, func(w []gansim.Weights, in []*Node) []*Node {
		y := j.generator.Decode(w[0], in[0])
		if j.scorer != nil {
			y = j.scorer.Activations(w[1], y, j.layer)
		}
		if j.gradient {
			return Gradient(ReduceAllSum(Square(y)), in[0])
		}
		return []*Node{y}
	})
	if err != nil {
		b.Fatal(err)
	}
	codes := make([]float32, j.batch*j.generator.CodeSize())
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range codes {
		codes[i] = float32(rng.NormFloat64())
	}
	z := graphx.Tensor(codes, j.batch, j.generator.CodeSize())
	smallest := math.Inf(1)
	for b.Loop() {
		start := time.Now()
		out, err := p.Call(z)
		if err == nil {
			_, err = graphx.Floats(out[0])
		}
		if err != nil {
			b.Fatal(err)
		}
		smallest = min(smallest, time.Since(start).Seconds())
	}
	b.ReportMetric(1e3*smallest, "ms-min")
	b.ReportMetric(j.flops*float64(j.batch)/smallest/1e9, "GFLOP/s-max")
}
