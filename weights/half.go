package weights

import "math"

// fromHalf is the value of an IEEE 754 half: 1 sign, 5 exponent and 10 fraction bits.
func fromHalf(h uint16) float64 {
	sign, exponent, fraction := uint64(h>>15)<<63, int(h>>10&31), uint64(h&1023)
	switch exponent {
	case 31: // infinity, or NaN with its payload
		return math.Float64frombits(sign | 0x7ff<<52 | fraction<<42)
	case 0: // zero and subnormals
		return math.Copysign(math.Ldexp(float64(fraction), -24), math.Float64frombits(sign))
	}
	return math.Float64frombits(sign | uint64(exponent+1023-15)<<52 | fraction<<42)
}

// toHalf is the half nearest to x, ties to even; infinite from 65520 on.
func toHalf(x float64) uint16 { return narrow(x, 5, 10) }

// toBFloat is the bfloat16 nearest to x, ties to even, rounded once.
func toBFloat(x float64) uint16 { return narrow(x, 8, 7) }

// narrow rounds x to a 16-bit format of so many exponent and fraction bits, with one rounding.
func narrow(x float64, exponentBits, fractionBits int) uint16 {
	v := math.Float64bits(x)
	sign := uint16(v>>63) << 15
	top := uint16(1<<exponentBits-1) << fractionBits // infinity
	fraction := v & (1<<52 - 1)
	if v>>52&0x7ff == 0x7ff {
		if fraction == 0 {
			return sign | top
		}
		// A quiet NaN with what fits of the payload.
		return sign | top | uint16(fraction>>(52-fractionBits)) | 1<<(fractionBits-1)
	}
	bias := 1<<(exponentBits-1) - 1
	exponent := int(v>>52&0x7ff) - 1023 + bias
	if v>>52&0x7ff == 0 || exponent < -fractionBits-1 {
		return sign // less than half of the smallest subnormal
	}
	if exponent >= 1<<exponentBits-1 {
		return sign | top
	}
	fraction |= 1 << 52
	drop := 52 - fractionBits
	if exponent <= 0 { // subnormal
		drop += 1 - exponent
	} else {
		fraction &^= 1 << 52
		fraction |= uint64(exponent) << 52
	}
	// A carry out of the fraction runs into the exponent, which is right up to infinity.
	half := uint64(1) << (drop - 1)
	return sign | uint16((fraction+half-1+(fraction>>drop&1))>>drop)
}
