package imstat_test

import (
	"fmt"
	"strings"

	"gansim.example/gansim/imstat"
)

// stripes are vertical: eight cycles of light and dark red across 32 pixels.
func stripes() *imstat.Picture {
	const n = 32
	pix := make([]float32, n*n*3)
	for i := 0; i < len(pix); i += 3 {
		pix[i] = 0.75
		if i/3%4 < 2 {
			pix[i] = 0.25
		}
	}
	p, err := imstat.New(n, n, pix)
	if err != nil {
		panic(err)
	}
	return p
}

func ExampleStatistics() {
	p := stripes()
	for _, s := range imstat.Statistics() {
		if s.Source == imstat.SourcePower && !strings.Contains(s.Name, "spectrum") {
			fmt.Printf("%-24s %7.4f\n", s.Name, s.Value(p))
		}
	}
	// Output:
	// gray_mean                 0.1667
	// gray_variance             0.0070
	// normalised_gray_mean     -1.2582
	// normalised_gray_variance  0.1326
}

func ExamplePicture_Spectrum() {
	spectrum, err := stripes().Spectrum(imstat.Gray)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, share := range imstat.Share(spectrum) {
		if share > 0.01 {
			fmt.Printf("%g cycles per image: %.2f\n", imstat.Frequencies(16)[i], share)
		}
	}
	// Output: 8 cycles per image: 1.00
}

func ExamplePicture_Orientation() {
	s, err := stripes().Orientation()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("0: %.2f, 45: %.2f, 90: %.2f\n", s[0], s[45], s[90])
	// Output: 0: 0.80, 45: 0.53, 90: 1.00
}

func ExampleFit() {
	line := imstat.Fit([]float64{100, 25, 100.0 / 9, 6.25}) // 100 k^-2
	fmt.Printf("%.2f %.2f\n", line.Slope, line.Intercept)
	// Output: -2.00 2.00
}

func ExampleLookup() {
	s, _ := imstat.Lookup("saturation")
	fmt.Println(s.Label, s.Source, s.Value(stripes()))
	// Output: saturation (0 to 1) extra 1
}
