package parity

import (
	"fmt"
	"slices"

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
		h := oracle.Hash(f.Salt, name)
		got := fmt.Sprintf("%#016x", h)
		r.exact("hash "+name, got == want, fmt.Sprintf("got %s, want %s", got, want))
		u := make([]float64, len(f.U[name]))
		for i := range u {
			u[i] = oracle.U(h, uint64(i))
		}
		r.exact("u "+name, slices.Equal(u, f.U[name]), "")
		g := make([]float64, len(f.Gauss4[name]))
		for i := range g {
			g[i] = oracle.Gauss4(h, i)
		}
		r.exact("gauss4 "+name, slices.Equal(g, f.Gauss4[name]), "")
	}
	return nil
}
