// Package yolov5 is the detector YOLOv5 (ultralytics/yolov5, release 6), as a table of blocks in the
// manner of models/yolov5x.yaml; tensor names are model.INDEX.… as in the published checkpoints.
//
// There are no reference numbers of this network: its tests know the published parameter counts,
// the shapes, and the decoding of boxes by hand.
package yolov5

import (
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/nn"
)

// Kind is what a block does.
type Kind int

// The kinds of blocks.
const (
	Conv     Kind = iota // convolution, norm, SiLU
	C3                   // chained bottlenecks beside a 1x1 convolution, joined
	SPPF                 // three chained 5x5 max pools, joined
	Upsample             // nearest, by 2
	Concat               // joins its inputs' channels
	Detect               // the heads
)

// String is the block's class in the program.
func (k Kind) String() string {
	return [...]string{"Conv", "C3", "SPPF", "Upsample", "Concat", "Detect"}[k]
}

// Block is a line of the table. From lists the blocks that it reads; nil means the one before.
type Block struct {
	Kind                       Kind
	From                       []int
	Out, Size, Stride, Padding int  // the last three of a Conv
	Repeats                    int  // bottlenecks of a C3
	Shortcut                   bool // of those bottlenecks
}

// Config is the shape of a detector.
type Config struct {
	Name    string
	Input   int // height and width of images, pixels
	Classes []string
	Blocks  []Block
	Heads   []Head
}

// Head is a level of the detector: pixels per cell, and its anchors, width and height in pixels.
type Head struct {
	Stride  int
	Anchors [][2]float64
}

// Epsilon of batch normalisation in ultralytics.
const Epsilon = 1e-3

// Scale is a published size: multiples of depth and width.
type Scale struct{ Depth, Width float64 }

// Scales lists the published sizes (models/yolov5n.yaml to yolov5x.yaml).
func Scales() map[string]Scale {
	return map[string]Scale{"n": {.33, .25}, "s": {.33, .5}, "m": {.67, .75}, "l": {1, 1},
		"x": {1.33, 1.25}}
}

// COCO is the published detector of a scale, for images of the given size.
func COCO(s Scale, input int, classes []string) Config {
	width := func(c int) int { return int(math.Ceil(float64(c)*s.Width/8)) * 8 }
	conv := func(c, size, stride, padding int) Block {
		return Block{Kind: Conv, Out: width(c), Size: size, Stride: stride, Padding: padding}
	}
	c3 := func(c, n int, shortcut bool) Block {
		n = max(int(math.Round(float64(n)*s.Depth)), 1)
		return Block{Kind: C3, Out: width(c), Repeats: n, Shortcut: shortcut}
	}
	join := func(a, b int) Block { return Block{Kind: Concat, From: []int{a, b}} }
	return Config{
		Name: "yolov5", Input: input, Classes: classes,
		Blocks: []Block{
			conv(64, 6, 2, 2), conv(128, 3, 2, 1), c3(128, 3, true), conv(256, 3, 2, 1),
			c3(256, 6, true), conv(512, 3, 2, 1), c3(512, 9, true), conv(1024, 3, 2, 1),
			c3(1024, 3, true), {Kind: SPPF, Out: width(1024)},
			conv(512, 1, 1, 0), {Kind: Upsample}, join(11, 6), c3(512, 3, false),
			conv(256, 1, 1, 0), {Kind: Upsample}, join(15, 4), c3(256, 3, false),
			conv(256, 3, 2, 1), join(18, 14), c3(512, 3, false),
			conv(512, 3, 2, 1), join(21, 10), c3(1024, 3, false),
			{Kind: Detect, From: []int{17, 20, 23}},
		},
		Heads: []Head{
			{8, [][2]float64{{10, 13}, {16, 30}, {33, 23}}},
			{16, [][2]float64{{30, 61}, {62, 45}, {59, 119}}},
			{32, [][2]float64{{116, 90}, {156, 198}, {373, 326}}},
		},
	}
}

// Published are the published detectors by the name of their weight file, for images of 640 pixels
// and the classes of COCO.
func Published() map[string]Config {
	all := map[string]Config{}
	for letter, scale := range Scales() {
		all["yolov5"+letter] = COCO(scale, 640, make([]string, 80))
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

// Table lists the tensors of the checkpoint; its anchors are not read (see [Config.Load]).
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
			t = append(t, unit(name, in, b.Out, b.Size)...)
		case C3:
			t = append(t, b.layers(name, in)...)
		case SPPF:
			t = slices.Concat(t, unit(name+".cv1", in, in/2, 1), unit(name+".cv2", 4*(in/2), b.Out, 1))
		case Detect:
			for level, j := range b.From {
				t = append(t, nn.Layer{Name: fmt.Sprintf("%s.m.%d", name, level), Kind: nn.Kernel,
					In: widths[j], Out: len(c.Heads[level].Anchors) * (5 + len(c.Classes)),
					Size: [2]int{1, 1}, Bias: true})
			}
			t = append(t, nn.Layer{Name: name + ".anchor*", Kind: nn.Ignored})
		}
	}
	return t
}

// layers are the tensors of a C3.
func (b Block) layers(name string, in int) nn.Table {
	half := b.Out / 2
	t := slices.Concat(unit(name+".cv1", in, half, 1), unit(name+".cv2", in, half, 1),
		unit(name+".cv3", 2*half, b.Out, 1))
	for j := range b.Repeats {
		m := fmt.Sprintf("%s.m.%d", name, j)
		t = slices.Concat(t, unit(m+".cv1", half, half, 1), unit(m+".cv2", half, half, 3))
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

// Network is a detector with its tensors.
type Network struct {
	Config
	nn.Net
}

// Plan is how the network is built.
func (c Config) Plan() nn.Plan {
	return nn.Plan{Name: c.Name, Table: c.Table(), Input: []int{c.Input, c.Input, 3},
		Forward: func(w gansim.Weights, x *Node, tap gansim.Tap) { c.Forward(w, x, tap) }}
}

// Load reads a checkpoint. If that holds anchors, in units of a cell, they must be those of the
// configuration.
func (c Config) Load(src nn.Source, o nn.LoadOptions) (*Network, error) {
	if err := c.checkAnchors(src); err != nil {
		return nil, err
	}
	net, err := c.Plan().Open(src, o)
	return &Network{c, net}, err
}

func (c Config) checkAnchors(src nn.Source) error {
	name := fmt.Sprintf("model.%d.anchors", len(c.Blocks)-1)
	if !slices.Contains(src.Names, name) {
		return nil
	}
	_, got, err := src.Read(name)
	if err != nil {
		return err
	}
	var want []float32
	for _, h := range c.Heads {
		for _, a := range h.Anchors {
			want = append(want, float32(a[0]/float64(h.Stride)), float32(a[1]/float64(h.Stride)))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s: %s is %v, want %v", c.Name, name, got, want)
	}
	return nil
}
