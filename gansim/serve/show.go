package serve

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/wire"
)

// Contact sheets are for the eye: small images are enlarged, and there is an end to them.
const (
	sheetColumns = 8
	sheetImages  = 400
	enlargeTo    = 128 // pixels, by whole factors
	shrinkTo     = 256
	sheetGap     = 2
	frameWidth   = 3
)

// montage lays the batches of images out as one PNG: one batch as a grid of Columns (8), several as
// one row each. Names label the batches; those of the generators frame them in their colour.
func montage(c *call) (a wire.Answer, err error) {
	var batches []gansim.Images
	for i := range c.Shapes {
		m, err := c.images(i)
		if err != nil {
			return a, err
		}
		batches = append(batches, m)
	}
	png, err := contactSheet(batches, c.Columns, c.Names...)
	if err != nil {
		return a, err
	}
	var what []string
	for i, m := range batches {
		text := fmt.Sprintf("%d images of %d × %d pixels", m.N, m.Width, m.Height)
		if i < len(c.Names) && c.Names[i] != "" {
			text = c.Names[i] + ": " + text
		}
		what = append(what, text)
	}
	a.Alt = strings.Join(what, "; ")
	c.putFile(&a, "image/png", png)
	return a, nil
}

// contactSheet draws batches as a PNG.
func contactSheet(batches []gansim.Images, columns int, names ...string) ([]byte, error) {
	if len(batches) == 0 {
		return nil, errors.New("no images to show")
	}
	if columns < 0 || columns > sheetImages {
		return nil, fmt.Errorf("%d columns", columns)
	}
	if columns == 0 {
		columns = min(sheetColumns, batches[0].N)
	}
	if len(batches) > 1 {
		columns = min(batches[0].N, max(columns, sheetColumns))
	}
	var cells []imaging.Cell
	framed := false
	side := 0
	for i, m := range batches {
		if i > 0 && m.N != batches[0].N {
			return nil, fmt.Errorf("rows of %d and %d images", batches[0].N, m.N)
		}
		side = max(side, min(max(m.Height, m.Width), shrinkTo))
		if i < len(names) && frame(names[i]).A > 0 {
			framed = true
		}
	}
	side *= max(1, enlargeTo/side)
	for from := 0; from < batches[0].N; from += columns {
		for i, m := range batches {
			border := color.NRGBA{}
			if i < len(names) {
				border = frame(names[i])
			}
			for k := from; k < from+columns; k++ {
				p := blank(side)
				if k < m.N {
					var err error
					if p, err = picture(m, k, side); err != nil {
						return nil, err
					}
				} else if len(batches) == 1 {
					break // the montage fills its last row itself
				}
				cells = append(cells, imaging.Cell{Picture: p, Frame: border})
			}
		}
		if len(cells) >= sheetImages {
			break
		}
	}
	o := imaging.MontageOptions{Columns: columns, Gap: sheetGap}
	if framed {
		o.FrameWidth = frameWidth
	}
	sheet, err := imaging.Montage(cells, o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = imaging.EncodePNG(&b, sheet)
	return b.Bytes(), err
}

// frame is the colour of a generator's images in every figure.
func frame(name string) color.NRGBA {
	switch {
	case strings.Contains(strings.ToLower(name), "deepsim"):
		return figure.DeePSim.Color()
	case strings.Contains(strings.ToLower(name), "biggan"):
		return figure.BigGAN.Color()
	}
	return color.NRGBA{}
}

func blank(side int) imaging.RGB {
	m := imaging.NewRGB(side, side)
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	return m
}

// picture is an image of side x side: each pixel a block where it is enlarged by a whole factor.
func picture(m gansim.Images, i, side int) (imaging.RGB, error) {
	p, err := imaging.FromImages(m, i)
	if err != nil || p.Width == side && p.Height == side {
		return p, err
	}
	filter := imaging.Bilinear
	if p.Width == p.Height && side%p.Width == 0 {
		filter = imaging.Nearest
	}
	return imaging.Resize(p, side, side, filter)
}
