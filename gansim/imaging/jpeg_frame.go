package imaging

import (
	"errors"
	"fmt"
)

// layOut allocates the components.
func (f *jpegFile) layOut() error {
	acrossMCU, downMCU := 8*f.across, 8*f.down
	columns, rows := (f.width+acrossMCU-1)/acrossMCU, (f.height+downMCU-1)/downMCU
	for _, c := range f.components {
		if f.across%c.across != 0 || f.down%c.down != 0 {
			return fmt.Errorf("sampling %dx%d beside %dx%d: %w", c.across, c.down, f.across, f.down,
				ErrUnsupported)
		}
		c.stride, c.rows = columns*c.across, rows*c.down
		c.width = (f.width*c.across + acrossMCU - 1) / acrossMCU
		c.height = (f.height*c.down + downMCU - 1) / downMCU
		c.pix = make([]uint8, 64*c.stride*c.rows)
		if f.progressive {
			c.blocks = make([][64]int32, c.stride*c.rows)
		}
	}
	return nil
}

// scan reads a scan's header, then its blocks.
func (f *jpegFile) scan(body []byte) error {
	if f.components[0].pix == nil {
		if err := f.layOut(); err != nil {
			return err
		}
	}
	s, err := f.scanHeader(body)
	if err != nil {
		return err
	}
	s.bitReader = bitReader{data: f.data, pos: f.pos}
	c := f.components[0]
	columns, rows := c.stride/c.across, c.rows/c.down
	if len(s.parts) == 1 {
		columns, rows = s.parts[0].c.width, s.parts[0].c.height
	}
	for mcu := range columns * rows {
		if f.restart > 0 && mcu > 0 && mcu%f.restart == 0 {
			if err := s.resume(mcu/f.restart - 1); err != nil {
				return err
			}
		}
		if err := s.mcu(mcu%columns, mcu/columns); err != nil {
			return err
		}
	}
	f.pos = s.pos
	return nil
}

// scanHeader reads the header (T.81, B.2.3).
func (f *jpegFile) scanHeader(body []byte) (*scan, error) {
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return nil, errors.New("bad scan header")
	}
	rest := body[len(body)-3:]
	s := &scan{last: 63, progressive: f.progressive}
	if f.progressive {
		s.first, s.last = int(rest[0]), int(rest[1])
		s.high, s.low = int(rest[2]>>4), int(rest[2]&15)
		s.fine = s.high > 0
		if s.first > s.last || s.last > 63 || s.low > 13 || s.fine && s.high != s.low+1 ||
			s.first == 0 && s.last > 0 || s.first > 0 && body[0] > 1 {
			return nil, fmt.Errorf("scan of coefficients %d to %d, bits %d to %d", s.first, s.last,
				s.high, s.low)
		}
	}
	blocks := 0
	for i := range int(body[0]) {
		part, err := f.part(body[1+2*i], body[2+2*i], s)
		if err != nil {
			return nil, err
		}
		blocks += part.c.across * part.c.down
		s.parts = append(s.parts, part)
	}
	if len(s.parts) > 1 && blocks > 10 {
		return nil, fmt.Errorf("%d blocks in an MCU", blocks)
	}
	return s, nil
}

// part finds a component of a scan and its tables.
func (f *jpegFile) part(id, tables byte, s *scan) (scanPart, error) {
	for _, p := range s.parts {
		if p.c.id == id {
			return scanPart{}, fmt.Errorf("component %d twice in a scan", id)
		}
	}
	for _, c := range f.components {
		if c.id != id {
			continue
		}
		if c.quant == nil {
			if c.quant = f.quant[c.table]; c.quant == nil {
				return scanPart{}, fmt.Errorf("quantisation table %d is missing", c.table)
			}
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return scanPart{}, fmt.Errorf("tables %#x of Huffman codes", tables)
		}
		p := scanPart{c: c, dc: f.huffman[0][tables>>4], ac: f.huffman[1][tables&15]}
		if s.first == 0 && !s.fine && p.dc == nil || s.last > 0 && p.ac == nil {
			return scanPart{}, fmt.Errorf("tables %#x of Huffman codes are missing", tables)
		}
		return p, nil
	}
	return scanPart{}, fmt.Errorf("scan of component %d, which is not there", id)
}

// resume expects restart marker n.
func (s *scan) resume(n int) error {
	s.bits, s.n, s.skip = 0, 0, 0
	for s.pos+1 < len(s.data) && s.data[s.pos] == 0xff && s.data[s.pos+1] == 0xff {
		s.pos++
	}
	if s.pos+1 >= len(s.data) {
		return ErrTruncated
	}
	if want := byte(markRST0 + n%8); s.data[s.pos] != 0xff || s.data[s.pos+1] != want {
		return fmt.Errorf("restart marker %#x is missing", want)
	}
	s.pos += 2
	for i := range s.parts {
		s.parts[i].before = 0
	}
	return nil
}

// mcu reads the blocks of one MCU; of a single component, one block.
func (s *scan) mcu(x, y int) error {
	if len(s.parts) == 1 {
		return s.place(&s.parts[0], x, y)
	}
	for i := range s.parts {
		p := &s.parts[i]
		for by := range p.c.down {
			for bx := range p.c.across {
				if err := s.place(p, x*p.c.across+bx, y*p.c.down+by); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// place reads the block at a column and row of blocks.
func (s *scan) place(p *scanPart, x, y int) error {
	if s.progressive {
		return s.block(p, &p.c.blocks[y*p.c.stride+x])
	}
	var b [64]int32
	if err := s.block(p, &b); err != nil {
		return err
	}
	p.c.samples(&b, x, y)
	return nil
}

// samples computes the pixels of a block, which it changes.
func (c *component) samples(b *[64]int32, x, y int) {
	for i, q := range c.quant {
		b[i] *= q
	}
	inverse(b)
	for r := range 8 {
		row, from := c.pix[(8*y+r)*8*c.stride+8*x:][:8], b[8*r:8*r+8]
		for k := range row {
			row[k] = clamp8(int(from[k]) + 128)
		}
	}
}

// picture finishes the components and converts their colours.
func (f *jpegFile) picture() (RGB, error) {
	if f.components == nil {
		return RGB{}, errors.New("no frame")
	}
	planes := make([]plane, len(f.components))
	for i, c := range f.components {
		if c.quant == nil {
			return RGB{}, fmt.Errorf("component %d has no scan: %w", c.id, ErrTruncated)
		}
		for k := range c.blocks {
			c.samples(&c.blocks[k], k%c.stride, k/c.stride)
		}
		across, down := f.across/c.across, f.down/c.down
		planes[i] = plane{pix: c.pix, stride: 8 * c.stride, across: across, down: down,
			width: (f.width + across - 1) / across, height: (f.height + down - 1) / down}
	}
	m := NewRGB(f.width, f.height)
	for y := range f.height {
		var rows [4][]uint8
		for i := range planes {
			rows[i] = planes[i].row(y)
		}
		f.colours(m.Row(y), rows)
	}
	return m, nil
}

// colours converts one row by libjpeg's rules for unnamed colours (jdapimin.c), and as Pillow does
// four inks, which Adobe stores inverted.
func (f *jpegFile) colours(dst []uint8, rows [4][]uint8) {
	switch len(f.components) {
	case 1:
		for i := range dst {
			dst[i] = rows[0][i/3]
		}
		return
	case 3:
		if !f.plainRGB() {
			convert(dst, rows[0], rows[1], rows[2])
			return
		}
		for i := range dst {
			dst[i] = rows[i%3][i/3]
		}
		return
	}
	if f.adobe > 0 { // YCCK
		convert(dst, rows[0], rows[1], rows[2])
	} else {
		for i := range dst {
			dst[i] = 255 - rows[i%3][i/3]
		}
	}
	for x := range f.width {
		ink := dst[3*x : 3*x+3]
		printed(ink, ink[0], ink[1], ink[2], 255-rows[3][x])
	}
}

// plainRGB says whether three components are stored as red, green and blue.
func (f *jpegFile) plainRGB() bool {
	c := f.components
	switch {
	case f.jfif:
		return false
	case f.adobe >= 0:
		return f.adobe == 0
	}
	return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}
