package resnet

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Taps runs images [n, h, w, 3] up to the last of the named layers and gives the activation of each:
// blocks and stages after their final ReLU, pooled features "avgpool" [n, c], logits "fc".
func (c Config) Taps(w gansim.Weights, images *Node, norm nn.Normalizer,
	layers ...string) map[string]*Node {
	found := map[string]*Node{}
	tap := func(name string, x *Node) {
		if slices.Contains(layers, name) {
			found[name] = x
		}
	}
	done := func() bool { return len(found) == len(layers) }
	x := nn.Preprocess(images, c.Mean, c.Std, c.Input)
	x = nn.Conv(x, w("conv1.weight"), nn.Same(c.Stem.Size, c.Stem.Stride))
	x = nn.ReLU(norm.Affine(w, "bn1", x))
	if c.Stem.Pool {
		x = nn.MaxPool2D(x, nn.PoolOptions{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2},
			Padding: [2]int{1, 1}})
	}
	c.blocks(func(b block) {
		if done() {
			return
		}
		x = bottleneck(w, x, norm, b)
		tap(b.name, x)
		if b.last {
			tap(b.stage, x)
		}
	})
	if !done() {
		x = nn.GlobalAvgPool(x)
		tap("avgpool", x)
	}
	if !done() {
		tap("fc", nn.Dense(x, w("fc.weight"), w("fc.bias")))
	}
	if !done() {
		exceptions.Panicf("resnet: not all layers of %q exist", layers)
	}
	return found
}

func bottleneck(w gansim.Weights, x *Node, norm nn.Normalizer, b block) *Node {
	conv := func(x *Node, name string, size, stride int) *Node {
		return nn.Conv(x, w(b.name+name+".weight"), nn.Same(size, stride))
	}
	y := nn.ReLU(norm.Affine(w, b.name+".bn1", conv(x, ".conv1", 1, 1)))
	y = nn.ReLU(norm.Affine(w, b.name+".bn2", conv(y, ".conv2", 3, b.stride)))
	y = norm.Affine(w, b.name+".bn3", conv(y, ".conv3", 1, 1))
	if b.downsample {
		x = norm.Affine(w, b.name+".downsample.1", conv(x, ".downsample.0", 1, b.stride))
	}
	return nn.ReLU(Add(y, x))
}
