package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/features"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini/world"
)

// DrawCodes is the image set of n codes of a generator's recipe; hash is that of its weights. For one
// seed they are the images of gansim sample. A recipe that the generator does not know is an error.
func DrawCodes(b compute.Backend, g gansim.Generator, hash, recipe string, n int, seed uint64) (
	dataset.Drawn, error) {
	if _, err := g.Draw(recipe, rand.New(rand.NewPCG(seed, 0)), 1); err != nil {
		return dataset.Drawn{}, err
	}
	decoder, err := decode.New(b, g)
	if err != nil {
		return dataset.Drawn{}, err
	}
	codes := &codeStream{g: g, recipe: recipe, seed: seed}
	return dataset.Drawn{N: n, Generated: true, Piece: 4 * decode.Batch,
		Identity: fmt.Sprintf("gen %s %s recipe %s seed %d", g.Name(), hash, recipe, seed),
		Draw: func(ctx context.Context, from, to int) (gansim.Images, error) {
			z, err := codes.at(from, to)
			if err != nil {
				return gansim.Images{}, err
			}
			return decoder.Images(ctx, z)
		},
		Close: func() error { decoder.Close(); return nil }}, nil
}

// codeStream gives pieces of a generator's codes, which are drawn one after the other.
type codeStream struct {
	g      gansim.Generator
	recipe string
	seed   uint64

	rng  *rand.Rand
	next int // code that comes next
}

// skipped codes are drawn so many at a time.
const skipPiece = 64

func (s *codeStream) at(from, to int) (gansim.Codes, error) {
	if s.rng == nil || from < s.next {
		s.rng, s.next = rand.New(rand.NewPCG(s.seed, 0)), 0
	}
	for s.next < from {
		n := min(skipPiece, from-s.next)
		if _, err := s.g.Draw(s.recipe, s.rng, n); err != nil {
			return gansim.Codes{}, err
		}
		s.next += n
	}
	s.next = to
	return s.g.Draw(s.recipe, s.rng, to-from)
}

// DrawNoise is the image set of a condition without a generator: pink or white noise.
func DrawNoise(c Condition, n, size int, seed uint64) dataset.Drawn {
	draw := dataset.White
	if c.Noise == "pink" {
		draw = dataset.Pink
	}
	return dataset.Drawn{N: n, Generated: true,
		Identity: fmt.Sprintf("gen %s size %d seed %d", c.Name, size, seed),
		Draw: func(ctx context.Context, from, to int) (gansim.Images, error) {
			return draw(from, to, size, seed), ctx.Err()
		}}
}

// DrawRenders is an image set of the miniature world, of n renders that no network has learned from.
func DrawRenders(set world.Set, n, size int, seed uint64) dataset.Drawn {
	return dataset.Drawn{N: n, Piece: 64, Identity: fmt.Sprintf("mini %v size %d seed %d", set, size, seed),
		Draw: func(ctx context.Context, from, to int) (gansim.Images, error) {
			r, err := world.Batch(ctx, world.Request{Set: set, Seed: seed + world.HeldOut, From: uint64(from),
				N: to - from, Size: size})
			return r.Images(), err
		}}
}

// Blurred is the condition's blur of images of size pixels, in proportion where they are not as large
// as the paper's. Like there, the images have been in files of 8 bits before.
func Blurred(d dataset.Drawn, size int) dataset.Drawn {
	d = Rounded(d)
	scale, draw := float64(size)/256, d.Draw
	radius, sigma := int(math.Round(BlurRadius*scale)), BlurSigma*scale
	d.Identity += fmt.Sprintf(" blur %d %g", radius, sigma)
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		images, err := draw(ctx, from, to)
		if err != nil {
			return images, err
		}
		return imaging.GaussianBlur(images, radius, sigma)
	}
	return d
}

// Rounded are the images as files of 8 bits hold them.
func Rounded(d dataset.Drawn) dataset.Drawn {
	draw := d.Draw
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		images, err := draw(ctx, from, to)
		for i, v := range images.Pix {
			images.Pix[i] = float32(imaging.Quantize(v)) / 255
		}
		return images, err
	}
	return d
}

// kept are the images with those drawn last held in memory, as 8 bits, so that who looks at a piece
// twice has it drawn once. The images must be rounded.
func kept(d dataset.Drawn) dataset.Drawn {
	type piece struct {
		from, to, height, width int
		pix                     []uint8
	}
	var held []piece
	draw := d.Draw
	d.Draw = func(ctx context.Context, from, to int) (gansim.Images, error) {
		for _, p := range held {
			if p.from == from && p.to == to {
				images := gansim.NewImages(to-from, p.height, p.width)
				for i, v := range p.pix {
					images.Pix[i] = float32(v) / 255
				}
				return images, nil
			}
		}
		images, err := draw(ctx, from, to)
		if err != nil {
			return images, err
		}
		p := piece{from, to, images.Height, images.Width, make([]uint8, len(images.Pix))}
		for i, v := range images.Pix {
			p.pix[i] = imaging.Quantize(v)
		}
		held = slices.DeleteFunc(append(held, p), func(p piece) bool {
			return p.from+features.PartSize < to || p.from > from
		})
		return images, nil
	}
	return d
}
