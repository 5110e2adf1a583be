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
	var half [64]int32
	butterflies(b, &half, constBits-passBits)
	butterflies(&half, b, constBits+passBits+3)
}

// butterflies transforms each column of in to a row of out. The constants are cosines times 2^13. A
// column of its first value alone is flat, as most are; libjpeg takes the same short way.
func butterflies(in, out *[64]int32, shift uint) {
	shift &= 31
	half := int32(1) << shift >> 1
	for i := range 8 {
		v0, v1, v2, v3 := in[i], in[8+i], in[16+i], in[24+i]
		v4, v5, v6, v7 := in[32+i], in[40+i], in[48+i], in[56+i]
		to := (*[8]int32)(out[8*i:])
		if v1|v2|v3|v4|v5|v6|v7 == 0 {
			v := (v0<<13 + half) >> shift
			*to = [8]int32{v, v, v, v, v, v, v, v}
			continue
		}
		z1 := (v2 + v6) * 4433
		even2, even3 := z1-v6*15137, z1+v2*6270
		even0, even1 := (v0+v4)<<13+half, (v0-v4)<<13+half
		s0, s1, s2, s3 := even0+even3, even1+even2, even1-even2, even0-even3

		z1, z2, z3, z4 := (v7+v1)*-7373, (v5+v3)*-20995, v7+v3, v5+v1
		z5 := (z3 + z4) * 9633
		z3, z4 = z3*-16069+z5, z4*-3196+z5
		o0, o1 := v1*12299+z1+z4, v3*25172+z2+z3
		o2, o3 := v5*16819+z2+z4, v7*2446+z1+z3

		to[0], to[7] = (s0+o0)>>shift, (s0-o0)>>shift
		to[1], to[6] = (s1+o1)>>shift, (s1-o1)>>shift
		to[2], to[5] = (s2+o2)>>shift, (s2-o2)>>shift
		to[3], to[4] = (s3+o3)>>shift, (s3-o3)>>shift
	}
}
