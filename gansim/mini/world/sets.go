package world

import (
	"fmt"
	"math"
	"strings"
)

// Set names a distribution of images.
type Set uint8

// The sets of the miniature world.
const (
	// ImageNet has one object per image before any backdrop; the class is index mod 12.
	ImageNet Set = iota
	// EcoSet has smaller objects off centre, mostly on a ground, with uneven odds of the classes;
	// one image in twelve is a texture.
	EcoSet
	// Things has one large, centred object before a nearly white backdrop, classes at even odds.
	Things
	// COCO has two to four small objects on a ground, with uneven odds of the classes.
	COCO
	// Train is ImageNet with the texture classes: the class is index mod 16.
	Train
	// Detector mixes the others: 40 % as Train (labels drawn, so a quarter of these show no object),
	// 15 % EcoSet, 10 % Things, 35 % COCO.
	Detector
)

// recipe says how to draw the images of a set. The numbers are those of the trials that the
// miniature networks were designed on.
type recipe struct {
	name     string
	cycle    int       // labels are index mod cycle; 0 means drawn
	weights  []float64 // odds of the classes when drawn, not normalised
	textures int       // one image in so many is a texture; 0 means none but those of the cycle
	places   []place   // at even odds
	scene    bool      // two to four objects
	field    float64   // half the width of the view at the target, scene units
	scale    span
	x, z     span // position of the object
}

// Odds of the classes, in the order of Classes, and of the backdrops.
var (
	evenOdds   = []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	ecoOdds    = []float64{3, 3, 2, 2, 8, 1, 9, 7, 1, 2, 3, 12}
	cocoOdds   = []float64{5, 7, 7, 3, 8, 1, 5, 4, 1, 1, 6, 12}
	labelOdds  = []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	allPlaces  = []place{gradient, meadow, clouds, tiles}
	mostlyOpen = []place{meadow, meadow, tiles, clouds}
)

// recipes are indexed by Set. The row of Detector is Train's with labels drawn: Detector picks one
// of four rows by mixture.
var recipes = [...]recipe{
	ImageNet: {name: "imagenet", cycle: NumObjects, places: allPlaces, field: 1.2,
		scale: span{.72, 1}, x: span{-.3, .3}, z: span{-.2, .2}},
	EcoSet: {name: "ecoset", weights: ecoOdds, textures: 12, places: mostlyOpen, field: 1.35,
		scale: span{.55, .9}, x: span{-.5, .5}, z: span{-.3, .3}},
	Things: {name: "things", weights: evenOdds, places: []place{studio}, field: 1.35,
		scale: span{.95, 1.1}, x: span{-.06, .06}},
	COCO: {name: "coco", weights: cocoOdds, places: []place{meadow, meadow, tiles}, scene: true,
		field: 1.55, scale: span{.4, .62}, x: span{-1.15, 1.15}, z: span{-1.1, .6}},
	Train: {name: "train", cycle: NumClasses, places: allPlaces, field: 1.2,
		scale: span{.72, 1}, x: span{-.3, .3}, z: span{-.2, .2}},
	Detector: {name: "detector", weights: labelOdds, places: allPlaces, field: 1.2,
		scale: span{.72, 1}, x: span{-.3, .3}, z: span{-.2, .2}},
}

// mixture holds the odds of the rows of recipes in Detector.
var mixture = []float64{EcoSet: .15, Things: .1, COCO: .35, Detector: .4}

// Sets lists all sets.
func Sets() []Set { return []Set{ImageNet, EcoSet, Things, COCO, Train, Detector} }

// String is the name that ParseSet reads, such as "imagenet".
func (s Set) String() string {
	if int(s) < len(recipes) {
		return recipes[s].name
	}
	return fmt.Sprintf("set(%d)", uint8(s))
}

// ParseSet finds a set by its name; other names give an error that lists the known ones.
func ParseSet(name string) (Set, error) {
	var known []string
	for _, s := range Sets() {
		if s.String() == name {
			return s, nil
		}
		known = append(known, s.String())
	}
	return 0, fmt.Errorf("world: unknown set %q, known are %s", name, strings.Join(known, ", "))
}

// label chooses the class of an image.
func (r *recipe) label(index uint64, d dice) int {
	switch {
	case r.cycle > 0:
		return int(index % uint64(r.cycle))
	case r.textures > 0 && d.IntN(r.textures) == 0:
		return NumObjects + d.IntN(NumClasses-NumObjects)
	default:
		return d.pick(r.weights)
	}
}

// compose draws a scene whose main object is of a class.
func (r *recipe) compose(s *scene, class int, d dice) {
	s.prims, s.objects = s.prims[:0], s.objects[:0]
	s.backdrop.reset(r.places[d.IntN(len(r.places))], d)
	s.lookFrom(radians(d.in(8, 32)), r.field/cameraDistance)
	s.lightUp(d)
	if r.scene {
		r.crowd(s, class, d)
		return
	}
	p := pose{yaw: yaw(class, d), scale: d.of(r.scale), at: vec{x: d.of(r.x), z: d.of(r.z)}}
	if s.backdrop.grounded {
		p.at.y = groundY + p.scale
	} else {
		p.at.y, p.lean = d.in(-.12, .12), d.in(-.15, .15)
	}
	s.put(class, d, p)
}

// yaw draws an orientation in radians: half of the objects that have no front are turned all round,
// the others face the camera within about 50 degrees.
func yaw(class int, d dice) float64 {
	if class != house && class != snowman && class != person && d.IntN(2) == 0 {
		return d.in(0, 2*math.Pi)
	}
	return d.in(-.9, .9)
}

// crowd puts two to four objects side by side, the first of the class asked for. An object that
// finds no free place in 30 attempts is left out.
func (r *recipe) crowd(s *scene, class int, d dice) {
	var taken [4]pose
	n := 0
	for i := range 2 + d.IntN(3) {
		if i > 0 {
			class = d.pick(r.weights)
		}
		p := pose{yaw: d.in(-1.2, 1.2), scale: d.of(r.scale)}
		for range 30 {
			p.at = vec{d.of(r.x), groundY + p.scale, d.of(r.z)}
			if free(p, taken[:n]) {
				taken[n] = p
				n++
				s.put(class, d, p)
				break
			}
		}
	}
}

// free says that a pose keeps clear of the poses already taken.
func free(p pose, taken []pose) bool {
	for _, q := range taken {
		if length(p.at.x-q.at.x, p.at.z-q.at.z) < p.scale+.9*q.scale {
			return false
		}
	}
	return true
}
