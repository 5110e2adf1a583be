// Package features runs image sets of any size through a network and keeps what metrics need: the
// features of every image in parts on the disk, so that an interrupted run goes on and a second one
// reads them, and the sums that FID needs. One pass serves all metrics.
//
// How images are cut, resized and rounded before the network sees them decides a good part of an FID.
// A [Convention] names the program of the field whose way is followed. On 24 photographs in two halves,
// JPEG and PNG, with formula weights in the FID Inception, FIDs are those of the programs' own features
// to 6e-7 relative (tools/reference/fid.py asks for 1e-4 on PNG and 1e-3 on JPEG):
//
//	convention      the program's own number, features in float64   here
//	paper           none                      998.37202              998.37225
//	pytorch-fid     1292.1732                 1292.1798              1292.1805
//	torch-fidelity  1260.4329                 1260.4392              1260.4396
//	clean           1393.9341                 1393.9404              1393.9410
package features

import (
	"fmt"
	"io"
	"math"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
)

// Convention is how one program prepares images. All decode files as Pillow does, without turning
// them by their orientation.
type Convention struct {
	Name               string
	Source             string // the program and its version, and what it does
	natural, generated prepare
	// fidelity says that the FID network reads (x - 128)/128 of values to 255, not 2x - 1 of x in [0, 1].
	fidelity bool
}

// prepare makes one image [1, size, size, 3] in [0, 1].
type prepare struct {
	picture func(m imaging.RGB, size int) (gansim.Images, error)
	// images does the same without rounding to 8 bits first; nil where the program reads 8 bits only.
	images func(m gansim.Images, size int) (gansim.Images, error)
}

// Conventions lists the known ones, the paper's first.
func Conventions() []Convention {
	eightBits := prepare{picture: inFloat(tensorFlow).picture}
	return []Convention{
		{Name: "paper", natural: prepare{picture: shorterSide}, generated: inFloat(paperGenerated),
			Source: "the paper's notebook with pytorch-gan-metrics 0.5: photographs so that the shorter side " +
				"fits, by Pillow's bilinear filter, then the middle; generated images by torch's bilinear " +
				"interpolation; 2x - 1"},
		{Name: "pytorch-fid", natural: inFloat(torchBilinear), generated: inFloat(torchBilinear),
			Source: "pytorch-fid 0.3.0: torch's bilinear interpolation without antialiasing to a square; 2x - 1"},
		{Name: "torch-fidelity", natural: eightBits, generated: eightBits, fidelity: true,
			Source: "torch-fidelity 0.4.0: 8 bits, TensorFlow 1's bilinear resizing to a square; (x - 128)/128"},
		{Name: "clean", natural: inFloat(cleanBicubic), generated: inFloat(cleanBicubic), fidelity: true,
			Source: "clean-fid 0.1.35, mode clean: Pillow's bicubic filter in floating point to a square; " +
				"(x - 128)/128"},
	}
}

// ConventionNames lists their names.
func ConventionNames() []string {
	var names []string
	for _, c := range Conventions() {
		names = append(names, c.Name)
	}
	return names
}

// FindConvention gives a convention by name; an unknown name is an error that lists the known ones.
func FindConvention(name string) (Convention, error) {
	for _, c := range Conventions() {
		if c.Name == name {
			return c, nil
		}
	}
	return Convention{}, fmt.Errorf("features: no convention %q, want one of %s", name,
		strings.Join(ConventionNames(), ", "))
}

// Convert prepares the images of a set for a network that reads size x size pixels. Drawn images that
// are not rounded to 8 bits stay so where the program could read them.
func (c Convention) Convert(generated bool, size int) dataset.Convert[gansim.Images] {
	do := c.natural
	if generated {
		do = c.generated
	}
	return dataset.Convert[gansim.Images]{
		File: func(r io.Reader) (gansim.Images, error) {
			m, err := imaging.Decode(r, imaging.DecodeOptions{AsStored: true})
			if err != nil {
				return gansim.Images{}, err
			}
			return do.picture(m, size)
		},
		Image: func(images gansim.Images) (gansim.Images, error) {
			if do.images != nil {
				return do.images(images, size)
			}
			m, err := imaging.FromImages(images, 0)
			if err != nil {
				return gansim.Images{}, err
			}
			return do.picture(m, size)
		},
	}
}

// inFloat is a preparation that converts to floating point before all else.
func inFloat(images func(m gansim.Images, size int) (gansim.Images, error)) prepare {
	return prepare{images: images, picture: func(m imaging.RGB, size int) (gansim.Images, error) {
		f, err := imaging.ToImages(m)
		if err != nil {
			return f, err
		}
		return images(f, size)
	}}
}

// shorterSide is the paper's way with photographs: torchvision's Resize and CenterCrop on 8 bits. Its
// code turns EcoSet's files into RGB after resizing, not before: for grey ones that is the same.
func shorterSide(m imaging.RGB, size int) (gansim.Images, error) {
	m, err := imaging.ResizeShorter(m, size, imaging.Bilinear)
	if err != nil {
		return gansim.Images{}, err
	}
	if m, err = imaging.CenterCrop(m, size, size); err != nil {
		return gansim.Images{}, err
	}
	return imaging.ToImages(m)
}

// paperCrop is the side of the middle that the paper's code takes of generated images, pixels.
const paperCrop = 256

func paperGenerated(m gansim.Images, size int) (gansim.Images, error) {
	if w, h := min(m.Width, paperCrop), min(m.Height, paperCrop); w < m.Width || h < m.Height {
		m = middle(m, w, h)
	}
	return torchBilinear(m, size)
}

// middle cuts out the middle of one image, as imaging.CenterCrop does.
func middle(m gansim.Images, width, height int) gansim.Images {
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	left, top := half(m.Width-width), half(m.Height-height)
	out := gansim.NewImages(1, height, width)
	for y := range height {
		copy(out.Pix[3*y*width:3*(y+1)*width], m.Pix[3*((top+y)*m.Width+left):])
	}
	return out
}

func torchBilinear(m gansim.Images, size int) (gansim.Images, error) {
	return interpolated(m, size, imaging.TorchBilinear)
}

func tensorFlow(m gansim.Images, size int) (gansim.Images, error) {
	return interpolated(m, size, imaging.TensorFlow1)
}

func interpolated(m gansim.Images, size int, mode imaging.Mode) (gansim.Images, error) {
	if m.Width == size && m.Height == size {
		return m, nil
	}
	return imaging.Interpolate(m, size, size, imaging.Interpolation{Mode: mode})
}

func cleanBicubic(m gansim.Images, size int) (gansim.Images, error) {
	if m.Width == size && m.Height == size {
		return m, nil
	}
	return imaging.ResizeFloat(m, size, size, imaging.Bicubic)
}

// FromPicture makes a dataset.Convert of a function of pictures: photographs are turned upright, what was
// drawn is rounded to bytes.
func FromPicture[T any](of func(m imaging.RGB) (T, error)) dataset.Convert[T] {
	some := func(m imaging.RGB, err error) (T, error) {
		if err != nil {
			var none T
			return none, err
		}
		return of(m)
	}
	return dataset.Convert[T]{
		File: func(r io.Reader) (T, error) {
			return some(imaging.Decode(r, imaging.DecodeOptions{}))
		},
		Image: func(m gansim.Images) (T, error) { return some(imaging.FromImages(m, 0)) },
	}
}
