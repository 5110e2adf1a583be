package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Random is a checkpoint of the table with random weights that keep activations at their size (He et
// al. 2015), for timing and trials where no published weights are at hand. Norms have means 0 and
// variances 1.
func (t Table) Random(seed uint64) Source {
	shapes := map[string][]int{}
	var src Source
	for _, p := range t.Published() {
		shapes[p.Name] = p.Shape
		src.Names = append(src.Names, p.Name)
	}
	src.Read = func(name string) ([]int, []float32, error) {
		shape, ok := shapes[name]
		if !ok {
			return nil, nil, fmt.Errorf("nn: no tensor %q", name)
		}
		v := make([]float32, size(shape))
		if len(shape) == 1 || strings.Contains(name, "running_") {
			one := strings.HasSuffix(name, ".weight") || strings.Contains(name, "running_var")
			for i := range v {
				if one {
					v[i] = 1
				}
			}
			return shape, v, nil
		}
		rng := rand.New(rand.NewPCG(seed, uint64(slices.Index(src.Names, name))))
		std := math.Sqrt(2 / float64(size(shape[1:])))
		for i := range v {
			v[i] = float32(std * rng.NormFloat64())
		}
		return shape, v, nil
	}
	return src
}
