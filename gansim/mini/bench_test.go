package mini_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini"
	"gansim.example/kernels"
)

// FLOPs of one image's way through the miniature networks, forward.
const (
	alexnetFLOPs = 73e6
	deepsimFLOPs = 135e6
	bigganFLOPs  = 95e6
	resnetFLOPs  = 67e6
)

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
	w, err := mini.Open()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"go", "xla:cpu"} {
		b.Run(name, func(b *testing.B) {
			backend, err := kernels.Open(name)
			if err != nil {
				b.Skip(err)
			}
			defer backend.Finalize()
			for _, j := range []job{
				{"DeePSim+AlexNet", w.DeePSim, w.AlexNet, "conv5", false, 31, deepsimFLOPs + alexnetFLOPs},
				{"DeePSim", w.DeePSim, nil, "", false, 31, deepsimFLOPs},
				{"DeePSim+ResNet", w.DeePSim, w.ResNet, "fc", false, 31, deepsimFLOPs + resnetFLOPs},
				{"BigGAN", w.BigGAN, nil, "", false, 22, bigganFLOPs},
				{"DeePSim-gradient", w.DeePSim, nil, "", true, 8, 3 * deepsimFLOPs},
				{"DeePSim+ResNet-gradient", w.DeePSim, w.ResNet, "layer4", true, 8,
					3 * (deepsimFLOPs + resnetFLOPs)},
				{"BigGAN-gradient", w.BigGAN, nil, "", true, 8, 3 * bigganFLOPs},
				{"BigGAN+ResNet-gradient", w.BigGAN, w.ResNet, "layer4", true, 36,
					3 * (bigganFLOPs + resnetFLOPs)},
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
	call := func() {
		out, err := p.Call(z)
		if err == nil {
			_, err = graphx.Floats(out[0])
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	first := time.Now()
	call() // compiles
	compiled := time.Since(first).Seconds()
	smallest := math.Inf(1)
	for b.Loop() {
		start := time.Now()
		call()
		smallest = min(smallest, time.Since(start).Seconds())
	}
	b.ReportMetric(compiled, "s-first")
	b.ReportMetric(1e3*smallest, "ms-min")
	b.ReportMetric(j.flops*float64(j.batch)/smallest/1e9, "GFLOP/s-max")
}
