package figure

import (
	"errors"
	"fmt"
	"math"

	"gansim.example/gansim/imaging"
)

// ErrNotFinite is wrapped by every error about a NaN or an infinity in the data.
var ErrNotFinite = errors.New("value is not finite")

// Kind is what an image set is. It decides the colour.
type Kind uint8

// The kinds of image sets.
const (
	Natural Kind = iota // photographs or renders: greys
	DeePSim             // blue
	BigGAN              // red
	Control             // noise and other controls: ochre
)

// Set names an image set. Sets of the same kind get different tints, in order of appearance.
type Set struct {
	Name string
	Kind Kind
}

// Group is the values of one set.
type Group struct {
	Set    Set
	Values []float64
}

// Estimate is a value with its standard error. A standard error of 0 is not printed.
type Estimate struct {
	Value, SE float64
}

// Test is the printed part of a test of significance. The caller ran it.
type Test struct {
	Name   string  // such as "Wilcoxon signed-rank"
	N      int     // what N in the figure says
	Log10P float64 // log10 of the P value; 0 means P = 1
	Effect float64 // effect size r; used when HasEffect
	// HasEffect says that Effect is to be printed.
	HasEffect bool
}

// Grid is the sample images of one set, drawn in rows from left to right. Beside FID and detection
// rates, two sets of 20 images or seven of 4 fill the room.
type Grid struct {
	Set    Set
	Images []imaging.RGB
}

// Distance is the Fréchet inception distance of two sets, with an interval.
// Lo == Hi means that there is none.
type Distance struct {
	A, B          string // names of sets
	Value, Lo, Hi float64
}

// Rate is the fraction of a set's images with a detection, with its Wilson interval.
// Lo == Hi means that there is none.
type Rate struct {
	Set           Set
	N             int
	Value, Lo, Hi float64 // in [0, 1]
}

// Statistic is one scalar image statistic of panel B.
type Statistic struct {
	Name   string
	Unit   string // may be empty
	Groups []Group
}

// Series is the mean of many curves, with its standard error.
type Series struct {
	Set          Set
	X, Mean, SEM []float64 // equally long; SEM may be nil
	// Slope of the log-log fit, printed in the legend when HasSlope.
	Slope    float64
	HasSlope bool
}

// Spectrum is one set of axes with curves.
type Spectrum struct {
	XLabel, YLabel string // with units
	LogX, LogY     bool
	XTicks         []float64 // where x is labelled; nil means chosen by the plot
	Series         []Series
}

// Pair is the Pearson correlations of one photograph with its two reconstructions.
type Pair struct {
	DeePSim, BigGAN float64
}

// ImageRow is one labelled row of panel C. Kind chooses the frame: none for Natural.
type ImageRow struct {
	Label  string
	Kind   Kind
	Images []imaging.RGB
}

// Layer is the best scores of all runs on one layer.
type Layer struct {
	Name            string
	DeePSim, BigGAN []float64
}

// Net is one network of panel D.
type Net struct {
	Name            string
	Layers          []Layer
	DeePSim, BigGAN *Estimate // medians over all layers; nil means not printed
	Test            *Test     // nil means not printed
}

// finite returns an error that names what holds the first value that is NaN or infinite.
func finite(what string, values ...float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("figure: %s: value %d is %v: %w", what, i, v, ErrNotFinite)
		}
	}
	return nil
}

// finite checks what is printed of an estimate; nil is fine.
func (e *Estimate) finite(what string) error {
	if e == nil {
		return nil
	}
	return finite(what, e.Value, e.SE)
}

// finite checks what is printed of a test; nil is fine. A logarithm of minus infinity is not: a P
// value that underflows is to be given as the logarithm that it has.
func (t *Test) finite(what string) error {
	if t == nil {
		return nil
	}
	return finite(what, t.Log10P, t.Effect)
}

// checkImages returns an error if an image has fewer pixels than it says or none.
func checkImages(what string, images []imaging.RGB) error {
	for i, m := range images {
		if m.Width <= 0 || m.Height <= 0 || len(m.Pix) != 3*m.Width*m.Height {
			return fmt.Errorf("figure: %s: image %d is %d by %d with %d bytes",
				what, i, m.Width, m.Height, len(m.Pix))
		}
	}
	return nil
}
