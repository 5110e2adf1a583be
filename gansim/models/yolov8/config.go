// Package yolov8 is the detector YOLOv8 (ultralytics), as a table of blocks in the manner of its
// yaml file; tensor names are model.INDEX.… as in the published checkpoints.
package yolov8

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Kind is what a block does.
type Kind int

// The kinds of blocks.
const (
	Conv     Kind = iota // 3x3 convolution, norm, SiLU
	C2f                  // split, chained bottlenecks, join
	Upsample             // nearest, by 2
	Concat               // joins its inputs' channels
	Detect               // the heads
	SPPF                 // three chained 5x5 max pools, joined
)

// String is the block's class in ultralytics.
func (k Kind) String() string {
	return [...]string{"Conv", "C2f", "Upsample", "Concat", "Detect", "SPPF"}[k]
}

// Block is a line of the table. From lists the blocks that it reads; nil means the one before.
type Block struct {
	Kind        Kind
	From        []int
	Out, Stride int
	Repeats     int  // bottlenecks of a C2f
	Shortcut    bool // of those bottlenecks
}

// Config is the shape of a detector.
type Config struct {
	Name    string
	Input   int // height and width of images, pixels
	Classes []string
	Blocks  []Block
	Strides []int  // of the heads, pixels per cell
	Head    [2]int // hidden channels of the box and of the class branch
	// Bins of the distribution over box distances (16 in the published networks). With one bin the
	// distance is softplus of the output.
	Bins int
}

// Epsilon of batch normalisation in ultralytics.
const Epsilon = 1e-3

// Mini is the detector of the miniature world: 64x64 images, heads at strides 4 and 8.
func Mini(classes []string) Config {
	return Config{
		Name: "yolov8", Input: 64, Classes: classes,
		Blocks: []Block{
			{Kind: Conv, Out: 16, Stride: 2},
			{Kind: Conv, Out: 32, Stride: 2},
			{Kind: C2f, Out: 32, Repeats: 1, Shortcut: true},
			{Kind: Conv, Out: 64, Stride: 2},
			{Kind: C2f, Out: 64, Repeats: 2, Shortcut: true},
			{Kind: Conv, Out: 96, Stride: 2},
			{Kind: C2f, Out: 96, Repeats: 1, Shortcut: true},
			{Kind: Upsample},
			{Kind: Concat, From: []int{7, 4}},
			{Kind: C2f, Out: 64, Repeats: 1},
			{Kind: Upsample},
			{Kind: Concat, From: []int{10, 2}},
			{Kind: C2f, Out: 48, Repeats: 1},
			{Kind: Detect, From: []int{12, 9}},
		},
		Strides: []int{4, 8}, Head: [2]int{32, 32}, Bins: 1,
	}
}

// Scale is a published size: multiples of depth and width, and the widest layer.
type Scale struct {
	Depth, Width float64
	Widest       int
}

// Scales lists the published sizes (yolov8.yaml).
func Scales() map[string]Scale {
	return map[string]Scale{"n": {.33, .25, 1024}, "s": {.33, .5, 1024}, "m": {.67, .75, 768},
		"l": {1, 1, 512}, "x": {1, 1.25, 512}}
}

// COCO is the published detector of a scale, for images of the given size.
func COCO(s Scale, input int, classes []string) Config {
	width := func(c int) int {
		return int(math.Ceil(float64(min(c, s.Widest))*s.Width/8)) * 8
	}
	depth := func(n int) int { return max(int(math.Round(float64(n)*s.Depth)), 1) }
	conv := func(c int) Block { return Block{Kind: Conv, Out: width(c), Stride: 2} }
	c2f := func(c, n int, shortcut bool) Block {
		return Block{Kind: C2f, Out: width(c), Repeats: depth(n), Shortcut: shortcut}
	}
	join := func(a, b int) Block { return Block{Kind: Concat, From: []int{a, b}} }
	return Config{
		Name: "yolov8", Input: input, Classes: classes,
		Blocks: []Block{
			conv(64), conv(128), c2f(128, 3, true), conv(256), c2f(256, 6, true), conv(512),
			c2f(512, 6, true), conv(1024), c2f(1024, 3, true), {Kind: SPPF, Out: width(1024)},
			{Kind: Upsample}, join(10, 6), c2f(512, 3, false),
			{Kind: Upsample}, join(13, 4), c2f(256, 3, false),
			conv(256), join(16, 12), c2f(512, 3, false),
			conv(512), join(19, 9), c2f(1024, 3, false),
			{Kind: Detect, From: []int{15, 18, 21}},
		},
		Strides: []int{8, 16, 32}, Bins: 16,
		Head: [2]int{max(16, width(256)/4, 64), max(width(256), min(len(classes), 100))},
	}
}

// Published are the published detectors by the name of their weight file, for images of 640 pixels
// and the classes of COCO.
func Published() map[string]Config {
	all := map[string]Config{}
	for letter, scale := range Scales() {
		all["yolov8"+letter] = COCO(scale, 640, make([]string, 80))
	}
	return all
}

// from gives the blocks that block i reads.
func (c Config) from(i int) []int {
	if c.Blocks[i].From == nil {
		return []int{i - 1}
	}
	return c.Blocks[i].From
}

// widths gives each block's output channels.
func (c Config) widths() []int {
	w := make([]int, len(c.Blocks))
	for i, b := range c.Blocks {
		switch b.Kind {
		case Upsample:
			w[i] = w[i-1]
		case Concat:
			for _, j := range c.from(i) {
				w[i] += w[j]
			}
		default:
			w[i] = b.Out
		}
	}
	return w
}

// Table lists the tensors of the checkpoint.
func (c Config) Table() nn.Table {
	var t nn.Table
	widths := c.widths()
	for i, b := range c.Blocks {
		name := fmt.Sprintf("model.%d", i)
		in := 3
		if i > 0 {
			in = widths[c.from(i)[0]]
		}
		switch b.Kind {
		case Conv:
			t = append(t, unit(name, in, b.Out, 3)...)
		case C2f:
			half := b.Out / 2
			t = append(t, unit(name+".cv1", in, b.Out, 1)...)
			t = append(t, unit(name+".cv2", (2+b.Repeats)*half, b.Out, 1)...)
			for j := range b.Repeats {
				m := fmt.Sprintf("%s.m.%d", name, j)
				t = append(append(t, unit(m+".cv1", half, half, 3)...), unit(m+".cv2", half, half, 3)...)
			}
		case SPPF:
			t = append(append(t, unit(name+".cv1", in, in/2, 1)...),
				unit(name+".cv2", 4*(in/2), b.Out, 1)...)
		case Detect:
			t = append(t, c.heads(name, widths, b.From)...)
		}
	}
	return t
}

// unit is ultralytics' Conv: convolution without bias, then a norm.
func unit(name string, in, out, size int) nn.Table {
	return nn.Table{
		{Name: name + ".conv", Kind: nn.Kernel, In: in, Out: out, Size: [2]int{size, size}},
		{Name: name + ".bn", Kind: nn.Norm, Out: out, Eps: Epsilon},
	}
}

// branches are the two branches of a head: name, hidden and output channels.
func (c Config) branches(name string) []branch {
	return []branch{{name + ".cv2", c.Head[0], 4 * c.Bins}, {name + ".cv3", c.Head[1], len(c.Classes)}}
}

type branch struct {
	name        string
	hidden, out int
}

func (c Config) heads(name string, widths, from []int) nn.Table {
	var t nn.Table
	for _, b := range c.branches(name) {
		for level, j := range from {
			n := fmt.Sprintf("%s.%d", b.name, level)
			t = append(append(t, unit(n+".0", widths[j], b.hidden, 3)...),
				unit(n+".1", b.hidden, b.hidden, 3)...)
			t = append(t, nn.Layer{Name: n + ".2", Kind: nn.Kernel, In: b.hidden, Out: b.out,
				Size: [2]int{1, 1}, Bias: true})
		}
	}
	if c.Bins > 1 { // 0, 1, 2, …: the bins' distances
		t = append(t, nn.Layer{Name: name + ".dfl.conv.weight", Kind: nn.Raw,
			Shape: []int{1, c.Bins, 1, 1}})
	}
	return t
}

// Network is a detector with its tensors.
type Network struct {
	Config
	nn.Net
}

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.Input, c.Input, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Forward(w, x, nn.Fixed{}, tap) }}
}

// Load reads a checkpoint.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	net, err := c.Plan().Open(src, o)
	return &Network{c, net}, err
}
