package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/wire"
)

// call is one request while it runs.
type call struct {
	context.Context
	wire.Query
	server *server
	conn   *conn
	id     uint64
	parts  [][]byte
	out    [][]byte // parts of the answer
	held   []*entry

	mu       sync.Mutex
	lastSent time.Time
	lastSeen time.Time // of a preview
}

// verb is what a request can ask for.
type verb struct {
	name     string
	computes bool // takes one of the server's slots
	run      func(c *call) (wire.Answer, error)
}

// verbs lists them.
func verbs() []verb {
	return []verb{
		{"sample", true, sample}, {"decode", true, decodeCodes}, {"pictures", true, pictures},
		{"layers", false, layers}, {"basis", false, basis},
		{"activations", true, activations}, {"gradients", true, gradients},
		{"invert", true, inversion}, {"maximize", true, maximize}, {"evolve", true, evolve},
		{"features", true, features}, {"fid", true, fid}, {"distance", true, distance},
		{"detect", true, detect},
		{"test", false, test}, {"describe", false, describe},
		{"montage", false, montage}, {"figure", true, drawFigure}, {"panel", true, panel},
		{"keep", false, keep}, {"load", false, load},
		{"status", false, status}, {"retire", false, retire},
	}
}

func findVerb(name string) (verb, error) {
	var known []string
	for _, v := range verbs() {
		if v.name == name {
			return v, nil
		}
		known = append(known, v.name)
	}
	return verb{}, fmt.Errorf("serve: no verb %q, known are %s", name, strings.Join(known, ", "))
}

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// oneLine is an error's text without line breaks.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// release gives back what the call held.
func (c *call) release() {
	for _, e := range c.held {
		c.server.cache.release(e)
	}
}

// Progress goes out this often at most; previews, which cost more, less often.
const (
	progressEvery = 100 * time.Millisecond
	previewEvery  = 600 * time.Millisecond
)

// tell sends progress. text and preview are only made when they are sent; both may be nil.
func (c *call) tell(done, total int, text func() string, preview func() (gansim.Images, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if done < total && now.Sub(c.lastSent) < progressEvery {
		return
	}
	c.lastSent = now
	step := wire.Step{Done: done, Total: total}
	if text != nil {
		step.Text = text()
	}
	body, err := json.Marshal(step)
	if err != nil {
		return
	}
	f := wire.Frame{Head: wire.Head{Kind: wire.Progress, ID: c.id, Body: body}}
	if preview != nil && now.Sub(c.lastSeen) >= previewEvery {
		c.lastSeen = now
		if images, err := preview(); err == nil {
			if png, err := contactSheet([]gansim.Images{images}, 0); err == nil {
				f.Parts = [][]byte{png}
			}
		}
	}
	if err := c.conn.send(f); err != nil {
		c.server.Log.Debug("progress not sent", "error", err)
	}
}

// images reads the batch of images in part i.
func (c *call) images(i int) (gansim.Images, error) {
	if i >= len(c.Shapes) || i >= len(c.parts) {
		return gansim.Images{}, fmt.Errorf("serve: the request has no images number %d", i)
	}
	s := c.Shapes[i]
	if min(s.N, s.Height, s.Width) < 1 || s.N > maxImages || max(s.Height, s.Width) > maxSide {
		return gansim.Images{}, fmt.Errorf("serve: %d images of %dx%d", s.N, s.Height, s.Width)
	}
	pix, err := wire.ToFloats(c.parts[i])
	if err != nil {
		return gansim.Images{}, err
	}
	if want := s.N * s.Height * s.Width * 3; len(pix) != want {
		return gansim.Images{}, fmt.Errorf("serve: %d pixel values, want %d", len(pix), want)
	}
	m := gansim.Images{N: s.N, Height: s.Height, Width: s.Width, Pix: pix}
	_, err = imaging.FromImages(m, 0) // refuses values that are not finite
	return m, err
}

// codes reads the codes in the last part.
func (c *call) codes() (gansim.Codes, error) {
	if len(c.parts) == 0 || c.Codes < 1 {
		return gansim.Codes{}, fmt.Errorf("serve: the request has no codes")
	}
	z, err := wire.ToFloats(c.parts[len(c.parts)-1])
	if err != nil {
		return gansim.Codes{}, err
	}
	if len(z) == 0 || len(z)%c.Codes != 0 {
		return gansim.Codes{}, fmt.Errorf("serve: %d values are no codes of %d dimensions", len(z), c.Codes)
	}
	return gansim.Codes{N: len(z) / c.Codes, Dim: c.Codes, Z: z}, nil
}

// Limits of a request.
const (
	maxImages = 100_000
	maxSide   = 8192
	maxSteps  = 1_000_000
)

// count is N, or the default; it refuses what would not fit into memory.
func (c *call) count(fallback, size int) (int, error) {
	n := c.N
	if n == 0 {
		n = fallback
	}
	bytes := int64(n) * int64(size) * int64(size) * 12
	if n < 1 || n > maxImages || bytes > max(c.server.Memory, 64<<20) {
		return 0, &hinted{fmt.Errorf("%d images of %dx%d are more than the server takes", n, size, size),
			"ask for fewer at a time"}
	}
	return n, nil
}

// steps is Steps, or the default.
func (c *call) steps(fallback int) (int, error) {
	if c.Steps == 0 {
		return fallback, nil
	}
	if c.Steps < 1 || c.Steps > maxSteps {
		return 0, fmt.Errorf("serve: %d steps, want 1 to %d", c.Steps, maxSteps)
	}
	return c.Steps, nil
}

// put adds a batch of images to the answer.
func (c *call) put(a *wire.Answer, m gansim.Images) {
	a.Shapes = append(a.Shapes, wire.Shape{N: m.N, Height: m.Height, Width: m.Width})
	c.out = append(c.out, wire.Floats(m.Pix))
}

// putCodes adds codes, as the last part.
func (c *call) putCodes(a *wire.Answer, z gansim.Codes) {
	a.Codes = z.Dim
	c.out = append(c.out, wire.Floats(z.Z))
}

// putFile adds a file of a media type.
func (c *call) putFile(a *wire.Answer, kind string, data []byte) {
	a.Types = append(a.Types, kind)
	c.out = append(c.out, data)
}

// origin says where a result came from.
func (c *call) origin(models ...*model) wire.Origin {
	o := wire.Origin{Seed: c.Seed, Backend: c.server.name}
	var names, hashes []string
	for _, m := range models {
		names, hashes = append(names, m.name), append(hashes, m.hash[:min(8, len(m.hash))])
	}
	o.Model, o.Weights = strings.Join(names, ", "), strings.Join(hashes, "+")
	return o
}
