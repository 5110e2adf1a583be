package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
)

// JPEG markers (ITU-T T.81, table B.1).
const (
	markSOF0  = 0xc0
	markSOF2  = 0xc2
	markRST0  = 0xd0
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP1  = 0xe1
	markAPP14 = 0xee
)

// jpegHeader is what stands before the first scan.
type jpegHeader struct {
	components  []jpegComponent
	progressive bool
	restart     bool // a restart interval is set
	partial     bool // the first scan lacks components
	adobe       int  // offset of the Adobe transform byte, 0 where there is no such segment
	exif        []byte
	tables      [4]bool // quantisation tables that are defined
}

type jpegComponent struct{ id, factors, table byte }

// parseJPEG reads the segments up to the first scan. It refuses what image/jpeg lets pass: scans
// whose quantisation table does not exist.
func parseJPEG(data []byte) (jpegHeader, error) {
	var h jpegHeader
	for pos := 2; pos+1 < len(data); {
		if data[pos] != 0xff || data[pos+1] == 0xff || data[pos+1] == 0 {
			pos++
			continue
		}
		mark := data[pos+1]
		pos += 2
		if mark == markEOI {
			break
		}
		if mark == 1 || mark >= markRST0 && mark <= markSOI {
			continue
		}
		if pos+2 > len(data) {
			return h, ErrTruncated
		}
		n := int(binary.BigEndian.Uint16(data[pos:]))
		if n < 2 {
			return h, fmt.Errorf("segment %#x has length %d", mark, n)
		}
		if pos+n > len(data) {
			return h, ErrTruncated
		}
		if err := h.segment(mark, data[pos+2:pos+n], pos+2); err != nil {
			return h, err
		}
		if mark == markSOS {
			return h, nil
		}
		pos += n
	}
	return h, errors.New("no scan")
}

// segment takes what is needed from one segment, whose contents begin at offset.
func (h *jpegHeader) segment(mark byte, body []byte, offset int) error {
	switch {
	case mark >= markSOF0 && mark <= markSOF2 && len(body) >= 6:
		h.progressive = mark == markSOF2
		for c := body[6:]; len(c) >= 3; c = c[3:] {
			h.components = append(h.components, jpegComponent{c[0], c[1], c[2]})
		}
	case mark == markDQT:
		for len(body) > 0 {
			h.tables[body[0]&3] = true
			body = body[min(len(body), 65+int(body[0]>>4)*64):]
		}
	case mark == markDRI && len(body) >= 2:
		h.restart = body[0]|body[1] != 0
	case mark == markAPP1 && matches(body, "Exif\x00\x00") && h.exif == nil:
		h.exif = body[6:]
	case mark == markAPP14 && matches(body, "Adobe") && len(body) >= 12:
		h.adobe = offset + 11
	case mark == markSOS && len(body) >= 1:
		return h.scan(body)
	}
	return nil
}

// scan checks the components of the first scan.
func (h *jpegHeader) scan(body []byte) error {
	n := int(body[0])
	h.partial = n < len(h.components)
	for i := 0; i < n && 2+2*i < len(body); i++ {
		for _, c := range h.components {
			if c.id == body[1+2*i] && !h.tables[c.table&3] {
				return fmt.Errorf("quantisation table %d is missing", c.table)
			}
		}
	}
	return nil
}

func jpegOrientation(data []byte) int {
	h, err := parseJPEG(data)
	if err != nil {
		return 1
	}
	return tiffTag(h.exif, tagOrientation)
}

func decodeJPEG(data []byte, config image.Config) (RGB, error) {
	// A block of 8x8 pixels takes at least one bit of one component.
	if config.Width*config.Height/(64*8) > len(data) {
		return RGB{}, ErrTruncated
	}
	h, err := parseJPEG(data)
	if err != nil {
		return RGB{}, err
	}
	if len(h.components) == 4 {
		return decodeAdobe(data, h)
	}
	img, err := decodeScans(data, h)
	if err != nil {
		return RGB{}, err
	}
	if ycc, ok := img.(*image.YCbCr); ok {
		return fromYCbCr(ycc), nil
	}
	return fromImage(img)
}

// decodeScans names the reason where image/jpeg refuses a valid file.
func decodeScans(data []byte, h jpegHeader) (image.Image, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil && !bytes.Contains(data, []byte{0xff, markEOI}) {
		return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	if err != nil && h.restart && (h.progressive || h.partial) {
		return nil, fmt.Errorf("restart markers in progressive or separate scans: %w: %w",
			ErrUnsupported, err)
	}
	return img, err
}

// decodeAdobe reads CMYK and YCCK, stored inverted as Adobe does. The file is handed to image/jpeg
// with an Adobe marker that says CMYK, so that the components come as stored: enlargement and
// conversion are libjpeg's then, not the decoder's.
func decodeAdobe(data []byte, h jpegHeader) (RGB, error) {
	ycck := false
	if h.adobe == 0 {
		segment := "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
		data = append(append([]byte(data[:2:2]), segment...), data[2:]...)
	} else {
		ycck = data[h.adobe] != 0
		data = bytes.Clone(data)
		data[h.adobe] = 0
	}
	img, err := decodeScans(data, h)
	if err != nil {
		return RGB{}, err
	}
	inks, ok := img.(*image.CMYK)
	if !ok {
		return RGB{}, fmt.Errorf("four components gave %T", img)
	}
	if !ycck {
		return fromImage(inks)
	}
	m := fromYCbCr(splitYCCK(inks, h.components[1].factors != h.components[0].factors))
	for i := range m.Width * m.Height {
		row, col := i/m.Width, i%m.Width
		black := inks.Pix[row*inks.Stride+4*col+3]
		printed(m.Pix[3*i:], m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2], black)
	}
	return m, nil
}

// splitYCCK takes the stored Y, Cb and Cr out of what image/jpeg returned as inverted inks. Chroma
// was repeated 2x2 if halved.
func splitYCCK(inks *image.CMYK, halved bool) *image.YCbCr {
	ratio, step := image.YCbCrSubsampleRatio444, 1
	if halved {
		ratio, step = image.YCbCrSubsampleRatio420, 2
	}
	out := image.NewYCbCr(inks.Rect, ratio)
	for y := range inks.Rect.Dy() {
		row := inks.Pix[y*inks.Stride:]
		for x := range inks.Rect.Dx() {
			out.Y[y*out.YStride+x] = 255 - row[4*x]
			if y%step == 0 && x%step == 0 {
				c := y/step*out.CStride + x/step
				out.Cb[c], out.Cr[c] = 255-row[4*x+1], 255-row[4*x+2]
			}
		}
	}
	return out
}

// printed is Pillow's colour of four inks (Convert.c, cmyk2rgb): nk = 255 - k,
// R = nk - round(c*nk/255).
func printed(dst []uint8, c, m, y, k uint8) {
	nk := 255 - int(k)
	for i, ink := range [3]uint8{c, m, y} {
		t := int(ink)*nk + 128
		dst[i] = uint8(max(0, nk-(t>>8+t)>>8))
	}
}

// fromYCbCr enlarges chroma and converts as libjpeg does: jdsample.c ("fancy upsampling") and
// jdcolor.c (BT.601 full range in 16-bit fixed point).
func fromYCbCr(p *image.YCbCr) RGB {
	m := NewRGB(p.Rect.Dx(), p.Rect.Dy())
	cb, cr := newChroma(p.Cb, p), newChroma(p.Cr, p)
	for y := range m.Height {
		luma := p.Y[y*p.YStride:]
		b, r := cb.row(y), cr.row(y)
		dst := m.Row(y)
		for x := range m.Width {
			l, u, v := int(luma[x]), int(b[x])-128, int(r[x])-128
			dst[3*x] = clamp8(l + (91881*v+32768)>>16)
			dst[3*x+1] = clamp8(l + (-22554*u-46802*v+32768)>>16)
			dst[3*x+2] = clamp8(l + (116130*u+32768)>>16)
		}
	}
	return m
}

func clamp8(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// chroma enlarges one chroma plane row by row.
type chroma struct {
	pix           []uint8
	stride        int
	width, height int // of the plane
	across, down  int // factors of enlargement
	sums          []int
	out           []uint8
}

func newChroma(pix []uint8, p *image.YCbCr) *chroma {
	c := &chroma{pix: pix, stride: p.CStride, across: 1, down: 1}
	switch p.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		c.across = 2
	case image.YCbCrSubsampleRatio420:
		c.across, c.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		c.down = 2
	case image.YCbCrSubsampleRatio411:
		c.across = 4
	case image.YCbCrSubsampleRatio410:
		c.across, c.down = 4, 2
	}
	c.width = (p.Rect.Dx() + c.across - 1) / c.across
	c.height = (p.Rect.Dy() + c.down - 1) / c.down
	c.sums = make([]int, c.width)
	c.out = make([]uint8, c.width*c.across)
	return c
}

// row is row y of the enlarged plane, valid until the next call. Factor 2 is smooth: weights 3 and
// 1 in each direction, edges repeated. Planes at most 2 wide and factor 4 are copied.
func (c *chroma) row(y int) []uint8 {
	near := c.pix[y/c.down*c.stride:][:c.width]
	if c.across == 4 || c.across == 2 && c.width <= 2 {
		for x := range c.out {
			c.out[x] = near[x/c.across]
		}
		return c.out
	}
	if c.down == 1 {
		if c.across == 1 {
			return near
		}
		for x, v := range near {
			c.sums[x] = int(v)
		}
		c.widen(1, 2, 2)
		return c.out
	}
	far := c.pix[min(max(y/2+y%2*2-1, 0), c.height-1)*c.stride:][:c.width]
	for x := range near {
		c.sums[x] = 3*int(near[x]) + int(far[x])
	}
	if c.across == 2 {
		c.widen(8, 7, 4)
		return c.out
	}
	for x, v := range c.sums {
		c.out[x] = uint8((v + 1 + y%2) >> 2)
	}
	return c.out
}

// widen doubles sums to the right and to the left, with these roundings and shift.
func (c *chroma) widen(left, right, shift int) {
	last := len(c.sums) - 1
	for x, v := range c.sums {
		c.out[2*x] = uint8((3*v + c.sums[max(x-1, 0)] + left) >> shift)
		c.out[2*x+1] = uint8((3*v + c.sums[min(x+1, last)] + right) >> shift)
	}
}
