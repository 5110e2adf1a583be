package imstat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Angles is the number of orientations of an orientation spectrum, one a degree.
const Angles = 180

// Rotator turns square planes of one size by cubic B-splines, as scipy.ndimage.rotate does with
// order 3, reshape false and mode constant. It owns its buffers and is not safe for concurrent use.
type Rotator struct {
	size, stride     int
	coefficients     []float64 // spline coefficients, one more row and column before, two after
	line             []float64
	rowSums, colSums []float64
}

// NewRotator makes a rotator of size x size planes, size at least 2.
func NewRotator(size int) (*Rotator, error) {
	if size < 2 {
		return nil, fmt.Errorf("imstat: rotation of size %d, want at least 2: %w", size, ErrShape)
	}
	stride := size + 3
	return &Rotator{size: size, stride: stride,
		coefficients: make([]float64, stride*stride), line: make([]float64, size),
		rowSums: make([]float64, size), colSums: make([]float64, size)}, nil
}

// Coefficients returns the cubic B-spline coefficients of a plane, [size, size], in new memory
// (scipy.ndimage.spline_filter with order 3 and mode mirror).
func (r *Rotator) Coefficients(plane []float64) ([]float64, error) {
	if err := r.filter(plane); err != nil {
		return nil, err
	}
	out := make([]float64, 0, len(plane))
	for y := range r.size {
		out = append(out, r.coefficients[(y+1)*r.stride+1:][:r.size]...)
	}
	return out, nil
}

// Rotate turns a plane, [size, size], by an angle in degrees, into new memory. The output's row r
// and column q, counted from the centre c = (size-1)/2, come from row c + cos r + sin q and column
// c - sin r + cos q; where that is outside [0, size-1] the result is 0.
func (r *Rotator) Rotate(plane []float64, degrees float64) ([]float64, error) {
	if err := r.filter(plane); err != nil {
		return nil, err
	}
	out := make([]float64, 0, len(plane))
	r.turn(degrees, func(_, _ int, v float64) { out = append(out, v) })
	return out, nil
}

// Orientation returns S(theta), theta = 0 ... 179 degrees: the plane turned by theta, summed along
// its rows, squared, summed (orientation spectrum of fourier_utils.py before its division by the
// largest). A plane turned by theta + 90 is the plane turned by theta, turned by a right angle, so
// that the sums of its rows are the sums of columns: half of the turns are enough.
func (r *Rotator) Orientation(plane []float64) ([]float64, error) {
	if err := r.filter(plane); err != nil {
		return nil, err
	}
	out := make([]float64, Angles)
	for theta := range Angles / 2 {
		clear(r.rowSums)
		clear(r.colSums)
		r.turn(float64(theta), func(y, x int, v float64) {
			r.rowSums[y] += v
			r.colSums[x] += v
		})
		out[theta] = floats.Dot(r.rowSums, r.rowSums)
		out[theta+Angles/2] = floats.Dot(r.colSums, r.colSums)
	}
	return out, nil
}

// turn calls put for every pixel of the turned plane, row by row.
func (r *Rotator) turn(degrees float64, put func(y, x int, v float64)) {
	sin, cos := sincos(degrees)
	centre, last := float64(r.size-1)/2, float64(r.size-1)
	for y := range r.size {
		dy := float64(y) - centre
		for x := range r.size {
			dx := float64(x) - centre
			sy, sx := centre+cos*dy+sin*dx, centre-sin*dy+cos*dx
			if !(sy >= 0 && sy <= last && sx >= 0 && sx <= last) {
				put(y, x, 0)
				continue
			}
			put(y, x, r.at(sy, sx))
		}
	}
}

// at is the spline's value at a place inside the plane.
func (r *Rotator) at(y, x float64) float64 {
	iy, ix := int(y), int(x)
	a0, a1, a2, a3 := taps(y - float64(iy))
	b0, b1, b2, b3 := taps(x - float64(ix))
	start := iy*r.stride + ix // the border before makes this the tap above and to the left
	c0 := r.coefficients[start : start+4 : start+4]
	start += r.stride
	c1 := r.coefficients[start : start+4 : start+4]
	start += r.stride
	c2 := r.coefficients[start : start+4 : start+4]
	start += r.stride
	c3 := r.coefficients[start : start+4 : start+4]
	return a0*(b0*c0[0]+b1*c0[1]+b2*c0[2]+b3*c0[3]) +
		a1*(b0*c1[0]+b1*c1[1]+b2*c1[2]+b3*c1[3]) +
		a2*(b0*c2[0]+b1*c2[1]+b2*c2[2]+b3*c2[3]) +
		a3*(b0*c3[0]+b1*c3[1]+b2*c3[2]+b3*c3[3])
}

// taps are the weights of the cubic B-spline for the four coefficients around a place that lies d,
// in [0, 1), after the second.
func taps(d float64) (w0, w1, w2, w3 float64) {
	e := 1 - d
	w0 = e * e * e / 6
	w1 = 2.0/3 - d*d*(1-d/2)
	w2 = 2.0/3 - e*e*(1-e/2)
	w3 = d * d * d / 6
	return w0, w1, w2, w3
}

// sincos is exact at multiples of 90 degrees, like SciPy's sindg and cosdg: a cosine of 6e-17
// instead of 0 would throw pixels at the edge out of the plane.
func sincos(degrees float64) (sin, cos float64) {
	degrees = math.Mod(degrees, 360)
	if degrees < 0 {
		degrees += 360
	}
	quarter := math.Floor(degrees / 90)
	sin, cos = math.Sincos((degrees - 90*quarter) * math.Pi / 180)
	for range int(quarter) {
		sin, cos = cos, -sin
	}
	return sin, cos
}

// filter computes the spline coefficients of a plane and mirrors them into the border.
func (r *Rotator) filter(plane []float64) error {
	if len(plane) != r.size*r.size {
		return fmt.Errorf("imstat: plane of %d values, want %d x %d: %w", len(plane), r.size,
			r.size, ErrShape)
	}
	c, n := r.coefficients, r.size
	for y := range n {
		row := c[(y+1)*r.stride+1:][:n]
		copy(row, plane[y*n:(y+1)*n])
		prefilter(row)
	}
	for x := range n {
		for y := range n {
			r.line[y] = c[(y+1)*r.stride+x+1]
		}
		prefilter(r.line)
		for y := range n {
			c[(y+1)*r.stride+x+1] = r.line[y]
		}
	}
	for y := range r.stride {
		for x := range r.stride {
			c[y*r.stride+x] = c[(mirror(y-1, n)+1)*r.stride+mirror(x-1, n)+1]
		}
	}
	return nil
}

// mirror folds an index into [0, n) as ... 2 1 0 1 2 ... n-2 n-1 n-2 ..., n at least 2.
func mirror(i, n int) int {
	period := 2 * (n - 1)
	i = (i%period + period) % period
	return min(i, period-i)
}

// prefilter turns samples into cubic B-spline coefficients in place, ends mirrored
// (scipy.ndimage.spline_filter1d with order 3; Unser, IEEE Signal Proc. Mag. 1999, box 2).
func prefilter(c []float64) {
	pole := math.Sqrt(3) - 2
	floats.Scale((1-pole)*(1-1/pole), c)
	period := 2 * (len(c) - 1)
	var sum float64
	power := 1.0
	for i := range period {
		sum += power * c[min(i, period-i)]
		power *= pole
	}
	c[0] = sum / (1 - power)
	for i := 1; i < len(c); i++ {
		c[i] += pole * c[i-1]
	}
	last := len(c) - 1
	c[last] = (pole*c[last-1] + c[last]) * pole / (pole*pole - 1)
	for i := last - 1; i >= 0; i-- {
		c[i] = pole * (c[i+1] - c[i])
	}
}

// OrientationPower returns S(theta) of the gray plane for theta = 0 ... 179 degrees, see
// [Rotator.Orientation]. An image that is not square gives an error that wraps ErrShape.
func (p *Picture) OrientationPower() ([]float64, error) {
	if p.height != p.width {
		return nil, fmt.Errorf("imstat: orientations of %d x %d, want a square: %w", p.height,
			p.width, ErrShape)
	}
	if p.orientation == nil {
		if p.rotator == nil {
			r, err := NewRotator(p.height)
			if err != nil {
				return nil, err
			}
			p.rotator = r
		}
		s, err := p.rotator.Orientation(p.Plane(Gray))
		if err != nil {
			return nil, err
		}
		p.orientation = s
	}
	return slices.Clone(p.orientation), nil
}

// Orientation is the orientation spectrum of fourier_utils.py, S(theta)/max S, in [0, 1]. A black
// image gives NaN.
func (p *Picture) Orientation() ([]float64, error) {
	s, err := p.OrientationPower()
	if err != nil {
		return nil, err
	}
	floats.Scale(1/floats.Max(s), s)
	return s, nil
}
