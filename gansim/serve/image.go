package serve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/wire"
	miniworld "gansim.example/gansim/mini/world"
)

// sample draws codes of Model by Recipe and decodes them: N images (8), then the codes. They are
// those of gansim sample with the same seed.
func sample(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	n, err := c.count(8, g.ImageSize())
	if err != nil {
		return a, err
	}
	recipe := either(c.Recipe, habitsOf(m).sample)
	codes, err := g.Draw(recipe, rand.New(rand.NewPCG(c.Seed, 0)), n)
	if err != nil {
		return a, err
	}
	images, err := c.decode(m, g, codes)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	a.Origin.Recipe = recipe
	c.put(&a, images)
	c.putCodes(&a, codes)
	return a, nil
}

// decodeCodes decodes the codes in the request.
func decodeCodes(c *call) (a wire.Answer, err error) {
	m, g, err := c.generator(c.Model)
	if err != nil {
		return a, err
	}
	codes, err := c.codes()
	if err != nil {
		return a, err
	}
	c.N = codes.N
	if _, err := c.count(0, g.ImageSize()); err != nil {
		return a, err
	}
	images, err := c.decode(m, g, codes)
	if err != nil {
		return a, err
	}
	a.Origin = c.origin(m)
	c.put(&a, images)
	c.putCodes(&a, codes)
	return a, nil
}

// decode runs the generator, compiled once, with progress.
func (c *call) decode(m *model, g gansim.Generator, codes gansim.Codes) (gansim.Images, error) {
	d, err := hold(c, "decode "+m.key, func() (*decode.Decoder, error) {
		return decode.New(c.server.backend, g)
	})
	if err != nil {
		return gansim.Images{}, err
	}
	out := gansim.NewImages(codes.N, g.ImageSize(), g.ImageSize())
	err = d.Each(c, codes, func(first int, images gansim.Images) error {
		copy(out.Slice(first, first+images.N).Pix, images.Pix)
		if codes.N > decode.Batch {
			c.tell(first+images.N, codes.N, nil, nil)
		}
		return nil
	})
	return out, err
}

// pictures gives N images (8) of a Set: mini:imagenet and the like, held out from training; a folder,
// or a file. Photographs are cut square and resized to the generator Model's size, 64 if none.
func pictures(c *call) (a wire.Answer, err error) {
	size := miniworld.DefaultSize
	if c.Model != "" {
		_, g, err := c.generator(c.Model)
		if err != nil {
			return a, err
		}
		size = g.ImageSize()
	}
	n, err := c.count(8, size)
	if err != nil {
		return a, err
	}
	a.Origin = wire.Origin{Model: c.Set, Seed: c.Seed}
	if name, ok := strings.CutPrefix(c.Set, "mini:"); ok {
		set, err := miniworld.ParseSet(name)
		if err != nil {
			return a, err
		}
		r, err := miniworld.Batch(c, miniworld.Request{Set: set, Seed: c.Seed + miniworld.HeldOut, N: n, Size: size})
		if err != nil {
			return a, err
		}
		for _, l := range r.Labels {
			a.Names = append(a.Names, miniworld.Classes()[l])
		}
		c.put(&a, r.Images())
		return a, nil
	}
	images, names, err := c.photographs(size)
	if err != nil {
		return a, err
	}
	a.Names = names
	c.put(&a, images)
	return a, nil
}

// photographs reads a folder, or one file.
func (c *call) photographs(size int) (gansim.Images, []string, error) {
	if !filepath.IsAbs(c.Set) {
		return gansim.Images{}, nil, &hinted{fmt.Errorf("no images %q", c.Set),
			"use mini:imagenet, mini:ecoset, mini:things or mini:coco, or a folder"}
	}
	info, err := os.Stat(c.Set)
	if err != nil {
		return gansim.Images{}, nil, err
	}
	if info.IsDir() {
		p, err := dataset.Folder(c, c.Set, imaging.ReadPhotograph, dataset.Options{Size: size, N: c.N,
			Seed: c.Seed, Progress: func(done, total int) { c.tell(done, total, nil, nil) }})
		return p.Images, p.Names, err
	}
	f, err := os.Open(c.Set)
	if err != nil {
		return gansim.Images{}, nil, err
	}
	defer f.Close()
	m, err := imaging.ReadPhotograph(f, size)
	return m, []string{filepath.Base(c.Set)}, err
}

// fit resizes images to size x size where they are not of it.
func fit(m gansim.Images, size int) (gansim.Images, error) {
	if m.Height == size && m.Width == size {
		return m, nil
	}
	return imaging.ResizeFloat(m, size, size, imaging.Bilinear)
}
