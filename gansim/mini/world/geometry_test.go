package world

import (
	"math"
	"math/rand/v2"
	"testing"
)

// level is negative inside a solid, in local coordinates.
func level(s shape, q, size vec) float64 {
	switch s {
	case ellipsoid:
		q = q.div(size)
		return q.dot(q) - 1
	case box:
		return max(math.Abs(q.x)-size.x, math.Abs(q.y)-size.y, math.Abs(q.z)-size.z)
	case frustum:
		r := size.x + (size.y-size.x)*(q.y+size.z)/(2*size.z)
		return max(length(q.x, q.z)-r, math.Abs(q.y)-size.z)
	default:
		return length(length(q.x, q.z)-size.x, q.y) - size.y
	}
}

// TestHit marches along random rays and compares with the closed forms.
func TestHit(t *testing.T) {
	const (
		step = 2e-3
		tol  = 5e-3 // at grazing rays the marching may step across a sliver
	)
	for name, c := range map[string]struct {
		shape shape
		size  vec
	}{
		"ellipsoid": {ellipsoid, vec{.5, .3, .8}},
		"box":       {box, vec{.5, .2, .7}},
		"cylinder":  {frustum, vec{.4, .4, .6}},
		"frustum":   {frustum, vec{.6, .2, .5}},
		"cone":      {frustum, vec{.5, .01, .5}},
		"torus":     {torus, vec{.5, .15, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			d := dice{rand.New(rand.NewPCG(1, 2))}
			turn, tip := rotY(d.in(0, 6)), rotX(d.in(0, 6))
			p := primitive{shape: c.shape, size: c.size, centre: vec{.1, .2, .3},
				axes: turn.times(&tip), radius: bound(c.shape, c.size)}
			met := 0
			for range 300 {
				from := vec{d.in(-1, 1), d.in(-1, 1), d.in(2, 3)}
				dir := vec{d.in(-.6, .6), d.in(-.6, .6), d.in(-1, 1)}
				dir = p.centre.sub(from).scale(.4).add(dir.scale(.4)).unit()
				got, n := p.hit(from, dir, nearest)
				at := func(t float64) float64 {
					return level(c.shape, p.axes.apply(from.add(dir.scale(t)).sub(p.centre)), c.size)
				}
				for s := step; s < min(got, 6)-tol; s += step {
					if at(s) < -tol {
						t.Fatalf("ray %v %v is inside at %v, hit at %v", from, dir, s, got)
					}
				}
				if got == far {
					continue
				}
				met++
				if math.Abs(at(got)) > tol {
					t.Errorf("level is %v at the hit", at(got))
				}
				if w := p.normal(n, dir); w.dot(dir) > 0 || math.Abs(w.dot(w)-1) > 1e-9 {
					t.Errorf("normal %v for ray %v", w, dir)
				}
			}
			if met < 50 {
				t.Errorf("%d of 300 rays met the solid", met)
			}
		})
	}
}

func TestSoftIsNearTanh(t *testing.T) {
	for x := -4.0; x <= 4; x += .01 {
		if got, want := soft(x), math.Tanh(x); math.Abs(got-want) > .03 {
			t.Errorf("soft(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestRotationsInvert(t *testing.T) {
	a, b := rotX(.7), rotZ(-1.9)
	m := a.times(&b)
	v := vec{1, -2, .5}
	if got, want := m.apply(v), a.apply(b.apply(v)); got.sub(want).dot(got.sub(want)) > 1e-24 {
		t.Errorf("product turns %v to %v, want %v", v, got, want)
	}
	if got := m.back(m.apply(v)); got.sub(v).dot(got.sub(v)) > 1e-24 {
		t.Errorf("there and back is %v, want %v", got, v)
	}
}
