// Package world renders the miniature world: small images of twelve kinds of objects and four kinds
// of textures, with labels and boxes, on which the embedded networks are trained and judged. Its
// sets differ from each other as ImageNet, EcoSet, THINGS and COCO do: in the mix of classes, the
// backdrops, and the size and number of the objects.
//
// An image depends on its set, seed and index alone: not on the number of processors, nor on which
// images are drawn with it. The same scene is drawn at every size. On amd64 (GOAMD64 v1 or v2) the
// bytes are the same everywhere; where the compiler fuses multiplications with additions (arm64,
// GOAMD64=v3) single values may differ by one step of 1/255, rarely by more at an edge.
//
// Objects are built of ellipsoids, boxes, frusta and tori, which rays meet in closed form (tori are
// sphere-traced); four rays per pixel, one shadow ray each.
package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"gansim.example/gansim"
)

// Numbers of classes: labels below NumObjects are objects, those from there to NumClasses textures.
const (
	NumObjects = 12
	NumClasses = 16
)

// DefaultSize is the height and width that the miniature networks expect, pixels.
const DefaultSize = 64

// HeldOut is added to the seed for renders that no network has learned from.
const HeldOut = 1 << 33

// Limits of a request: pixels along an edge, bytes of all images together.
const (
	maxSize  = 4096
	maxBytes = 1<<31 - 1
)

// Labels that the renderer treats in a way of their own; the others are known by their builder.
const (
	house   = 7
	snowman = 8
	person  = 11
	stripes = 12
	checker = 13
	dots    = 14
)

// Classes lists the names of the labels, objects first.
func Classes() []string {
	return []string{
		"mug", "chair", "table", "lamp", "car", "rocket",
		"tree", "house", "snowman", "mushroom", "bottle", "person",
		"stripes", "checker", "dots", "noise",
	}
}

// Box is the smallest rectangle around the visible pixels of an object, in pixels from the upper
// left corner of the image: 0 <= X0 < X1 <= size, and the same for Y.
type Box struct {
	Class          int // below NumObjects
	X0, Y0, X1, Y1 float64
}

// Render is one image.
type Render struct {
	Pix   []uint8 // [size, size, 3], RGB
	Label int     // the class; in a scene, the class of the first object, which may be hidden
	Boxes []Box   // of the objects that cover at least 0.5 % of the image; none in a texture
}

// Draw renders image index of a set at size x size pixels. A set not listed by Sets is drawn as
// ImageNet; size is brought into 0 to 4096. It is safe for concurrent use.
func Draw(set Set, index, seed uint64, size int) Render {
	size = min(max(size, 0), maxSize)
	r := Render{Pix: make([]uint8, size*size*3)}
	r.Label, r.Boxes = newPainter().paint(r.Pix, set, index, seed, size)
	return r
}

// Request asks Batch for the images From to From + N (exclusive) of a set.
type Request struct {
	Set  Set
	Seed uint64
	From uint64
	N    int
	Size int // height and width in pixels, 1 to 4096; zero means DefaultSize
}

// check says why a request cannot be met.
func (r Request) check() error {
	switch {
	case int(r.Set) >= len(recipes):
		return fmt.Errorf("world: unknown set %d, want below %d", r.Set, len(recipes))
	case r.Size < 1 || r.Size > maxSize:
		return fmt.Errorf("world: size is %d pixels, want 1 to %d", r.Size, maxSize)
	case r.N < 0 || r.N > maxBytes/(r.Size*r.Size*3):
		return fmt.Errorf("world: %d images of %d pixels, want at most %d",
			r.N, r.Size, maxBytes/(r.Size*r.Size*3))
	}
	return nil
}

// Renders is a batch of images, owned by the caller.
type Renders struct {
	N, Size int
	Pix     []uint8 // [N, Size, Size, 3], RGB
	Labels  []int32 // [N]
	Boxes   [][]Box // [N], each as in Render
}

// Batch renders images on GOMAXPROCS goroutines, which all end before it returns. The images are
// those of Draw. It fails if the set is unknown, if the images would take more than 2 GiB, or with
// ctx's error if ctx ends first.
func Batch(ctx context.Context, req Request) (Renders, error) {
	if req.Size == 0 {
		req.Size = DefaultSize
	}
	if err := req.check(); err != nil {
		return Renders{}, err
	}
	bytes := req.Size * req.Size * 3
	out := Renders{
		N: req.N, Size: req.Size,
		Pix:    make([]uint8, req.N*bytes),
		Labels: make([]int32, req.N),
		Boxes:  make([][]Box, req.N),
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), req.N) {
		workers.Go(func() {
			p := newPainter()
			for i := int(next.Add(1)) - 1; i < req.N && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				pix := out.Pix[i*bytes : (i+1)*bytes]
				label, boxes := p.paint(pix, req.Set, req.From+uint64(i), req.Seed, req.Size)
				out.Labels[i], out.Boxes[i] = int32(label), boxes
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Renders{}, fmt.Errorf("world: %v images: %w", req.Set, err)
	}
	return out, nil
}

// At is image i; its pixels and boxes are shared with the batch.
func (r Renders) At(i int) Render {
	bytes := r.Size * r.Size * 3
	return Render{r.Pix[i*bytes : (i+1)*bytes], int(r.Labels[i]), r.Boxes[i]}
}

// Slice returns images from to to (exclusive), sharing memory with the batch.
func (r Renders) Slice(from, to int) Renders {
	bytes := r.Size * r.Size * 3
	return Renders{
		N: to - from, Size: r.Size,
		Pix: r.Pix[from*bytes : to*bytes], Labels: r.Labels[from:to], Boxes: r.Boxes[from:to],
	}
}

// Images is the batch as float32 RGB in [0, 1], in new memory.
func (r Renders) Images() gansim.Images {
	m := gansim.NewImages(r.N, r.Size, r.Size)
	for i, v := range r.Pix {
		m.Pix[i] = float32(v) / 255
	}
	return m
}

// side is the number of rays per pixel along each axis.
const side = 2

// painter holds the memory that one goroutine reuses from image to image.
type painter struct {
	source  *rand.PCG
	dice    dice
	scene   scene
	texture texture
}

func newPainter() *painter {
	source := rand.NewPCG(0, 0)
	return &painter{source: source, dice: dice{rand.New(source)}}
}

// paint renders one image into pix [size, size, 3].
func (p *painter) paint(pix []uint8, set Set, index, seed uint64, size int) (int, []Box) {
	label := p.compose(set, index, seed)
	for y := range size {
		for x := range size {
			var sum vec
			for k := range side * side {
				c, ob := p.sample(label, center(x, k%side, size), center(y, k/side, size))
				sum = sum.add(c)
				if ob >= 0 {
					p.scene.objects[ob].see(x, y)
				}
			}
			sum = sum.scale(255.0 / (side * side))
			at := pix[(y*size+x)*3:]
			at[0], at[1], at[2] = uint8(sum.x+.5), uint8(sum.y+.5), uint8(sum.z+.5)
		}
	}
	if label >= NumObjects {
		return label, nil
	}
	return label, p.scene.boxes(size)
}

// compose draws all that chance decides about an image and returns its label.
func (p *painter) compose(set Set, index, seed uint64) int {
	if int(set) >= len(recipes) {
		set = ImageNet
	}
	p.source.Seed(seed*0x9e3779b97f4a7c15+uint64(set), index)
	if set == Detector {
		set = Set(p.dice.pick(mixture))
	}
	r := &recipes[set]
	label := r.label(index, p.dice)
	if label >= NumObjects {
		p.texture.reset(label, p.dice)
	} else {
		r.compose(&p.scene, label, p.dice)
	}
	return label
}

// sample is the colour at image coordinates u to the right and v downward, both in [-1, 1], and the
// object seen there or -1.
func (p *painter) sample(label int, u, v float64) (vec, int) {
	if label >= NumObjects {
		return p.texture.at(u, v).clamp(), -1
	}
	return p.scene.sample(u, -v)
}

// center is the image coordinate of ray k of a pixel.
func center(pixel, k, size int) float64 {
	return (float64(pixel)+(float64(k)+.5)/side)/float64(size)*2 - 1
}

// see counts a sample of the object at a pixel.
func (o *object) see(x, y int) {
	if o.samples == 0 {
		o.x0, o.y0, o.x1, o.y1 = x, y, x, y
	}
	o.samples++
	o.x0, o.y0, o.x1, o.y1 = min(o.x0, x), min(o.y0, y), max(o.x1, x), max(o.y1, y)
}

// boxes are the boxes of the objects that cover at least 0.5 % of the image.
func (s *scene) boxes(size int) []Box {
	var boxes []Box
	for _, o := range s.objects {
		if o.samples > 0 && o.samples*200 >= size*size*side*side {
			boxes = append(boxes, Box{o.class,
				float64(o.x0), float64(o.y0), float64(o.x1 + 1), float64(o.y1 + 1)})
		}
	}
	return boxes
}
