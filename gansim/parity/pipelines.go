package parity

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/caffenet"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/inception"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
)

// classify runs a network on its image input, normalised and not resized.
func classify(b *builder) {
	x := b.in["img"]
	b.logits(0, b.normalise(0, x, x.Shape().Dimensions[1]))
}

// score runs a network behind the paper's preprocessing.
func score(b *builder) {
	x := b.normalise(0, b.in["img"], 0)
	b.put("resized", x)
	b.logits(0, x)
}

// generate runs a generator to its image.
func generate(b *builder) {
	z := b.in["latent"]
	switch g := b.nets[0].(type) {
	case *deepsim.Generator:
		raw := g.Raw(b.weights[0], z, b.tap)
		b.put("raw_bgr", Reverse(raw, 3))
		b.put("image", nn.ClampTo(nn.Affine(raw, g.Gain, g.Mean), 0, 1))
		b.put("probe_image", b.probe("probe/deepsim", b.out["image"]))
		b.put("probe_raw", b.probe("probe/deepsim", b.out["raw_bgr"]))
	case *biggan.Generator:
		raw := g.Forward(b.weights[0], z, nn.Fixed{}, len(g.Blocks), b.tap)
		b.put("raw", raw)
		b.put("image", nn.ClampTo(MulScalar(AddScalar(raw, 1), .5), 0, 1))
		b.put("probe", b.probe("probe/biggan", raw))
	default:
		panic(fmt.Errorf("%T is no generator", g))
	}
}

// generateAndScore runs a generator, and a network behind the paper's preprocessing on its images.
func generateAndScore(b *builder) {
	b.put("image", b.nets[0].(gansim.Generator).Decode(b.weights[0], b.in["latent"]))
	b.logits(1, b.normalise(1, b.out["image"], 0))
}

// inversion compares a generator's image with a target.
func inversion(b *builder) {
	made := b.nets[0].(gansim.Generator).Decode(b.weights[0], b.in["latent"])
	b.put("image", made)
	b.put("mse", nn.MSE(made, b.in["target"]))
	b.put("l1", ReduceMean(nn.Magnitude(Sub(made, b.in["target"])), 1, 2, 3))
}

// detect runs a detector.
func detect(b *builder) {
	n := b.nets[0].(*yolov8.Network)
	x := b.in["img"]
	distances, logits := n.Forward(b.weights[0], x, nn.Fixed{}, b.tap)
	b.put("boxes_raw", distances)
	b.put("scores_raw", logits)
	boxes, _ := n.Predict(b.weights[0], x, nn.Fixed{})
	corner := func(i int) *Node { return Slice(boxes, AxisRange(), AxisRange(), AxisRange(i, i+2)) }
	low, high := corner(0), corner(2)
	b.put("pred", Concatenate([]*Node{MulScalar(Add(low, high), .5), Sub(high, low), Sigmoid(logits)}, 2))
	b.put("probe", b.probe("probe/yolo", logits))
}

// features runs the FID network as pytorch-fid does.
func features(b *builder) { b.features(inception.FID, b.in["img"], "fid") }

// fidelity runs it as torch-fidelity does, on values to 255.
func fidelity(b *builder) {
	b.features(inception.Fidelity, MulScalar(b.in["img"], 1./255), "")
	for name, x := range b.out {
		if name == "64" || name == "192" || name == "768" {
			b.put(name, nn.GlobalAvgPool(x))
		}
	}
}

// features puts the FID network's activations under the names of FID programs, with a prefix.
func (b *builder) features(c inception.Config, images *Node, prefix string) {
	b.put("logits", c.Forward(b.weights[0], c.Preprocess(images), b.tap))
	b.put("resized", c.Resized(images))
	for name, layer := range map[string]string{"64": "maxpool1", "192": "maxpool2", "768": "Mixed_6e",
		"2048": "avgpool"} {
		b.put(prefix+name, b.out[layer])
	}
}

// perceive compares two images by LPIPS.
func perceive(b *builder) {
	c := b.nets[0].(*lpips.Network).Config
	w, x, y := b.weights[0], b.in["img0"], b.in["img1"]
	c.Features(w, c.Preprocess(x), b.tap)
	for i, d := range c.Distances(w, x, y) {
		b.put(fmt.Sprintf("layer%d", i), d)
	}
	b.put("distance", c.Distance(w, x, y))
	b.put("distance_sum", b.out["distance"])
	c.Unscaled = true
	b.put("distance_unscaled", c.Distance(w, x, y))
	b.put("distance_unscaled_sum", b.out["distance_unscaled"])
}

// normalise prepares images for a network; size 0 is the network's own.
func (b *builder) normalise(i int, images *Node, size int) *Node {
	switch n := b.nets[i].(type) {
	case *alexnet.Network:
		return resize(images, n.Mean, n.Std, n.Input, size)
	case *resnet.Network:
		return resize(images, n.Mean, n.Std, n.Input, size)
	case *caffenet.Network, *inception.Network:
		return n.(interface{ Preprocess(*Node) *Node }).Preprocess(images)
	}
	panic(fmt.Errorf("%T is no classifier", b.nets[i]))
}

func resize(images *Node, mean, std [3]float64, own, size int) *Node {
	if size == 0 {
		size = own
	}
	return nn.Preprocess(images, mean, std, size)
}

// logits runs a network on prepared images.
func (b *builder) logits(i int, x *Node) {
	switch n := b.nets[i].(type) {
	case *alexnet.Network:
		b.put("logits", n.Forward(b.weights[i], x, b.tap))
	case *resnet.Network:
		b.put("logits", n.Forward(b.weights[i], x, nn.Fixed{}, b.tap))
	case *caffenet.Network:
		b.put("logits", n.Forward(b.weights[i], x, b.tap))
	case *inception.Network:
		b.put("logits", n.Forward(b.weights[i], x, b.tap))
	default:
		panic(fmt.Errorf("%T is no classifier", n))
	}
}

// probe sums x [n, ...] of each item, weighted by the formula's u of a name, in PyTorch's order.
func (b *builder) probe(name string, x *Node) *Node {
	d := x.Shape().Dimensions
	count := x.Shape().Size() / d[0]
	h := oracle.Hash(b.salt, name)
	u := make([]float64, count)
	for i := range u {
		u[i] = oracle.U(h, uint64(i))
	}
	flat := Reshape(published(x, d), d[0], count)
	return ReduceSum(Mul(flat, nn.Constant(x, u, 1, count)), 1)
}
