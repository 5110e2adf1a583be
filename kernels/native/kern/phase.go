package kern

// phase is every step-th output position of one axis: those that the same taps of the kernel reach.
// With an undilated input it is all of them.
type phase struct {
	first, step, count int
	taps               []int // of the kernel
	from               []int // input position of each tap for the first output; it may lie outside
	stride             int   // distance of the input positions for successive outputs
}

// axis is what a convolution does along one axis.
type axis struct{ in, out, kernel, stride, dilation, inputDilation, low int }

func (g Geometry) axes() (h, w axis) {
	outH, outW := g.Out()
	h = axis{g.H, outH, g.KH, g.Stride[0], g.Dilation[0], g.InputDilation[0], g.Padding[0][0]}
	w = axis{g.W, outW, g.KW, g.Stride[1], g.Dilation[1], g.InputDilation[1], g.Padding[1][0]}
	return h, w
}

// phases splits the output such that no zero between input pixels is ever multiplied: output i with
// tap k reads the dilated input at i·stride + k·dilation - low, which is a pixel if inputDilation
// divides it. Whether it does depends on i modulo inputDilation / gcd(inputDilation, stride) alone.
func (a axis) phases() []phase {
	step := a.inputDilation / gcd(a.inputDilation, a.stride)
	var all []phase
	for first := range min(step, a.out) {
		p := phase{first: first, step: step, count: (a.out - first + step - 1) / step,
			stride: step * a.stride / a.inputDilation}
		for k := range a.kernel {
			if at := first*a.stride + k*a.dilation - a.low; at%a.inputDilation == 0 {
				p.taps, p.from = append(p.taps, k), append(p.from, at/a.inputDilation)
			}
		}
		all = append(all, p)
	}
	return all
}

// reach lists for each output position the taps that fall on a pixel, and those pixels.
func (a axis) reach() [][][2]int {
	all := make([][][2]int, a.out)
	for _, p := range a.phases() {
		for t := range p.count {
			for i, k := range p.taps {
				if in := p.from[i] + t*p.stride; in >= 0 && in < a.in {
					at := p.first + t*p.step
					all[at] = append(all[at], [2]int{k, in})
				}
			}
		}
	}
	return all
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
