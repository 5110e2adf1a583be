package optim_test

import (
	"fmt"

	"gansim.example/gansim/optim"
)

// The score is highest at (1, 2, 3).
func Example() {
	search, err := optim.New(optim.Config{Dim: 3, Sigma: 0.5, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 200 {
		var scores []float64
		for _, x := range search.Ask() {
			a, b, c := x[0]-1, x[1]-2, x[2]-3
			scores = append(scores, -a*a-b*b-c*c)
		}
		if err := search.Tell(scores); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("%.3f\n", search.Mean())
	// Output: [1.000 2.000 3.000]
}

func ExampleDefaultPopulation() {
	fmt.Println(optim.DefaultPopulation(128), optim.DefaultPopulation(4096))
	// Output: 25 40
}
