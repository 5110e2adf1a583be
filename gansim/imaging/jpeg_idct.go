package imaging

// zigzag gives the place in a block of 8x8, row by row, of each coefficient in the order of the
// file (ITU-T T.81, figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// inverse is the inverse DCT of a block in libjpeg's integers (jidctint.c, "islow"; Loeffler,
// Ligtenberg and Moschytz, ICASSP 1989): columns first, two bits of fraction between the passes.
func inverse(b *[64]int32) {
	const constBits, passBits = 13, 2
	for i := range 8 {
		butterfly(b[i:], 8, constBits-passBits)
	}
	for i := range 8 {
		butterfly(b[8*i:], 1, constBits+passBits+3)
	}
}

// butterfly transforms eight values that lie step apart. The constants are cosines times 2^13.
func butterfly(b []int32, step, shift int) {
	at := func(k int) int32 { return b[k*step] }
	z1 := (at(2) + at(6)) * 4433
	even2, even3 := z1-at(6)*15137, z1+at(2)*6270
	even0, even1 := (at(0)+at(4))<<13, (at(0)-at(4))<<13
	sums := [4]int32{even0 + even3, even1 + even2, even1 - even2, even0 - even3}

	o0, o1, o2, o3 := at(7), at(5), at(3), at(1)
	z1, z2, z3, z4 := (o0+o3)*-7373, (o1+o2)*-20995, o0+o2, o1+o3
	z5 := (z3 + z4) * 9633
	z3, z4 = z3*-16069+z5, z4*-3196+z5
	odd := [4]int32{o3*12299 + z1 + z4, o2*25172 + z2 + z3, o1*16819 + z2 + z4, o0*2446 + z1 + z3}

	half := int32(1) << (shift - 1)
	for k := range 4 {
		b[k*step] = (sums[k] + odd[k] + half) >> shift
		b[(7-k)*step] = (sums[k] - odd[k] + half) >> shift
	}
}
