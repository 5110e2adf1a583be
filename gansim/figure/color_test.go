package figure

import (
	"image/color"
	"math"
	"testing"
)

// leastDeltaE is the CIE 1976 colour difference that two colours which are told apart must keep
// for every reader; a difference of about 2.3 is just noticeable.
const leastDeltaE = 20

// leastLightness is the difference in L* that the two generators must keep in grey print.
const leastLightness = 15

// visions are the severest dichromacies of Machado, Oliveira & Fernandes 2009 (IEEE TVCG 15, 1291),
// on linear RGB, and normal sight.
func visions() map[string][9]float64 {
	return map[string][9]float64{
		"normal": {1, 0, 0, 0, 1, 0, 0, 0, 1},
		"protanopia": {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216,
			-0.003882, -0.048116, 1.051998},
		"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413,
			-0.011820, 0.042940, 0.968881},
		"tritanopia": {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602,
			0.004733, 0.691367, 0.303900},
	}
}

// lab is CIE L*a*b* (D65) of a colour as seen with a kind of sight.
func lab(c color.NRGBA, m [9]float64) [3]float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	in := [3]float64{lin(c.R), lin(c.G), lin(c.B)}
	var s [3]float64
	for i := range s {
		s[i] = math.Min(1, math.Max(0, m[3*i]*in[0]+m[3*i+1]*in[1]+m[3*i+2]*in[2]))
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*s[0] + 0.3575761*s[1] + 0.1804375*s[2]) / 0.95047)
	y := f(0.2126729*s[0] + 0.7151522*s[1] + 0.0721750*s[2])
	z := f((0.0193339*s[0] + 0.1191920*s[1] + 0.9503041*s[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func deltaE(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

func TestColoursForAllReaders(t *testing.T) {
	kinds := []Kind{Natural, DeePSim, BigGAN, Control}
	for name, m := range visions() {
		for i, a := range kinds {
			for _, b := range kinds[:i] {
				got := deltaE(lab(a.Color(), m), lab(b.Color(), m))
				if got < leastDeltaE {
					t.Errorf("%s: %v and %v differ by %.1f, want %v", name, a, b, got, leastDeltaE)
				}
			}
		}
	}
	normal := visions()["normal"]
	got := lab(BigGAN.Color(), normal)[0] - lab(DeePSim.Color(), normal)[0]
	if got < leastLightness {
		t.Errorf("BigGAN is lighter than DeePSim by %.1f in L*, want %v", got, leastLightness)
	}
}

func TestTints(t *testing.T) {
	normal := visions()["normal"]
	for _, k := range []Kind{Natural, DeePSim, BigGAN, Control} {
		for i := range 2 {
			if got := deltaE(lab(k.Tint(i), normal), lab(k.Tint(i+1), normal)); got < 8 {
				t.Errorf("%v: tints %d and %d differ by %.1f, want 8", k, i, i+1, got)
			}
		}
	}
	got := tints([]Set{{"a", BigGAN}, {"b", BigGAN}, {"a", BigGAN}, {"c", DeePSim}})
	if got["a"] != BigGAN.Tint(0) || got["b"] != BigGAN.Tint(1) || got["c"] != DeePSim.Tint(0) {
		t.Errorf("tints = %v", got)
	}
	if text := labelInk(BigGAN); (1.05)/(luminance(text)+0.05) < 4.5 {
		t.Errorf("red text on white has contrast %.2f, want 4.5", 1.05/(luminance(text)+0.05))
	}
}
