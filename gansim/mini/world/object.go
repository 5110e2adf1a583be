package world

import "math"

// material indexes the five colours of a model.
type material uint8

const (
	first  material = iota // main colour
	second                 // second colour
	wood                   // brown, or the skin of a person
	dark                   // nearly black
	pale                   // nearly white
)

// part is one solid of a model in the object's own frame: about [-1, 1] in x, y and z, y upward,
// standing on y = -1, its front toward +z (a car's toward +x).
type part struct {
	shape        shape
	paint        material
	at, size     vec
	tiltX, tiltZ float64 // degrees, about the part's own centre
}

// model is one object before it is placed in a scene.
type model struct {
	parts   []part
	colours [5]vec
}

func (m *model) add(parts ...part) { m.parts = append(m.parts, parts...) }

// builders make the twelve objects, in the order of classes.
var builders = [NumObjects]func(*model, dice){
	(*model).mug, (*model).chair, (*model).table, (*model).lamp, (*model).car, (*model).rocket,
	(*model).tree, (*model).house, (*model).snowman, (*model).mushroom, (*model).bottle,
	(*model).person,
}

var signs = [2]float64{-1, 1}

// build replaces the model by a new one of an object class.
func (m *model) build(class int, d dice) {
	hue := span{0, 1}
	m.parts = m.parts[:0]
	m.colours = [5]vec{
		first:  d.colour(hue, span{.45, .95}, span{.5, .95}),
		second: d.colour(hue, span{.1, .8}, span{.35, .95}),
		wood:   d.colour(span{.05, .1}, span{.5, .75}, span{.35, .65}),
		dark:   d.colour(hue, span{.2, .2}, span{.08, .2}),
		pale:   {.95, .94, .86},
	}
	builders[class](m, d)
}

// legs adds four square legs of a half width at the corners (±x, ±z), up to the height top.
func (m *model) legs(x, z, top, half float64) {
	h := (top + 1) / 2
	for _, sx := range signs {
		for _, sz := range signs {
			m.add(part{box, wood, vec{sx * x, h - 1, sz * z}, vec{half, h, half}, 0, 0})
		}
	}
}

func (m *model) mug(d dice) {
	r, h := d.jitter(.6), d.jitter(.7)
	m.add(
		part{frustum, first, vec{0, h - 1, 0}, vec{r * .92, r, h}, 0, 0},
		part{frustum, dark, vec{0, 2*h - .995, 0}, vec{r * .85, r * .85, .01}, 0, 0},
		part{torus, first, vec{r + .12, h - 1, 0}, vec{.34, .1, 0}, 90, 0},
	)
}

func (m *model) chair(d dice) {
	w, seat := d.jitter(.6), d.jitter(-.1)
	back := d.jitter(.55)
	m.add(
		part{box, first, vec{0, seat, 0}, vec{w, .09, w}, 0, 0},
		part{box, first, vec{0, seat + .07 + back, .08 - w}, vec{w, back, .08}, 0, 0},
	)
	m.legs(w-.1, w-.1, seat, .08)
}

func (m *model) table(d dice) {
	w, depth, top := d.jitter(1), d.jitter(.65), d.jitter(.2)
	if d.IntN(3) == 0 {
		m.add(
			part{frustum, first, vec{0, top, 0}, vec{w * .9, w * .9, .08}, 0, 0},
			part{frustum, wood, vec{0, (top - 1) / 2, 0}, vec{.13, .1, (top + 1) / 2}, 0, 0},
			part{frustum, wood, vec{0, -.95, 0}, vec{.5, .4, .05}, 0, 0},
		)
		return
	}
	m.add(part{box, first, vec{0, top, 0}, vec{w, .09, depth}, 0, 0})
	m.legs(w-.1, depth-.1, top, .09)
}

func (m *model) lamp(d dice) {
	m.colours[first] = d.colour(span{.02, .2}, span{.3, .9}, span{.85, 1})
	wide, narrow, h := d.jitter(.65), d.jitter(.33), d.jitter(.4)
	m.add(
		part{frustum, second, vec{0, -.93, 0}, vec{.42, .36, .07}, 0, 0},
		part{frustum, dark, vec{0, -.3, 0}, vec{.07, .07, .7}, 0, 0},
		part{frustum, first, vec{0, .55, 0}, vec{wide, narrow, h}, 0, 0},
	)
}

func (m *model) car(d dice) {
	m.colours[second] = d.colour(span{.5, .62}, span{.1, .4}, span{.35, .7})
	m.colours[dark] = vec{.1, .1, .11}
	l := d.jitter(1.05)
	m.add(
		part{box, first, vec{0, -.5, 0}, vec{l, .25, .48}, 0, 0},
		part{box, second, vec{-.1, -.08, 0}, vec{l * .52, .22, .42}, 0, 0},
		part{box, first, vec{-.1, .16, 0}, vec{l * .5, .05, .42}, 0, 0},
	)
	for _, z := range signs {
		m.add(
			part{ellipsoid, pale, vec{l, -.45, z * .32}, vec{.05, .09, .11}, 0, 0},
			part{frustum, dark, vec{-.6 * l, -.72, z * .46}, vec{.28, .28, .1}, 90, 0},
			part{frustum, dark, vec{.6 * l, -.72, z * .46}, vec{.28, .28, .1}, 90, 0},
		)
	}
}

func (m *model) rocket(d dice) {
	m.colours[first] = mix(m.colours[first], vec{.92, .92, .92}, .65)
	r := d.jitter(.32)
	m.add(
		part{frustum, first, vec{0, -.15, 0}, vec{r, r, .6}, 0, 0},
		part{frustum, second, vec{0, .73, 0}, vec{r, .02, .3}, 0, 0},
		part{ellipsoid, dark, vec{0, .2, r * .93}, vec{.14, .14, .06}, 0, 0},
	)
	for _, s := range signs {
		m.add(
			part{box, second, vec{s * (r + .15), -.72, 0}, vec{.22, .26, .05}, 0, 0},
			part{box, second, vec{0, -.72, s * (r + .15)}, vec{.05, .26, .22}, 0, 0},
		)
	}
}

func (m *model) tree(d dice) {
	m.colours[first] = d.colour(span{.24, .42}, span{.5, .9}, span{.3, .65})
	w := d.jitter(.72)
	m.add(
		part{frustum, wood, vec{0, -.75, 0}, vec{.14, .12, .28}, 0, 0},
		part{frustum, first, vec{0, -.2, 0}, vec{w, .15, .36}, 0, 0},
		part{frustum, first, vec{0, .22, 0}, vec{w * .78, .1, .32}, 0, 0},
		part{frustum, first, vec{0, .62, 0}, vec{w * .55, .01, .34}, 0, 0},
	)
}

func (m *model) house(d dice) {
	m.colours[first] = mix(m.colours[first], vec{.9, .88, .82}, d.in(.3, .8))
	m.colours[second] = d.colour(span{-.03, .07}, span{.4, .85}, span{.3, .7})
	w, depth, h := d.jitter(.75), d.jitter(.65), d.jitter(.45)
	top := 2*h - 1
	m.add(
		part{box, first, vec{0, h - 1, 0}, vec{w, h, depth}, 0, 0},
		part{box, first, vec{0, top - .32*w, 0}, vec{w * .68, w * .68, depth * .97}, 0, 45},
		part{box, wood, vec{0, -.7, depth}, vec{.15, .3, .03}, 0, 0},
	)
	for _, s := range signs {
		m.add(
			part{box, second, vec{s * w * .5, top + .27, 0}, vec{w * .78, .06, depth * 1.12}, 0, -35 * s},
			part{box, dark, vec{s * w * .55, h*1.1 - 1, depth}, vec{.14, .14, .03}, 0, 0},
		)
	}
}

func (m *model) snowman(d dice) {
	m.colours[first], m.colours[second] = vec{.94, .95, .97}, vec{.95, .45, .1}
	r := d.jitter(.48)
	face := 2*r - .28
	m.add(
		part{ellipsoid, first, vec{0, r - 1, 0}, vec{r, r, r}, 0, 0},
		part{ellipsoid, first, vec{0, face - .5, 0}, vec{.37, .37, .37}, 0, 0},
		part{ellipsoid, first, vec{0, face, 0}, vec{.26, .26, .26}, 0, 0},
		part{frustum, second, vec{0, face, .36}, vec{.07, .01, .15}, 90, 0},
		part{frustum, dark, vec{0, face + .24, 0}, vec{.36, .36, .03}, 0, 0},
		part{frustum, dark, vec{0, face + .4, 0}, vec{.22, .22, .16}, 0, 0},
		part{ellipsoid, dark, vec{.1, face + .08, .23}, vec{.045, .045, .045}, 0, 0},
		part{ellipsoid, dark, vec{-.1, face + .08, .23}, vec{.045, .045, .045}, 0, 0},
	)
}

func (m *model) mushroom(d dice) {
	m.colours[first] = d.colour(span{-.05, .1}, span{.6, .95}, span{.55, .9})
	m.colours[second] = vec{.93, .88, .76}
	foot, neck, w := d.jitter(.3), d.jitter(.22), d.jitter(.8)
	m.add(
		part{frustum, second, vec{0, -.5, 0}, vec{foot, neck, .5}, 0, 0},
		part{ellipsoid, first, vec{0, .1, 0}, vec{w, .5, w}, 0, 0},
		part{ellipsoid, second, vec{0, .58, 0}, vec{.15, .06, .15}, 0, 0},
	)
	for i := range 5 {
		s, c := math.Sincos(float64(i)*(2*math.Pi/5) + .3)
		m.add(part{ellipsoid, second, vec{c * w * .68, .36, s * w * .68}, vec{.15, .1, .15}, 0, 0})
	}
}

func (m *model) bottle(d dice) {
	m.colours[dark] = m.colours[second]
	m.colours[second] = mix(m.colours[second], vec{1, 1, 1}, .5)
	r := d.jitter(.36)
	m.add(
		part{frustum, first, vec{0, -.45, 0}, vec{r, r, .55}, 0, 0},
		part{ellipsoid, first, vec{0, .1, 0}, vec{r, .3, r}, 0, 0},
		part{frustum, first, vec{0, .5, 0}, vec{.15, .12, .32}, 0, 0},
		part{frustum, dark, vec{0, .88, 0}, vec{.15, .15, .09}, 0, 0},
		part{frustum, second, vec{0, -.45, 0}, vec{r + .015, r + .015, .27}, 0, 0},
	)
}

func (m *model) person(d dice) {
	m.colours[wood] = d.colour(span{.04, .09}, span{.3, .6}, span{.5, .95})
	m.colours[second] = d.colour(span{.55, .7}, span{.2, .7}, span{.2, .6})
	m.add(
		part{ellipsoid, wood, vec{0, .72, 0}, vec{.22, .26, .22}, 0, 0},
		part{ellipsoid, dark, vec{0, .84, -.04}, vec{.23, .2, .22}, 0, 0},
		part{frustum, first, vec{0, .12, 0}, vec{.24, .34, .36}, 0, 0},
	)
	for _, side := range signs {
		arm := d.in(8, 40)
		s, c := math.Sincos(radians(arm))
		m.add(
			part{frustum, first, vec{side * (.3 + .3*s), .42 - .32*c, 0}, vec{.09, .11, .34}, 0, side * arm},
			part{ellipsoid, wood, vec{side * (.3 + .66*s), .42 - .7*c, 0}, vec{.11, .11, .11}, 0, 0},
			part{frustum, second, vec{side * .15, -.6, 0}, vec{.11, .14, .4}, 0, side * 5},
		)
	}
}
