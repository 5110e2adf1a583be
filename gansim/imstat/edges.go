package imstat

import "math"

// Gray8 is the luma as 8-bit integers, 255*luma rounded half to even (skimage.img_as_ubyte),
// [height, width].
func (p *Picture) Gray8() []uint8 {
	luma := p.Plane(Luma)
	out := make([]uint8, len(luma))
	for i, v := range luma {
		out[i] = uint8(math.RoundToEven(255 * v))
	}
	return out
}

// GrayCV is OpenCV's 8-bit grey (COLOR_RGB2GRAY) of the image rounded to 8 bits: the weights
// 0.299, 0.587, 0.114 in fixed point with 15 bits; [height, width].
func (p *Picture) GrayCV() []uint8 {
	out := make([]uint8, p.height*p.width)
	for i := range out {
		var v [3]int
		for c := range v {
			v[c] = int(math.RoundToEven(255 * p.rgb[3*i+c]))
		}
		out[i] = uint8((v[0]*9798 + v[1]*19235 + v[2]*3735 + 1<<14) >> 15)
	}
	return out
}

// Sobel is the gradient magnitude of the luma, in [0, 1], [height, width]: both Sobel kernels with
// smoothing 1/4 1/2 1/4, root of the mean of the squares, borders mirrored with the edge pixel
// repeated (skimage.filters.sobel). Picture owns it, as for [Picture.Plane].
func (p *Picture) Sobel() []float64 {
	if p.sobel == nil {
		gy, gx := sobel(p.Plane(Luma), p.height, p.width)
		for i := range gy {
			gy[i] = math.Sqrt((gy[i]*gy[i]+gx[i]*gx[i])/2) / 4
		}
		p.sobel = gy
	}
	return p.sobel
}

// sobel returns the derivatives with the kernels 1 2 1 and -1 0 1, edge pixels repeated beyond the
// border (scipy.ndimage.sobel with mode reflect, which is the same for kernels of three).
func sobel(plane []float64, height, width int) (dy, dx []float64) {
	dy, dx = make([]float64, len(plane)), make([]float64, len(plane))
	for y := range height {
		up := plane[max(y-1, 0)*width:][:width]
		mid := plane[y*width:][:width]
		down := plane[min(y+1, height-1)*width:][:width]
		for x := range width {
			l, r := max(x-1, 0), min(x+1, width-1)
			dy[y*width+x] = (down[l] - up[l]) + 2*(down[x]-up[x]) + (down[r] - up[r])
			dx[y*width+x] = (up[r] - up[l]) + 2*(mid[r]-mid[l]) + (down[r] - down[l])
		}
	}
	return dy, dx
}

// Laplacian is the Laplacian of the luma, [height, width] (cv2.Laplacian).
func (p *Picture) Laplacian() []float64 { return laplacian(p.Plane(Luma), p.height, p.width) }

// laplacian applies the kernel 0 1 0 / 1 -4 1 / 0 1 0, borders mirrored without repeating the edge
// pixel (cv2.Laplacian with its default size and border).
func laplacian(plane []float64, height, width int) []float64 {
	out := make([]float64, len(plane))
	for y := range height {
		up, down := mirror(y-1, height)*width, mirror(y+1, height)*width
		for x := range width {
			out[y*width+x] = plane[up+x] + plane[down+x] + plane[y*width+mirror(x-1, width)] +
				plane[y*width+mirror(x+1, width)] - 4*plane[y*width+x]
		}
	}
	return out
}

// Thresholds of the edge densities. Sobel's is a choice of the reference files; Canny's are the
// defaults of scikit-image and the pair of OpenCV's tutorial.
const (
	sobelThreshold           = 0.1
	cannyLow, cannyHigh      = 0.1, 0.2
	cannyLowCV, cannyHighCV  = 100, 200
	cannySigma, cannyRadius  = 1.0, 4
	cannyTan22, cannyTanBits = 13573, 15 // tan(22.5 degrees) in fixed point, as in OpenCV
)

// cannyDensityCV is the share of edge pixels by cv2.Canny(gray, 100, 200): 3 x 3 Sobel derivatives
// of the 8-bit grey, |dx|+|dy|, suppression in four directions, hysteresis over eight neighbours.
func (p *Picture) cannyDensityCV() float64 {
	gray := p.GrayCV()
	plane := make([]float64, len(gray))
	for i, v := range gray {
		plane[i] = float64(v)
	}
	dy, dx := sobel(plane, p.height, p.width)
	magnitude := func(y, x int) int {
		if y < 0 || y >= p.height || x < 0 || x >= p.width {
			return 0
		}
		i := y*p.width + x
		return int(math.Abs(dy[i]) + math.Abs(dx[i]))
	}
	weak, strong := make([]bool, len(gray)), make([]bool, len(gray))
	for y := range p.height {
		for x := range p.width {
			i, m := y*p.width+x, magnitude(y, x)
			if m <= cannyLowCV {
				continue
			}
			weak[i] = ridgeCV(magnitude, y, x, int(dy[i]), int(dx[i]))
			strong[i] = weak[i] && m > cannyHighCV
		}
	}
	return hysteresis(weak, strong, p.height, p.width)
}

// ridgeCV says whether a pixel's magnitude is largest along its gradient, in OpenCV's integers.
func ridgeCV(magnitude func(y, x int) int, y, x, dy, dx int) bool {
	m := magnitude(y, x)
	ax, ay := max(dx, -dx), max(dy, -dy)<<cannyTanBits
	tan22 := ax * cannyTan22
	tan67 := tan22 + ax<<(cannyTanBits+1)
	switch {
	case ay < tan22:
		return m > magnitude(y, x-1) && m >= magnitude(y, x+1)
	case ay > tan67:
		return m > magnitude(y-1, x) && m >= magnitude(y+1, x)
	}
	side := 1
	if dx^dy < 0 {
		side = -1
	}
	return m > magnitude(y-1, x-side) && m > magnitude(y+1, x+side)
}

// cannyDensity is the share of edge pixels by skimage.feature.canny(luma, sigma=1): Gaussian
// smoothing with zeros outside and the loss made good, Sobel derivatives, suppression with
// interpolated neighbours, thresholds 0.1 and 0.2, hysteresis over eight neighbours. The outermost
// pixels are never edges.
func (p *Picture) cannyDensity() float64 {
	smooth := p.smoothed()
	dy, dx := sobel(smooth, p.height, p.width)
	magnitude := make([]float64, len(dy))
	for i := range dy {
		magnitude[i] = math.Sqrt(float64(dy[i]*dy[i]) + float64(dx[i]*dx[i]))
	}
	weak, strong := make([]bool, len(dy)), make([]bool, len(dy))
	for y := 1; y < p.height-1; y++ {
		for x := 1; x < p.width-1; x++ {
			i := y*p.width + x
			if magnitude[i] < cannyLow {
				continue
			}
			weak[i] = ridge(magnitude, i, p.width, dy[i], dx[i])
			strong[i] = weak[i] && magnitude[i] >= cannyHigh
		}
	}
	return hysteresis(weak, strong, p.height, p.width)
}

// ridge says whether the magnitude at i is not below the two values along the gradient (dy, dx),
// each interpolated between a straight and a diagonal neighbour.
func ridge(magnitude []float64, i, width int, dy, dx float64) bool {
	diagonal := width + 1
	if dy*dx < 0 {
		diagonal = 1 - width
	}
	straight, weight := 1, math.Abs(dy)/math.Abs(dx)
	if math.Abs(dy) > math.Abs(dx) {
		straight, weight = diagonal-1, math.Abs(dx)/math.Abs(dy)
	}
	for _, sign := range [2]int{1, -1} {
		near := magnitude[i+sign*straight]
		far := magnitude[i+sign*diagonal]
		if float64(far*weight)+float64(near*(1-weight)) > magnitude[i] {
			return false
		}
	}
	return true
}

// smoothed is the luma after a Gaussian of sigma 1 cut at 4, divided by the same of ones plus
// machine epsilon.
func (p *Picture) smoothed() []float64 {
	var kernel [2*cannyRadius + 1]float64
	var sum float64
	for i := range kernel {
		d := float64(i-cannyRadius) / cannySigma
		kernel[i] = math.Exp(-0.5 * d * d)
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	blur := func(plane []float64) []float64 {
		down := make([]float64, len(plane))
		out := make([]float64, len(plane))
		for y := range p.height {
			for x := range p.width {
				var v float64
				for k := max(0, cannyRadius-y); k < min(len(kernel), p.height+cannyRadius-y); k++ {
					v += kernel[k] * plane[(y+k-cannyRadius)*p.width+x]
				}
				down[y*p.width+x] = v
			}
			for x := range p.width {
				var v float64
				for k := max(0, cannyRadius-x); k < min(len(kernel), p.width+cannyRadius-x); k++ {
					v += kernel[k] * down[y*p.width+x+k-cannyRadius]
				}
				out[y*p.width+x] = v
			}
		}
		return out
	}
	ones := make([]float64, p.height*p.width)
	for i := range ones {
		ones[i] = 1
	}
	out, share := blur(p.Plane(Luma)), blur(ones)
	for i := range out {
		out[i] /= share[i] + 0x1p-52
	}
	return out
}

// hysteresis is the share of weak pixels that hang together with a strong one over eight
// neighbours. It changes weak.
func hysteresis(weak, strong []bool, height, width int) float64 {
	var stack []int
	for i, s := range strong {
		if s {
			stack = append(stack, i)
			weak[i] = false
		}
	}
	found := 0
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		found++
		for y := max(i/width-1, 0); y <= min(i/width+1, height-1); y++ {
			for x := max(i%width-1, 0); x <= min(i%width+1, width-1); x++ {
				if j := y*width + x; weak[j] {
					weak[j] = false
					stack = append(stack, j)
				}
			}
		}
	}
	return float64(found) / float64(len(weak))
}
