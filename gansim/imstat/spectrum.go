package imstat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/floats"
)

// transform holds the plans and buffers of a two-dimensional power spectrum.
type transform struct {
	height, width, half int // half: columns of the half spectrum, width/2+1
	rows                *fourier.FFT
	columns             *fourier.CmplxFFT
	line                []float64
	spectrum            []complex128 // [half, height], one column of the image's spectrum a row
	coefficients        []complex128
	column              []complex128
}

func newTransform(height, width int) *transform {
	half := width/2 + 1
	return &transform{
		height: height, width: width, half: half,
		rows: fourier.NewFFT(width), columns: fourier.NewCmplxFFT(height),
		line:     make([]float64, width),
		spectrum: make([]complex128, half*height), coefficients: make([]complex128, half),
		column: make([]complex128, height),
	}
}

// rings averages |FFT2|^2 of a plane over rings of integer radius. The value of its first pixel is
// taken away first: that changes nothing but the constant term, which no ring holds, and makes the
// spectrum of a constant image exactly zero.
func (t *transform) rings(plane []float64) (power []float64, counts []int) {
	for y := range t.height {
		copy(t.line, plane[y*t.width:(y+1)*t.width])
		floats.AddConst(-plane[0], t.line)
		t.rows.Coefficients(t.coefficients, t.line)
		for x, c := range t.coefficients {
			t.spectrum[x*t.height+y] = c
		}
	}
	power = make([]float64, min(t.height, t.width)/2)
	counts = make([]int, len(power))
	for x := range t.half {
		both := 2 // column width-x holds the same powers
		if x == 0 || 2*x == t.width {
			both = 1
		}
		t.columns.Coefficients(t.column, t.spectrum[x*t.height:(x+1)*t.height])
		for y, c := range t.column {
			fy := float64(min(y, t.height-y))
			ring := int(math.Floor(math.Sqrt(fy*fy+float64(x*x)) + 0.5))
			if ring < 1 || ring > len(power) {
				continue
			}
			power[ring-1] += float64(both) * (real(c)*real(c) + imag(c)*imag(c))
			counts[ring-1] += both
		}
	}
	for i, n := range counts {
		power[i] /= float64(n)
	}
	return power, counts
}

// Rings averages the power |FFT2|^2 of a plane (no window, not normalised) over rings of integer
// radius k = floor(sqrt(fx^2+fy^2) + 0.5), fx and fy in cycles per image. Element i is ring i+1;
// the last is min(height, width)/2. The constant term and the corners beyond fall out. counts says
// how many frequencies a ring holds. Any height and width will do.
func (p *Picture) Rings(plane Plane) (power []float64, counts []int) {
	if p.fft == nil {
		p.fft = newTransform(p.height, p.width)
	}
	return p.fft.rings(p.Plane(plane))
}

// Spectrum is the radial power spectrum of fourier_utils.py: the mean of |FFT2|^2 over the bin
// [k-1/2, k+1/2), times the area of that annulus, pi ((k+1/2)^2 - (k-1/2)^2) = 2 pi k, for the
// frequencies k = 1 ... n/2 of [Frequencies]. The factor adds 1 to the exponent of the usual
// rotational average. An image that is not square gives an error that wraps ErrShape. A constant
// image gives zeros.
func (p *Picture) Spectrum(plane Plane) ([]float64, error) {
	if p.height != p.width {
		return nil, fmt.Errorf("imstat: spectrum of %d x %d, want a square: %w", p.height, p.width,
			ErrShape)
	}
	power, _ := p.Rings(plane)
	for i := range power {
		power[i] *= 2 * math.Pi * float64(i+1)
	}
	return power, nil
}

// Frequencies are the centres of the bins of a spectrum of n bins, 1 ... n cycles per image.
func Frequencies(n int) []float64 {
	k := make([]float64, n)
	for i := range k {
		k[i] = float64(i + 1)
	}
	return k
}

// Share divides a spectrum by its sum, into new memory. Zeros give NaN.
func Share(spectrum []float64) []float64 {
	out := make([]float64, len(spectrum))
	floats.ScaleTo(out, 1/floats.Sum(spectrum), spectrum)
	return out
}

// PerVariance is the gray spectrum divided by the unbiased variance of the gray plane, the second
// normalisation of Ref_image_PSD_compute.py. A constant image gives NaN.
func (p *Picture) PerVariance() ([]float64, error) {
	out, err := p.Spectrum(Gray)
	if err != nil {
		return nil, err
	}
	floats.Scale(1/sampleVariance(p.Plane(Gray)), out)
	return out, nil
}

// Line is a straight line through logarithms: log10(value) = Intercept + Slope log10(k).
type Line struct{ Slope, Intercept float64 }

// Fit is the least-squares line through a spectrum over all its bins k = 1 ... len(spectrum), in
// base-10 logarithms. NaN for fewer than two bins or if a value is not above zero.
func Fit(spectrum []float64) Line { return fitRange(spectrum, 1, len(spectrum)) }

// noPower is the power at or below which a ring counts as empty, rounding noise of a constant image
// (a choice of the reference files).
const noPower = 1e-12

// noLine stands for a fit that is undefined.
func noLine() Line { return Line{math.NaN(), math.NaN()} }

// fitRange fits the bins from ... to, counted from 1.
func fitRange(spectrum []float64, from, to int) Line {
	from, to = max(from, 1), min(to, len(spectrum))
	if to <= from {
		return noLine()
	}
	n := float64(to - from + 1)
	var mx, my float64
	for k := from; k <= to; k++ {
		if !(spectrum[k-1] > 0) {
			return noLine()
		}
		mx += math.Log10(float64(k)) / n
		my += math.Log10(spectrum[k-1]) / n
	}
	var xx, xy float64
	for k := from; k <= to; k++ {
		dx := math.Log10(float64(k)) - mx
		xx += dx * dx
		xy += dx * (math.Log10(spectrum[k-1]) - my)
	}
	return Line{Slope: xy / xx, Intercept: my - xy/xx*mx}
}

// Band is the mean of several spectra, bin by bin, and its standard error sqrt(variance/n) with
// n-ddof in the variance; Ref_image_PSD_compute.py has ddof 0. Rows of unequal length give an error
// that wraps ErrShape; so do no rows. With n <= ddof the error is NaN.
func Band(rows [][]float64, ddof int) (mean, sem []float64, err error) {
	if len(rows) == 0 {
		return nil, nil, fmt.Errorf("imstat: mean of no spectra: %w", ErrShape)
	}
	n := float64(len(rows))
	mean, sem = make([]float64, len(rows[0])), make([]float64, len(rows[0]))
	for _, r := range rows {
		if len(r) != len(mean) {
			return nil, nil, fmt.Errorf("imstat: spectrum of %d bins, want %d: %w", len(r),
				len(mean), ErrShape)
		}
		floats.AddScaled(mean, 1/n, r)
	}
	for _, r := range rows {
		for i, v := range r {
			sem[i] += (v - mean[i]) * (v - mean[i])
		}
	}
	free := max(0, n-float64(ddof))
	for i, v := range sem {
		sem[i] = math.Sqrt(v / free / n)
	}
	return mean, sem, nil
}
