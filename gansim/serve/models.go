package serve

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/mini"
	"gansim.example/gansim/models"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// model is a network with its name and hash. Names are those of the miniature world (DeePSim,
// BigGAN, alexnet, resnet50, resnet50_linf8, yolov8), of the manifest (biggan_deep_256, …), or of the
// manifest with a file: NAME=PATH. Where both have a name the miniature is meant, and published:NAME
// the other.
type model struct {
	key, name string
	hash      string // SHA-256 of the weights
	net       models.Network
	basis     []float32 // eigenvectors of a generator's metric as columns, ascending; may be nil
	mini      bool
}

// Bytes is what the tensors take.
func (m *model) Bytes() int64 {
	var n int64
	for _, t := range m.net.Params().Tensors {
		n += int64(t.Shape().ByteSize())
	}
	return n + int64(4*len(m.basis))
}

// Close leaves the tensors to the garbage collector.
func (m *model) Close() {}

// world is the miniature world in the cache.
type world struct{ *mini.World }

// Bytes counts the bases; the networks count by themselves.
func (w *world) Bytes() int64 {
	var n int64
	for _, b := range w.Bases {
		n += int64(4 * len(b))
	}
	return n
}

// Close leaves the tensors to the garbage collector.
func (w *world) Close() {}

func (c *call) world() (*world, error) {
	return hold(c, "the miniature world", func() (*world, error) {
		w, err := mini.Open()
		return &world{w}, err
	})
}

// miniature finds a network of the miniature world, in any case; nil if there is none.
func (w *world) miniature(name string) *model {
	for _, m := range []*model{
		{name: "DeePSim", net: w.DeePSim, basis: w.Bases["DeePSim"]},
		{name: "BigGAN", net: w.BigGAN, basis: w.Bases["BigGAN"]},
		{name: "alexnet", net: w.AlexNet}, {name: "resnet50", net: w.ResNet},
		{name: "resnet50_linf8", net: w.Robust}, {name: "yolov8", net: w.YOLOv8},
	} {
		if strings.EqualFold(m.name, name) {
			m.key, m.hash, m.mini = "mini:"+m.name, w.Hashes[strings.ToLower(m.name)], true
			return m
		}
	}
	return nil
}

// model finds a network by name.
func (c *call) model(name string) (*model, error) {
	if name == "" {
		return nil, errors.New("no network is named")
	}
	plain, published := strings.CutPrefix(name, "published:")
	_, _, file := strings.Cut(plain, "=")
	if !published && !file {
		w, err := c.world()
		if err != nil {
			return nil, err
		}
		if m := w.miniature(strings.TrimPrefix(plain, "mini:")); m != nil {
			return hold(c, m.key, func() (*model, error) { return m, nil })
		}
	}
	return c.published(plain)
}

// published loads a network of the manifest.
func (c *call) published(name string) (*model, error) {
	name, path, _ := strings.Cut(name, "=")
	known, err := models.Find(name)
	if err != nil {
		return nil, &hinted{fmt.Errorf("no network %q", name), "use DeePSim, BigGAN, alexnet, resnet50, " +
			"resnet50_linf8 or yolov8 of the miniature world, or a name that gansim weights list shows"}
	}
	if path == "" {
		path = c.server.Weights[name]
	}
	if path == "" {
		if path, err = weights.Path(name); err != nil {
			if errors.Is(err, weights.ErrMissing) {
				err = &hinted{fmt.Errorf("the weights of %s are not here", name),
					"run gansim weights fetch " + name}
			}
			return nil, err
		}
	}
	return hold(c, name+"="+path, func() (*model, error) {
		net, f, err := known.Open(nn.LoadOptions{}, path)
		if err != nil {
			return nil, err
		}
		return &model{key: name + "=" + path, name: name, hash: f.SHA256(), net: net}, nil
	})
}

// generator finds a generator by name.
func (c *call) generator(name string) (*model, gansim.Generator, error) {
	m, err := c.model(name)
	if err != nil {
		return nil, nil, err
	}
	g, ok := m.net.(gansim.Generator)
	if !ok {
		return nil, nil, fmt.Errorf("%s is not a generator", m.name)
	}
	return m, g, nil
}

// scorer finds a network whose units can be read.
func (c *call) scorer(name string) (*model, gansim.Scorer, error) {
	m, err := c.model(name)
	if err != nil {
		return nil, nil, err
	}
	s, ok := m.net.(gansim.Scorer)
	if !ok {
		return nil, nil, fmt.Errorf("%s has no units that can be read", m.name)
	}
	return m, s, nil
}

// eigen holds the eigenvectors of a generator's metric, as columns, ascending.
type eigen []float64

// Bytes is what they take.
func (e eigen) Bytes() int64 { return int64(8 * len(e)) }

// Close leaves them to the garbage collector.
func (e eigen) Close() {}

// eigenvectors are those of the file Basis, or of the miniature. That there are none is an error where
// they are needed, else they are nil.
func (c *call) eigenvectors(m *model, g gansim.Generator, needed bool) (eigen, error) {
	switch {
	case c.Basis == "" && m.basis == nil && needed:
		return nil, &hinted{fmt.Errorf("no eigenvectors of %s are here", m.name), "make them by gansim hessian " +
			"--gan " + m.name + " and give the file by lab.Basis"}
	case c.Basis == "" && m.basis == nil:
		return nil, nil
	case c.Basis != "" && !filepath.IsAbs(c.Basis):
		return nil, fmt.Errorf("file of the eigenvectors %q is not absolute", c.Basis)
	}
	return hold(c, "basis "+m.key+" "+c.Basis, func() (eigen, error) {
		if c.Basis == "" {
			return actmax.Widen(m.basis), nil
		}
		f, err := weights.OpenSafetensors(c.Basis)
		if err != nil {
			return nil, err
		}
		metric, err := hessian.FromFile(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Basis, err)
		}
		if n := len(metric.Values); n != g.CodeSize() {
			return nil, fmt.Errorf("%s is a metric of %d dimensions, %s has %d", c.Basis, n, m.name, g.CodeSize())
		}
		return metric.Vectors, nil
	})
}

// distance is the loss that the request names, and its name for the cache.
func (c *call) distance() (d gansim.Distance, key string, err error) {
	key = either(c.Loss, "mse")
	d, err = invert.ParseLoss(key, func(name string) (gansim.Distance, error) {
		base, _, _ := strings.Cut(name, "=")
		if _, ok := lpips.Published()[base]; !ok {
			return gansim.Distance{}, &hinted{fmt.Errorf("no distance %q", name), "use mse, l1, lpips_alex, " +
				"lpips_squeeze or lpips_vgg, or a sum such as mse+0.1*lpips_alex"}
		}
		m, err := c.published(name)
		if err != nil {
			return gansim.Distance{}, err
		}
		n := m.net.(*lpips.Network)
		return gansim.Distance{Name: base, Params: n.Params(), Graph: n.Distance}, nil
	})
	return d, key, err
}

// habits are how a generator is used where the request does not say. Recipes are the panels'; rates
// and step sizes come from the miniature world's pilots (experiment), the paper states none.
type habits struct {
	sample, invert, evolve, maximize string  // recipes for codes
	rate                             float64 // of inversion
	sigma                            float64 // of evolution
	panel                            string  // the name in panel D
}

func habitsOf(m *model) habits {
	switch m.net.(type) {
	case *deepsim.Generator:
		h := habits{"std4", "std0.5", "std1", "std1", .1, 3, "DeePSim"}
		if m.mini {
			h.sigma = 2
		}
		return h
	case *biggan.Generator:
		h := habits{"trunc0.7", "std0.7", "evolve", "std0.7", .1, .2, "BigGAN"}
		if m.mini {
			h.sigma = 1
		}
		return h
	}
	return habits{rate: .1, sigma: 1}
}

// either is the request's choice, or the habit.
func either(asked, habit string) string {
	if asked != "" {
		return asked
	}
	return habit
}
