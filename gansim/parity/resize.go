package parity

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/oracle"
)

// Tolerances of resize.json, as the file states them: torch on [0, 1], clean-fid on 0..255. Pillow
// and OpenCV on 8 bits are equal, or one off in few where OpenCV itself adds in floating point.
const (
	torchTolerance    = 1e-6
	cleanFIDTolerance = 1e-3
	floatOpenCV       = 1
	few               = 0.01 // share of the values
)

// pillowFilters are the names of the filters in the file.
var pillowFilters = []imaging.Filter{imaging.Nearest, imaging.Box, imaging.Bilinear,
	imaging.Hamming, imaging.Bicubic, imaging.Lanczos}

// resizeCase is one resized picture: library/kind/[variant/]HEIGHTxWIDTH.
type resizeCase struct {
	library, kind, variant string
	width, height          int
}

func parseResize(name string) (c resizeCase, err error) {
	parts := strings.Split(name, "/")
	if len(parts) == 4 {
		c.variant = parts[2]
		parts = append(parts[:2], parts[3])
	}
	if len(parts) != 3 {
		return c, fmt.Errorf("tensor %q: want library/kind/[variant/]size", name)
	}
	c.library, c.kind = parts[0], parts[1]
	if _, err := fmt.Sscanf(parts[2], "%dx%d", &c.height, &c.width); err != nil {
		return c, fmt.Errorf("tensor %q: size: %w", name, err)
	}
	return c, nil
}

// resize repeats one picture's resizing by all libraries.
func resize(r *run) error {
	var f struct {
		Salt  string
		Input struct {
			Image   string
			N, H, W int
			CRC32   uint32
		}
		Tensors []struct {
			Name  string
			Shape []int
		}
	}
	if err := r.read(&f); err != nil {
		return err
	}
	in := imaging.RGB{Width: f.Input.W, Height: f.Input.H,
		Pix: oracle.Image(f.Salt, f.Input.Image, 1, f.Input.H, f.Input.W)}
	if sum := crc32.ChecksumIEEE(in.Pix); sum != f.Input.CRC32 {
		return fmt.Errorf("input: crc32 is %08x, want %08x", sum, f.Input.CRC32)
	}
	stored, err := r.tensors()
	if err != nil {
		return err
	}
	for _, t := range f.Tensors {
		c, err := parseResize(t.Name)
		if err != nil {
			return err
		}
		tensor, ok := stored.Tensor(t.Name)
		if !ok {
			return fmt.Errorf("no tensor %q", t.Name)
		}
		want, err := numbers(tensor)
		if err != nil {
			return err
		}
		got, tolerance, err := c.resize(in)
		if err != nil {
			r.line(Line{Stage: t.Name, Error: err.Error()})
			continue
		}
		r.resized(t.Name, got, want, tolerance)
	}
	return nil
}

// resized compares a resized picture. A tolerance of whole steps is for few values only.
func (r *run) resized(stage string, got, want []float64, tolerance float64) {
	off := 0
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			off++
		}
	}
	if tolerance == floatOpenCV && float64(off) > few*float64(len(want)) {
		r.line(Line{Stage: stage, Tolerance: tolerance, Measure: "max_abs",
			Error: fmt.Sprintf("%d of %d values are off", off, len(want))})
		return
	}
	r.absolute(stage, got, want, tolerance)
}

// resize gives the values in the reference's layout, and how far they may be away.
func (c resizeCase) resize(in imaging.RGB) (values []float64, tolerance float64, err error) {
	switch c.library {
	case "pil_u8":
		f, err := c.filter()
		if err != nil {
			return nil, 0, err
		}
		out, err := imaging.Resize(in, c.width, c.height, f)
		return bytesOf(out), 0, err
	case "cv2_u8":
		mode := imaging.OpenCVMode(c.kind)
		if mode == imaging.OpenCVCubic || mode == imaging.OpenCVArea {
			tolerance = floatOpenCV
		}
		out, err := imaging.ResizeOpenCV(in, c.width, c.height, mode)
		return bytesOf(out), tolerance, err
	}
	images, err := imaging.ToImages(in)
	if err != nil {
		return nil, 0, err
	}
	switch c.library {
	case "cleanfid":
		f, err := c.filter()
		if err != nil {
			return nil, 0, err
		}
		out, err := imaging.ResizeFloat(images, c.width, c.height, f)
		for _, v := range out.Pix {
			values = append(values, float64(v)*255)
		}
		return values, cleanFIDTolerance, err
	case "torch":
		out, err := imaging.Interpolate(images, c.width, c.height, imaging.Interpolation{
			Mode: imaging.Mode(c.kind), AlignCorners: c.variant == "ac1",
			Antialias: c.variant == "antialias"})
		return channelsFirst(out), torchTolerance, err
	}
	return nil, 0, errors.New("unknown library " + c.library)
}

func (c resizeCase) filter() (imaging.Filter, error) {
	for _, f := range pillowFilters {
		if f.String() == c.kind {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown filter %q", c.kind)
}

func bytesOf(m imaging.RGB) []float64 {
	out := make([]float64, len(m.Pix))
	for i, v := range m.Pix {
		out[i] = float64(v)
	}
	return out
}

// channelsFirst is the first picture as [3, height, width].
func channelsFirst(images gansim.Images) []float64 {
	pixels := images.Height * images.Width
	out := make([]float64, 3*pixels)
	for i := range out {
		out[i] = float64(images.Pix[i%pixels*3+i/pixels])
	}
	return out
}
