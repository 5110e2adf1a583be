package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/mini/world"
	"gansim.example/gansim/models/alexnet"
	"gansim.example/gansim/models/resnet"
	"gansim.example/gansim/nn"
)

// Networks lists what is trained, in order: DeePSim needs AlexNet, the robust twin the plain ResNet,
// and the metric, of which only the eigenvectors are found, both generators.
func Networks() []string {
	return []string{"alexnet", "deepsim", "resnet50", "resnet50_linf8", "yolov8", "biggan", "metric"}
}

// Options of a training.
type Options struct {
	Dir    string   // where checkpoints and weights go
	Only   []string // networks; empty means all
	Resume bool     // go on from checkpoints
	Seed   uint64   // of data, initial tensors and noise
	// Steps of each phase instead of the recipe's: two for biggan, one for the others. Only must then
	// name one network.
	Steps []int
	// Progress is told each step; Log each line of the curve. Nil means quiet.
	Progress func(network, phase string, done, total int)
	Log      func(network string, p Point)
}

// All trains the networks and writes each as DIR/NAME.safetensors with its record DIR/NAME.json.
// When ctx ends, the state is saved and the error wraps ctx's.
func All(ctx context.Context, backend compute.Backend, o Options) error {
	names := o.Only
	if len(names) == 0 {
		names = Networks()
	}
	for _, name := range names {
		if err := known(name); err != nil {
			return err
		}
	}
	if err := o.checkSteps(names); err != nil {
		return err
	}
	d, err := prepare(ctx, o.Seed, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := one(ctx, backend, o, name, d); err != nil {
			return err
		}
	}
	return nil
}

// phases is the number of phases of a network's training.
func phases(network string) int {
	switch network {
	case "biggan":
		return 2
	case "metric":
		return 0
	}
	return 1
}

func (o Options) checkSteps(names []string) error {
	if len(o.Steps) == 0 {
		return nil
	}
	if len(names) != 1 || len(o.Steps) != phases(names[0]) || slices.Min(o.Steps) < 1 {
		return fmt.Errorf("train: steps %v for %q: want one network, and a positive number for each of "+
			"its phases (biggan 2, metric 0, others 1)", o.Steps, names)
	}
	return nil
}

// prepare renders what the networks need.
func prepare(ctx context.Context, seed uint64, names []string) (*data, error) {
	d := &data{}
	var err error
	for _, job := range []struct {
		to   *world.Renders
		set  world.Set
		seed uint64
		n    int
		used bool
	}{
		{&d.train, world.Train, seed, trainRenders, uses(names, "yolov8", "metric")},
		{&d.held, world.Train, seed + heldOut, heldRenders, uses(names, "metric")},
		{&d.detector, world.Detector, seed, detectorRenders, slices.Contains(names, "yolov8")},
	} {
		if !job.used {
			continue
		}
		if *job.to, err = render(ctx, job.set, job.seed, job.n); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// heldOut is added to the seed for renders that no network learns from.
const heldOut = 1 << 32

// uses says whether any network is trained besides those that have no use for the renders.
func uses(names []string, without ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(without, n) })
}

func one(ctx context.Context, backend compute.Backend, o Options, name string, d *data) error {
	r := &runner{backend: backend, seed: o.Seed, dir: o.Dir, network: name, steps: o.Steps}
	if o.Progress != nil {
		r.progress = func(phase string, done, total int) { o.Progress(name, phase, done, total) }
	}
	if o.Log != nil {
		r.log = func(p Point) { o.Log(name, p) }
	}
	c, found, err := r.resume()
	if err != nil {
		return err
	}
	if found && !o.Resume {
		return fmt.Errorf("train: %s exists: go on with --resume, or delete it", r.checkpoint())
	}
	begin := time.Now()
	command := fmt.Sprintf("gansim train --only %s --seed %d", name, o.Seed)
	if len(o.Steps) > 0 {
		command += " --steps " + strings.Trim(strings.ReplaceAll(fmt.Sprint(o.Steps), " ", ","), "[]")
	}
	rec := Record{Command: command,
		DataHash: d.hash(name), Final: map[string]float64{}}
	if found {
		rec.Notes = append(rec.Notes, "resumed; minutes count the last session only")
	}
	if err := r.fit(ctx, d, c, &rec, begin); err != nil {
		return err
	}
	if err := os.Remove(r.checkpoint()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// fit trains and exports the runner's network.
func (r *runner) fit(ctx context.Context, d *data, c resumed, rec *Record, begin time.Time) error {
	done := func() Record {
		rec.Minutes = round(time.Since(begin).Minutes())
		if len(r.curve) > 0 {
			maps.Copy(rec.Final, r.curve[len(r.curve)-1].Values)
		}
		return *rec
	}
	switch r.network {
	case "alexnet", "resnet50", "resnet50_linf8":
		return r.classifier(ctx, d, c, rec, done)
	case "deepsim":
		net, err := loaded(r.dir, "alexnet", alexnet.Mini.Load)
		if err != nil {
			return fmt.Errorf("train: deepsim inverts alexnet: train it first: %w", err)
		}
		v, err := newInverter(r, d, net.Params())
		if err != nil {
			return err
		}
		v.steps = r.length(0, v.steps)
		state, err := v.train(ctx, r, c)
		if err != nil {
			return err
		}
		rec.Notes = append(rec.Notes, fmt.Sprintf("codes are fc6 divided by its rms, %.4f", v.scale))
		return r.finish(v.Table(), v.params, state[0], nil, done())
	case "metric":
		return r.metric(ctx, done())
	case "yolov8":
		det := newDetector(d)
		det.steps = r.length(0, det.steps)
		state, err := det.train(ctx, r, c)
		if err != nil {
			return err
		}
		stats, err := graphx.Floats(state[3])
		if err != nil {
			return err
		}
		return r.finish(det.Table(), det.params, state[0], det.stats.named(stats), done())
	}
	g := newGAN(d)
	for i, n := range g.steps {
		g.steps[i] = r.length(i, n)
	}
	state, err := g.train(ctx, r, c)
	if err != nil {
		return err
	}
	tables, err := g.tables(r, state)
	if err != nil {
		return err
	}
	return r.finish(g.Table(), g.params, state[genAverage], tables, done())
}

func (r *runner) finish(t nn.Table, l layout, params *tensors.Tensor, extra map[string][]float32,
	rec Record) error {
	flat, err := graphx.Floats(params)
	if err != nil {
		return err
	}
	return r.export(t, l, flat, extra, rec)
}

// classifier trains AlexNet or one of the ResNets.
func (r *runner) classifier(ctx context.Context, d *data, c resumed, rec *Record, done func() Record) error {
	k, table := alexNet(), alexnet.Mini.Table()
	var from []*tensors.Tensor
	switch r.network {
	case "alexnet":
		rec.Notes = append(rec.Notes, "fc6 also learned to give a 16x16 image (gist head, discarded), "+
			"without which 16 labels let it forget colour, background and place")
	case "resnet50":
		k, table = resNet(resnet.Mini), resnet.Mini.Table()
	case "resnet50_linf8":
		k, table = robust(resnet.Mini), resnet.Mini.Table()
		var err error
		if from, err = k.read(r.dir, "resnet50"); err != nil {
			return fmt.Errorf("train: the robust twin starts from resnet50: train it first: %w", err)
		}
	}
	k.steps = r.length(0, k.steps)
	state := c.state
	if state == nil {
		state = k.start(r.seed, from)
	}
	state, err := k.train(ctx, r, d, state, c.step)
	if err != nil {
		return err
	}
	attacked := k
	attacked.epsilon = 8. / 255
	acc, err := attacked.accuracy(r, d.held.Slice(0, 512), state, 20)
	if err != nil {
		return err
	}
	record := done()
	record.Final["accuracy under PGD-20 at 8/255"] = round(acc)
	extra := map[string][]float32{}
	if len(k.stats) > 0 {
		stats, err := graphx.Floats(state[3])
		if err != nil {
			return err
		}
		extra = k.stats.named(stats)
	}
	return r.finish(table, k.params, state[0], extra, record)
}

// read reads a trained network's tensors as a classifier's state, without moments.
func (c classifier) read(dir, network string) ([]*tensors.Tensor, error) {
	src, err := open(dir, network)
	if err != nil {
		return nil, err
	}
	read := func(l layout) (*tensors.Tensor, error) {
		have := map[string][]float32{}
		for _, e := range l {
			shape, v, err := src.Read(e.name)
			if err != nil {
				return nil, fmt.Errorf("train: %s: %w", network, err)
			}
			_, have[e.name] = e.layer.Import(e.name, shape, v)
		}
		flat, err := l.joined(have)
		return graphx.Tensor(flat, len(flat)), err
	}
	params, err := read(c.params)
	if err != nil || len(c.stats) == 0 {
		return []*tensors.Tensor{params}, err
	}
	stats, err := read(c.stats)
	return []*tensors.Tensor{params, nil, nil, stats}, err
}

// hash is the SHA-256 of the pixels that a network learns from.
func (d *data) hash(network string) string {
	pix := d.train.Pix
	if network == "yolov8" {
		pix = d.detector.Pix
	}
	sum := sha256.Sum256(pix)
	return hex.EncodeToString(sum[:])
}
