package imaging

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// JPEG markers (ITU-T T.81, table B.1).
const (
	markSOF0  = 0xc0 // baseline
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markSOF15 = 0xcf
	markRST0  = 0xd0
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP1  = 0xe1
	markAPP14 = 0xee
)

// maxScans bounds the work for a progressive file; encoders write about ten.
const maxScans = 500

// component is one colour of a JPEG.
type component struct {
	id            byte
	across, down  int        // sampling factors
	table         byte       // of quantisation
	quant         *[64]int32 // nil before the component's first scan; in rows of the block
	width, height int        // blocks that hold pixels
	stride        int        // blocks in a row, whole MCUs
	rows          int
	blocks        [][64]int32 // coefficients of a progressive file
	pix           []uint8     // [8 rows, 8 stride]
}

// jpegFile decodes sequential and progressive Huffman-coded JPEG of 8 bits, as libjpeg does to the
// last bit.
type jpegFile struct {
	data          []byte
	pos           int
	width, height int
	components    []*component
	progressive   bool
	across, down  int // largest sampling factors
	quant         [4]*[64]int32
	huffman       [2][4]*huffman // DC, AC
	restart       int            // MCUs between restart markers, 0 for none
	scans         int
	jfif          bool
	adobe         int // transform of the Adobe segment, -1 where there is none
	exif          []byte
}

func newJPEG(data []byte) *jpegFile { return &jpegFile{data: data, pos: 2, adobe: -1} }

// next reads segments up to the header of a scan, which it returns; nil at the end of the image.
func (f *jpegFile) next() ([]byte, error) {
	for f.pos+1 < len(f.data) {
		mark := f.data[f.pos+1]
		if f.data[f.pos] != 0xff || mark == 0xff || mark == 0 {
			f.pos++
			continue
		}
		f.pos += 2
		if mark == markEOI {
			return nil, nil
		}
		if mark == 1 || mark >= markRST0 && mark <= markSOI {
			continue
		}
		if f.pos+2 > len(f.data) {
			return nil, ErrTruncated
		}
		n := int(binary.BigEndian.Uint16(f.data[f.pos:]))
		if n < 2 {
			return nil, fmt.Errorf("segment %#x has length %d", mark, n)
		}
		if f.pos+n > len(f.data) {
			return nil, ErrTruncated
		}
		body := f.data[f.pos+2 : f.pos+n]
		f.pos += n
		if err := f.segment(mark, body); err != nil {
			return nil, err
		}
		if mark == markSOS {
			return body, nil
		}
	}
	return nil, fmt.Errorf("no end of image: %w", ErrTruncated)
}

// segment takes what is needed from one segment.
func (f *jpegFile) segment(mark byte, body []byte) error {
	switch {
	case mark == markDQT:
		return f.quantisation(body)
	case mark == markDHT:
		return f.codes(body)
	case mark >= markSOF0 && mark <= markSOF2:
		f.progressive = mark == markSOF2
		return f.frame(body)
	case mark > markSOF2 && mark <= markSOF15 && mark != markJPG && mark != markDAC:
		return fmt.Errorf("coding process %d: %w", mark-markSOF0, ErrUnsupported)
	case mark == markDRI:
		if len(body) < 2 {
			return ErrTruncated
		}
		f.restart = int(binary.BigEndian.Uint16(body))
	case mark == markAPP0 && matches(body, "JFIF\x00"):
		f.jfif = true
	case mark == markAPP1 && matches(body, "Exif\x00\x00") && f.exif == nil:
		f.exif = body[6:]
	case mark == markAPP14 && matches(body, "Adobe") && len(body) >= 12:
		f.adobe = int(body[11])
	}
	return nil
}

// quantisation reads tables, of 8 or 16 bits.
func (f *jpegFile) quantisation(body []byte) error {
	for len(body) > 0 {
		size, at := int(body[0]>>4)+1, body[0]&15
		if size > 2 || at > 3 || len(body) < 1+64*size {
			return errors.New("bad quantisation table")
		}
		var q [64]int32
		for k := range q {
			if size == 1 {
				q[zigzag[k]] = int32(body[1+k])
			} else {
				q[zigzag[k]] = int32(binary.BigEndian.Uint16(body[1+2*k:]))
			}
		}
		f.quant[at] = &q
		body = body[1+64*size:]
	}
	return nil
}

// codes reads Huffman tables.
func (f *jpegFile) codes(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 || body[0]>>4 > 1 || body[0]&15 > 3 {
			return errors.New("bad Huffman table")
		}
		n := 0
		for _, count := range body[1:17] {
			n += int(count)
		}
		if n > 256 || len(body) < 17+n {
			return errors.New("bad Huffman table")
		}
		h, err := newHuffman(body[1:17], body[17:17+n])
		if err != nil {
			return err
		}
		f.huffman[body[0]>>4][body[0]&15] = h
		body = body[17+n:]
	}
	return nil
}

// frame reads the header of the picture.
func (f *jpegFile) frame(body []byte) error {
	if f.components != nil {
		return errors.New("two frames")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return errors.New("frame header of a wrong length")
	}
	if body[0] != 8 {
		return fmt.Errorf("%d bits a sample: %w", body[0], ErrUnsupported)
	}
	f.height = int(binary.BigEndian.Uint16(body[1:]))
	f.width = int(binary.BigEndian.Uint16(body[3:]))
	if n := body[5]; n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d components: %w", n, ErrUnsupported)
	}
	for b := body[6:]; len(b) > 0; b = b[3:] {
		c := &component{id: b[0], across: int(b[1] >> 4), down: int(b[1] & 15), table: b[2]}
		if c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4 || c.table > 3 {
			return fmt.Errorf("component %d: sampling %dx%d, table %d", c.id, c.across, c.down, c.table)
		}
		if len(body) == 9 { // one component: its factors mean nothing
			c.across, c.down = 1, 1
		}
		for _, other := range f.components {
			if other.id == c.id {
				return fmt.Errorf("two components %d", c.id)
			}
		}
		f.components = append(f.components, c)
		f.across, f.down = max(f.across, c.across), max(f.down, c.down)
	}
	return nil
}

// configJPEG reads up to the first scan.
func configJPEG(r io.Reader) (image.Config, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return image.Config{}, err
	}
	f := newJPEG(data)
	if _, err := f.next(); err != nil {
		return image.Config{}, err
	}
	if f.components == nil {
		return image.Config{}, errors.New("no frame")
	}
	return image.Config{Width: f.width, Height: f.height}, nil
}

func jpegOrientation(data []byte) int {
	f := newJPEG(data)
	if _, err := f.next(); err != nil {
		return 1
	}
	return tiffTag(f.exif, tagOrientation)
}

func decodeJPEG(data []byte, config image.Config) (RGB, error) {
	// A block of 8x8 pixels takes at least one bit of one component.
	if config.Width*config.Height/(64*8) > len(data) {
		return RGB{}, ErrTruncated
	}
	f := newJPEG(data)
	for {
		body, err := f.next()
		if err != nil {
			return RGB{}, err
		}
		if body == nil {
			return f.picture()
		}
		if f.components == nil {
			return RGB{}, errors.New("a scan before the frame")
		}
		if f.scans++; f.scans > maxScans {
			return RGB{}, fmt.Errorf("more than %d scans", maxScans)
		}
		if err := f.scan(body); err != nil {
			return RGB{}, err
		}
	}
}
