package parity

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"strings"

	"gansim.example/gansim/imstat"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/weights"
)

// Tolerances of imgstats.json: sums in float64 in another order. What is 0 but for rounding, such
// as the spread of a constant's L*, is noise of 1e-11 in the reference. Maps are stored as float32.
var (
	imageLimit = limit{relative: 1e-9, absolute: 1e-10}
	mapLimit   = limit{relative: 2e-7, absolute: 1e-10}
)

// imageScalars are the fields of an image's record, and the statistics they are.
var imageScalars = []struct{ field, statistic string }{
	{"mean_luminance", "mean_luminance"},
	{"rms_contrast", "luma_contrast"},
	{"rms_contrast_channel_mean", "rms_contrast"},
	{"michelson", "michelson"},
	{"entropy_gray8_bits", "entropy_luma8_bits"},
	{"laplacian_variance_cv2_gray", "laplacian_variance_8bit"},
	{"laplacian_variance_gray", "laplacian_variance"},
	{"colorfulness_hasler", "colorfulness_hasler"},
	{"sobel_mean", "sobel_mean"},
	{"edge_density_sobel_0.1", "edge_density_sobel"},
	{"edge_density_canny_cv2_100_200", "edge_density_canny_cv2"},
	{"edge_density_canny_skimage", "edge_density_canny"},
	{"psd_slope_all", "ring_slope"},
}

// imageStats is the record of an image, but for the scalars.
type imageStats struct {
	Label   string
	RGBMean []value `json:"rgb_mean"`
	RGBStd  []value `json:"rgb_std"`
	HSVMean []value `json:"hsv_mean"`
	HSVStd  []value `json:"hsv_std"`
	LabMean []value `json:"lab_mean"`
	LabStd  []value `json:"lab_std"`
	GrayCRC uint32  `json:"gray8_crc32"`
	CVCRC   uint32  `json:"cv2_gray_crc32"`
	PSD     struct {
		Rings         int
		Counts, Power []value
	}
	Slope     value  `json:"psd_slope_all"`
	Intercept *value `json:"psd_intercept_all"`
	Middle    *struct {
		From, To int
		Slope    value
	} `json:"psd_slope_range"`
}

type imageStatsFile struct {
	Salt, Name string
	N, H, W    int
	Images     []json.RawMessage
	Palette    struct {
		RGB      [][]uint8
		HSV, Lab [][]value
		Gray     []value
	}
}

// imgstats repeats the statistics of single pictures.
func imgstats(r *run) error {
	var f imageStatsFile
	if err := r.read(&f); err != nil {
		return err
	}
	for i, raw := range f.Images {
		var c imageStats
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &c); err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &fields); err != nil {
			return err
		}
		p, err := f.picture(i, c.Label)
		if err != nil {
			return err
		}
		if err := c.scalars(r, p, fields); err != nil {
			return fmt.Errorf("%s: %w", c.Label, err)
		}
		c.compare(r, p)
	}
	if err := f.maps(r); err != nil {
		return err
	}
	return f.palette(r)
}

// picture makes image i: the formula's, then grey, constant and black ones.
func (f *imageStatsFile) picture(i int, label string) (*imstat.Picture, error) {
	pix := make([]uint8, f.H*f.W*3)
	var constant uint8
	n, _ := fmt.Sscanf(label, "constant %d", &constant) // 0 where it is not
	switch {
	case i < f.N:
		copy(pix, oracle.Image(f.Salt, f.Name, f.N, f.H, f.W)[i*len(pix):])
	case n == 1:
		for k := range pix {
			pix[k] = constant
		}
	case strings.HasPrefix(label, "gray (R of item0"):
		first := oracle.Image(f.Salt, f.Name, f.N, f.H, f.W)
		for k := range pix {
			pix[k] = first[k/3*3]
		}
	case label != "black":
		return nil, fmt.Errorf("unknown picture %q", label)
	}
	return imstat.NewBytes(f.H, f.W, pix)
}

// scalars compares the statistics that are one number.
func (c imageStats) scalars(r *run, p *imstat.Picture, fields map[string]json.RawMessage) error {
	var t table
	for _, s := range imageScalars {
		statistic, ok := imstat.Lookup(s.statistic)
		if !ok {
			return fmt.Errorf("no statistic %q", s.statistic)
		}
		var want value
		if err := json.Unmarshal(fields[s.field], &want); err != nil {
			return fmt.Errorf("%s: %w", s.field, err)
		}
		t.add(s.field, statistic.Value(p), want, imageLimit)
	}
	r.table(c.Label+"/scalars", t, imageLimit)
	return nil
}

// compare compares colours, 8-bit greys and the power spectrum over rings.
func (c imageStats) compare(r *run, p *imstat.Picture) {
	var colours table
	for _, v := range []struct {
		name      string
		got       imstat.Moments
		mean, std []value
	}{
		{"rgb", p.RGBMoments(), c.RGBMean, c.RGBStd},
		{"hsv", p.HSVMoments(), c.HSVMean, c.HSVStd},
		{"lab", p.LabMoments(), c.LabMean, c.LabStd},
	} {
		colours.all(v.name+" mean", v.got.Mean[:], v.mean, imageLimit)
		colours.all(v.name+" std", v.got.Std[:], v.std, imageLimit)
	}
	r.table(c.Label+"/colours", colours, imageLimit)
	for _, g := range []struct {
		name string
		got  []uint8
		want uint32
	}{{"gray8", p.Gray8(), c.GrayCRC}, {"OpenCV gray", p.GrayCV(), c.CVCRC}} {
		sum := crc32.ChecksumIEEE(g.got)
		r.exact(c.Label+"/"+g.name, sum == g.want, fmt.Sprintf("crc32 %08x, want %08x", sum, g.want))
	}
	power, counts := p.Rings(imstat.Luma)
	number := []float64{float64(len(power))}
	for _, n := range counts {
		number = append(number, float64(n))
	}
	r.values(c.Label+"/ring counts", number, append([]value{value(c.PSD.Rings)}, c.PSD.Counts...),
		limit{})
	r.values(c.Label+"/ring power", power, c.PSD.Power, imageLimit)
	var fits table
	if c.Intercept != nil { // of natural logarithms; ours are to base 10
		fits.add("intercept", p.RingFit(1, len(power)).Intercept*math.Ln10, *c.Intercept, imageLimit)
	}
	if m := c.Middle; m != nil {
		fits.add("slope of middle", p.RingFit(m.From, m.To).Slope, m.Slope, imageLimit)
	}
	r.table(c.Label+"/ring fit", fits, imageLimit)
}

// maps compares the stored corners of the first picture's maps.
func (f *imageStatsFile) maps(r *run) error {
	stored, err := r.tensors()
	if err != nil {
		return err
	}
	p, err := f.picture(0, "")
	if err != nil {
		return err
	}
	gray := make([]float64, 0, f.H*f.W)
	for _, v := range p.GrayCV() {
		gray = append(gray, float64(v))
	}
	known := map[string][]float64{"gray": p.Plane(imstat.Luma), "hsv": p.HSV(), "lab": p.Lab(),
		"sobel": p.Sobel(), "laplace_cv2": p.Laplacian(), "cv2_gray": gray}
	return r.corners(stored, f.W, mapLimit, func(name string) ([]float64, error) {
		kind := name[:max(0, strings.LastIndex(name, "_"))] // before the size
		if plane, ok := known[kind]; ok {
			return plane, nil
		}
		return nil, fmt.Errorf("unknown map %q", name)
	})
}

// corners compares stored upper left corners, [rows, columns] with or without channels, with maps
// of pictures of a width.
func (r *run) corners(stored *weights.File, width int, l limit,
	of func(name string) ([]float64, error)) error {
	for _, t := range stored.Tensors {
		want, err := numbers(t)
		if err != nil {
			return err
		}
		plane, err := of(t.Name)
		if err != nil {
			return err
		}
		if len(t.Shape) < 2 || t.Shape[1] > width {
			return fmt.Errorf("%s: shape %v of a picture %d wide", t.Name, t.Shape, width)
		}
		channels := 1
		if len(t.Shape) == 3 {
			channels = t.Shape[2]
		}
		var got []float64
		for y := range t.Shape[0] {
			row := plane[min(y*width*channels, len(plane)):]
			got = append(got, row[:min(t.Shape[1]*channels, len(row))]...)
		}
		r.values("map/"+t.Name, got, listed(want), l)
	}
	return nil
}

func listed(v []float64) []value {
	out := make([]value, len(v))
	for i, x := range v {
		out[i] = value(x)
	}
	return out
}

// palette compares single colours, as a picture of two equal rows.
func (f *imageStatsFile) palette(r *run) error {
	var pix []uint8
	var hsv, lab []value
	for i, rgb := range f.Palette.RGB {
		pix = append(pix, rgb...)
		hsv, lab = append(hsv, f.Palette.HSV[i]...), append(lab, f.Palette.Lab[i]...)
	}
	p, err := imstat.NewBytes(2, len(f.Palette.RGB), append(pix, pix...))
	if err != nil {
		return err
	}
	r.values("palette/hsv", p.HSV()[:len(pix)], hsv, imageLimit)
	r.values("palette/lab", p.Lab()[:len(pix)], lab, imageLimit)
	r.values("palette/gray", p.Plane(imstat.Luma)[:len(pix)/3], f.Palette.Gray, imageLimit)
	return nil
}
