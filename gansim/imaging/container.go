package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"

	"golang.org/x/image/webp"
)

// tiffTag is the first value of a number tag in the first directory of a TIFF or EXIF block, 0
// where the tag is absent or the block broken.
func tiffTag(data []byte, tag int) int {
	if len(data) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(data[4:]))
	if at < 8 || at+2 > int64(len(data)) {
		return 0
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if int(order.Uint16(entries)) == tag {
			switch order.Uint16(entries[2:]) {
			case 3: // SHORT
				return int(order.Uint16(entries[8:]))
			case 4: // LONG
				return int(order.Uint32(entries[8:]))
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}

// orient undoes an EXIF orientation, 2..8, as Pillow's ImageOps.exif_transpose; others change
// nothing.
func orient(m RGB, orientation int) RGB {
	if orientation < 2 || orientation > 8 {
		return m
	}
	out := NewRGB(m.Width, m.Height)
	if orientation >= 5 {
		out = NewRGB(m.Height, m.Width)
	}
	flipX := orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
	flipY := orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
	for y := range out.Height {
		for x := range out.Width {
			sx, sy := x, y
			if orientation >= 5 {
				sx, sy = y, x
			}
			if flipX {
				sx = m.Width - 1 - sx
			}
			if flipY {
				sy = m.Height - 1 - sy
			}
			copy(out.Pix[(y*out.Width+x)*3:][:3], m.Pix[(sy*m.Width+sx)*3:][:3])
		}
	}
	return out
}

// pngOrientation reads the eXIf chunk (PNG, third edition, 11.3.3.5).
func pngOrientation(data []byte) int {
	for pos := int64(8); pos+12 <= int64(len(data)); {
		n := int64(binary.BigEndian.Uint32(data[pos:]))
		if pos+12+n > int64(len(data)) {
			return 1
		}
		if string(data[pos+4:pos+8]) == "eXIf" {
			return tiffTag(bytes.TrimPrefix(data[pos+8:pos+8+n], []byte("Exif\x00\x00")), tagOrientation)
		}
		pos += 12 + n
	}
	return 1
}

// webpChunk returns the contents of the first chunk of a name, nil where there is none.
func webpChunk(data []byte, name string) []byte {
	for pos := int64(12); pos+8 <= int64(len(data)); {
		n := int64(binary.LittleEndian.Uint32(data[pos+4:]))
		if pos+8+n > int64(len(data)) {
			return nil
		}
		if string(data[pos:pos+4]) == name {
			return data[pos+8 : pos+8+n]
		}
		pos += 8 + n + n&1
	}
	return nil
}

func webpOrientation(data []byte) int {
	exif := bytes.TrimPrefix(webpChunk(data, "EXIF"), []byte("Exif\x00\x00"))
	return tiffTag(exif, tagOrientation)
}

func decodeWebP(data []byte, config image.Config) (RGB, error) {
	if frame := webpChunk(data, "ANMF"); frame != nil {
		return decodeWebPFrame(frame, config)
	}
	return decodeStill(data)
}

// decodeStill reads a WebP file of one picture.
func decodeStill(data []byte) (RGB, error) {
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	switch p := img.(type) {
	case *image.YCbCr:
		return fromVP8(p), nil
	case *image.NYCbCrA:
		return fromVP8(&p.YCbCr), nil
	}
	return fromImage(img)
}

// decodeWebPFrame reads the first frame of an animation (WebP container, ANMF: offsets over 2 and
// sizes less 1 in 24 bits each, duration, flags, chunks) on a black canvas.
func decodeWebPFrame(frame []byte, config image.Config) (RGB, error) {
	if len(frame) < 16 {
		return RGB{}, ErrTruncated
	}
	number := func(i int) int {
		return int(frame[i]) | int(frame[i+1])<<8 | int(frame[i+2])<<16
	}
	left, top := 2*number(0), 2*number(3)
	w, h := number(6)+1, number(9)+1
	if left+w > config.Width || top+h > config.Height {
		return RGB{}, errors.New("frame is larger than the canvas")
	}
	chunks := append([]byte("RIFF\x00\x00\x00\x00WEBP"), frame[16:]...)
	chunk := "VP8 "
	body := webpChunk(chunks, chunk)
	if body == nil {
		chunk = "VP8L"
		body = webpChunk(chunks, chunk)
	}
	still := []byte("RIFF\x00\x00\x00\x00WEBP" + chunk + "\x00\x00\x00\x00")
	still = append(still, body...)
	if len(body)%2 == 1 {
		still = append(still, 0)
	}
	binary.LittleEndian.PutUint32(still[4:], uint32(len(still)-8))
	binary.LittleEndian.PutUint32(still[16:], uint32(len(body)))
	c, err := webp.DecodeConfig(bytes.NewReader(still))
	if err != nil {
		return RGB{}, err
	}
	if c.Width != w || c.Height != h {
		return RGB{}, fmt.Errorf("frame is %dx%d, its header says %dx%d", c.Width, c.Height, w, h)
	}
	m, err := decodeStill(still)
	if err != nil {
		return RGB{}, err
	}
	canvas := NewRGB(config.Width, config.Height)
	paste(canvas, m, left, top)
	return canvas, nil
}

// fromVP8 enlarges chroma and converts as libwebp does: src/dsp/upsampling.c (weights 9:3:3:1) and
// src/dsp/yuv.h (BT.601 studio range in 14-bit fixed point).
func fromVP8(p *image.YCbCr) RGB {
	m := NewRGB(p.Rect.Dx(), p.Rect.Dy())
	cw, ch := (m.Width+1)/2, (m.Height+1)/2
	for y := range m.Height {
		near := y / 2 * p.CStride
		far := min(max(y/2+y%2*2-1, 0), ch-1) * p.CStride
		dst := m.Row(y)
		for x := range m.Width {
			beside := min(max(x/2+x%2*2-1, 0), cw-1)
			mix := func(c []uint8) int {
				n, d := int(c[near+x/2]), int(c[far+beside])
				cross := int(c[near+beside]) + int(c[far+x/2])
				return ((n+d+3*cross+8)>>3 + n) >> 1
			}
			u, v := mix(p.Cb), mix(p.Cr)
			l := int(p.Y[y*p.YStride+x]) * 19077 >> 8
			dst[3*x] = clamp8((l + v*26149>>8 - 14234) >> 6)
			dst[3*x+1] = clamp8((l - u*6419>>8 - v*13320>>8 + 8708) >> 6)
			dst[3*x+2] = clamp8((l + u*33050>>8 - 17685) >> 6)
		}
	}
	return m
}

// decodeGIF places the first frame on the screen. The rest has the colour of index 0, or of the
// transparent index, as in Pillow; the transparent index keeps its colour.
func decodeGIF(data []byte, config image.Config) (RGB, error) {
	data = bytes.Clone(data)
	transparent := clearTransparency(data)
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	frame, ok := img.(*image.Paletted)
	if !ok {
		return RGB{}, fmt.Errorf("frame is a %T", img)
	}
	screen := NewRGB(config.Width, config.Height)
	if rest := opaque(frame.Palette)[transparent]; rest != [3]uint8{} {
		for i := range config.Width * config.Height {
			copy(screen.Pix[3*i:], rest[:])
		}
	}
	m, err := fromImage(frame)
	if err != nil {
		return RGB{}, err
	}
	paste(screen, m, frame.Rect.Min.X, frame.Rect.Min.Y)
	return screen, nil
}

// clearTransparency switches off transparency in the blocks before the first frame (GIF89a, 23) and
// returns the transparent index, 0 where there is none. image/gif would blacken that colour.
func clearTransparency(data []byte) (index uint8) {
	if len(data) < 13 {
		return 0
	}
	pos := 13
	if data[10]&0x80 != 0 {
		pos += 3 << (data[10]&7 + 1)
	}
	for pos+8 <= len(data) && data[pos] == 0x21 {
		if data[pos+1] == 0xf9 && data[pos+2] == 4 {
			index = 0
			if data[pos+3]&1 != 0 {
				index = data[pos+6]
			}
			data[pos+3] &^= 1
		}
		pos += 2
		for pos < len(data) && data[pos] != 0 {
			pos += int(data[pos]) + 1
		}
		pos++
	}
	return index
}

// paste copies src into dst at a place where it fits.
func paste(dst, src RGB, left, top int) {
	for y := range src.Height {
		copy(dst.Row(top + y)[3*left:], src.Row(y))
	}
}

// fromImage drops alpha and keeps the high byte of 16-bit samples.
func fromImage(img image.Image) (RGB, error) {
	b := img.Bounds()
	m := NewRGB(b.Dx(), b.Dy())
	pixel, err := pixels(img)
	if err != nil {
		return RGB{}, err
	}
	for y := range m.Height {
		dst := m.Row(y)
		for x := range m.Width {
			pixel(dst[3*x:3*x+3], x, y)
		}
	}
	return m, nil
}

// pixels returns a function that writes the colour at a column and row of the picture.
func pixels(img image.Image) (func(dst []uint8, x, y int), error) {
	switch p := img.(type) {
	case *image.Gray:
		return func(dst []uint8, x, y int) {
			v := p.Pix[y*p.Stride+x]
			dst[0], dst[1], dst[2] = v, v, v
		}, nil
	case *image.Gray16:
		return func(dst []uint8, x, y int) {
			v := p.Pix[y*p.Stride+2*x]
			dst[0], dst[1], dst[2] = v, v, v
		}, nil
	case *image.NRGBA:
		return func(dst []uint8, x, y int) { copy(dst, p.Pix[y*p.Stride+4*x:]) }, nil
	case *image.NRGBA64:
		return func(dst []uint8, x, y int) {
			s := p.Pix[y*p.Stride+8*x:]
			dst[0], dst[1], dst[2] = s[0], s[2], s[4]
		}, nil
	case *image.RGBA:
		return func(dst []uint8, x, y int) {
			s := p.Pix[y*p.Stride+4*x:]
			divide(dst, s[0], s[1], s[2], s[3])
		}, nil
	case *image.RGBA64:
		return func(dst []uint8, x, y int) {
			s := p.Pix[y*p.Stride+8*x:]
			divide(dst, s[0], s[2], s[4], s[6])
		}, nil
	case *image.CMYK:
		return func(dst []uint8, x, y int) {
			s := p.Pix[y*p.Stride+4*x:]
			printed(dst, s[0], s[1], s[2], s[3])
		}, nil
	case *image.Paletted:
		table := opaque(p.Palette)
		return func(dst []uint8, x, y int) { copy(dst, table[p.Pix[y*p.Stride+x]][:]) }, nil
	}
	return nil, fmt.Errorf("pixels of type %T: %w", img, ErrUnsupported)
}

// divide undoes premultiplied alpha as Pillow's RGBa unpacker does (Unpack.c).
func divide(dst []uint8, r, g, b, a uint8) {
	for i, v := range [3]uint8{r, g, b} {
		switch a {
		case 255:
			dst[i] = v
		case 0:
			dst[i] = 0
		default:
			dst[i] = uint8(min(int(v)*255/int(a), 255))
		}
	}
}

// opaque is a palette without alpha; missing entries are black.
func opaque(palette color.Palette) (table [256][3]uint8) {
	for i, c := range palette[:min(len(palette), 256)] {
		if n, ok := c.(color.NRGBA); ok {
			table[i] = [3]uint8{n.R, n.G, n.B}
			continue
		}
		r, g, b, _ := c.RGBA()
		table[i] = [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
	}
	return table
}
