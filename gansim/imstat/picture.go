// Package imstat measures low-level statistics of single RGB images: luminance, contrast, colour,
// entropy, edges, and the power spectra over spatial frequency and orientation.
//
// The legend of the panel that compares such statistics between two generators does not name them.
// The main candidates here are the functions of the authors' own core/utils/fourier_utils.py
// ([SourceFourier]) and core/Ref_image_PSD_compute.py ([SourcePower]); the others are extras.
// [Statistics] lists all that are one number; spectra are methods of [Picture].
//
// Numbers follow the programs that people use: numpy, scipy.ndimage, scikit-image and OpenCV, whose
// functions the comments name. Images are [height, width, 3], RGB in [0, 1]; all arithmetic is
// float64. An image is read as it is, neither resized nor padded.
package imstat

import (
	"errors"
	"fmt"
	"math"
)

// ErrPixel is wrapped by the error for an image with a value that is NaN or outside [0, 1].
var ErrPixel = errors.New("pixel is not in [0, 1]")

// ErrShape is wrapped by the errors for sizes that do not fit, such as a spectrum over frequency of
// an image that is not square.
var ErrShape = errors.New("wrong shape")

// Picture is one image with the planes that several statistics share, computed when first wanted.
// It is not safe for concurrent use. Use one per worker and [Picture.Reset] it for each image: the
// buffers of the spectra are kept while the size stays.
type Picture struct {
	height, width int
	rgb           []float64 // [height, width, 3]

	planes      [len(greys)][]float64 // [height, width], by Plane
	hsv, lab    []float64             // [height, width, 3]
	sobel       []float64             // [height, width]
	orientation []float64             // [Angles], see Rotator.Orientation

	fft     *transform
	rotator *Rotator
}

// New makes a picture of pix, [height, width, 3], values in [0, 1].
func New(height, width int, pix []float32) (*Picture, error) {
	p := new(Picture)
	if err := p.Reset(height, width, pix); err != nil {
		return nil, err
	}
	return p, nil
}

// NewBytes makes a picture of 8-bit values, [height, width, 3]. A value v stands for v/255, which a
// float32 can only hold with an error of 3e-8; spectra of faint frequencies show the difference.
func NewBytes(height, width int, pix []uint8) (*Picture, error) {
	p := new(Picture)
	if err := p.reshape(height, width, len(pix)); err != nil {
		return nil, err
	}
	for i, v := range pix {
		p.rgb[i] = float64(v) / 255
	}
	return p, nil
}

// Reset makes p a picture of pix, as New does. The pixels are copied. After an error p is of no use
// before another Reset.
func (p *Picture) Reset(height, width int, pix []float32) error {
	if err := p.reshape(height, width, len(pix)); err != nil {
		return err
	}
	for i, v := range pix {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("imstat: value %d is %g: %w", i, v, ErrPixel)
		}
		p.rgb[i] = float64(v)
	}
	return nil
}

// reshape checks the size and forgets what was computed.
func (p *Picture) reshape(height, width, values int) error {
	if height < 2 || width < 2 || values != height*width*3 {
		return fmt.Errorf("imstat: image of %d x %d with %d values, want at least 2 x 2 and 3 "+
			"values a pixel: %w", height, width, values, ErrShape)
	}
	next := Picture{height: height, width: width, rgb: p.rgb, rotator: p.rotator, fft: p.fft}
	if height != p.height || width != p.width {
		next.rotator, next.fft = nil, nil
		next.rgb = make([]float64, values)
	}
	*p = next
	return nil
}

// Size is the height and width, pixels.
func (p *Picture) Size() (height, width int) { return p.height, p.width }

// Plane names one of the grey versions of an image.
type Plane int

const (
	// Gray is the plain mean of R, G and B, in [0, 1].
	Gray Plane = iota
	// Normalised is the mean of the channels after subtraction of ImageNet's mean and division by
	// its standard deviation, about [-2.1, 2.6]; the grey of Ref_image_PSD_compute.py.
	Normalised
	// Luma is 0.2125 R + 0.7154 G + 0.0721 B, in [0, 1] (skimage.color.rgb2gray).
	Luma
)

// Mean and standard deviation of ImageNet's channels, as torchvision's models use them.
var (
	imagenetMean = [3]float64{0.485, 0.456, 0.406}
	imagenetStd  = [3]float64{0.229, 0.224, 0.225}
)

// greys are the formulas of the planes.
var greys = [...]func(r, g, b float64) float64{
	Gray: func(r, g, b float64) float64 { return (r + g + b) / 3 },
	Normalised: func(r, g, b float64) float64 {
		return ((r-imagenetMean[0])/imagenetStd[0] + (g-imagenetMean[1])/imagenetStd[1] +
			(b-imagenetMean[2])/imagenetStd[2]) / 3
	},
	Luma: func(r, g, b float64) float64 {
		return float64(0.2125*r) + float64(0.7154*g) + float64(0.0721*b)
	},
}

// Plane returns a grey version, [height, width]. Picture owns it: it must not be changed, and the
// next Reset ends its validity. A plane other than the three constants is out of range.
func (p *Picture) Plane(plane Plane) []float64 {
	if p.planes[plane] == nil {
		out := make([]float64, p.height*p.width)
		for i := range out {
			out[i] = greys[plane](p.rgb[3*i], p.rgb[3*i+1], p.rgb[3*i+2])
		}
		p.planes[plane] = out
	}
	return p.planes[plane]
}

// HSV returns hue (turns, in [0, 1)), saturation and value of each pixel, [height, width, 3]
// (skimage.color.rgb2hsv). Picture owns it, as for [Picture.Plane].
func (p *Picture) HSV() []float64 { return p.triples(&p.hsv, hsv) }

// Lab returns CIE L* (0 to 100), a* and b* of each pixel for sRGB and illuminant D65,
// [height, width, 3] (skimage.color.rgb2lab). Picture owns it, as for [Picture.Plane].
func (p *Picture) Lab() []float64 { return p.triples(&p.lab, lab) }

// triples fills [height, width, 3] once.
func (p *Picture) triples(at *[]float64, of func(r, g, b float64) [3]float64) []float64 {
	if *at == nil {
		out := make([]float64, len(p.rgb))
		for i := 0; i < len(out); i += 3 {
			v := of(p.rgb[i], p.rgb[i+1], p.rgb[i+2])
			copy(out[i:], v[:])
		}
		*at = out
	}
	return *at
}

// hsv converts one pixel as skimage.color.rgb2hsv does: where two channels are largest the later
// one decides the hue; hue and saturation of a grey pixel are 0.
func hsv(r, g, b float64) [3]float64 {
	value := max(r, g, b)
	delta := value - min(r, g, b)
	if delta == 0 {
		return [3]float64{0, 0, value}
	}
	var hue float64
	switch value {
	case b:
		hue = 4 + (r-g)/delta
	case g:
		hue = 2 + (b-r)/delta
	default:
		hue = (g - b) / delta
	}
	hue /= 6
	return [3]float64{hue - math.Floor(hue), delta / value, value}
}

// xyz is the matrix of linear sRGB to CIE XYZ, and white the XYZ of illuminant D65 for the 2 degree
// observer, both as written in skimage.color.colorconv.
var (
	xyz = [3][3]float64{
		{0.412453, 0.357580, 0.180423},
		{0.212671, 0.715160, 0.072169},
		{0.019334, 0.119193, 0.950227},
	}
	white = [3]float64{0.95047, 1, 1.08883}
)

// lab converts one pixel as skimage.color.rgb2lab does.
func lab(r, g, b float64) [3]float64 {
	r, g, b = linear(r), linear(g), linear(b)
	var f [3]float64
	for i, m := range xyz {
		f[i] = labCurve((m[0]*r + m[1]*g + m[2]*b) / white[i])
	}
	return [3]float64{116*f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])}
}

// linear undoes the sRGB transfer curve (IEC 61966-2-1).
func linear(v float64) float64 {
	if v > 0.04045 {
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return v / 12.92
}

// labCurve is the CIE cube root with its linear start, constants as in scikit-image.
func labCurve(t float64) float64 {
	if t > 0.008856 {
		return math.Cbrt(t)
	}
	return 7.787*t + 16.0/116
}
