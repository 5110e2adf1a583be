package optim

import (
	"errors"
	"math"
	"testing"
)

// TestFullFindsMinimum: a stretched bowl, whose axes C has to learn.
func TestFullFindsMinimum(t *testing.T) {
	target := []float64{1, -2, 3, .5, 0}
	s, err := NewFull(FullConfig{Start: make([]float64, 5), Sigma: .5, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		codes := s.Ask()
		scores := make([]float64, len(codes))
		for i, x := range codes {
			for j, v := range x {
				scores[i] -= math.Pow(10, float64(j)) * (v - target[j]) * (v - target[j])
			}
		}
		if err := s.Tell(codes, scores); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range s.State().Mean {
		if math.Abs(v-target[i]) > 1e-6 {
			t.Errorf("coordinate %d of the mean is %v, want %v", i, v, target[i])
		}
	}
}

func TestFullRefuses(t *testing.T) {
	for name, cfg := range map[string]FullConfig{
		"no dimensions": {Sigma: 1},
		"no sigma":      {Start: []float64{1}},
		"population":    {Start: []float64{1}, Sigma: 1, Population: 1},
		"NaN":           {Start: []float64{math.NaN()}, Sigma: 1},
	} {
		if _, err := NewFull(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s, err := NewFull(FullConfig{Start: []float64{1, 2}, Sigma: 1, Population: 2})
	if err != nil {
		t.Fatal(err)
	}
	codes := s.Ask()
	if err := s.Tell(codes, []float64{1, math.Inf(1)}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("infinite score: %v", err)
	}
	if s.Tell(codes[:1], []float64{1}) == nil || s.Tell([][]float64{{1}, {2}}, []float64{1, 2}) == nil {
		t.Error("wrong sizes were taken")
	}
}
