package parity

import (
	"fmt"

	"gansim.example/gansim/internal/oracle"
)

// formula repeats the vectors that define the formula of weights and inputs.
func formula(r *run) error {
	var f struct {
		Salt   string
		Hash   map[string]string
		U      map[string][]float64
		Gauss4 map[string][]float64
	}
	if err := r.read(&f); err != nil {
		return err
	}
	for name, want := range f.Hash {
		got := fmt.Sprintf("%#016x", oracle.Hash(f.Salt, name))
		r.exact("hash "+name, got == want, fmt.Sprintf("got %s, want %s", got, want))
	}
	for name, want := range f.U {
		r.vector("u "+name, want, func(i int) float64 { return oracle.U(oracle.Hash(f.Salt, name), uint64(i)) })
	}
	for name, want := range f.Gauss4 {
		r.vector("gauss4 "+name, want, func(i int) float64 { return oracle.Gauss4(oracle.Hash(f.Salt, name), i) })
	}
	return nil
}

// vector demands that every value is equal.
func (r *run) vector(stage string, want []float64, at func(i int) float64) {
	for i, w := range want {
		if got := at(i); got != w {
			r.exact(stage, false, fmt.Sprintf("got %v at %d, want %v", got, i, w))
			return
		}
	}
	r.exact(stage, true, "")
}
