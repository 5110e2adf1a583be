package imaging

// printed is Pillow's colour of four inks (Convert.c, cmyk2rgb): nk = 255 - k,
// R = nk - round(c*nk/255).
func printed(dst []uint8, c, m, y, k uint8) {
	nk := 255 - int(k)
	for i, ink := range [3]uint8{c, m, y} {
		t := int(ink)*nk + 128
		dst[i] = uint8(max(0, nk-(t>>8+t)>>8))
	}
}

// convert turns a row of Y, Cb and Cr into R, G and B as libjpeg does (jdcolor.c: BT.601 full range
// in 16-bit fixed point).
func convert(dst, luma, cb, cr []uint8) {
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	for x := range luma {
		l, u, v := int(luma[x]), int(cb[x])-128, int(cr[x])-128
		to := dst[3*x : 3*x+3 : 3*x+3]
		to[0] = clamp8(l + (91881*v+32768)>>16)
		to[1] = clamp8(l + (-22554*u-46802*v+32768)>>16)
		to[2] = clamp8(l + (116130*u+32768)>>16)
	}
}

func clamp8(v int) uint8 {
	if uint(v) > 255 {
		return uint8(^(v >> 63)) // 0 below, 255 above
	}
	return uint8(v)
}

// plane is a component's samples, which row enlarges to the size of the picture as libjpeg does
// (jdsample.c, "fancy upsampling").
type plane struct {
	pix           []uint8
	stride        int
	width, height int // of the plane
	across, down  int // factors of enlargement
	sums          []int
	out           []uint8
}

// row is row y of the enlarged plane, valid until the next call. Factor 2 is smooth: weights 3 and
// 1 in each direction, edges repeated. Other factors, and 2 across for planes at most 2 wide, copy.
func (c *plane) row(y int) []uint8 {
	if c.out == nil {
		c.sums, c.out = make([]int, c.width), make([]uint8, c.width*c.across)
	}
	near := c.pix[y/c.down*c.stride:][:c.width]
	if c.across > 2 || c.down > 2 || c.across == 2 && c.width <= 2 {
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
func (c *plane) widen(left, right, shift int) {
	last := len(c.sums) - 1
	for x, v := range c.sums {
		c.out[2*x] = uint8((3*v + c.sums[max(x-1, 0)] + left) >> shift)
		c.out[2*x+1] = uint8((3*v + c.sums[min(x+1, last)] + right) >> shift)
	}
}
