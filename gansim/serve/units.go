package serve

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/internal/wire"
)

// unitBatch is the number of images of a compiled call.
const unitBatch = 8

// unit reads net/layer[/channel[/row/col]]; the position is the middle of the map unless given, the
// channel -1 where there is none.
func (c *call) unit(text string) (*model, gansim.Scorer, gansim.Layer, gansim.Unit, error) {
	fail := func(err error) (*model, gansim.Scorer, gansim.Layer, gansim.Unit, error) {
		return nil, nil, gansim.Layer{}, gansim.Unit{}, err
	}
	part := strings.Split(text, "/")
	if len(part) < 2 || len(part) > 5 || len(part) == 4 {
		return fail(fmt.Errorf("unit %q, want net/layer/channel or net/layer/channel/row/col", text))
	}
	m, s, err := c.scorer(part[0])
	if err != nil {
		return fail(err)
	}
	l, err := actmax.FindLayer(s, part[1])
	if err != nil {
		return fail(err)
	}
	u := actmax.CenterUnit(s, l, -1)
	limits := []int{l.Channels, l.Height, l.Width}
	for i, to := range []*int{&u.Channel, &u.Row, &u.Col}[:len(part)-2] {
		v, err := strconv.Atoi(part[2+i])
		if err != nil || v < 0 || v >= limits[i] {
			return fail(fmt.Errorf("unit %q: %s has channels, rows and columns below %v", text, l.Name, limits))
		}
		*to = v
	}
	return m, s, l, u, nil
}

// oneUnit is unit where a channel is needed.
func (c *call) oneUnit() (*model, gansim.Scorer, gansim.Layer, gansim.Unit, error) {
	m, s, l, u, err := c.unit(c.Unit)
	if err == nil && u.Channel < 0 {
		err = fmt.Errorf("unit %q names no channel: add one from /0 to /%d", c.Unit, l.Channels-1)
	}
	return m, s, l, u, err
}

// layers lists the layers of the network Model.
func layers(c *call) (a wire.Answer, err error) {
	m, err := c.model(c.Model)
	if err != nil {
		return a, err
	}
	for _, l := range m.net.Layers() {
		a.Layers = append(a.Layers, wire.Layer{Name: l.Name, Height: l.Height, Width: l.Width,
			Channels: l.Channels})
	}
	a.Origin = c.origin(m)
	return a, nil
}

// program is a compiled graph in the cache.
type program = graphx.Program

// activations gives Unit's layer for the images, float32 [n, height, width, channels] or
// [n, channels] as the first part, and as Values the unit's, if Unit names one.
func activations(c *call) (a wire.Answer, err error) {
	m, s, l, u, err := c.unit(c.Unit)
	if err != nil {
		return a, err
	}
	images, err := c.images(0)
	if err != nil {
		return a, err
	}
	width := max(1, l.Height) * max(1, l.Width) * l.Channels
	all, err := c.layer(m, s, l, images)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	a.Layers = []wire.Layer{{Name: l.Name, Height: l.Height, Width: l.Width, Channels: l.Channels}}
	if u.Channel >= 0 {
		at := (max(u.Row, 0)*max(1, l.Width)+max(u.Col, 0))*l.Channels + u.Channel
		values := make([]float64, images.N)
		for i := range values {
			values[i] = float64(all[i*width+at])
		}
		a.Values = [][]float64{values}
		a.Names = []string{u.String()}
	}
	c.out = append(c.out, wire.Floats(all))
	return a, nil
}

// layer runs a network up to a layer.
func (c *call) layer(m *model, s gansim.Scorer, l gansim.Layer, images gansim.Images) (
	[]float32, error) {
	key := fmt.Sprintf("%s of %s for %dx%d", l.Name, m.key, images.Height, images.Width)
	p, err := hold(c, key, func() (*program, error) {
		return graphx.New(c.server.backend, []gansim.Params{s.Params()},
			func(nets []gansim.Weights, in []*Node) []*Node {
				return []*Node{s.Activations(nets[0], in[0], l.Name)}
			})
	})
	if err != nil {
		return nil, err
	}
	width := max(1, l.Height) * max(1, l.Width) * l.Channels
	var all []float32
	err = graphx.Padded(images.N, unitBatch, func(rows []int, valid int) error {
		if err := c.Err(); err != nil {
			return err
		}
		v, err := p.Rows(valid, width, graphx.Gather(images, rows))
		all = append(all, v...)
		c.tell(rows[0]+valid, images.N, nil, nil)
		return err
	})
	return all, err
}

// gradients gives the derivative of Unit's activation by the images' pixels, as images whose values
// are not bounded, and as Values the activations.
func gradients(c *call) (a wire.Answer, err error) {
	m, s, l, u, err := c.oneUnit()
	if err != nil {
		return a, err
	}
	images, err := c.images(0)
	if err != nil {
		return a, err
	}
	key := fmt.Sprintf("gradient of %s of %s for %dx%d", l.Name, m.key, images.Height, images.Width)
	p, err := hold(c, key, func() (*program, error) {
		return graphx.New(c.server.backend, []gansim.Params{s.Params()},
			func(nets []gansim.Weights, in []*Node) []*Node {
				y := s.Activations(nets[0], in[0], l.Name)
				scores := Mul(y, BroadcastToShape(in[1], y.Shape())) // in[1] is 1 at the unit, else 0
				axes := []int{1, 2, 3}[:y.Rank()-1]
				return []*Node{ReduceSum(scores, axes...), Gradient(ReduceAllSum(scores), in[0])[0]}
			})
	})
	if err != nil {
		return a, err
	}
	shape := []int{1, l.Height, l.Width, l.Channels}
	if l.Height == 0 {
		shape = []int{1, l.Channels}
	}
	mask := make([]float32, max(1, l.Height)*max(1, l.Width)*l.Channels)
	mask[(max(u.Row, 0)*max(1, l.Width)+max(u.Col, 0))*l.Channels+u.Channel] = 1
	out := gansim.NewImages(images.N, images.Height, images.Width)
	var values []float64
	err = graphx.Padded(images.N, unitBatch, func(rows []int, valid int) error {
		if err := c.Err(); err != nil {
			return err
		}
		got, err := p.Call(graphx.Gather(images, rows), graphx.Tensor(mask, shape...))
		if err != nil {
			return err
		}
		defer graphx.Free(got...)
		scores, err := graphx.Float64s(got[0])
		if err != nil {
			return err
		}
		pix, err := graphx.Floats(got[1])
		if err != nil {
			return err
		}
		values = append(values, scores[:valid]...)
		copy(out.Slice(rows[0], rows[0]+valid).Pix, pix)
		c.tell(rows[0]+valid, images.N, nil, nil)
		return nil
	})
	if err != nil {
		return a, err
	}
	a.Origin, a.Values, a.Names = c.origin(m), [][]float64{values}, []string{u.String()}
	c.put(&a, out)
	return a, nil
}

// basis gives N directions (8) of the generator Model along which its images change most, largest
// first: eigenvectors of its averaged metric, of length 1.
func basis(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	vectors, err := c.eigenvectors(m, g, true)
	if err != nil {
		return a, err
	}
	d := g.CodeSize()
	z := gansim.Codes{N: min(max(c.N, 0), d), Dim: d}
	if c.N == 0 {
		z.N = min(8, d)
	}
	for k := range z.N {
		for i := range d {
			z.Z = append(z.Z, float32(vectors[i*d+d-1-k])) // columns, ascending
		}
	}
	a.Origin = c.origin(m)
	c.putCodes(&a, z)
	return a, nil
}

// featureLayer is the layer whose activations serve as features.
func featureLayer(s gansim.Scorer) (gansim.Layer, error) {
	all := s.Layers()
	i := slices.IndexFunc(all, func(l gansim.Layer) bool { return l.Name == "avgpool" })
	if i < 0 {
		return gansim.Layer{}, fmt.Errorf("%s has no pooled features", s.Name())
	}
	l := all[i]
	l.Height, l.Width = 0, 0
	return l, nil
}
