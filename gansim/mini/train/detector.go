package train

import (
	"context"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/yolov8"
	"gansim.example/gansim/nn"
	"gansim.example/gansim/optim/ingraph"
)

// detector is the YOLOv8-like network's training: cells near a box's centre learn its box (GIoU,
// Rezatofighi et al. 2019) and, for its class, how well their own box fits (Zhang et al. 2021); all
// others that there is nothing (as FCOS, Tian et al. 2019).
type detector struct {
	yolov8.Config
	params, stats layout
	data          world.Renders
	steps, batch  int
}

func newDetector(d *data) detector {
	c := yolov8.Mini(world.Classes()[:world.NumObjects])
	return detector{Config: c, params: trainable(c.Table()), stats: statistics(c.Table()),
		data: d.detector, steps: 3000, batch: 32}
}

// Large boxes, longest side above this many pixels, belong to the coarse head.
const largeBox = 28

func (d detector) phase() phase {
	return phase{
		name: "yolov8", steps: d.steps, reports: []string{"box", "class"},
		build: func(_ []gansim.Weights, state, in []*Node) (next, report []*Node) {
			return d.step(state, in)
		},
		inputs: func(step int, rng *rand.Rand) []any {
			rows, flip := pick(rng, d.batch, d.data.N)
			boxes, classes, positive := d.assign(rows, flip)
			return []any{batch(d.data, rows, flip), boxes, classes, positive,
				oneCycle(3e-3, step, d.steps, .1), float32(step + 1)}
		},
	}
}

// assign gives each cell of each image its box [n, cells, 4], the class [n, cells] and whether it is
// positive: its centre lies in the box and within .75 strides of the box's centre, the box belongs to
// the cell's head, and of several boxes the smallest counts.
func (d detector) assign(rows []int, flip []bool) (boxes, classes, positive *tensors.Tensor) {
	cells := d.Cells()
	n := len(rows) * len(cells)
	corners, class, is := make([]float32, 4*n), make([]int32, n), make([]float32, n)
	for i, row := range rows {
		for j, cell := range cells {
			best := -1.
			for _, b := range d.data.Boxes[row] {
				if flip[i] {
					size := float64(d.data.Size)
					b.X0, b.X1 = size-b.X1, size-b.X0
				}
				area := (b.X1 - b.X0) * (b.Y1 - b.Y0)
				if !d.owns(cell, b) || best >= 0 && area >= best {
					continue
				}
				best = area
				at := i*len(cells) + j
				is[at], class[at] = 1, int32(b.Class)
				for k, v := range []float64{b.X0, b.Y0, b.X1, b.Y1} {
					corners[4*at+k] = float32(v)
				}
			}
		}
	}
	return graphx.Tensor(corners, len(rows), len(cells), 4),
		tensors.FromFlatDataAndDimensions(class, len(rows), len(cells)),
		graphx.Tensor(is, len(rows), len(cells))
}

func (d detector) owns(cell [3]float64, b world.Box) bool {
	x, y, stride := cell[0], cell[1], cell[2]
	large := max(b.X1-b.X0, b.Y1-b.Y0) > largeBox
	if large != (stride == float64(d.Strides[len(d.Strides)-1])) {
		return false
	}
	near := func(at, lo, hi float64) bool {
		off := at - (lo+hi)/2
		reach := min((hi-lo)/2, .75*stride)
		return off < reach && -off < reach
	}
	return near(x, b.X0, b.X1) && near(y, b.Y0, b.Y1)
}

// step: inputs are pixels, boxes, classes, positives, learning rate, step number.
func (d detector) step(state, in []*Node) (next, report []*Node) {
	images, want, class, positive, lr, t := unit(in[0]), in[1], in[2], in[3], in[4], in[5]
	leaves := d.params.leaves(state[0])
	norm := &nn.Batch{Eps: yolov8.Epsilon}
	boxes, logits := d.Predict(d.params.view(leaves), images, norm)
	count := MaxScalar(ReduceAllSum(positive), 1)
	iou, giou := overlaps(boxes, want)
	boxLoss := Div(ReduceAllSum(Mul(positive, OneMinus(giou))), count)
	quality := StopGradient(Mul(positive, iou))
	target := Mul(OneHot(class, len(d.Classes), f32), ExpandAxes(quality, -1))
	// binary cross-entropy on logits: softplus(x) - x*target
	classLoss := Div(ReduceAllSum(Sub(Softplus(logits), Mul(logits, target))), count)
	loss := Add(MulScalar(boxLoss, 2), classLoss)
	gradient := clipNorm(flatten(Gradient(loss, leaves...)), 10)
	p, m, v := ingraph.Adam{Decay: 5e-4}.Step(state[0], state[1], state[2], gradient, t, lr)
	return []*Node{p, m, v, follow(d.stats, state[3], norm)}, []*Node{boxLoss, classLoss}
}

// overlaps gives intersection over union and its generalised form for boxes [..., 4].
func overlaps(a, b *Node) (iou, giou *Node) {
	side := func(x *Node, i int) *Node { return Squeeze(Slice(x, AxisRange(), AxisRange(), AxisElem(i)), -1) }
	length := func(lo, hi *Node) *Node { return MaxScalar(Sub(hi, lo), 0) }
	area := func(x *Node) *Node {
		return Mul(Sub(side(x, 2), side(x, 0)), Sub(side(x, 3), side(x, 1)))
	}
	inner := Mul(length(Max(side(a, 0), side(b, 0)), Min(side(a, 2), side(b, 2))),
		length(Max(side(a, 1), side(b, 1)), Min(side(a, 3), side(b, 3))))
	union := MaxScalar(Sub(Add(area(a), area(b)), inner), 1e-6)
	hull := MaxScalar(Mul(length(Min(side(a, 0), side(b, 0)), Max(side(a, 2), side(b, 2))),
		length(Min(side(a, 1), side(b, 1)), Max(side(a, 3), side(b, 3)))), 1e-6)
	iou = Div(inner, union)
	return iou, Sub(iou, Div(Sub(hull, union), hull))
}

// clipNorm shortens a gradient to at most the given length.
func clipNorm(g *Node, limit float64) *Node {
	length := Sqrt(ReduceAllSum(Square(g)))
	return Mul(g, Div(scalar(g, limit), MaxScalar(length, limit)))
}

// initial starts the class outputs at -4.5 and the box outputs at 1.
func (d detector) initial(seed uint64) []*tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := d.params.initialise(rng, heNormal(0))
	d.params.values(p, func(e entry, v []float32) {
		if e.name != e.layer.Name+".bias" {
			return
		}
		start := float32(1)
		if e.layer.Out == len(d.Classes) {
			start = -4.5
		}
		for i := range v {
			v[i] = start
		}
	})
	n := len(p)
	s := d.stats.initialise(rng, nil)
	return []*tensors.Tensor{graphx.Tensor(p, n), zeros(n), zeros(n), graphx.Tensor(s, len(s))}
}

func (d detector) train(ctx context.Context, r *runner, c resumed) ([]*tensors.Tensor, error) {
	state := c.state
	if state == nil {
		state = d.initial(r.seed)
	}
	return r.run(ctx, d.phase(), state, c.step)
}
