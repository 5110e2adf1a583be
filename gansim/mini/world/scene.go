package world

import "math"

// Camera and shading, as the recipe of the miniature world fixes them.
const (
	cameraDistance = 6.0
	targetY        = -.1  // the camera looks at (0, targetY, 0)
	groundShade    = .55  // share of light that the ground keeps in shadow
	objectShade    = .25  // share of diffuse light that an object keeps in shadow
	exposure       = 1.15 // ambient + diffuse
	nearest        = 1e-3 // hits closer than this are the surface that a ray leaves
	lift           = 2e-3 // shadow rays start this far above their surface
)

// object is one placed object and the samples of the image that show it.
type object struct {
	class          int
	from, to       int // its primitives
	centre         vec // of a sphere around it
	radius         float64
	gloss          float64 // strength of the highlight, 0 for matt
	samples        int
	x0, y0, x1, y1 int // pixels, x1 and y1 inclusive
}

// pose places a model in the scene.
type pose struct {
	yaw, lean float64 // radians, about the vertical and about the line of sight
	scale     float64
	at        vec
}

// scene is a set of objects before a backdrop, with a camera and a light.
type scene struct {
	prims    []primitive
	objects  []object
	model    model
	backdrop backdrop

	eye, right, up, ahead vec
	field                 float64 // tangent of half the angle of view
	light, tint           vec     // direction toward the light, its colour
	ambient, diffuse      float64
}

// lookFrom sets the camera by its pitch (radians below the horizontal) and the half field.
func (s *scene) lookFrom(pitch, field float64) {
	sin, cos := math.Sincos(pitch)
	s.eye = vec{0, targetY + sin*cameraDistance, cos * cameraDistance}
	s.right, s.up, s.ahead = vec{1, 0, 0}, vec{0, cos, -sin}, vec{0, -sin, -cos}
	s.field = field
}

// lightUp draws the light.
func (s *scene) lightUp(d dice) {
	x, y := d.in(-1, 1), d.in(.7, 1.5)
	s.light = vec{x, y, d.in(.2, 1.2)}.unit()
	s.ambient = d.in(.35, .55)
	s.diffuse = exposure - s.ambient
	s.tint = mix(vec{.96, 1, 1.05}, vec{1.05, 1, .93}, d.Float64()) // from cool to warm
}

// put adds one object of a class.
func (s *scene) put(class int, d dice, p pose) {
	s.model.build(class, d)
	ob := object{class: class, from: len(s.prims)}
	if d.IntN(2) == 0 {
		ob.gloss = d.in(.2, .6)
	}
	turn, lean := rotY(p.yaw), rotZ(-p.lean)
	frame := turn.times(&lean)
	lo, hi := vec{far, far, far}, vec{-far, -far, -far}
	for i := range s.model.parts {
		q := &s.model.parts[i]
		rx, rz := rotX(radians(q.tiltX)), rotZ(radians(q.tiltZ))
		tilt := rx.times(&rz)
		prim := primitive{
			shape:  q.shape,
			centre: frame.back(q.at).scale(p.scale).add(p.at),
			axes:   tilt.times(&frame),
			size:   q.size.scale(p.scale),
			radius: bound(q.shape, q.size) * p.scale,
			colour: s.model.colours[q.paint],
		}
		c, r := prim.centre, prim.radius
		lo = vec{min(lo.x, c.x-r), min(lo.y, c.y-r), min(lo.z, c.z-r)}
		hi = vec{max(hi.x, c.x+r), max(hi.y, c.y+r), max(hi.z, c.z+r)}
		s.prims = append(s.prims, prim)
	}
	ob.to = len(s.prims)
	ob.centre = lo.add(hi).scale(.5)
	for _, prim := range s.prims[ob.from:] {
		gap := prim.centre.sub(ob.centre)
		ob.radius = max(ob.radius, math.Sqrt(gap.dot(gap))+prim.radius)
	}
	s.objects = append(s.objects, ob)
}

// hit is where a ray meets an object first; object is -1 where it meets none.
type hit struct {
	t            float64
	local        vec // normal in the primitive's axes
	prim, object int
}

func (s *scene) trace(from, dir vec) hit {
	h := hit{t: far, object: -1}
	for i := range s.objects {
		ob := &s.objects[i]
		if misses(from.sub(ob.centre), dir, ob.radius) {
			continue
		}
		for j := ob.from; j < ob.to; j++ {
			if t, n := s.prims[j].hit(from, dir, nearest); t < h.t {
				h = hit{t, n, j, i}
			}
		}
	}
	return h
}

// shadowed says whether an object stands between a point and the light.
func (s *scene) shadowed(from vec) bool {
	for i := range s.objects {
		ob := &s.objects[i]
		if misses(from.sub(ob.centre), s.light, ob.radius) {
			continue
		}
		for j := ob.from; j < ob.to; j++ {
			if t, _ := s.prims[j].hit(from, s.light, nearest); t < far {
				return true
			}
		}
	}
	return false
}

// sample is the colour at image coordinates u to the right and v upward, both in [-1, 1], and the
// index of the object seen there or -1.
func (s *scene) sample(u, v float64) (vec, int) {
	dir := s.ahead.add(s.right.scale(u * s.field)).add(s.up.scale(v * s.field)).unit()
	h := s.trace(s.eye, dir)
	if h.object >= 0 {
		return s.surface(dir, h).clamp(), h.object
	}
	b := &s.backdrop
	if t := (groundY - s.eye.y) / dir.y; b.grounded && dir.y < -1e-6 &&
		(t < hazeTo || b.place == studio) {
		return s.floor(dir, t).clamp(), -1
	}
	return b.wall(u, v).clamp(), -1
}

// surface is the colour of an object: Lambert with one shadow ray, a little more ambient light from
// above, and a Phong highlight of exponent 24 on glossy objects.
func (s *scene) surface(dir vec, h hit) vec {
	p := &s.prims[h.prim]
	n := p.normal(h.local, dir)
	lit := max(0, n.dot(s.light))
	if lit > 0 && s.shadowed(s.eye.add(dir.scale(h.t)).add(n.scale(lift))) {
		lit *= objectShade
	}
	ambient := s.ambient * (.8 + .2*n.y)
	c := p.colour.mul(vec{ambient, ambient, ambient}.add(s.tint.scale(s.diffuse * lit)))
	gloss := s.objects[h.object].gloss
	if q := dir.sub(n.scale(2 * dir.dot(n))).dot(s.light); gloss > 0 && q > 0 && lit > 0 {
		q *= q * q
		q *= q
		q *= q
		g := gloss * q * q
		c = c.add(vec{g, g, g})
	}
	return c
}

// floor is the colour of the ground at distance t.
func (s *scene) floor(dir vec, t float64) vec {
	b := &s.backdrop
	at := s.eye.add(dir.scale(t))
	c := b.ground(at.x, at.z)
	if s.shadowed(vec{at.x, at.y + lift, at.z}) {
		c = c.scale(groundShade)
	}
	if t > hazeFrom && b.place != studio {
		c = mix(c, b.haze, min(1, (t-hazeFrom)/(hazeTo-hazeFrom)))
	}
	return c
}
