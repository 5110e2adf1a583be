package parity

import (
	"fmt"
	"math"
	"slices"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/optim"
)

// Tolerances of the states of evolution strategies, relative, in float64. The Cholesky form has
// sums in another order; the full one decomposes C with another library.
const (
	choleskyTolerance = 1e-12
	fullTolerance     = 1e-10
)

// cma repeats both evolution strategies with the samples of the file.
func cma(r *run) error {
	var f struct {
		Salt     string
		Cholesky choleskyRun `json:"cholesky_cma"`
		Package  fullRun     `json:"cma_package"`
	}
	if err := r.read(&f); err != nil {
		return err
	}
	if err := f.Package.compare(r); err != nil {
		return err
	}
	return f.Cholesky.compare(r, f.Salt)
}

// fullRun is a search of the package cma, which minimises.
type fullRun struct {
	N, PopSize int
	Sigma0     float64
	X0         []float64
	Parameters struct {
		Mu                            int
		Weights                       []float64
		MuEff, CC, C1, CMu, CS, Damps float64
	}
	Generations []struct {
		Samples [][]float64
		Scores  []float64
		After   struct {
			Mean, Pc, Ps []float64
			Sigma        float64
			C            [][]float64
		}
	}
}

func (f fullRun) compare(r *run) error {
	s, err := optim.NewFull(optim.FullConfig{Start: f.X0, Sigma: f.Sigma0, Population: f.PopSize})
	if err != nil {
		return err
	}
	k, p := s.Constants(), f.Parameters
	r.relative("package weights", k.Weights, p.Weights, fullTolerance)
	r.relative("package constants",
		[]float64{float64(k.Mu), k.MuEff, k.CC, k.C1, k.CMu, k.CS, k.Damps},
		[]float64{float64(p.Mu), p.MuEff, p.CC, p.C1, p.CMu, p.CS, p.Damps}, fullTolerance)
	for g, want := range f.Generations {
		cost, scores := make([]float64, len(want.Samples)), make([]float64, len(want.Samples))
		for i, x := range want.Samples {
			for j, v := range x {
				cost[i] += (1 + 4*float64(j)/float64(f.N-1)) * (v - 1) * (v - 1)
			}
			scores[i] = -want.Scores[i]
		}
		if err := s.Tell(want.Samples, scores); err != nil {
			return err
		}
		got, after := s.State(), want.After
		for _, c := range []struct {
			name      string
			got, want []float64
		}{
			{"scores", cost, want.Scores}, {"mean", got.Mean, after.Mean},
			{"sigma", []float64{got.Sigma}, []float64{after.Sigma}}, {"pc", got.Pc, after.Pc},
			{"ps", got.Ps, after.Ps}, {"C", got.C, slices.Concat(after.C...)},
		} {
			r.relative(fmt.Sprintf("package %s[%d]", c.name, g+1), c.got, c.want, fullTolerance)
		}
	}
	return nil
}

// choleskyRun is a search by Cholesky CMA-ES for a target, the samples being formula numbers.
type choleskyRun struct {
	N, Lambda  int
	Start      []float64
	Sigma      float64 `json:"init_sigma"`
	Target     []float64
	Period     int `json:"A_update_period"`
	Parameters struct {
		Mu                             int
		Weights                        []float64
		MuEff, CC, CS, C1, Damps, ChiN float64
	}
	Generations []struct {
		Scores, Mean, Ps, Pc []float64
		Sigma                float64
		A                    [][]float64
		Error                float64     `json:"AinvA_error"`
		Next                 [][]float64 `json:"next_samples"`
	}
}

func (f choleskyRun) compare(r *run, salt string) error {
	k, p := optim.NewConstants(f.N, 0), f.Parameters
	r.relative("cholesky weights", k.Weights, p.Weights, choleskyTolerance)
	r.relative("cholesky constants",
		[]float64{float64(k.Lambda), float64(k.Mu), k.MuEff, k.CC, k.CS, k.C1, k.Damps, k.ChiN},
		[]float64{float64(f.Lambda), float64(p.Mu), p.MuEff, p.CC, p.CS, p.C1, p.Damps, p.ChiN},
		choleskyTolerance)
	frequency := f.Period - 1 // ours counts the generations that must have passed
	if frequency == 0 {
		frequency = optim.EveryGeneration
	}
	drawn, block := 0, f.N*f.Lambda
	s, err := optim.New(optim.Config{Dim: f.N, Start: f.Start, Sigma: f.Sigma, UpdateFreq: frequency,
		Normal: func() float64 {
			drawn++
			name := fmt.Sprintf("chol/z%d", (drawn-1)/block)
			return oracle.Gauss4(oracle.Hash(salt, name), (drawn-1)%block)
		}})
	if err != nil {
		return err
	}
	for g, want := range f.Generations {
		var scores []float64
		for _, x := range s.Ask() {
			sum := 0.0
			for j, v := range x {
				sum -= (v - f.Target[j]) * (v - f.Target[j])
			}
			scores = append(scores, sum)
		}
		if err := s.Tell(scores); err != nil {
			return err
		}
		got := s.State()
		for _, c := range []struct {
			name      string
			got, want []float64
		}{
			{"scores", scores, want.Scores}, {"mean", got.Mean, want.Mean},
			{"sigma", []float64{got.Sigma}, []float64{want.Sigma}}, {"ps", got.Ps, want.Ps},
			{"pc", got.Pc, want.Pc}, {"A", got.A, slices.Concat(want.A...)},
			{"samples", slices.Concat(s.Ask()...), slices.Concat(want.Next...)},
		} {
			r.relative(fmt.Sprintf("cholesky %s[%d]", c.name, g), c.got, c.want, choleskyTolerance)
		}
		r.absolute(fmt.Sprintf("cholesky inverse[%d]", g), []float64{offIdentity(got, f.N)},
			[]float64{want.Error}, choleskyTolerance)
	}
	return nil
}

// offIdentity is the largest element of A^-1 A - I.
func offIdentity(s optim.State, n int) float64 {
	largest := 0.0
	for i := range n {
		for j := range n {
			sum := 0.0
			if i == j {
				sum = -1
			}
			for k := range n {
				sum += s.Inverse[i*n+k] * s.A[k*n+j]
			}
			largest = max(largest, math.Abs(sum))
		}
	}
	return largest
}
