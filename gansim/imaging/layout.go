package imaging

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"

	"gansim.example/gansim"
)

// Crop cuts out a rectangle, which must lie inside the picture.
func Crop(m RGB, left, top, width, height int) (RGB, error) {
	if err := m.check(); err != nil {
		return RGB{}, err
	}
	if left < 0 || top < 0 || width <= 0 || height <= 0 ||
		width > m.Width-left || height > m.Height-top {
		return RGB{}, fmt.Errorf("imaging: crop of %dx%d at (%d, %d) from a picture of %dx%d",
			width, height, left, top, m.Width, m.Height)
	}
	out := NewRGB(width, height)
	for y := range height {
		copy(out.Row(y), m.Row(top + y)[3*left:])
	}
	return out, nil
}

// CenterCrop cuts out the middle; half pixels are rounded to even, as torchvision's CenterCrop.
func CenterCrop(m RGB, width, height int) (RGB, error) {
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	return Crop(m, half(m.Width-width), half(m.Height-height), width, height)
}

// ResizeShorter resizes so that the shorter side becomes size and the longer keeps the aspect,
// fraction cut, as torchvision's Resize does with an int.
func ResizeShorter(m RGB, size int, f Filter) (RGB, error) {
	if err := m.check(); err != nil {
		return RGB{}, err
	}
	if m.Width <= m.Height {
		return Resize(m, size, size*m.Height/m.Width, f)
	}
	return Resize(m, size*m.Width/m.Height, size, f)
}

// Photograph prepares a photograph for inversion: the largest square in the middle, resized to
// size x size with Pillow's antialiased bilinear filter.
func Photograph(m RGB, size int) (RGB, error) {
	side := min(m.Width, m.Height)
	square, err := CenterCrop(m, side, side)
	if err != nil {
		return RGB{}, err
	}
	return Resize(square, size, size, Bilinear)
}

// ReadPhotograph decodes one file, turned upright, and prepares it as [Photograph] does:
// [1, size, size, 3] in [0, 1].
func ReadPhotograph(r io.Reader, size int) (gansim.Images, error) {
	m, err := Decode(r, DecodeOptions{})
	if err != nil {
		return gansim.Images{}, err
	}
	if m, err = Photograph(m, size); err != nil {
		return gansim.Images{}, err
	}
	return ToImages(m)
}

// LetterboxOptions say how a picture is fitted into a shape; the zero value of the rest is that of
// YOLOv5's auto-shape: enlarged where there is room, the whole shape filled.
type LetterboxOptions struct {
	Width, Height int  // of the shape
	Auto          bool // shrink the margins to the smallest multiples of Stride
	Stride        int  // zero means 32
	NoEnlarge     bool // never enlarge
}

// Placement says where a letterboxed picture lies, to bring boxes back.
type Placement struct {
	Ratio                    float64 // pixels of the shape per pixel of the picture
	Width, Height            int     // of the scaled picture
	Left, Right, Top, Bottom int     // margins
}

// Place finds where a picture lies in a shape (ultralytics/yolov5, utils/augmentations.py,
// letterbox): halves are rounded to even.
func Place(m Size, o LetterboxOptions) (Placement, error) {
	if err := checkSize(o.Width, o.Height, Bilinear); err != nil {
		return Placement{}, err
	}
	if m.Width <= 0 || m.Height <= 0 {
		return Placement{}, fmt.Errorf("imaging: picture is %dx%d", m.Width, m.Height)
	}
	p := Placement{Ratio: min(float64(o.Height)/float64(m.Height), float64(o.Width)/float64(m.Width))}
	if o.NoEnlarge {
		p.Ratio = min(p.Ratio, 1)
	}
	p.Width = max(1, int(math.RoundToEven(float64(m.Width)*p.Ratio)))
	p.Height = max(1, int(math.RoundToEven(float64(m.Height)*p.Ratio)))
	spareX, spareY := o.Width-p.Width, o.Height-p.Height
	if o.Auto {
		stride := o.Stride
		if stride <= 0 {
			stride = 32
		}
		spareX, spareY = spareX%stride, spareY%stride
	}
	margin := func(spare int, side float64) int {
		return int(math.RoundToEven(float64(spare)/2 + side*0.1))
	}
	p.Left, p.Right = margin(spareX, -1), margin(spareX, 1)
	p.Top, p.Bottom = margin(spareY, -1), margin(spareY, 1)
	return p, nil
}

// letterboxGrey fills margins (ultralytics/yolov5, utils/augmentations.py).
const letterboxGrey = 114

// Letterbox resizes with [ResizeOpenCV], linear, keeping the aspect, and puts margins of (114, 114,
// 114) around; see [Place].
func Letterbox(m RGB, o LetterboxOptions) (RGB, Placement, error) {
	if err := m.check(); err != nil {
		return RGB{}, Placement{}, err
	}
	p, err := Place(Size{m.Width, m.Height}, o)
	if err != nil {
		return RGB{}, Placement{}, err
	}
	out := NewRGB(p.Left+p.Width+p.Right, p.Top+p.Height+p.Bottom)
	for i := range out.Pix {
		out.Pix[i] = letterboxGrey
	}
	paste(out, linearOpenCV(m, p.Width, p.Height, false), p.Left, p.Top)
	return out, p, nil
}

// Size is the width and height of a picture, pixels.
type Size struct{ Width, Height int }

// Within scales so that the longer side is size, fractions cut.
func (s Size) Within(size int) Size {
	gain := float64(size) / float64(max(s.Width, s.Height))
	return Size{int(float64(s.Width) * gain), int(float64(s.Height) * gain)}
}

// BatchShape is the common shape of YOLOv5's auto-shape: each picture scaled so that its longer
// side is size, fractions cut, the largest sides rounded up to a multiple of 32
// (ultralytics/yolov5, models/common.py, AutoShape).
func BatchShape(sizes []Size, size int) (Size, error) {
	var shape Size
	for i, s := range sizes {
		if s.Width <= 0 || s.Height <= 0 {
			return Size{}, fmt.Errorf("imaging: picture %d is %dx%d", i, s.Width, s.Height)
		}
		scaled := s.Within(size)
		shape.Width = max(shape.Width, scaled.Width)
		shape.Height = max(shape.Height, scaled.Height)
	}
	if shape.Width <= 0 || shape.Height <= 0 {
		return Size{}, errors.New("imaging: batch shape of no pixels")
	}
	return Size{(shape.Width + 31) / 32 * 32, (shape.Height + 31) / 32 * 32}, nil
}

// Cell is one picture of a montage.
type Cell struct {
	Picture RGB
	Frame   color.NRGBA // colour of its frame; alpha 0 means none
}

// MontageOptions lay out a montage.
type MontageOptions struct {
	Columns    int         // zero means all in one row
	Gap        int         // pixels between neighbours
	FrameWidth int         // room for a frame around each cell, pixels; zero means no frames
	Background color.NRGBA // alpha 0 means white
}

// Montage puts pictures of one size row by row into one picture, frames around them.
func Montage(cells []Cell, o MontageOptions) (RGB, error) {
	if len(cells) == 0 {
		return RGB{}, errors.New("imaging: montage of no pictures")
	}
	if o.Columns < 0 || o.Gap < 0 || o.FrameWidth < 0 {
		return RGB{}, fmt.Errorf("imaging: montage with columns %d, gap %d, frame width %d",
			o.Columns, o.Gap, o.FrameWidth)
	}
	first := cells[0].Picture
	for i, c := range cells {
		if err := c.Picture.check(); err != nil {
			return RGB{}, err
		}
		if c.Picture.Width != first.Width || c.Picture.Height != first.Height {
			return RGB{}, fmt.Errorf("imaging: montage: picture %d is %dx%d, want %dx%d", i,
				c.Picture.Width, c.Picture.Height, first.Width, first.Height)
		}
	}
	columns := o.Columns
	if columns == 0 || columns > len(cells) {
		columns = len(cells)
	}
	rows := (len(cells) + columns - 1) / columns
	stepX := first.Width + 2*o.FrameWidth + o.Gap
	stepY := first.Height + 2*o.FrameWidth + o.Gap
	width, height := columns*stepX-o.Gap, rows*stepY-o.Gap
	if err := checkSize(width, height, Nearest); err != nil {
		return RGB{}, err
	}
	out := NewRGB(width, height)
	background := o.Background
	if background.A == 0 {
		background = color.NRGBA{255, 255, 255, 255}
	}
	fill(out, Size{width, height}, 0, 0, background)
	for i, c := range cells {
		left, top := i%columns*stepX, i/columns*stepY
		if c.Frame.A != 0 {
			fill(out, Size{stepX - o.Gap, stepY - o.Gap}, left, top, c.Frame)
		}
		paste(out, c.Picture, left+o.FrameWidth, top+o.FrameWidth)
	}
	return out, nil
}

// fill paints a rectangle.
func fill(m RGB, size Size, left, top int, c color.NRGBA) {
	for y := top; y < top+size.Height; y++ {
		row := m.Row(y)[3*left : 3*(left+size.Width)]
		for x := 0; x < len(row); x += 3 {
			row[x], row[x+1], row[x+2] = c.R, c.G, c.B
		}
	}
}
