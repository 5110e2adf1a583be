//go:build unix

package lab_test

import (
	"fmt"

	"gansim.example/gansim/lab"
)

func ExampleSample() {
	imgs := lab.Sample("BigGAN", lab.N(8), lab.Seed(1))
	fmt.Println(imgs.N, imgs.Height, imgs.Codes.Dim, imgs.From.Recipe)
	// Output: 8 64 64 trunc0.7
}

func ExampleInvert() {
	imgs := lab.Pictures("mini:ecoset", lab.N(1))
	r := lab.Invert("DeePSim", imgs, lab.Steps(10))
	fmt.Println(r.Images.N, r.R[0] > 0, r.LossLast[0] < r.LossFirst[0])
	// Output: 1 true true
}

func ExampleMaximize() {
	s := lab.Maximize("BigGAN", "resnet50/layer3/2", lab.N(1), lab.Steps(20))
	fmt.Println(s.Unit, s.Method, s.Scores[0] > s.Course[0][0])
	// Output: resnet50/layer3/2/4/4 Adam001 true
}

func ExampleCodes_Along() {
	imgs := lab.Sample("BigGAN", lab.N(1))
	walk := imgs.Codes.Along(lab.Directions("BigGAN", lab.N(1)), 2, 5)
	fmt.Println(lab.Decode("BigGAN", walk).N)
	// Output: 5
}

func ExampleKeep() {
	lab.Keep("codes", lab.Sample("DeePSim", lab.N(2)).Codes)
	fmt.Println(lab.Load[lab.Codes]("codes").N)
	// Output: 2
}

func ExampleTest() {
	lab.Test([]float64{.91, .93, .88, .95, .9, .92}, []float64{.61, .64, .71, .58, .68, .67},
		lab.Paired(), lab.Labels("DeePSim", "BigGAN"))
	// Output:
	// **DeePSim (median 0.915) is higher than BigGAN (median 0.655): Wilcoxon signed-rank test, n = 6 pairs, z = 2.20, P = 0.031, effect size r = 0.90.**
	//
	// | test | n | statistic | z | P | effect size r |
	// |---|--:|--:|--:|--:|--:|
	// | Wilcoxon signed-rank test | 6 | 21 | 2.201 | 0.031 | 0.899 |
	//
}

func ExampleParameter() {
	fmt.Println(lab.Parameter("NO_SUCH_VARIABLE", "mini:things"))
	// Output: mini:things
}
