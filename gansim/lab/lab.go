// Package lab is what notebook cells call. A cell is one to eight lines:
//
//	imgs := lab.Sample("BigGAN", lab.N(8), lab.Seed(1))
//	lab.Show(imgs)
//
//	r := lab.Invert("DeePSim", imgs)
//	lab.Show(r)
//
// Models live in a server of the user's own, gansim serve, which lab finds or starts, so that a cell
// neither loads weights nor compiles graphs, and links none of the engine. Values that a later cell
// needs are kept by name:
//
//	lab.Keep("inverted", r)
//	r := lab.Load[lab.Inversion]("inverted")
//
// What goes wrong ends the cell with one line that says what to do. In a notebook, pictures are shown
// as PNG, figures also as SVG, all with a text; elsewhere they are written to the folder pictures and
// named on standard output.
//
// Generators, networks and detectors are named as in the miniature world (DeePSim, BigGAN, alexnet,
// resnet50, resnet50_linf8, yolov8), or as in the list of weights (gansim weights list) where they have
// been fetched, or NAME=FILE. Units are net/layer/channel, or net/layer/channel/row/column; the middle
// of the map is meant where no place is given.
//
// The environment chooses the server: GANSIM_BIN is the gansim command (else it is looked for on PATH
// and in the checkout's bin), GANSIM_BACKEND the backend, auto if it is not set.
package lab

import (
	"errors"
	"fmt"
	"os"

	"gansim.example/gansim/internal/wire"
)

// Origin says how a result came about.
type Origin = wire.Origin

// Option changes how a function works; those that a function does not read are ignored.
type Option interface{ apply(q *query) }

// query is a request while its options are collected.
type query struct {
	wire.Query
	preset  string
	rows    *RowSet
	network string
	paired  bool
}

type option func(q *query)

func (o option) apply(q *query) { o(q) }

// N is the number of images or runs.
func N(n int) Option { return option(func(q *query) { q.N = n }) }

// Seed is that of all random numbers; 1 unless given. The same seed gives the same bytes.
func Seed(seed uint64) Option { return option(func(q *query) { q.Seed = seed }) }

// Recipe says how codes are drawn: std4, std1 or std0.5 for DeePSim; trunc0.7, random, std0.7 or
// evolve for BigGAN.
func Recipe(name string) Option { return option(func(q *query) { q.Recipe = name }) }

// Steps is the number of steps or generations.
func Steps(n int) Option { return option(func(q *query) { q.Steps = n }) }

// Rate is Adam's learning rate.
func Rate(rate float64) Option { return option(func(q *query) { q.Rate = rate }) }

// Method is an optimiser of panel D by its label, such as Adam01Hess.
func Method(label string) Option { return option(func(q *query) { q.Method = label }) }

// Loss is what [Invert] makes small and [Distances] measures: mse, l1, lpips_alex, lpips_squeeze or
// lpips_vgg, or a sum such as mse+0.1*lpips_alex.
func Loss(text string) Option { return option(func(q *query) { q.Loss = text }) }

// Basis is the file of gansim hessian with the eigenvectors of a generator's metric, for [Directions]
// and for methods such as Adam001Hess; the miniature generators need none.
func Basis(file string) Option {
	return option(func(q *query) { q.Basis = absolute(file) })
}

// Columns of a contact sheet.
func Columns(n int) Option { return option(func(q *query) { q.Columns = n }) }

// Network is the one whose features or detections count.
func Network(name string) Option { return option(func(q *query) { q.network = name }) }

// Preset of a panel: smoke or class. Unless given it is $GANSIM_PRESET, or smoke.
func Preset(name string) Option { return option(func(q *query) { q.preset = name }) }

// Photos is a folder of photographs for panel C.
func Photos(dir string) Option { return option(func(q *query) { q.Set = absolute(dir) }) }

// Parameter is a notebook's parameter: the environment variable of that name, or a value in its place.
// So programs that run notebooks, which know no Go, set parameters.
func Parameter(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// Labels name the samples of a test, or the rows of a grid.
func Labels(names ...string) Option { return option(func(q *query) { q.Names = names }) }

// Paired makes a test one of pairs (signed-rank, as in panel C).
func Paired() Option { return option(func(q *query) { q.paired = true }) }

func collect(opts []Option) query {
	q := query{preset: os.Getenv("GANSIM_PRESET")}
	q.Seed = 1
	if q.preset == "" {
		q.preset = "smoke"
	}
	for _, o := range opts {
		o.apply(&q)
	}
	return q
}

// remedy is an error with what to do about it.
type remedy struct {
	error
	do string
}

func (r remedy) Unwrap() error { return r.error }

// must ends the program with one line if there is an error.
func must(err error) {
	if err == nil {
		return
	}
	out().sync()
	fmt.Fprintln(os.Stderr, "gansim: "+line(err))
	os.Exit(1)
}

// line is an error and its remedy in one line.
func line(err error) string {
	text := err.Error()
	var fault *wire.FaultError
	var r remedy
	switch {
	case errors.As(err, &r):
		text += "; " + r.do
	case errors.As(err, &fault) && fault.Hint != "":
		text += "; " + fault.Hint
	}
	return text
}
