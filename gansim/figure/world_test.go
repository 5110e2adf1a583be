package figure

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gansim.example/gansim/imaging"
)

// world makes synthetic data of any size. It knows nothing of the paper's results.
type world struct{ rng *rand.Rand }

func newWorld(seed uint64) world { return world{rand.New(rand.NewPCG(seed, 7))} }

// picture is a smooth pattern with a disc.
func (w world) picture(size int) imaging.RGB {
	m := imaging.NewRGB(size, size)
	var a [3][4]float64
	for i := range a {
		a[i] = [4]float64{w.rng.Float64()*9 - 4, w.rng.Float64()*9 - 4, w.rng.Float64() * 6,
			0.25 + 0.5*w.rng.Float64()}
	}
	cx, cy, r := w.rng.Float64(), w.rng.Float64(), 0.15+0.2*w.rng.Float64()
	for y := range size {
		for x := range size {
			u, v := float64(x)/float64(size), float64(y)/float64(size)
			for k := range 3 {
				g := a[k][3] + 0.3*math.Sin(a[k][0]*u+a[k][1]*v+a[k][2])
				if math.Hypot(u-cx, v-cy) < r {
					g = 1 - g*a[k][3]
				}
				m.Pix[(y*size+x)*3+k] = uint8(255 * math.Min(1, math.Max(0, g)))
			}
		}
	}
	return m
}

func (w world) pictures(n, size int) []imaging.RGB {
	out := make([]imaging.RGB, n)
	for i := range out {
		out[i] = w.picture(size)
	}
	return out
}

func (w world) normal(n int, mean, sd float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + sd*w.rng.NormFloat64()
	}
	return out
}

func (w world) confidence(n int, mean float64) []float64 {
	out := w.normal(n, mean, 0.17)
	for i := range out {
		out[i] = math.Min(0.98, math.Max(0.05, out[i]))
	}
	return out
}

func sevenSets() []Set {
	return []Set{{"ImageNet", Natural}, {"EcoSet", Natural}, {"THINGS", Natural}, {"COCO", Natural},
		{"BigGAN", BigGAN}, {"BigGAN-RND", BigGAN}, {"DeePSim", DeePSim}}
}

func (w world) panelA(sets []Set, n int) *PanelA {
	p := &PanelA{Sets: sets, FIDImages: n, Grids: []Grid{
		{Set{"DeePSim", DeePSim}, w.pictures(20, 64)}, {Set{"BigGAN", BigGAN}, w.pictures(20, 64)},
	}}
	for i, s := range sets {
		if s.Kind == Natural {
			p.References = append(p.References, s.Name)
		}
		for _, t := range sets[:i] {
			v := 4 + 30*w.rng.Float64()
			if s.Kind == DeePSim || t.Kind == DeePSim {
				v += 150
			}
			p.FID = append(p.FID, Distance{s.Name, t.Name, v, v * 0.94, v * 1.06})
		}
		rate := 0.9 - 0.1*float64(i)
		d := 1.96 * math.Sqrt(rate*(1-rate)/float64(n+1))
		p.Detection = append(p.Detection, Rate{s, n, rate,
			math.Max(0, rate-d), math.Min(1, rate+d)})
		p.Confidence = append(p.Confidence, Group{s, w.confidence(n, 0.75-0.06*float64(i))})
	}
	return p
}

func (w world) panelB(statistics, n int) *PanelB {
	p := &PanelB{}
	a, b := Set{"DeePSim", DeePSim}, Set{"BigGAN", BigGAN}
	names := []string{"RMS contrast", "Luminance", "Saturation", "Entropy", "Edge density",
		"Sharpness", "Spectral slope", "Tamura contrast", "Variance", "Energy"}
	units := []string{"", "0–1", "", "bits", "", "", "", "", "", ""}
	for i := range statistics {
		scale := math.Pow(10, float64(i%4-1))
		p.Statistics = append(p.Statistics, Statistic{names[i%10], units[i%10], []Group{
			{a, w.normal(n, scale, 0.2*scale)}, {b, w.normal(n, 0.7*scale, 0.15*scale)}}})
	}
	var k, pa, pb, ea, eb, th, oa, ob, eo []float64
	for i := 1; i <= 32; i++ {
		f := float64(i)
		k = append(k, f)
		pa, pb = append(pa, 8e5*math.Pow(f, -1.1)), append(pb, 3e5*math.Pow(f, -1.7))
		ea, eb = append(ea, pa[i-1]*0.12), append(eb, pb[i-1]*0.1)
	}
	for t := 0; t <= 180; t += 3 {
		s := math.Cos(float64(t) * math.Pi / 90)
		th, oa, ob = append(th, float64(t)), append(oa, 0.8+0.05*s), append(ob, 0.7+0.2*s*s)
		eo = append(eo, 0.02)
	}
	p.Spectra = []Spectrum{
		{"Spatial frequency (cycles per image)", "Power (a.u.)", true, true, nil, []Series{
			{Set: a, X: k, Mean: pa, SEM: ea, Slope: -1.1, HasSlope: true},
			{Set: b, X: k, Mean: pb, SEM: eb, Slope: -1.7, HasSlope: true}}},
		{"Orientation (degrees)", "Relative power", false, false,
			[]float64{0, 45, 90, 135, 180}, []Series{
				{Set: a, X: th, Mean: oa, SEM: eo}, {Set: b, X: th, Mean: ob, SEM: eo}}},
	}
	return p
}

func (w world) panelC(n, columns int) *PanelC {
	p := &PanelC{DeePSim: &Estimate{0.892, 0.011}, BigGAN: &Estimate{0.6, 0.02},
		Test: &Test{"Wilcoxon signed-rank", n, -17.51, 0, false}}
	for range n {
		p.Pairs = append(p.Pairs, Pair{math.Min(0.99, 0.88+0.06*w.rng.NormFloat64()),
			math.Min(0.97, 0.6+0.17*w.rng.NormFloat64())})
	}
	p.Rows = []ImageRow{{"Original", Natural, w.pictures(columns, 64)},
		{"DeePSim", DeePSim, w.pictures(columns, 64)}, {"BigGAN", BigGAN, w.pictures(columns, 64)}}
	return p
}

func (w world) panelD(layers, n int) *PanelD {
	p := &PanelD{}
	for _, name := range []string{"ResNet-50", "ResNet-50 linf8"} {
		net := Net{Name: name, DeePSim: &Estimate{5.22, 0.04}, BigGAN: &Estimate{1.115, 0.005},
			Test: &Test{"Wilcoxon rank-sum", 2 * n * layers, -320.4, -0.533, true}}
		for i := range layers {
			a, b := w.normal(n, 0.8, 0.5), w.normal(n, 0.2, 0.35)
			for k := range a {
				a[k], b[k] = math.Exp(a[k]+0.2*float64(i%4)), math.Exp(b[k])
			}
			net.Layers = append(net.Layers, Layer{fmt.Sprintf("block%dB%d", i+1, i%3+1), a, b})
		}
		p.Nets = append(p.Nets, net)
	}
	return p
}

// full is the whole page at about the size of the class preset; n images per set.
func full(n int) Figure {
	w := newWorld(1)
	return Figure{A: w.panelA(sevenSets(), n), B: w.panelB(6, n), C: w.panelC(101, 12),
		D: w.panelD(5, n), Miniature: true, Note: "Preset class, seed 1."}
}

// pages are pages of many shapes: presets, odd numbers of everything, missing panels.
func pages() map[string]Figure {
	w := newWorld(3)
	long, p, seven := sevenSets(), w.panelA(sevenSets(), 9), w.panelA(sevenSets(), 40)
	seven.Grids = nil
	for _, s := range sevenSets() {
		seven.Grids = append(seven.Grids, Grid{s, w.pictures(6, 32)})
	}
	long[5].Name = "BigGAN with standard normal codes"
	return map[string]Figure{
		"full": full(2000),
		"smoke": {A: w.panelA(sevenSets(), 64), B: w.panelB(6, 80), C: w.panelC(12, 12),
			D: w.panelD(3, 4), Miniature: true},
		"odd": {A: w.panelA(sevenSets()[3:], 5), B: w.panelB(9, 3640), C: w.panelC(3, 4),
			D: w.panelD(10, 300)},
		"few":        {B: w.panelB(2, 30), D: w.panelD(1, 40), Note: "Note."},
		"long names": {A: w.panelA(long, 100), C: w.panelC(40, 16)},
		"all sets": {A: w.panelA(append(sevenSets(), Set{"Pink noise", Control},
			Set{"BigGAN-Blur", BigGAN}), 1000)},
		"empty groups": {A: w.panelA(sevenSets(), 0), B: w.panelB(3, 0), C: w.panelC(0, 3),
			D: w.panelD(2, 0)},
		"one value": {A: w.panelA(sevenSets(), 1), B: w.panelB(3, 1), C: w.panelC(1, 1),
			D: w.panelD(2, 1)},
		"holes": {A: &PanelA{Grids: []Grid{{}}, Detection: p.Detection, Confidence: []Group{{}}},
			B: &PanelB{Statistics: []Statistic{{}}, Spectra: []Spectrum{{},
				{LogX: true, LogY: true, Series: []Series{{}, {X: []float64{0}, Mean: []float64{-1}}}}}},
			C: &PanelC{Rows: []ImageRow{{}}}, D: &PanelD{Nets: []Net{{Layers: []Layer{{}}}, {}}}},
		"seven grids": {A: seven},
		"nothing":     {A: &PanelA{}, B: &PanelB{}, C: &PanelC{}, D: &PanelD{}},
	}
}
