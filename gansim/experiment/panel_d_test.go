package experiment

import "testing"

// TestBestPaired: the best run of a unit counts also where all of its scores are negative.
func TestBestPaired(t *testing.T) {
	var rows []RowD
	for unit := range 6 {
		for _, score := range []float64{-1, -3 - float64(unit)} {
			rows = append(rows, RowD{Net: "n", Layer: "fc", Unit: unit, Generator: "BigGAN", MaxScore: score},
				RowD{Net: "n", Layer: "fc", Unit: unit, Generator: "DeePSim", MaxScore: score - 1})
		}
	}
	got, err := tableD{rows: rows}.bestPaired()
	if err != nil {
		t.Fatal(err)
	}
	// BigGAN is better by 1 for each of six units: the ranks of all six speak for it.
	if got.N != 6 || got.P != 2./64 {
		t.Errorf("got n %d, P %v, want 6 and 1/32", got.N, got.P)
	}
}

// TestBestPairedPlaces: a channel counts once for each position and placement, and not where only one
// generator was run.
func TestBestPairedPlaces(t *testing.T) {
	rows := []RowD{{Net: "n", Layer: "fc", Unit: 9, Generator: "BigGAN", MaxScore: 5}}
	for i, r := range []RowD{{}, {RF: true}, {Y: 1}, {X: 1}, {X: 1, RF: true}, {Y: 1, RF: true}} {
		r.Generator, r.MaxScore = "BigGAN", 0
		rows = append(rows, r)
		r.Generator, r.MaxScore = "DeePSim", float64(i+1)
		rows = append(rows, r)
	}
	got, err := tableD{rows: rows}.bestPaired()
	if err != nil {
		t.Fatal(err)
	}
	if got.N != 6 || got.P != 2./64 {
		t.Errorf("got n %d, P %v, want 6 and 1/32", got.N, got.P)
	}
}
