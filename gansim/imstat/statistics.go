package imstat

import (
	"math"
	"slices"
)

// Source says where a statistic comes from, and so how likely it is one of the published panel's.
type Source string

const (
	// SourceFourier is the authors' core/utils/fourier_utils.py, the best candidate.
	SourceFourier Source = "fourier_utils"
	// SourcePower is the authors' core/Ref_image_PSD_compute.py and its notebook.
	SourcePower Source = "Ref_image_PSD"
	// SourceASAP is Image_Statistic_Analysis of the same laboratory's 2021 paper.
	SourceASAP Source = "ASAP"
	// SourceExtra marks statistics in common use that none of the authors' programs computes.
	SourceExtra Source = "extra"
)

// Statistic is one number of an image.
type Statistic struct {
	Name   string // column name, such as "rms_contrast"
	Label  string // axis label with units
	Source Source
	// Value computes it. NaN where it is undefined: ratios of a black image, slopes of a constant
	// one, spectra of one that is not square.
	Value func(p *Picture) float64
}

// Main says whether the statistic is a main candidate for the published panel; others are extras.
func (s Statistic) Main() bool { return s.Source == SourceFourier || s.Source == SourcePower }

// Statistics lists all statistics, main candidates first. The caller owns the slice.
func Statistics() []Statistic {
	return []Statistic{
		{"rms_contrast", "RMS contrast (mean of R, G, B)", SourceFourier, channelContrast},
		{"orientation_max", "largest orientation power (a.u.)", SourceFourier, orientationMax},
		{"gray_mean", "mean luminance (0 to 1)", SourcePower, meanOf(Gray)},
		{"gray_variance", "luminance variance", SourcePower, varianceOf(Gray)},
		{"normalised_gray_mean", "mean normalised luminance (SD)", SourcePower,
			meanOf(Normalised)},
		{"normalised_gray_variance", "normalised luminance variance (SD²)", SourcePower,
			varianceOf(Normalised)},
		{"spectrum_slope", "slope of log power on log frequency", SourcePower,
			func(p *Picture) float64 { return p.fit(Gray).Slope }},
		{"spectrum_intercept", "log10 power at 1 cycle per image", SourcePower,
			func(p *Picture) float64 { return p.fit(Gray).Intercept }},
		{"normalised_spectrum_slope", "slope of log power on log frequency, normalised",
			SourcePower, func(p *Picture) float64 { return p.fit(Normalised).Slope }},
		{"normalised_spectrum_intercept", "log10 power at 1 cycle per image, normalised",
			SourcePower, func(p *Picture) float64 { return p.fit(Normalised).Intercept }},

		{"tamura_contrast", "Tamura contrast", SourceASAP, tamuraContrast},
		{"lstar_mean", "mean L* (0 to 100)", SourceASAP,
			func(p *Picture) float64 { return mean(channel(p.Lab(), 0)) }},
		{"lstar_entropy_nats", "entropy of L* (nats)", SourceASAP, lstarEntropy},
		{"lstar_energy", "energy of L* histogram", SourceASAP, lstarEnergy},

		{"saturation", "saturation (0 to 1)", SourceExtra,
			func(p *Picture) float64 { return mean(channel(p.HSV(), 1)) }},
		{"value", "HSV value (0 to 1)", SourceExtra,
			func(p *Picture) float64 { return mean(channel(p.HSV(), 2)) }},
		{"colorfulness_hasler", "colourfulness (0 to 255 scale)", SourceExtra, colorfulness},
		{"entropy_gray8_nats", "entropy of 8-bit gray (nats)", SourceExtra, grayEntropy},
		{"entropy_luma8_bits", "entropy of 8-bit luma (bits)", SourceExtra, lumaEntropy},
		{"mean_luminance", "mean luma (0 to 1)", SourceExtra, meanOf(Luma)},
		{"luma_contrast", "RMS contrast of luma", SourceExtra,
			func(p *Picture) float64 { return deviation(p.Plane(Luma)) }},
		{"michelson", "Michelson contrast of luma", SourceExtra, michelson},
		{"laplacian_variance", "variance of Laplacian of luma", SourceExtra,
			func(p *Picture) float64 { return variance(p.Laplacian()) }},
		{"laplacian_variance_8bit", "variance of Laplacian (0 to 255 scale)", SourceExtra,
			laplacianVariance8},
		{"sobel_mean", "mean gradient magnitude", SourceExtra,
			func(p *Picture) float64 { return mean(p.Sobel()) }},
		{"edge_density_sobel", "edge density (gradient above 0.1)", SourceExtra, sobelDensity},
		{"edge_density_canny", "edge density (Canny, scikit-image)", SourceExtra,
			(*Picture).cannyDensity},
		{"edge_density_canny_cv2", "edge density (Canny, OpenCV)", SourceExtra,
			(*Picture).cannyDensityCV},
		{"ring_slope", "slope of log ring power on log frequency", SourceExtra,
			func(p *Picture) float64 { return p.RingFit(1, p.rings()).Slope }},
		{"ring_slope_middle", "slope of log ring power, middle frequencies", SourceExtra,
			func(p *Picture) float64 { return p.RingFit(ringLow, p.rings()*3/4).Slope }},
	}
}

// Lookup returns the statistic of a name; ok is false if there is none.
func Lookup(name string) (s Statistic, ok bool) {
	all := Statistics()
	i := slices.IndexFunc(all, func(s Statistic) bool { return s.Name == name })
	if i < 0 {
		return Statistic{}, false
	}
	return all[i], true
}

// Moments are the mean and the population standard deviation of three channels.
type Moments struct{ Mean, Std [3]float64 }

// RGBMoments are those of R, G and B, in [0, 1].
func (p *Picture) RGBMoments() Moments { return moments(p.rgb) }

// HSVMoments are those of hue, saturation and value. The hue's are plain, not circular.
func (p *Picture) HSVMoments() Moments { return moments(p.HSV()) }

// LabMoments are those of L*, a* and b*.
func (p *Picture) LabMoments() Moments { return moments(p.Lab()) }

func moments(triples []float64) (m Moments) {
	for c := range m.Mean {
		plane := channel(triples, c)
		m.Mean[c], m.Std[c] = mean(plane), deviation(plane)
	}
	return m
}

// ringLow is the first of the middle rings; the last is 3/4 of their number. Both are a choice of
// the reference files.
const ringLow = 3

// rings is the number of rings that fit into the image.
func (p *Picture) rings() int { return min(p.height, p.width) / 2 }

// RingFit is the least-squares line through log10 ring power of the luma (see [Picture.Rings]) on
// log10 frequency, over the rings from ... to, as far as there are such. NaN if any ring of the
// image is empty or fewer than two are left.
func (p *Picture) RingFit(from, to int) Line {
	power, _ := p.Rings(Luma)
	for _, v := range power {
		if !(v > noPower) {
			return noLine()
		}
	}
	return fitRange(power, from, to)
}

// fit is the line through the radial spectrum of a plane; NaN for an image that is not square.
func (p *Picture) fit(plane Plane) Line {
	spectrum, err := p.Spectrum(plane)
	if err != nil {
		return noLine()
	}
	return Fit(spectrum)
}

// orientationMax is max S(theta); NaN for an image that is not square.
func orientationMax(p *Picture) float64 {
	s, err := p.OrientationPower()
	if err != nil {
		return math.NaN()
	}
	return slices.Max(s)
}

func meanOf(plane Plane) func(*Picture) float64 {
	return func(p *Picture) float64 { return mean(p.Plane(plane)) }
}

func varianceOf(plane Plane) func(*Picture) float64 {
	return func(p *Picture) float64 { return sampleVariance(p.Plane(plane)) }
}

// channelContrast is the population standard deviation of each channel, averaged over R, G, B.
func channelContrast(p *Picture) float64 {
	std := p.RGBMoments().Std
	return (std[0] + std[1] + std[2]) / 3
}

// tamuraContrast is std / kurtosis^(1/4) of gray, kurtosis m4/m2^2 (Tamura, Mori and Yamawaki, IEEE
// Trans. SMC 1978). A constant image has 0, its limit for a vanishing contrast.
func tamuraContrast(p *Picture) float64 {
	gray := p.Plane(Gray)
	m := mean(gray)
	var m2, m4 float64
	for _, v := range gray {
		d := (v - m) * (v - m)
		m2 += d
		m4 += d * d
	}
	if m2 == 0 {
		return 0
	}
	m2 /= float64(len(gray))
	m4 /= float64(len(gray))
	return math.Sqrt(m2) / math.Pow(m4/(m2*m2), 0.25)
}

// colorfulness is that of Hasler and Suesstrunk (SPIE 2003), on values 0 to 255:
// sqrt(var rg + var yb) + 0.3 sqrt(mean rg^2 + mean yb^2), rg = R-G, yb = (R+G)/2 - B.
func colorfulness(p *Picture) float64 {
	n := p.height * p.width
	rg, yb := make([]float64, n), make([]float64, n)
	for i := range n {
		r, g, b := 255*p.rgb[3*i], 255*p.rgb[3*i+1], 255*p.rgb[3*i+2]
		rg[i], yb[i] = r-g, 0.5*(r+g)-b
	}
	return math.Sqrt(variance(rg)+variance(yb)) + 0.3*math.Hypot(mean(rg), mean(yb))
}

// michelson is (max - min)/(max + min) of luma; NaN for a black image.
func michelson(p *Picture) float64 {
	low, high := slices.Min(p.Plane(Luma)), slices.Max(p.Plane(Luma))
	return (high - low) / (high + low)
}

func laplacianVariance8(p *Picture) float64 {
	gray := p.GrayCV()
	plane := make([]float64, len(gray))
	for i, v := range gray {
		plane[i] = float64(v)
	}
	return variance(laplacian(plane, p.height, p.width))
}

// sobelDensity is the share of pixels with a gradient magnitude above sobelThreshold.
func sobelDensity(p *Picture) float64 {
	count := 0
	for _, v := range p.Sobel() {
		if v > sobelThreshold {
			count++
		}
	}
	return float64(count) / float64(p.height*p.width)
}

// lumaEntropy is skimage.measure.shannon_entropy of the 8-bit luma.
func lumaEntropy(p *Picture) float64 {
	var counts [256]int
	for _, v := range p.Gray8() {
		counts[v]++
	}
	return entropy(counts[:]) / math.Ln2
}

func grayEntropy(p *Picture) float64 {
	return entropy(histogram(p.Plane(Gray), 255, 256))
}

func lstarEntropy(p *Picture) float64 {
	return entropy(histogram(channel(p.Lab(), 0), 1, 101))
}

// lstarEnergy is the sum of the squared shares of the histogram of L*.
func lstarEnergy(p *Picture) float64 {
	var sum float64
	for _, n := range histogram(channel(p.Lab(), 0), 1, 101) {
		share := float64(n) / float64(p.height*p.width)
		sum += share * share
	}
	return sum
}

// histogram counts floor(scale*v + 0.5), kept within [0, bins).
func histogram(plane []float64, scale float64, bins int) []int {
	counts := make([]int, bins)
	for _, v := range plane {
		counts[max(0, min(bins-1, int(math.Floor(scale*v+0.5))))]++
	}
	return counts
}

// entropy is -sum p ln p of the shares of a histogram, nats.
func entropy(counts []int) float64 {
	total, sum := 0, 0.0
	for _, n := range counts {
		total += n
	}
	for _, n := range counts {
		if n > 0 {
			share := float64(n) / float64(total)
			sum -= share * math.Log(share)
		}
	}
	return max(0, sum)
}

// channel copies one channel of [pixels, 3].
func channel(triples []float64, c int) []float64 {
	out := make([]float64, len(triples)/3)
	for i := range out {
		out[i] = triples[3*i+c]
	}
	return out
}

// mean adds the deviations from the first value, so that a constant plane has its value exactly.
func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x - v[0]
	}
	return v[0] + sum/float64(len(v))
}

// squares is the sum of squared deviations from the mean.
func squares(v []float64) float64 {
	m := mean(v)
	var sum float64
	for _, x := range v {
		sum += (x - m) * (x - m)
	}
	return sum
}

// variance divides by n, sampleVariance by n-1.
func variance(v []float64) float64       { return squares(v) / float64(len(v)) }
func sampleVariance(v []float64) float64 { return squares(v) / float64(len(v)-1) }

// deviation is the population standard deviation.
func deviation(v []float64) float64 { return math.Sqrt(variance(v)) }
