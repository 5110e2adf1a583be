package world

import "math"

// noise is value noise of period 16 on a random lattice.
type noise struct{ lattice [16 * 16]float64 }

func (n *noise) reset(d dice) {
	for i := range n.lattice {
		n.lattice[i] = d.Float64()
	}
}

// at is one octave, in [0, 1), with features of about one unit.
func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	u, v := x-fx, y-fy
	u, v = u*u*(3-2*u), v*v*(3-2*v)
	i, j := int(fx), int(fy)
	left, right := i&15*16, (i+1)&15*16
	a := n.lattice[left+j&15]*(1-u) + n.lattice[right+j&15]*u
	b := n.lattice[left+(j+1)&15]*(1-u) + n.lattice[right+(j+1)&15]*u
	return a*(1-v) + b*v
}

// octaves sums three octaves, in [0, 1).
func (n *noise) octaves(x, y float64) float64 {
	return n.at(x, y)*.55 + n.at(2.1*x+3, 2.1*y+5)*.3 + n.at(4.3*x+7, 4.3*y+1)*.15
}

// texture is an image of one of the texture classes: two colours in a turned, warped pattern.
type texture struct {
	class          int
	a, b           vec
	sin, cos       float64 // of the pattern's angle
	freq           float64 // periods across half the image
	phaseU, phaseV float64
	warp           float64
	noise          noise
}

func (t *texture) reset(class int, d dice) {
	hue := span{0, 1}
	t.class = class
	t.a = d.colour(hue, span{.1, .9}, span{.2, 1})
	t.b = d.colour(hue, span{.1, .9}, span{.2, 1})
	for range 100 { // until the two colours can be told apart
		gap := t.a.sub(t.b)
		if gap.dot(gap) >= .15 {
			break
		}
		t.b = d.colour(hue, span{.1, .9}, span{.05, 1})
	}
	t.sin, t.cos = math.Sincos(d.in(0, math.Pi))
	t.freq = d.in(1.5, 5.5)
	t.phaseU, t.phaseV = d.Float64(), d.Float64()
	t.noise.reset(d)
	t.warp = d.in(0, .25)
}

// at is the colour at a point of [-1, 1] x [-1, 1].
func (t *texture) at(x, y float64) vec {
	u := (t.cos*x+t.sin*y)*t.freq + t.phaseU
	v := (t.cos*y-t.sin*x)*t.freq + t.phaseV
	u += t.warp * (t.noise.at(x*2+5, y*2+5) - .5) * 4
	level := 0.0
	switch t.class {
	case stripes:
		level = .5 + .5*soft(4*math.Sin(u*math.Pi))
	case checker:
		level = .5 + .5*soft(8*math.Sin(u*math.Pi)*math.Sin(v*math.Pi))
	case dots:
		du, dv := u-math.Floor(u)-.5, v-math.Floor(v)-.5
		level = .5 + .5*soft(14*(.32-length(du, dv)))
	default:
		level = clamp01((t.noise.octaves(u+8, v+8)-.5)*2.5 + .5)
	}
	return mix(t.a, t.b, level)
}

// place is the kind of surroundings of an object.
type place uint8

const (
	gradient place = iota // vertical gradient of two colours, no ground
	meadow                // mottled ground below a sky
	clouds                // smooth noise of two colours, no ground
	tiles                 // soft checkerboard ground below a sky
	studio                // nearly white everywhere, with or without a ground that takes shadows
)

// The ground is the plane y = groundY. Where it has a sky it is hazy beyond the distance hazeFrom
// and ends at hazeTo.
const (
	groundY  = -1.0
	hazeFrom = 9.0
	hazeTo   = 14.0
)

// backdrop is what is seen behind and below the objects.
type backdrop struct {
	place          place
	grounded       bool // there is a ground that objects stand on
	wallA, wallB   vec
	zenith, haze   vec
	soilA, soilB   vec
	freq, horizonV float64
	noise          noise
}

func (b *backdrop) reset(p place, d dice) {
	hue := span{0, 1}
	b.place = p
	b.grounded = p == meadow || p == tiles || p == studio && d.IntN(2) == 0
	b.wallA = d.colour(hue, span{.05, .6}, span{.25, .95})
	b.wallB = d.colour(hue, span{.05, .6}, span{.25, .95})
	if p == studio {
		b.wallA = mix(vec{1, 1, 1}, b.wallA, .12)
	}
	b.zenith = d.colour(span{.52, .63}, span{.1, .6}, span{.6, 1})
	b.haze = mix(b.zenith, vec{1, .95, .9}, d.in(.3, .9))
	soils := [3]span{{.2, .38}, {.05, .12}, {0, 1}} // grass, earth, anything
	b.soilA = d.colour(soils[d.IntN(3)], span{.15, .6}, span{.3, .8})
	b.soilB = b.soilA.scale(d.in(.5, .8))
	b.freq = d.in(.8, 2)
	b.horizonV = d.in(-.1, .25)
	b.noise.reset(d)
}

// wall is the colour behind everything at image coordinates u to the right and v upward, [-1, 1].
func (b *backdrop) wall(u, v float64) vec {
	switch b.place {
	case gradient:
		return mix(b.wallB, b.wallA, (v+1)/2)
	case clouds:
		return mix(b.wallA, b.wallB, clamp01((b.noise.octaves(u*2+8, v*2+8)-.5)*2+.5))
	case studio:
		return b.wallA
	default:
		return mix(b.haze, b.zenith, clamp01((v-b.horizonV)/1.2))
	}
}

// ground is the colour of the ground in full light.
func (b *backdrop) ground(x, z float64) vec {
	switch b.place {
	case meadow:
		return mix(b.soilA, b.soilB, b.noise.octaves(x*b.freq+8, z*b.freq+8))
	case tiles:
		if int(math.Floor(x*b.freq)+math.Floor(z*b.freq))&1 == 1 {
			return mix(b.soilB, b.soilA, .35)
		}
		return b.soilA
	default:
		return b.wallA
	}
}
