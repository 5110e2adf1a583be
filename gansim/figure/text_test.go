package figure

import (
	"math"
	"testing"
)

func TestNumbersInWords(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"count", count(97730), "97,730"},
		{"small count", count(999), "999"},
		{"negative count", count(-1234), "-1,234"},
		{"median", estimateText(Estimate{5.22, 0.04}), "5.22 ± 0.04"},
		{"precise median", estimateText(Estimate{1.115, 0.005}), "1.115 ± 0.005"},
		{"median without error", estimateText(Estimate{-0.6, 0}), "−0.60"},
		{"P of 1", pText(0).plainText(), "P = 1.00"},
		{"P", pText(math.Log10(0.0312)).plainText(), "P = 0.031"},
		{"tiny P", pText(-320.4).plainText(), "P = 4.0 × 10^−321"},
		{"rounded P", pText(math.Log10(9.99e-6)).plainText(), "P = 1.0 × 10^−5"},
		{"test", testText(Test{N: 97730, Log10P: -5.0, Effect: -0.533, HasEffect: true}).plainText(),
			"P = 1.0 × 10^−5, r = −0.53, N = 97,730"},
		{"n of equal sets", nText([]int{2000, 2000}).plainText(), "n = 2,000"},
		{"n of unequal sets", nText([]int{60, 64}).plainText(), "n = 60–64"},
		{"one image", plural(1, "image"), "1 image"},
		{"near cell", cellText(0.5), "0.5"},
		{"far cell", cellText(183.4), "183"},
		{"clean", clean("a\x1b[31m\n\u202eb\xff"), "a [31m b\ufffd"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, s := range []string{"", "short", "a name that is much too long for its place"} {
		got := fit(s, tickPt, 12*mm)
		if w := plain(got).width(tickPt); w > 12*mm {
			t.Errorf("fit(%q) = %q is %v wide, want at most 12 mm", s, got, w/mm)
		}
	}
}
