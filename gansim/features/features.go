package features

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/compute"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/gansim/metric"
)

// Options of an [Extractor]; the zero value is the paper's convention, 16 images a call, and no cache.
type Options struct {
	Convention string // empty means paper
	Batch      int    // images of a compiled call; zero means 16
	// Cache is the folder where features are kept; empty means nowhere.
	Cache string
	// Progress is told how many images of how many are done; nil means quiet.
	Progress func(set string, done, total int)
}

// Extractor is a network compiled for one backend and convention. It is safe for concurrent use on
// different sets if its Progress is.
type Extractor struct {
	Convention Convention
	Network    Network

	options             Options
	program             *graphx.Program
	size, width, logits int
}

// New prepares a network; it is compiled at the first batch.
func New(backend compute.Backend, n Network, o Options) (*Extractor, error) {
	if o.Batch < 0 {
		return nil, fmt.Errorf("features: batch %d, want at least 1", o.Batch)
	}
	if o.Batch == 0 {
		o.Batch = 16
	}
	if o.Convention == "" {
		o.Convention = Conventions()[0].Name
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	c, err := FindConvention(o.Convention)
	if err != nil {
		return nil, err
	}
	x := &Extractor{Convention: c, Network: n, options: o}
	if x.size, x.width, x.logits, err = n.check(); err != nil {
		return nil, err
	}
	x.program, err = n.program(backend, c)
	return x, err
}

// Close frees the device's memory; the extractor is not to be used afterwards.
func (x *Extractor) Close() { x.program.Close() }

// Set are the features of an image set.
type Set struct {
	Name       string
	List       string // SHA-256 of the images' names and contents, or of the statistics' file
	N          int    // images
	Moments    *metric.Moments
	Skipped    []dataset.Skipped // files that could not be read
	Duplicates int               // images whose file has the same bytes as an earlier one
	Cached     int               // images whose features were there already
	parts      []*part
}

// Features computes a set's features, or reads those that were computed before. A feature that is
// not finite is an error that names the image. An interrupted run has kept its finished parts. After
// each part, of [PartSize] positions, each is called with the set's hash and the part's span, so that
// it can look at the same images; nil means nothing.
func (x *Extractor) Features(ctx context.Context, s *dataset.Set,
	each func(list string, part dataset.Span) error) (*Set, error) {
	list, err := s.Hash(ctx, func(done, total int) { x.options.Progress(s.Name+", hashes", done, total) })
	if err != nil {
		return nil, err
	}
	out := &Set{Name: s.Name, List: list, Skipped: s.Skipped}
	if s.Statistics != "" {
		out.Moments, err = metric.OpenStatistics(s.Statistics)
		if err == nil && out.Moments.Dim != x.width {
			err = fmt.Errorf("%s has statistics of %d features, %s has %d", s.Name, out.Moments.Dim,
				x.Network.Label(), x.width)
		}
		return out, err
	}
	keep := x.store(s, list)
	acc := &metric.Accumulator{}
	seen := map[string]bool{}
	for at := 0; out.N < s.Len() && at < s.Positions(); at += PartSize {
		want := s.Len() - out.N
		p := keep.read(at, x.width, x.logits, want)
		cached := p != nil
		if !cached {
			if p, err = x.compute(ctx, s, at, want); err != nil {
				return nil, err
			}
		}
		if err := acc.Add(p.Features); err != nil {
			return nil, x.named(err, s, out, p)
		}
		if s.Strict && len(p.Skipped) > 0 {
			return nil, fmt.Errorf("features: %s: strict: %s: %s", s.Name, p.Skipped[0].Name,
				p.Skipped[0].Reason)
		}
		if cached {
			out.Cached += p.N
		} else if err := keep.write(at, p); err != nil {
			return nil, err
		}
		for _, sum := range p.Sums {
			if sum != "" && seen[sum] {
				out.Duplicates++
			}
			seen[sum] = true
		}
		out.N += p.N
		for _, k := range p.Skipped {
			out.Skipped = append(out.Skipped, dataset.Skipped{Name: k.Name, Reason: errors.New(k.Reason)})
		}
		out.parts = append(out.parts, keep.slim(at, p))
		x.options.Progress(s.Name, out.N, s.Len())
		if each != nil {
			span := dataset.Span{From: at, To: min(at+PartSize, s.Positions()), Want: want}
			if err := each(list, span); err != nil {
				return nil, err
			}
		}
	}
	return out, out.finish(s, acc)
}

// finish computes the moments, if there are as many images as the set is to have.
func (out *Set) finish(s *dataset.Set, acc *metric.Accumulator) (err error) {
	if out.N < s.Len() && s.N > 0 {
		return fmt.Errorf("features: %s: %d readable images of %d, want %d", s.Name, out.N, s.Found,
			s.Len())
	}
	if out.N == 0 {
		first := ""
		if len(out.Skipped) > 0 {
			first = fmt.Sprintf("; first %s: %v", out.Skipped[0].Name, out.Skipped[0].Reason)
		}
		return fmt.Errorf("features: %s: %w%s", s.Name, dataset.ErrNoImages, first)
	}
	out.Moments, err = acc.Moments()
	if err != nil {
		err = fmt.Errorf("features: %s: %w", s.Name, err)
	}
	return err
}

// named says which image has a feature that is not finite.
func (x *Extractor) named(err error, s *dataset.Set, out *Set, p *part) error {
	var bad *metric.NotFiniteError
	if errors.As(err, &bad) && bad.Image-out.N < len(p.Names) {
		return fmt.Errorf("features: %s: image %s: %w", s.Name, p.Names[bad.Image-out.N], err)
	}
	return fmt.Errorf("features: %s: %w", s.Name, err)
}

// compute streams one part's images through the network, in batches of one shape.
func (x *Extractor) compute(ctx context.Context, s *dataset.Set, from, want int) (*part, error) {
	p := &part{Features: metric.Features{Dim: x.width}, Logits: metric.Features{Dim: x.logits}}
	images := gansim.NewImages(x.options.Batch, x.size, x.size)
	filled := 0
	flush := func() error {
		if filled == 0 {
			return nil
		}
		err := x.run(images, filled, p)
		filled = 0
		return err
	}
	end := min(from+PartSize, s.Positions())
	span := dataset.Span{From: from, To: end, Want: want}
	for item, err := range dataset.Stream(ctx, s, x.Convention.Convert(s.Generated, x.size), span) {
		if err != nil {
			return nil, err
		}
		if item.Err != nil {
			p.Skipped = append(p.Skipped, skipped{item.Name, item.Err.Error()})
			continue
		}
		copy(images.At(filled), item.Value.Pix)
		p.Names, p.Sums = append(p.Names, item.Name), append(p.Sums, item.SHA256)
		if filled++; filled == x.options.Batch {
			if err := flush(); err != nil {
				return nil, err
			}
			x.options.Progress(s.Name, s.Len()-want+p.N, s.Len())
		}
	}
	return p, flush()
}

// run adds the features of the first n images. The rest of the batch is filled up with the last of
// them, so that neighbours do not matter.
func (x *Extractor) run(images gansim.Images, n int, p *part) error {
	rows := make([]int, images.N)
	for i := range rows {
		rows[i] = min(i, n-1)
	}
	out, err := x.program.Call(graphx.Gather(images, rows))
	if err != nil {
		return err
	}
	defer graphx.Free(out...)
	for i, f := range []*metric.Features{&p.Features, &p.Logits}[:len(out)] {
		v, err := graphx.Floats(out[i])
		if err != nil {
			return err
		}
		f.X = append(f.X, v[:n*f.Dim]...)
		f.N += n
	}
	return nil
}

// Each gives the set's features and logits in their order, part by part. Statistics have none.
func (s *Set) Each(fn func(features, logits metric.Features) error) error {
	for _, p := range s.parts {
		if p.path != "" {
			var err error
			if p, err = readPart(p.path); err != nil {
				return err
			}
		}
		if err := fn(p.Features, p.Logits); err != nil {
			return err
		}
	}
	return nil
}

// All gives the set's features and logits, in memory as a whole: 8 kB an image at 2048 features.
func (s *Set) All() (features, logits metric.Features, err error) {
	err = s.Each(func(f, l metric.Features) error {
		for _, v := range []struct{ to, from *metric.Features }{{&features, &f}, {&logits, &l}} {
			v.to.Dim = v.from.Dim
			v.to.N += v.from.N
			v.to.X = append(v.to.X, v.from.X...)
		}
		return nil
	})
	return features, logits, err
}
