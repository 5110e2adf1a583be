package actmax

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"gansim.example/gansim"
)

// Population is a choice of units of one layer.
type Population struct {
	Net, Layer string
	Channels   []int // in order; nil means all
	Random     int   // instead of Channels: so many, drawn by a seed
	// Responding keeps the first so many units, in the order of the channels, that respond: whose
	// last scores are above zero with every generator. The caller finds out; zero means all.
	Responding int
	Row, Col   int // -1: the centre of the map, (height/2, width/2), whole numbers
}

// populationForm is how a population is spelt.
const populationForm = "net/layer/channels[/row/col], where channels are 7, 0-9, 3,5,8, all, " +
	"random:N or first:N"

// ParsePopulation reads net/layer/channels[/row/col]. Channels are one (7), a range with its end (0-9),
// a list of both (0-4,9), all, random:N (drawn by a seed) or first:N (the first that respond). The
// layer may have the paper's spelling, such as .layer2.Bottleneck3.
func ParsePopulation(s string) (Population, error) {
	bad := func(why string) (Population, error) {
		return Population{}, fmt.Errorf("actmax: unit %q: %s; want %s", s, why, populationForm)
	}
	parts := strings.Split(s, "/")
	if len(parts) != 3 && len(parts) != 5 || parts[0] == "" || parts[1] == "" {
		return bad(fmt.Sprintf("%d parts", len(parts)))
	}
	p := Population{Net: parts[0], Layer: parts[1], Row: -1, Col: -1}
	if len(parts) == 5 {
		for i, to := range []*int{&p.Row, &p.Col} {
			v, err := strconv.Atoi(parts[3+i])
			if err != nil || v < 0 {
				return bad(fmt.Sprintf("position %q", parts[3+i]))
			}
			*to = v
		}
	}
	if err := p.choose(parts[2]); err != nil {
		return bad(err.Error())
	}
	return p, nil
}

// ParseChannels reads the channels of [ParsePopulation] alone.
func ParseChannels(s string) (Population, error) {
	p := Population{Row: -1, Col: -1}
	if err := p.choose(s); err != nil {
		return Population{}, fmt.Errorf("actmax: channels %q: %w; want 7, 0-9, 3,5,8, all, random:N or "+
			"first:N", s, err)
	}
	return p, nil
}

// maxChannels bounds the channels that a text can ask for, so that a slip does not fill the memory. No
// layer has so many.
const maxChannels = 1 << 20

// choose reads channels.
func (p *Population) choose(s string) error {
	kind, count, counted := strings.Cut(s, ":")
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no count", count)
		}
		switch kind {
		case "random":
			p.Random = n
		case "first":
			p.Responding = n
		default:
			return fmt.Errorf("no choice %q", kind)
		}
		return nil
	}
	if kind == "all" {
		return nil
	}
	for item := range strings.SplitSeq(kind, ",") {
		low, high, isRange := strings.Cut(item, "-")
		from, err := strconv.Atoi(low)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(high)
		}
		if err != nil || from < 0 || to < from {
			return fmt.Errorf("channel %q", item)
		}
		if to >= maxChannels || len(p.Channels)+to-from >= maxChannels {
			return fmt.Errorf("channel %q: no layer has %d channels", item, maxChannels)
		}
		for c := from; c <= to; c++ {
			p.Channels = append(p.Channels, c)
		}
	}
	return nil
}

// Units are those of the network, in the order of the choice; a channel or position that the layer does
// not have is an error with both numbers.
func (p Population) Units(s gansim.Scorer, seed uint64) ([]gansim.Unit, error) {
	l, err := FindLayer(s, p.Layer)
	if err != nil {
		return nil, err
	}
	if p.Row >= 0 && (p.Row >= l.Height || p.Col >= l.Width) {
		return nil, fmt.Errorf("actmax: %s has a map of %d x %d, no row %d, column %d", l.Name, l.Height,
			l.Width, p.Row, p.Col)
	}
	channels, err := p.Of(l, seed)
	if err != nil {
		return nil, err
	}
	var units []gansim.Unit
	for _, c := range channels {
		u := CenterUnit(s, l, c)
		if p.Row >= 0 {
			u.Row, u.Col = p.Row, p.Col
		}
		units = append(units, u)
	}
	return units, nil
}

// Of are the channels of a layer, in the order of the choice; one that it does not have is an error
// with both numbers.
func (p Population) Of(l gansim.Layer, seed uint64) ([]int, error) {
	channels := p.Channels
	switch {
	case max(p.Random, p.Responding) > l.Channels:
		return nil, fmt.Errorf("actmax: %d units of %s wanted, it has %d channels",
			max(p.Random, p.Responding), l.Name, l.Channels)
	case p.Random > 0:
		channels = rand.New(rand.NewPCG(seed, 5)).Perm(l.Channels)[:p.Random]
		slices.Sort(channels)
	case channels == nil:
		for c := range l.Channels {
			channels = append(channels, c)
		}
	}
	for _, c := range channels {
		if c >= l.Channels {
			return nil, fmt.Errorf("actmax: %s has %d channels, from 0, no channel %d", l.Name, l.Channels, c)
		}
	}
	return channels, nil
}
