package parity

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/weights"
)

// value reads JSON numbers and the strings "NaN", "Inf", "-Inf".
type value float64

func (v *value) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*v = value(f)
	return err
}

// limit says how far each number of a stage may be from the reference.
type limit struct{ relative, absolute float64 }

// exceeded says whether got is too far from want. What is undefined must be so in both.
func (l limit) exceeded(got, want float64) bool {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return false
	}
	return !(math.Abs(got-want) <= max(l.absolute, l.relative*math.Abs(want)))
}

// table collects the numbers of one stage.
type table struct {
	names     []string
	got, want []float64
	wrong     string // the first number that is too far away
}

// add compares one number.
func (t *table) add(name string, got float64, want value, l limit) {
	t.names = append(t.names, name)
	t.got, t.want = append(t.got, got), append(t.want, float64(want))
	if t.wrong == "" && l.exceeded(got, float64(want)) {
		t.wrong = fmt.Sprintf("%s: got %.17g, want %.17g", name, got, float64(want))
	}
}

// all compares lists of one length.
func (t *table) all(name string, got []float64, want []value, l limit) {
	if len(got) != len(want) && t.wrong == "" {
		t.wrong = fmt.Sprintf("%s: got %d values, want %d", name, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		t.add(fmt.Sprint(name, " ", i), got[i], want[i], l)
	}
}

// table records a stage whose numbers are held, each by itself, to what add and all were told.
func (r *run) table(stage string, t table, l limit) {
	if len(t.got) == 0 && t.wrong == "" {
		return
	}
	for i := range t.got { // undefined in both, or else wrong is set
		if math.IsNaN(t.got[i]) && math.IsNaN(t.want[i]) {
			t.got[i], t.want[i] = 0, 0
		}
	}
	d := oracle.Compare(t.got, t.want)
	r.line(Line{Stage: stage, MaxAbs: d.MaxAbs, RelL2: d.RelL2,
		Tolerance: max(l.relative, l.absolute), Measure: "each", OK: t.wrong == "", Error: t.wrong})
}

// values compares one list of numbers.
func (r *run) values(stage string, got []float64, want []value, l limit) {
	var t table
	t.all(stage, got, want, l)
	r.table(stage, t, l)
}

// tensors opens the values beside the case's JSON file.
func (r *run) tensors() (*weights.File, error) {
	return weights.OpenSafetensors(filepath.Join(r.dir, r.name+".safetensors"))
}

// numbers are the elements of a tensor of any type.
func numbers(t weights.Tensor) ([]float64, error) {
	if t.DType != weights.U8 {
		return t.Float64s()
	}
	whole, err := t.Int64s()
	out := make([]float64, len(whole))
	for i, v := range whole {
		out[i] = float64(v)
	}
	return out, err
}
