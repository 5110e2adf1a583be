package figure_test

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"

	"gansim.example/gansim/figure"
	"gansim.example/gansim/imaging"
)

// size prints the ranges that a plot has taken from its plotters.
func size(p *plot.Plot) {
	fmt.Printf("x %.3g to %.3g, y %.3g to %.3g\n", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
}

func ExampleViolin() {
	p := plot.New()
	v, err := figure.NewViolin(0, []float64{1, 2, 2, 3, 3, 3, 4, 4, 5, 9})
	if err != nil {
		fmt.Println(err)
		return
	}
	v.Color = figure.DeePSim.Color()
	p.Add(v)
	size(p)
	// Output: x -0.4 to 0.4, y 1 to 9
}

func ExampleStrip() {
	p := plot.New()
	s, err := figure.NewStrip(1, []float64{0.2, 0.4, 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Add(s)
	size(p)
	mean, sem := figure.MeanSEM(s.Values)
	fmt.Printf("%.2f ± %.3f\n", mean, sem)
	// Output:
	// x 0.5 to 1.5, y 0.2 to 0.4
	// 0.30 ± 0.047
}

func ExampleBars() {
	p := plot.New()
	b, err := figure.NewBars([]figure.Bar{
		{Value: 12, Lo: 11, Hi: 13, Color: figure.BigGAN.Color()},
		{Value: 80, Lo: 76, Hi: 84, Color: figure.DeePSim.Color()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Add(b)
	size(p)
	// Output: x -0.5 to 1.5, y 0 to 84
}

func ExamplePaired() {
	p := plot.New()
	s, err := figure.NewPaired([]figure.Pair{{DeePSim: 0.9, BigGAN: 0.5}, {DeePSim: 0.8, BigGAN: 0.6}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.DeePSim = &figure.Estimate{Value: 0.85, SE: 0.05}
	p.Add(s)
	size(p)
	// Output: x -0.5 to 1.5, y 0.5 to 0.9
}

func ExampleCurve() {
	p := plot.New()
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	c, err := figure.NewCurve([]float64{1, 2, 4}, []float64{100, 50, 20}, []float64{10, 5, 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Add(c)
	size(p)
	// Output: x 1 to 4, y 18 to 110
}

func ExampleImageGrid() {
	p := plot.New()
	p.HideAxes()
	g, err := figure.NewImageGrid([]imaging.RGB{imaging.NewRGB(8, 8), imaging.NewRGB(8, 8)}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	g.Frame = figure.BigGAN.Color()
	p.Add(g)
	fmt.Println(len(g.Images), "images")
	// Output: 2 images
}

func ExampleMatrix() {
	p := plot.New()
	p.HideAxes()
	p.Add(&figure.Matrix{Names: []string{"ImageNet", "BigGAN", "DeePSim"},
		Value: func(row, col int) (float64, bool) { return float64(10 * row), true }})
	fmt.Println("3 cells")
	// Output: 3 cells
}

func ExampleFigure_Save() {
	dir, err := os.MkdirTemp("", "figure")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	f := figure.Figure{C: &figure.PanelC{
		Pairs:   []figure.Pair{{DeePSim: 0.9, BigGAN: 0.5}, {DeePSim: 0.8, BigGAN: 0.6}},
		DeePSim: &figure.Estimate{Value: 0.85, SE: 0.05},
	}, Miniature: true}
	files, err := f.Save(dir)
	fmt.Println(len(files), err)
	fmt.Println(len(f.Alt()) > 0)
	// Output:
	// 5 <nil>
	// true
}
