package objectness

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"gansim.example/gansim/ranktest"
)

// Summary describes the detections in a set of images. Numbers that a set is too small for are NaN.
type Summary struct {
	N        int     // images
	Detected int     // images with an object
	Rate     float64 // Detected / N, the paper's "object detect rate"
	// RateLo and RateHi are Wilson's 95 % interval of the rate.
	RateLo, RateHi float64
	// Confidence and ConfidenceSEM are mean and standard error over the images with an object.
	Confidence, ConfidenceSEM float64
	// Fill0 and Fill0SEM are the same over all images, those without an object counting as 0.
	Fill0, Fill0SEM float64
}

// Summarize describes a set by the confidences of its images, NaN where no object was found.
// Standard deviations divide by n-1 (pandas' sem, as in the paper's analysis).
func Summarize(confidences []float64) (Summary, error) {
	if len(confidences) == 0 {
		return Summary{}, errors.New("objectness: summary of no images")
	}
	var detected []float64
	filled := make([]float64, len(confidences))
	for i, v := range confidences {
		switch {
		case math.IsNaN(v):
		case v < 0 || v > 1:
			return Summary{}, fmt.Errorf("objectness: image %d: confidence is %v", i, v)
		default:
			detected = append(detected, v)
			filled[i] = v
		}
	}
	s := Summary{N: len(confidences), Detected: len(detected)}
	s.Rate = float64(s.Detected) / float64(s.N)
	var err error
	if s.RateLo, s.RateHi, err = ranktest.Wilson(s.Detected, s.N, 0); err != nil {
		return Summary{}, err
	}
	s.Confidence, s.ConfidenceSEM = meanSEM(detected)
	s.Fill0, s.Fill0SEM = meanSEM(filled)
	return s, nil
}

// meanSEM returns the mean and its standard error; NaN for no value, and the error for one.
func meanSEM(x []float64) (mean, sem float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	if len(x) == 1 {
		return x[0], math.NaN()
	}
	mean, sd := stat.MeanStdDev(x, nil)
	return mean, stat.StdErr(sd, float64(len(x)))
}

// Fill0 returns the confidence of an image, 0 where no object was found.
func (m Image) Fill0() float64 {
	if m.Objects == 0 {
		return 0
	}
	return m.Confidence
}
