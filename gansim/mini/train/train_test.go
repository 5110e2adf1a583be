package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/nn"
	"gansim.example/kernels"
)

func backend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func renders(t *testing.T, set world.Set, n int) world.Renders {
	t.Helper()
	r, err := world.Batch(t.Context(), world.Request{Set: set, Seed: 1, N: n})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func smallDetector(t *testing.T) detector {
	d := newDetector(&data{detector: renders(t, world.Detector, 24)})
	d.steps, d.batch = 6, 4
	return d
}

// TestResume: a run that stops and goes on gives the parameters of one without a break, to the bit,
// and another seed is refused.
func TestResume(t *testing.T) {
	b := backend(t)
	d := smallDetector(t)
	whole := &runner{backend: b, seed: 3, dir: t.TempDir(), network: "yolov8"}
	state, err := d.train(t.Context(), whole, resumed{})
	if err != nil {
		t.Fatal(err)
	}
	want := flat(t, state[0])

	broken := &runner{backend: b, seed: 3, dir: t.TempDir(), network: "yolov8"}
	ctx, stop := context.WithCancel(t.Context())
	broken.progress = func(_ string, done, _ int) {
		if done == 3 {
			stop()
		}
	}
	if _, err := d.train(ctx, broken, resumed{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want an interruption", err)
	}
	again := &runner{backend: b, seed: 3, dir: broken.dir, network: "yolov8"}
	c, ok, err := again.resume()
	if err != nil || !ok || c.step != 3 {
		t.Fatalf("checkpoint at step %d, %v, %v, want 3", c.step, ok, err)
	}
	if state, err = d.train(t.Context(), again, c); err != nil {
		t.Fatal(err)
	}
	got := flat(t, state[0])
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("parameter %d is %v after resuming, %v without a break", i, got[i], want[i])
		}
	}
	other := &runner{backend: b, seed: 4, dir: broken.dir, network: "yolov8"}
	if _, _, err := other.resume(); err == nil {
		t.Error("a checkpoint of another seed is accepted")
	}
}

func flat(t *testing.T, x *tensors.Tensor) []float32 {
	t.Helper()
	v, err := graphx.Floats(x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// call runs a graph once.
func call(t *testing.T, b compute.Backend, fn func(in []*Node) []*Node, in ...any) [][]float32 {
	t.Helper()
	p, err := graphx.New(b, nil, func(_ []gansim.Weights, in []*Node) []*Node { return fn(in) })
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	var vs [][]float32
	for _, o := range out {
		vs = append(vs, flat(t, o))
	}
	return vs
}

// TestGrow: the grown generator's images are the small ones enlarged, and the grown critic judges an
// image as the small one judges its average-pooled copy.
func TestGrow(t *testing.T) {
	g := newGAN(&data{train: renders(t, world.Train, 16)})
	small := g.initial(9)
	large, err := g.grow(small, 9)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	z := normals(rng, 4, g.CodeSize())
	images := func(stage int) func(in []*Node) []*Node {
		return func(in []*Node) []*Node {
			w := g.params.view(g.params.leaves(in[0]))
			y := g.Forward(w, in[1], &nn.Batch{Eps: g.Eps}, len(g.Blocks)-1+stage, nn.NoTap)
			if stage == 0 {
				y = nn.UpsampleNearest(y, 2)
			}
			return []*Node{y}
		}
	}
	engine := backend(t)
	x := call(t, engine, images(0), pointwise(t, g, small[genParams]), z)[0]
	y := call(t, engine, images(1), pointwise(t, g, large[genParams]), z)[0]
	for i := range x {
		if math.Abs(float64(x[i]-y[i])) > 1e-4 {
			t.Fatalf("value %d of the grown images is %v, of the enlarged small ones %v", i, y[i], x[i])
		}
	}
	score := func(stage int) func(in []*Node) []*Node {
		return func(in []*Node) []*Node {
			table := trainable(g.critic.layers(stage))
			w := table.view(table.leaves(in[0]))
			vectors := g.critic.vectors(stage)
			left := vectors.leaves(in[1])
			var normal gansim.Weights
			for range 200 { // until the singular values are exact
				normal, left = g.critic.normalised(stage, w, vectors.view(left))
			}
			images := in[2]
			if stage == 0 {
				images = nn.AvgPool2D(images, nn.Pool(2, 2))
			}
			return []*Node{g.critic.score(stage, normal, images, in[3])}
		}
	}
	picture := uniform(rng, -1, 1, 8, 64, 64, 3)
	class := make([]float32, 8*g.Classes)
	for i := range 8 {
		class[i*g.Classes+i] = 1
	}
	classes := graphx.Tensor(class, 8, g.Classes)
	a := call(t, engine, score(0), small[criticParams], small[criticU], picture, classes)[0]
	b := call(t, engine, score(1), large[criticParams], large[criticU], picture, classes)[0]
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 2e-3*max(1, math.Abs(float64(a[i]))) {
			t.Errorf("image %d: the small critic gives %v, the grown one %v", i, a[i], b[i])
		}
	}
}

// pointwise keeps only the middle tap of the convolution to RGB: the other taps see different
// neighbours in an enlarged map, by design.
func pointwise(t *testing.T, g gan, params *tensors.Tensor) *tensors.Tensor {
	v := flat(t, params)
	g.params.values(v, func(e entry, w []float32) {
		if e.name != "generator.conv_to_rgb.weight" {
			return
		}
		per := len(w) / 9
		for tap := range 9 {
			if tap != 4 {
				clear(w[tap*per : (tap+1)*per])
			}
		}
	})
	return graphx.Tensor(v, len(v))
}

// TestAttack: an attack stays within its bound, moves the images and raises the loss.
func TestAttack(t *testing.T) {
	k := robust(resnet.Mini)
	k.epsilon = 8. / 255
	state := k.start(1, nil)
	r := renders(t, world.Train, 8)
	rows := []int{0, 1, 2, 3, 4, 5, 6, 7}
	rng := rand.New(rand.NewPCG(2, 3))
	out := call(t, backend(t), func(in []*Node) []*Node {
		w, norm := k.params.view(k.params.leaves(in[0])), k.running(in[1])
		images, label := unit(in[2]), in[3]
		moved := k.attack(w, norm, images, label, MulScalar(in[4], 0), 5)
		before, _ := k.logits(w, images, norm)
		after, _ := k.logits(w, moved, norm)
		return []*Node{Reshape(crossEntropy(before, label, 0), 1), Reshape(crossEntropy(after, label, 0), 1),
			Reshape(ReduceAllMax(Abs(Sub(moved, images))), 1)}
	}, state[0], state[3], batch(r, rows, nil), labels(r, rows), uniform(rng, -1, 1, 8, 64, 64, 3))
	if out[1][0] <= out[0][0] {
		t.Errorf("the attack moves the loss from %v to %v", out[0][0], out[1][0])
	}
	if far := out[2][0]; far <= 0 || far > 8./255+1e-6 {
		t.Errorf("the attack moves pixels by up to %v, bound %v", far, 8./255)
	}
}

// TestOrthogonal: rows or columns are orthonormal, whichever are fewer.
func TestOrthogonal(t *testing.T) {
	for _, shape := range [][]int{{3, 3, 4, 8}, {1, 1, 16, 4}, {6, 6}} {
		rows, columns := count(shape)/shape[len(shape)-1], shape[len(shape)-1]
		v := make([]float32, rows*columns)
		orthogonal(entry{shape: shape}, v, rand.New(rand.NewPCG(4, 4)))
		at := func(i, k int) float64 { // element k of vector i
			if rows <= columns {
				return float64(v[i*columns+k])
			}
			return float64(v[k*columns+i])
		}
		for i := range min(rows, columns) {
			for j := range min(rows, columns) {
				dot, want := 0., 0.
				for k := range max(rows, columns) {
					dot += at(i, k) * at(j, k)
				}
				if i == j {
					want = 1
				}
				if math.Abs(dot-want) > 1e-5 {
					t.Fatalf("%v: vectors %d and %d have product %v, want %v", shape, i, j, dot, want)
				}
			}
		}
	}
}

// TestAssign: a cell's box is the smallest that owns it, mirrored with the image.
func TestAssign(t *testing.T) {
	d := smallDetector(t)
	d.data.Boxes[0] = []world.Box{{Class: 3, X0: 4, Y0: 8, X1: 20, Y1: 24}, {Class: 5, X0: 8, Y0: 12, X1: 16, Y1: 20}}
	for _, flip := range []bool{false, true} {
		boxes, classes, positive := d.assign([]int{0}, []bool{flip})
		is := flat(t, positive)
		corners := flat(t, boxes)
		class := tensors.MustCopyFlatData[int32](classes)
		n := 0
		for i, cell := range d.Cells() {
			if is[i] == 0 {
				continue
			}
			n++
			x := cell[0]
			if flip {
				x = float64(d.Input) - x
			}
			if math.Abs(x-12) >= 6 || math.Abs(cell[1]-16) >= 6 || cell[2] != 4 {
				t.Errorf("cell %v is positive, it is far from the boxes", cell)
			}
			inner := math.Abs(x-12) < 4 && math.Abs(cell[1]-16) < 4
			want := map[bool]int32{true: 5, false: 3}[inner]
			if class[i] != want {
				t.Errorf("cell %v has class %d, want %d", cell, class[i], want)
			}
			left := map[int32]float32{3: 4, 5: 8}[want]
			if flip {
				left = 64 - map[int32]float32{3: 20, 5: 16}[want]
			}
			if corners[4*i] != left {
				t.Errorf("cell %v: box begins at %v, want %v", cell, corners[4*i], left)
			}
		}
		if n == 0 {
			t.Error("no cell is positive")
		}
	}
}
