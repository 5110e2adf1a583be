package oracle

import (
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func fixtures(t *testing.T) string {
	t.Helper()
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFormulaVectors(t *testing.T) {
	var want struct {
		Salt      string
		Hash      map[string]string
		U, Gauss4 map[string][]float64
		ImageU8   struct {
			Name       string
			N, H, W    int
			CRC32      uint32
			Row0_item0 []int
		} `json:"image_u8"`
		UFar struct {
			Name   string
			Start  uint64
			Values []float64
		} `json:"u_far"`
	}
	if err := Read(fixtures(t), "formula_vectors.json", &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Hash) == 0 {
		t.Fatal("no vectors")
	}
	for name, hex := range want.Hash {
		h := Hash(want.Salt, name)
		if got := fmt.Sprintf("0x%016x", h); got != hex {
			t.Errorf("Hash(%q) = %s, want %s", name, got, hex)
		}
		for i, w := range want.U[name] {
			if got := U(h, uint64(i)); got != w {
				t.Errorf("U(%q, %d) = %v, want %v", name, i, got, w)
			}
		}
		for i, w := range want.Gauss4[name] {
			if got := Gauss4(h, i); got != w {
				t.Errorf("Gauss4(%q, %d) = %v, want %v", name, i, got, w)
			}
		}
	}
	for i, w := range want.UFar.Values {
		if got := U(Hash(want.Salt, want.UFar.Name), want.UFar.Start+uint64(i)); got != w {
			t.Errorf("U(%q, %d) = %v, want %v", want.UFar.Name, want.UFar.Start+uint64(i), got, w)
		}
	}
	im := want.ImageU8
	if got := crc32.ChecksumIEEE(Image(want.Salt, im.Name, im.N, im.H, im.W)); got != im.CRC32 {
		t.Errorf("Image: crc32 %08x, want %08x", got, im.CRC32)
	}
}

func TestBasis(t *testing.T) {
	const d = 9
	q := Basis("", "basis/test", d)
	for i := range d {
		for j := range d {
			dot, want := 0.0, 0.0
			for k := range d {
				dot += q[i*d+k] * q[j*d+k]
			}
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-14 {
				t.Errorf("row %d . row %d = %v, want %v", i, j, dot, want)
			}
		}
	}
}

func TestOps(t *testing.T) {
	cases, err := LoadOps(fixtures(t)) // checks every CRC-32
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		y, ok := c.Expected("y")
		if !ok || !slices.Equal(y.Shape, c.Cotangent.Shape) {
			t.Errorf("%s: y is %v, cotangent %v", c.Name, y.Shape, c.Cotangent.Shape)
		}
		for _, name := range c.Outputs {
			e, _ := c.Expected(name)
			if input, ok := strings.CutPrefix(name, "grad("); ok {
				input = strings.TrimSuffix(input, ")")
				if got := c.Inputs[input].Shape; !slices.Equal(got, e.Shape) {
					t.Errorf("%s: input %s is %v, its gradient %v", c.Name, input, got, e.Shape)
				}
			}
			if e.Stride > 1 {
				continue
			}
			// The probe pins the order of the elements and the name of its stream.
			if e.Stats.Probe == nil {
				t.Errorf("%s/%s: no probe", c.Name, name)
				continue
			}
			got, scale := c.Probe(name, e.Values), max(1e-300, e.Stats.L2)
			if math.Abs(got-*e.Stats.Probe) > 1e-12*scale {
				t.Errorf("%s/%s: probe %v, want %v", c.Name, name, got, *e.Stats.Probe)
			}
			d, err := e.Difference(e.Values)
			if err != nil || d.RelL2 != 0 || d.MaxAbs != 0 {
				t.Errorf("%s/%s: from itself %+v, %v", c.Name, name, d, err)
			}
		}
	}
}

// TestLinear computes one operator here, so that the inputs' order is checked by values too.
func TestLinear(t *testing.T) {
	cases, err := LoadOps(fixtures(t))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(cases, func(c OpCase) bool { return c.Op == "linear" })
	if i < 0 {
		t.Skip("no linear case in this set")
	}
	c := cases[i]
	x, w, b := c.Inputs["x"], c.Inputs["w"], c.Inputs["b"]
	n, in, out := x.Shape[0], w.Shape[1], w.Shape[0]
	y := make([]float64, 0, n*out)
	for r := range n {
		for o := range out {
			sum := b.Data[o]
			for k := range in {
				sum += x.Data[r*in+k] * w.Data[o*in+k]
			}
			y = append(y, sum)
		}
	}
	want, _ := c.Expected("y")
	if d, err := want.Difference(y); err != nil || d.RelL2 > 1e-12 {
		t.Errorf("%s: %+v, %v; inputs %v", c.Name, d, err, c.InputNames)
	}
}

// TestCases fills every network and input of the folder. The large networks are left to a run with
// GANSIM_ORACLE_ALL=1, as they take a minute.
func TestCases(t *testing.T) {
	dir := fixtures(t)
	files, err := filepath.Glob(filepath.Join(dir, "weights", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		w, err := LoadWeights(dir, strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, f := range w.Tensors {
			n, _ := count(f.Shape)
			if n > 1<<16 && os.Getenv("GANSIM_ORACLE_ALL") == "" {
				continue
			}
			if _, err := f.Float32s(w.Salt); err != nil {
				t.Errorf("%s: %v", w.Net, err)
			}
		}
	}
	if files, err = filepath.Glob(filepath.Join(dir, "*.json")); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var probe struct{ Weights []string }
		name := filepath.Base(file)
		if Read(dir, name, &probe) != nil || probe.Weights == nil {
			continue
		}
		checkCase(t, dir, strings.TrimSuffix(name, ".json"))
	}
}

func checkCase(t *testing.T, dir, name string) {
	t.Helper()
	c, err := OpenCase(dir, name)
	if err != nil {
		t.Error(err)
		return
	}
	for _, in := range c.Inputs {
		if _, err := c.Input(in.Name); err != nil {
			t.Error(err)
		}
	}
	for _, tensor := range c.Tensors {
		if _, err := c.Expected(tensor); err != nil {
			t.Error(err)
		}
	}
}

func TestCompare(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name      string
		got, want []float64
		diff      Difference
	}{
		{"equal", []float64{3, 4}, []float64{3, 4}, Difference{0, 0, 1}},
		{"orthogonal", []float64{0, 5}, []float64{5, 0}, Difference{math.Sqrt2, 5, 0}},
		{"want zero", []float64{0, 2}, []float64{0, 0}, Difference{2, 2, 0}},
		{"both zero", []float64{0}, []float64{0}, Difference{0, 0, 1}},
		{"empty", nil, nil, Difference{0, 0, 1}},
		{"length", []float64{1}, nil, Difference{inf, inf, -1}},
		{"nan", []float64{math.NaN()}, []float64{1}, Difference{inf, inf, -1}},
		{"one infinite", []float64{inf}, []float64{1}, Difference{inf, inf, -1}},
	} {
		got := Compare(c.got, c.want)
		if math.Abs(got.RelL2-c.diff.RelL2) > 1e-15 || got.MaxAbs != c.diff.MaxAbs ||
			math.Abs(got.Cosine-c.diff.Cosine) > 1e-15 {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.diff)
		}
	}
}
