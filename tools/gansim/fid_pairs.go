package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"gansim.example/gansim/experiment"
	"gansim.example/gansim/features"
	"gansim.example/gansim/metric"
)

// compare computes all that was asked for of the features.
func (d *distances) compare(ctx context.Context, seed uint64, talk io.Writer) error {
	var labels []string
	var moments []*metric.Moments
	for i, s := range d.sets {
		labels, moments = append(labels, s.Name), append(moments, s.Moments)
		if err := d.score(i); err != nil {
			return err
		}
	}
	pairs, err := metric.MatrixWith(ctx, labels, moments, metric.MatrixOptions{NoInterval: d.plain,
		Progress: newProgress(talk, "fid, pairs of sets")})
	if err != nil {
		return err
	}
	d.Warnings = []string{}
	for _, p := range pairs {
		for _, w := range p.Warnings {
			if text := strings.TrimPrefix(w.Error(), "metric: "); !slices.Contains(d.Warnings, text) {
				d.Warnings = append(d.Warnings, text)
				fmt.Fprintf(talk, "gansim: %s\n", text)
			}
		}
	}
	at := 0
	for i, a := range d.sets {
		for _, b := range d.sets[i+1:] {
			p := pairs[at]
			at++
			pair := setPair{A: p.A, B: p.B, NA: p.NA, NB: p.NB, FID: p.FID, Lo: finite(p.Lo), Hi: finite(p.Hi)}
			d.publish(&pair)
			if err := d.more(ctx, &pair, a, b, seed); err != nil {
				return fmt.Errorf("%s and %s: %w", a.Name, b.Name, err)
			}
			d.Pairs = append(d.Pairs, pair)
		}
	}
	return nil
}

// publish adds the number that the paper's authors print, and the difference where sets and features
// are the paper's: numbers of the miniature world can be compared in their order alone.
func (d *distances) publish(p *setPair) {
	a, realA := paperName(p.A)
	b, realB := paperName(p.B)
	p.Paper = experiment.PublishedFID(a, b)
	if p.Paper != nil && realA && realB && !d.Miniature {
		off := p.FID - *p.Paper
		p.Difference = &off
	}
}

// score computes a set's inception score, where it is asked for and there are images.
func (d *distances) score(i int) error {
	if !d.is || d.sets[i].N == 0 {
		return nil
	}
	_, logits, err := d.sets[i].All()
	if err != nil {
		return err
	}
	mean, sd, err := metric.InceptionScore(logits, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", d.sets[i].Name, err)
	}
	d.Sets[i].IS, d.Sets[i].ISSD = &mean, &sd
	return nil
}

// more adds the metrics that need all features of both sets, which statistics do not have.
func (d *distances) more(ctx context.Context, p *setPair, a, b *features.Set, seed uint64) error {
	if !d.kid && !d.pr && !d.infinity || a.N == 0 || b.N == 0 {
		return nil
	}
	x, _, err := a.All()
	if err != nil {
		return err
	}
	y, _, err := b.All()
	if err != nil {
		return err
	}
	if d.kid {
		mean, sd, err := metric.KIDSubsets(x, y, metric.KIDOptions{Seed: seed})
		if err != nil {
			return err
		}
		p.KID, p.KIDSD = &mean, &sd
	}
	if d.pr {
		c, err := metric.PrecisionRecall(x, y, metric.Neighbours)
		if err != nil {
			return err
		}
		p.Coverage = &c
	}
	if d.infinity {
		c, err := metric.FIDInfinity(ctx, x, y, seed)
		if err != nil {
			return err
		}
		p.Convergence = &c
	}
	return nil
}
