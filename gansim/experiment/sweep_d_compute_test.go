package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
)

// tinyD has a unit of a map in both placements, and two series of three samples for each optimiser.
const tinyD = `
name: tiny
world: miniature
shard: 6
parts:
  - part: both
    networks: [resnet50, resnet50_linf8]
    rf: [layer1]
    full: [layer1]
    channels: 3
    generators: [DeePSim]
    labels: [Adam01, Adam01Hess]
    replicates: 2
    samples: 3
    steps: 3
`

func sweepD(t *testing.T, text string, o OptionsD) *SweepD {
	t.Helper()
	w, err := MiniatureD()
	if err != nil {
		t.Fatal(err)
	}
	s := readD(t, text).On(open(t), w, o)
	t.Cleanup(s.Close)
	return s
}

// computed are the rows of all shards, one after the other.
func computed(t *testing.T, s *SweepD) (rows []RowD) {
	t.Helper()
	for i := range s.Shards() {
		some, err := s.Compute(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) != s.Runs(i) {
			t.Errorf("shard %d: %d rows, want %d", i, len(some), s.Runs(i))
		}
		rows = append(rows, some...)
	}
	return rows
}

// TestComputeD: rows say their causes, are ranked within their series, and come out the same on four
// goroutines that may keep one program.
func TestComputeD(t *testing.T) {
	s := sweepD(t, tinyD, OptionsD{})
	rows := computed(t, s)
	if len(rows) != 2*2*2*2*3 {
		t.Fatalf("%d rows, want 48", len(rows))
	}
	series := map[string][]RowD{}
	for _, r := range rows {
		u := gansim.Unit{Net: r.Net, Layer: r.Layer, Channel: r.Unit, Row: r.Y, Col: r.X}
		if r.Preset != "tiny" || r.Weights == "" || r.Precision != "float32" || r.Layer != "layer1" ||
			r.Unit != 3 || r.Y != 16 || r.X != 16 || r.Generator != "DeePSim" {
			t.Errorf("row %+v of %s", r, u)
		}
		if r.MaxScore < r.Score || r.MaxStep < 0 || r.MaxStep > 2 || r.MaxStep == 2 && r.MaxScore != r.Score {
			t.Errorf("score %v, maximum %v at step %d", r.Score, r.MaxScore, r.MaxStep)
		}
		key := fmt.Sprint(r.Net, r.RF, r.Label, r.Replicate)
		series[key] = append(series[key], r)
	}
	for key, some := range series {
		slices.SortFunc(some, func(a, b RowD) int { return a.BatchRank - b.BatchRank })
		for i, r := range some {
			if len(some) != 3 || r.BatchRank != i || i > 0 && r.Score > some[i-1].Score {
				t.Errorf("%s: rank %d of %d has score %v", key, r.BatchRank, len(some), r.Score)
			}
		}
	}
	placed := map[bool]float64{}
	for _, r := range rows {
		placed[r.RF] += r.MaxScore
	}
	if placed[true] == placed[false] {
		t.Error("images in the receptive field score as those in full")
	}

	crowded := sweepD(t, tinyD, OptionsD{Programs: 1})
	found := make([][]RowD, crowded.Shards())
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := w; i < len(found); i += 4 {
				var err error
				if found[i], err = crowded.Compute(t.Context(), i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if !reflect.DeepEqual(slices.Concat(found...), rows) {
		t.Error("rows of four goroutines differ from those of one")
	}
	if n := len(crowded.programs.held); n != 1 {
		t.Errorf("%d programs are held, want 1", n)
	}
}

// Tolerances of scores: in batches of other sizes (float32), and of codes that were rotated and back (the
// miniature's eigenvectors are kept in float16).
const (
	batchTolerance = 1e-5
	basisTolerance = 1e-2
)

// TestStartsD: at one step all optimisers of a unit have the score of the same start, whatever the
// batch, the name, the other parts and the number of shards; samples, replicates and seeds have
// others.
func TestStartsD(t *testing.T) {
	one := strings.NewReplacer("steps: 3", "steps: 1", "rf: [layer1]", "", "[layer1]", "[fc]").Replace(tinyD)
	starts := map[string]float64{}
	byLabel := map[string]map[string]float64{"Adam01": {}, "Adam01Hess": {}}
	different := map[float64]bool{}
	for i, r := range computed(t, sweepD(t, one, OptionsD{})) {
		starts[r.Run], different[r.Score] = r.Score, true
		byLabel[r.Label][fmt.Sprint(r.Net, r.Replicate, i%3)] = r.Score
	}
	for key, v := range byLabel["Adam01"] {
		if w := byLabel["Adam01Hess"][key]; math.Abs(v-w) > basisTolerance*max(1, math.Abs(v)) {
			t.Errorf("%s starts from %v by Adam01, from %v in the basis", key, v, w)
		}
	}
	if len(byLabel["Adam01"]) != 12 || len(different) < 12 {
		t.Errorf("%d different starts of %d", len(different), len(byLabel["Adam01"]))
	}
	other := strings.NewReplacer("name: tiny", "name: other", "[resnet50, ", "[", "shard: 6", "shard: 12").
		Replace(one)
	rows := computed(t, sweepD(t, other, OptionsD{Batch: 5}))
	for _, r := range rows {
		if want, ok := starts[r.Run]; !ok || math.Abs(want-r.Score) > batchTolerance*max(1, math.Abs(want)) {
			t.Errorf("run %s scores %v, elsewhere %v", r.Run, r.Score, want)
		}
	}
	for i, r := range computed(t, sweepD(t, "seed: 1"+other, OptionsD{Batch: 5})) {
		if r.Run == rows[i].Run || r.Score == rows[i].Score {
			t.Errorf("run %s of another seed scores %v too", r.Run, r.Score)
		}
	}
}

// TestSweepErrors: what cannot be opened or computed is an error that names the shard, and it can be
// tried again.
func TestSweepErrors(t *testing.T) {
	b := open(t)
	w, err := MiniatureD()
	if err != nil {
		t.Fatal(err)
	}
	whole := w
	tried := 0
	missing := w
	missing.Scorer = func(name string) (gansim.Scorer, error) {
		if tried++; tried == 1 {
			return nil, errors.New("its weights are not here")
		}
		return whole.Scorer(name)
	}
	s := readD(t, tinyD).On(b, missing, OptionsD{})
	defer s.Close()
	if _, err := s.Compute(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "not here") ||
		!strings.Contains(err.Error(), "shard 1 of 8, resnet50 layer1 full DeePSim") {
		t.Errorf("got %v, want an error that names shard and cause", err)
	}
	if _, err := s.Compute(t.Context(), 0); err != nil {
		t.Errorf("tried again: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if rows, err := s.Compute(stopped, 0); !errors.Is(err, context.Canceled) || rows != nil {
		t.Errorf("got %d rows, %v, want that it was stopped", len(rows), err)
	}
	published := findD(t, "paper", nil).On(b, whole, OptionsD{})
	defer published.Close()
	if _, err := published.Compute(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "published") {
		t.Errorf("got %v, want that miniature networks are not the published ones", err)
	}
	narrow := whole
	narrow.Basis = func(string) ([]float64, error) { return nil, errors.New("no metric") }
	hess := readD(t, tinyD).On(b, narrow, OptionsD{})
	defer hess.Close()
	if _, err := hess.Compute(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "no metric") {
		t.Errorf("got %v, want that there is no basis", err)
	}
}

// TestFillScores: ranks are those within each series, and a score that is no number is an error.
func TestFillScores(t *testing.T) {
	out := []actmax.Outcome{{Score: 1}, {Score: 3}, {Score: 2}, {Score: -5}, {Score: -5}}
	series := []seriesD{{samples: 3}, {samples: 2}}
	rows := make([]RowD, len(out))
	if err := fillScores(rows, out, series); err != nil {
		t.Fatal(err)
	}
	var ranks []int
	for _, r := range rows {
		ranks = append(ranks, r.BatchRank)
	}
	if want := []int{2, 0, 1, 0, 1}; !slices.Equal(ranks, want) {
		t.Errorf("ranks %v, want %v", ranks, want)
	}
	out[3].Score = math.NaN()
	if err := fillScores(rows, out, series); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("got %v, want an error that names the score", err)
	}
}
