package native

import "math"

// Functions of float32 that need no float64.

// expTerms is the polynomial of the exponential, of Cephes' expf (Moshier 1989), whose errors are
// below 2 units in the last place for |x| <= ln(2)/2.
var expTerms = [...]float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
	1.6666665459e-1, 5.0000001201e-1}

// tanhTerms is the polynomial of the hyperbolic tangent for |x| < tanhNear, of Cephes' tanhf.
var tanhTerms = [...]float32{-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2,
	1.33314422036e-1, -3.33332819422e-1}

const (
	tanhNear = 0.625
	ln2High  = 0.693359375 // few bits, so that products with small integers are exact
	ln2Low   = -2.12194440e-4
)

// exp32 is the exponential: 2^k * e^r with |r| <= ln(2)/2. Beyond the limits the result is 0 or
// infinite anyway.
func exp32(x float32) float32 {
	if x != x {
		return x
	}
	x = max(-104, min(89, x))
	f := float32(math.RoundToEven(float64(x * math.Log2E)))
	r := x - f*ln2High - f*ln2Low
	p := expTerms[0]
	for _, term := range expTerms[1:] {
		p = p*r + term
	}
	p = p*r*r + r + 1
	k := int32(f)
	half := k >> 1 // in two factors, for results that are no normal numbers
	return p * pow2(half) * pow2(k-half)
}

// pow2 is 2^k for normal results.
func pow2(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

// tanh32 is the hyperbolic tangent: a polynomial near zero, else by the exponential.
func tanh32(x float32) float32 {
	if x != x {
		return x
	}
	a := float32(math.Abs(float64(x)))
	if a < tanhNear {
		s := x * x
		p := tanhTerms[0]
		for _, term := range tanhTerms[1:] {
			p = p*s + term
		}
		return p*s*x + x
	}
	t := 1 - 2/(exp32(2*a)+1)
	return float32(math.Copysign(float64(t), float64(x)))
}
