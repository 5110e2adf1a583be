package train

import (
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/metric"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/resnet"
)

// deepsim measures correlations of renders with their reconstruction from fc6 in one pass, and by
// inversion as in panel C.
func (m *reporter) deepsim() error {
	encoder, err := loaded(m.dir, "alexnet", alexnet.Mini.Load)
	if err != nil {
		return err
	}
	net, err := loaded(m.dir, "deepsim", deepsim.Mini.Load)
	if err != nil {
		return err
	}
	train, err := render(m.ctx, world.Train, m.seed, measuredRenders)
	if err != nil {
		return err
	}
	v, err := newInverter(m.runner, &data{train: train}, encoder.Params())
	if err != nil {
		return err
	}
	program, err := graphx.New(m.backend, []gansim.Params{encoder.Params(), net.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			fc6 := v.alexnet.Taps(nets[0], in[0], "fc6")["fc6"]
			return []*Node{net.Decode(nets[1], DivScalar(fc6, v.scale))}
		})
	if err != nil {
		return err
	}
	images := m.held.Slice(0, heldCorrelations).Images()
	made := gansim.NewImages(images.N, images.Height, images.Width)
	if made.Pix, err = program.Rows(images.N, len(images.At(0)), graphx.Tensor(images.Pix, images.N,
		images.Height, images.Width, 3)); err != nil {
		return err
	}
	m.add("deepsim", "median r in one pass", medianCorrelation(images, made), .85, images.N)

	images = m.held.Slice(0, invertedRenders).Images()
	inverter, err := invert.New(m.backend, net, invert.Config{Rate: invertedRate, Batch: images.N})
	if err != nil {
		return err
	}
	start, err := net.Draw("std0.5", rand.New(rand.NewPCG(m.seed, 6)), images.N)
	if err != nil {
		return err
	}
	result, err := inverter.Invert(m.ctx, images, start)
	if err != nil {
		return err
	}
	m.add("deepsim", "median r by inversion", medianCorrelation(images, result.Images), .93, images.N)
	return nil
}

// medianCorrelation is the median over images of Pearson's r of their pixels.
func medianCorrelation(a, b gansim.Images) float64 {
	rs := make([]float64, a.N)
	for i := range rs {
		rs[i] = stat.Correlation(wide(a.At(i)), wide(b.At(i)), nil)
	}
	slices.Sort(rs)
	return stat.Quantile(.5, stat.LinInterp, rs, nil)
}

// biggan measures which of its images the ResNet takes for their class, and how well they cover the
// renders of objects in the ResNet's pooled features, among all and within each class.
func (m *reporter) biggan() error {
	net, err := loaded(m.dir, "biggan", biggan.Mini.Load)
	if err != nil {
		return err
	}
	judge, err := loaded(m.dir, "resnet50", resnet.Mini.Load)
	if err != nil {
		return err
	}
	codes, err := net.Draw("std0.7", rand.New(rand.NewPCG(m.seed, 7)), sampledImages)
	if err != nil {
		return err
	}
	decoder, err := decode.New(m.backend, net)
	if err != nil {
		return err
	}
	samples, err := decoder.Images(m.ctx, codes)
	if err != nil {
		return err
	}
	renders, err := render(m.ctx, world.ImageNet, m.seed+heldOut, sampledImages)
	if err != nil {
		return err
	}
	fake, predicted, err := m.pooled(judge, samples)
	if err != nil {
		return err
	}
	real, _, err := m.pooled(judge, renders.Images())
	if err != nil {
		return err
	}
	labels := make([]int, codes.N)
	hits := make([]float64, net.Classes)
	counts := make([]float64, net.Classes)
	for i := range labels {
		labels[i] = net.ClassOf(codes.At(i))
		counts[labels[i]]++
		if predicted[i] == labels[i] {
			hits[labels[i]]++
		}
	}
	m.add("biggan", "recognised as their class", floats.Sum(hits)/floats.Sum(counts), .8, codes.N)
	for c, name := range world.Classes()[:net.Classes] {
		m.add("biggan", "recognised as "+name, hits[c]/max(counts[c], 1), 0, int(counts[c]))
	}
	return m.coverage(fake, real, labels, renders.Labels)
}

// coverage compares samples with renders: precision, recall and FID, and the recall within classes,
// which tells whether poses vary.
func (m *reporter) coverage(fake, real metric.Features, ofFake []int, ofReal []int32) error {
	p, err := metric.PrecisionRecall(real, fake, metric.Neighbours)
	if err != nil {
		return err
	}
	m.add("biggan", "precision", p.Precision, 0, fake.N)
	m.add("biggan", "recall", p.Recall, 0, fake.N)
	within := 0.
	for c := range world.NumObjects {
		p, err := metric.PrecisionRecall(
			choose(real, func(i int) bool { return int(ofReal[i]) == c }),
			choose(fake, func(i int) bool { return ofFake[i] == c }), metric.Neighbours)
		if err != nil {
			return err
		}
		within += p.Recall / world.NumObjects
	}
	m.add("biggan", "recall within classes, mean", within, 0, fake.N)
	a, err := metric.MomentsOf(real)
	if err != nil {
		return err
	}
	b, err := metric.MomentsOf(fake)
	if err != nil {
		return err
	}
	fid, err := metric.FID(a, b)
	m.add("biggan", "FID to ImageNet-like renders", fid, 0, fake.N)
	return err
}

// choose keeps the features for which keep is true.
func choose(f metric.Features, keep func(i int) bool) metric.Features {
	out := metric.Features{Dim: f.Dim}
	for i := range f.N {
		if keep(i) {
			out.X = append(out.X, f.At(i)...)
			out.N++
		}
	}
	return out
}

// pooled gives the pooled features of images, and the classes that the network sees.
func (m *reporter) pooled(net *resnet.Network, images gansim.Images) (f metric.Features, class []int,
	err error) {
	program, err := graphx.New(m.backend, []gansim.Params{net.Params()},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{Concatenate([]*Node{net.Activations(nets[0], in[0], "avgpool"),
				net.Activations(nets[0], in[0], "fc")}, 1)}
		})
	if err != nil {
		return f, nil, err
	}
	f.Dim = net.Stages[len(net.Stages)-1].Out
	width := f.Dim + world.NumClasses
	err = graphx.Padded(images.N, 64, func(rows []int, valid int) error {
		v, err := program.Rows(valid, width, graphx.Gather(images, rows))
		for ; len(v) > 0; v = v[width:] {
			f.X = append(f.X, v[:f.Dim]...)
			logits := v[f.Dim:width]
			class = append(class, slices.Index(logits, slices.Max(logits)))
			f.N++
		}
		return err
	})
	return f, class, err
}
