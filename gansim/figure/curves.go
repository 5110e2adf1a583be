package figure

import (
	"fmt"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Size of a spectrum by itself, and the room around its axes.
const (
	soloWidth  = 90 * mm
	soloHeight = 60 * mm
	soloLeft   = 14 * mm
	soloBelow  = 11 * mm
	soloAbove  = 3 * mm
	soloRight  = 4 * mm
)

// Encode returns a spectrum by itself as a file: "png" or "svg". The text describes it.
func (s Spectrum) Encode(format, title, text string) ([]byte, error) {
	var sets []Set
	for _, r := range s.Series {
		sets = append(sets, r.Set)
	}
	area := rect(soloLeft, soloBelow, soloWidth-soloLeft-soloRight, soloHeight-soloBelow-soloAbove)
	switch format {
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(soloWidth, soloHeight), vgimg.UseDPI(pixelsPerInch))
		if err := drawSpectrum(draw.New(c), area, s, tints(sets)); err != nil {
			return nil, err
		}
		return encodePNG(c, title, text)
	case "svg":
		c := newSVG(soloWidth, soloHeight)
		if err := drawSpectrum(draw.New(c), area, s, tints(sets)); err != nil {
			return nil, err
		}
		return c.encode(title, text)
	}
	return nil, fmt.Errorf("figure: unknown format %q, want png or svg", format)
}
