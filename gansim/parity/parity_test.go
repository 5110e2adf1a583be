package parity_test

import (
	"testing"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/parity"
	"gansim.example/kernels"
)

// pure are the cases without a network of the paper's size.
var pure = []string{"actmax_tiny", "autoshape", "biggan_truncation", "cma", "detector", "fid",
	"formats", "formula_vectors", "hessian_tiny", "images", "imgstats", "ops", "optim", "redraw", "resize", "spectra",
	"stats"}

func TestPure(t *testing.T) {
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	result, err := parity.Run(t.Context(), backend, parity.Options{Dir: dir, Only: pure})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range result.Lines {
		if !l.OK {
			t.Error(l)
		}
	}
	if result.Passed < len(pure) {
		t.Errorf("%d stages passed", result.Passed)
	}
}
