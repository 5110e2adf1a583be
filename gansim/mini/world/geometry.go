package world

import (
	"math"
	"math/rand/v2"
)

// vec is a point, a direction or an RGB colour in [0, 1].
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec       { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec       { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(b vec) vec       { return vec{a.x * b.x, a.y * b.y, a.z * b.z} }
func (a vec) div(b vec) vec       { return vec{a.x / b.x, a.y / b.y, a.z / b.z} }
func (a vec) scale(s float64) vec { return vec{a.x * s, a.y * s, a.z * s} }
func (a vec) dot(b vec) float64   { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) unit() vec           { return a.scale(1 / math.Sqrt(a.dot(a)+1e-18)) }
func (a vec) clamp() vec          { return vec{clamp01(a.x), clamp01(a.y), clamp01(a.z)} }

func length(x, y float64) float64 { return math.Sqrt(x*x + y*y) }
func clamp01(x float64) float64   { return min(1, max(0, x)) }
func mix(a, b vec, t float64) vec { return a.scale(1 - t).add(b.scale(t)) }

// soft is the Padé approximant of tanh that reaches ±1 at ±3. math.Tanh is avoided: it rests on
// math.Exp, whose assembly gives other last bits on processors with fused multiply-add.
func soft(x float64) float64 {
	x = min(3, max(-3, x))
	return x * (27 + x*x) / (27 + 9*x*x)
}

// recip is 1/x, kept finite near zero.
func recip(x float64) float64 {
	if math.Abs(x) < 1e-12 {
		return 1e12
	}
	return 1 / x
}

// mat is a rotation given by its rows.
type mat struct{ x, y, z vec }

func (m *mat) apply(v vec) vec { return vec{m.x.dot(v), m.y.dot(v), m.z.dot(v)} }

// back applies the transpose, which is the inverse of a rotation.
func (m *mat) back(v vec) vec {
	return m.x.scale(v.x).add(m.y.scale(v.y)).add(m.z.scale(v.z))
}

// times is the rotation b followed by m.
func (m *mat) times(b *mat) mat { return mat{b.back(m.x), b.back(m.y), b.back(m.z)} }

// rotX, rotY and rotZ turn the coordinates about one axis by an angle in radians.
func rotX(a float64) mat {
	s, c := math.Sincos(a)
	return mat{vec{1, 0, 0}, vec{0, c, s}, vec{0, -s, c}}
}

func rotY(a float64) mat {
	s, c := math.Sincos(a)
	return mat{vec{c, 0, -s}, vec{0, 1, 0}, vec{s, 0, c}}
}

func rotZ(a float64) mat {
	s, c := math.Sincos(a)
	return mat{vec{c, s, 0}, vec{-s, c, 0}, vec{0, 0, 1}}
}

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }

// hsv is the RGB colour of a hue (whole turns, any real number), a saturation and a value.
func hsv(h, s, v float64) vec {
	f := func(n float64) float64 {
		k := math.Mod(n+h*6+12, 6)
		return v - v*s*max(0, min(k, 4-k, 1))
	}
	return vec{f(5), f(3), f(1)}
}

// span is a closed interval of real numbers.
type span struct{ lo, hi float64 }

// dice is the only source of chance of an image.
type dice struct{ *rand.Rand }

// in is uniform in [lo, hi).
func (d dice) in(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }

// of is uniform in an interval.
func (d dice) of(s span) float64 { return d.in(s.lo, s.hi) }

// jitter varies a size by up to 12 %.
func (d dice) jitter(size float64) float64 { return size * d.in(.88, 1.12) }

// colour draws hue, saturation and value, in this order.
func (d dice) colour(h, s, v span) vec {
	hue, sat := d.of(h), d.of(s)
	return hsv(hue, sat, d.of(v))
}

// pick draws an index with odds in proportion to the weights.
func (d dice) pick(weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	r := d.Float64() * sum
	for i, w := range weights {
		if r -= w; r < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// far is the distance of a ray that hits nothing.
const far = 1e30

// shape is the kind of a primitive; the comment gives the meaning of its size (x, y, z).
type shape uint8

const (
	ellipsoid shape = iota // radii
	box                    // half edges
	frustum                // radius at the bottom, radius at the top, half height; the axis is y
	torus                  // radius of the ring, radius of the tube, unused; the axis is y
)

// primitive is a solid placed in the scene.
type primitive struct {
	shape  shape
	centre vec
	axes   mat // world to local
	size   vec // as shape says, in world units
	radius float64
	colour vec
}

// bound is the radius of the sphere about the origin that holds a solid.
func bound(s shape, size vec) float64 {
	switch s {
	case ellipsoid:
		return max(size.x, size.y, size.z)
	case box:
		return math.Sqrt(size.dot(size))
	case frustum:
		return length(max(size.x, size.y), size.z)
	default:
		return size.x + size.y
	}
}

// misses says that a ray, seen from a sphere's centre, never meets the sphere at positive distance.
func misses(from, dir vec, radius float64) bool {
	b, c := from.dot(dir), from.dot(from)-radius*radius
	return c > 0 && (b > 0 || b*b < c)
}

// hit is the distance along the unit direction dir at which the ray first meets the solid beyond
// near, or far, and the outward normal there in local axes, not normalised.
func (p *primitive) hit(from, dir vec, near float64) (float64, vec) {
	from = from.sub(p.centre)
	if misses(from, dir, p.radius) {
		return far, vec{}
	}
	o, d := p.axes.apply(from), p.axes.apply(dir)
	switch p.shape {
	case ellipsoid:
		return hitEllipsoid(o, d, p.size, near)
	case box:
		return hitBox(o, d, p.size, near)
	case frustum:
		return hitFrustum(o, d, p.size, near)
	default:
		return hitTorus(o, d, p.size, near)
	}
}

// normal turns a local normal into a unit vector of the world that faces the ray.
func (p *primitive) normal(local, dir vec) vec {
	n := p.axes.back(local).unit()
	if n.dot(dir) > 0 {
		return n.scale(-1)
	}
	return n
}

func hitEllipsoid(o, d, size vec, near float64) (float64, vec) {
	o, d = o.div(size), d.div(size)
	a, b, c := d.dot(d), o.dot(d), o.dot(o)-1
	disc := b*b - a*c
	if disc < 0 {
		return far, vec{}
	}
	root := math.Sqrt(disc)
	t := (-b - root) / a
	if t < near {
		t = (-b + root) / a
	}
	if t < near {
		return far, vec{}
	}
	return t, o.add(d.scale(t)).div(size)
}

// slab narrows the interval [in, out] of a ray inside a box by one pair of planes at ±half, and
// says whether the pair moved the entry.
func slab(o, d, half float64, in, out *float64) bool {
	r := recip(d)
	a, b := (-half-o)*r, (half-o)*r
	if a > b {
		a, b = b, a
	}
	*out = min(*out, b)
	if a > *in {
		*in = a
		return true
	}
	return false
}

func hitBox(o, d, size vec, near float64) (float64, vec) {
	in, out := -far, far
	var n vec
	if slab(o.x, d.x, size.x, &in, &out) {
		n = vec{-d.x, 0, 0}
	}
	if slab(o.y, d.y, size.y, &in, &out) {
		n = vec{0, -d.y, 0}
	}
	if slab(o.z, d.z, size.z, &in, &out) {
		n = vec{0, 0, -d.z}
	}
	if in > out || in < near {
		return far, vec{}
	}
	return in, n
}

func hitFrustum(o, d, size vec, near float64) (float64, vec) {
	h := size.z
	slope, mean := (size.y-size.x)/(2*h), (size.y+size.x)/2
	r := mean + slope*o.y
	a := d.x*d.x + d.z*d.z - slope*slope*d.y*d.y
	b := o.x*d.x + o.z*d.z - r*slope*d.y
	c := o.x*o.x + o.z*o.z - r*r
	best, n := far, vec{}
	if disc := b*b - a*c; disc > 0 && math.Abs(a) > 1e-12 {
		root := math.Sqrt(disc)
		for _, t := range [2]float64{(-b - root) / a, (-b + root) / a} {
			y := o.y + t*d.y
			if r := mean + slope*y; t > near && t < best && y > -h && y < h && r > 0 {
				best, n = t, vec{o.x + t*d.x, -slope * r, o.z + t*d.z}
			}
		}
	}
	inv := recip(d.y)
	for _, lid := range [2]struct{ y, r float64 }{{-h, size.x}, {h, size.y}} {
		t := (lid.y - o.y) * inv
		x, z := o.x+t*d.x, o.z+t*d.z
		if t > near && t < best && x*x+z*z < lid.r*lid.r {
			best, n = t, vec{0, lid.y, 0}
		}
	}
	return best, n
}

// torusSteps is enough for the trace to settle on every torus of the world.
const torusSteps = 48

// hitTorus sphere-traces inside the bounding sphere: the quartic is not worth its code here.
func hitTorus(o, d, size vec, near float64) (float64, vec) {
	b, radius := o.dot(d), size.x+size.y
	t, end := max(near, -b-radius), -b+radius
	for i := 0; i < torusSteps && t <= end; i++ {
		q := o.add(d.scale(t))
		l := length(q.x, q.z)
		gap := length(l-size.x, q.y) - size.y
		if gap < 1e-3 {
			k := 1 - size.x/(l+1e-12)
			return t, vec{q.x * k, q.y, q.z * k}
		}
		t += gap
	}
	return far, vec{}
}
