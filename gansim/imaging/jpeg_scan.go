package imaging

import (
	"errors"
	"fmt"
)

// huffman decodes one table of codes (ITU-T T.81, annex C).
type huffman struct {
	lookup [256]uint16 // of the next 8 bits: length << 8 | value, 0 where the code is longer
	most   [17]int     // largest code of a length, -1 where there is none
	shift  [17]int     // index of a length's code in values, less the code
	values []byte
}

// newHuffman reads the numbers of codes by length, 1 to 16, and their values.
func newHuffman(counts, values []byte) (*huffman, error) {
	h := &huffman{values: values}
	code, index := 0, 0
	for n := 1; n <= 16; n++ {
		h.shift[n] = index - code
		for range counts[n-1] {
			if n <= 8 {
				for low := range 1 << (8 - n) {
					h.lookup[(code<<(8-n)|low)&255] = uint16(n)<<8 | uint16(values[index])
				}
			}
			code++
			index++
		}
		if code > 1<<n {
			return nil, errors.New("too many Huffman codes")
		}
		h.most[n] = -1
		if counts[n-1] > 0 {
			h.most[n] = code - 1
		}
		code <<= 1
	}
	return h, nil
}

// bitReader reads the bits of a scan up to the next marker.
type bitReader struct {
	data []byte
	pos  int
	bits uint64
	n    int // bits that are left
}

// fill reads whole bytes, without the zeros stuffed behind 0xff.
func (r *bitReader) fill() {
	for r.n <= 48 && r.pos < len(r.data) {
		v := r.data[r.pos]
		if v == 0xff {
			if r.pos+1 >= len(r.data) || r.data[r.pos+1] != 0 {
				return
			}
			r.pos++
		}
		r.pos++
		r.bits = r.bits<<8 | uint64(v)
		r.n += 8
	}
}

// take returns the next n bits, at most 16.
func (r *bitReader) take(n int) (int, error) {
	if r.n < n {
		if r.fill(); r.n < n {
			return 0, fmt.Errorf("scan ends early: %w", ErrTruncated)
		}
	}
	r.n -= n
	return int(r.bits >> r.n & (1<<n - 1)), nil
}

// signed returns a number of n bits, whose top bit is 0 for negative ones (T.81, F.12).
func (r *bitReader) signed(n int) (int32, error) {
	v, err := r.take(n)
	if n > 0 && v < 1<<(n-1) {
		v += 1 - 1<<n
	}
	return int32(v), err
}

// decode reads one code.
func (r *bitReader) decode(h *huffman) (int, error) {
	if r.n < 16 {
		r.fill()
	}
	if r.n >= 8 {
		if e := h.lookup[r.bits>>(r.n-8)&255]; e != 0 {
			r.n -= int(e >> 8)
			return int(e & 255), nil
		}
	}
	code := 0
	for n := 1; n <= 16; n++ {
		bit, err := r.take(1)
		if err != nil {
			return 0, err
		}
		code = code<<1 | bit
		if code <= h.most[n] && code+h.shift[n] >= 0 {
			return int(h.values[code+h.shift[n]]), nil
		}
	}
	return 0, errors.New("bad Huffman code")
}

// scan is one pass over some components.
type scan struct {
	bitReader
	parts             []scanPart
	first, last       int // coefficients, in the order of the file
	high, low         int // successive approximation: bits known, bits left out
	skip              int // blocks that the last end-of-band code still covers
	progressive, fine bool
}

type scanPart struct {
	c      *component
	dc, ac *huffman
	before int32 // DC of the block before
}

// block reads what the scan has of one block.
func (s *scan) block(p *scanPart, b *[64]int32) error {
	switch {
	case !s.progressive:
		if err := s.constant(p, b); err != nil {
			return err
		}
		return s.band(p.ac, b, 1)
	case s.first == 0 && !s.fine:
		return s.constant(p, b)
	case s.first == 0:
		bit, err := s.take(1)
		b[0] |= int32(bit) << s.low
		return err
	case s.fine:
		return s.refine(p.ac, b)
	}
	return s.band(p.ac, b, s.first)
}

// constant reads the DC coefficient.
func (s *scan) constant(p *scanPart, b *[64]int32) error {
	n, err := s.decode(p.dc)
	if err != nil {
		return err
	}
	if n > 15 {
		return fmt.Errorf("DC difference of %d bits", n)
	}
	difference, err := s.signed(n)
	p.before += difference
	b[0] = p.before << s.low
	return err
}

// band reads AC coefficients from a place on (T.81, F.2.2.2 and G.1.2.2).
func (s *scan) band(h *huffman, b *[64]int32, from int) error {
	if s.skip > 0 {
		s.skip--
		return nil
	}
	for k := from; k <= s.last; k++ {
		run, v, ok := s.short(h)
		if !ok {
			var size int
			var err error
			if run, size, err = s.pair(h); err != nil {
				return err
			}
			if size == 0 && run < 15 {
				return s.endOfBand(run)
			}
			if v, err = s.signed(size); err != nil {
				return err
			}
		}
		if k += run; k > s.last {
			return errors.New("run of zeros over the end of the block")
		}
		b[zigzag[k]&63] = v << s.low
	}
	return nil
}

// short reads a run of zeros and the coefficient behind it where the code has at most 8 bits and
// enough bits are at hand, as nearly always; else it reads nothing.
func (s *scan) short(h *huffman) (run int, v int32, ok bool) {
	if s.n < 24 {
		if s.fill(); s.n < 24 {
			return 0, 0, false
		}
	}
	e := h.lookup[s.bits>>((s.n-8)&63)&255]
	size := int(e & 15)
	if size == 0 {
		return 0, 0, false
	}
	s.n -= int(e>>8) + size
	v = int32(s.bits>>(s.n&63)) & (1<<size - 1)
	below := v>>(size-1) - 1 // all bits set for a negative number (T.81, F.12)
	return int(e>>4) & 15, v + below&(1-1<<size), true
}

// pair is a run of zeros and the size of what follows.
func (s *scan) pair(h *huffman) (run, size int, err error) {
	v, err := s.decode(h)
	return v >> 4, v & 15, err
}

// endOfBand ends this block's band and those of 2^run - 1 + more bits that follow.
func (s *scan) endOfBand(run int) error {
	more, err := s.take(run)
	s.skip = 1<<run - 1 + more
	return err
}

// refine reads one more bit of AC coefficients (T.81, G.1.2.3).
func (s *scan) refine(h *huffman, b *[64]int32) error {
	k := s.first
	if s.skip == 0 {
		for ; k <= s.last; k++ {
			run, size, err := s.pair(h)
			if err != nil {
				return err
			}
			if size == 0 && run < 15 {
				if err := s.endOfBand(run); err != nil {
					return err
				}
				s.skip++ // this block too
				break
			}
			var fresh int32
			if size > 0 {
				sign, err := s.take(1)
				if err != nil {
					return err
				}
				fresh = int32(2*sign-1) << s.low
			}
			if k, err = s.refineRun(b, k, run); err != nil {
				return err
			}
			if fresh != 0 {
				if k > s.last {
					return errors.New("run of zeros over the end of the block")
				}
				b[zigzag[k]] = fresh
			}
		}
	}
	if s.skip > 0 {
		s.skip--
		_, err := s.refineRun(b, k, 64)
		return err
	}
	return nil
}

// refineRun corrects the coefficients that are not 0 from k on, passing run zeros, and returns the
// place of the next zero.
func (s *scan) refineRun(b *[64]int32, k, run int) (int, error) {
	for ; k <= s.last; k++ {
		v := &b[zigzag[k]]
		if *v == 0 {
			if run == 0 {
				break
			}
			run--
			continue
		}
		bit, err := s.take(1)
		if err != nil {
			return k, err
		}
		if bit == 1 && *v > 0 {
			*v += 1 << s.low
		} else if bit == 1 {
			*v -= 1 << s.low
		}
	}
	return k, nil
}
