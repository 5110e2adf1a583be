package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/internal/oracle"
)

// fieldFile is what receptive_field.json says beside its tensors.
type fieldFile struct {
	Boxes map[string]struct {
		boxFile
		Net     string
		Unit    []any   // of which: text, row, column
		Counted int     `json:"reps_counted"`
		Nearest float64 `json:"nearest_to_threshold"` // to two digits
	}
	Cases []struct {
		boxFile
		Height, Width int
		Pixels        []struct {
			Row, Col int
			Value    float64
		}
	} `json:"box_cases"`
}

// boxFile is a box as the original program gives it.
type boxFile struct {
	Threshold    float64
	XRaw         [2]int `json:"xlim_raw"`
	YRaw         [2]int `json:"ylim_raw"`
	X            [2]int `json:"xlim"`
	Y            [2]int `json:"ylim"`
	Corner, Size [2]int
}

// receptiveField compares maps and boxes, in float64.
func receptiveField(r *run) error {
	c, err := oracle.OpenCase(r.dir, r.name)
	if err != nil {
		return err
	}
	var f fieldFile
	if err := json.Unmarshal(c.Extra, &f); err != nil {
		return err
	}
	for i, b := range f.Cases {
		m := make([]float64, b.Height*b.Width)
		for _, p := range b.Pixels {
			m[p.Row*b.Width+p.Col] = p.Value
		}
		if err := b.compare(r, "box_cases["+strconv.Itoa(i)+"]", m, b.Width); err != nil {
			return err
		}
	}
	noise, err := c.Input("noise")
	if err != nil {
		return err
	}
	nets := map[string]actmax.Inner{}
	for _, layer := range slices.Sorted(maps.Keys(f.Boxes)) {
		b := f.Boxes[layer]
		if nets[b.Net] == nil {
			net, err := formulaNetwork(r.dir, b.Net)
			if err != nil {
				return err
			}
			inner, ok := net.(actmax.Inner)
			if !ok {
				return fmt.Errorf("%s has no layers to look into", b.Net)
			}
			nets[b.Net] = inner
		}
		if err := f.field(r, c, nets[b.Net], layer, noise); err != nil {
			r.line(Line{Stage: layer, Error: err.Error()})
		}
	}
	return nil
}

// field estimates a layer's receptive field from the noise of the file.
func (f fieldFile) field(r *run, c *oracle.Case, net actmax.Inner, layer string,
	noise oracle.Tensor) error {
	want := f.Boxes[layer]
	row, ok := want.Unit[1].(float64)
	col, ok2 := want.Unit[2].(float64)
	if !ok || !ok2 {
		return fmt.Errorf("unit %v", want.Unit)
	}
	u := gansim.Unit{Net: net.Name(), Layer: layer, Row: int(row), Col: int(col)}
	size, rep := noise.Shape[2], 0
	index, _ := channelsLastOrder([]int{1, 3, size, size})
	got, err := actmax.NewField(r.ctx, r.backend, net, u, actmax.FieldConfig{Size: size,
		Reps: noise.Shape[0], Noise: func() []float64 {
			x := make([]float64, len(index))
			for i, from := range index {
				x[i] = noise.Data[rep*len(index)+from]
			}
			rep++
			return x
		}})
	if err != nil {
		return err
	}
	rows, columns := edges(got.Map, size)
	for _, t := range []struct {
		name   string
		values []float64
	}{{"map", got.Map}, {"map_max_over_rows", rows}, {"map_max_over_columns", columns}} {
		name := t.name + "(" + layer + ")"
		e, err := c.Expected(name)
		if err != nil {
			return err
		}
		kept, err := e.Kept(t.values)
		if err != nil {
			return err
		}
		r.relative(name, kept, e.Values, stepTolerance)
	}
	r.exact(layer+" reps_counted", got.Counted == want.Counted,
		fmt.Sprintf("got %d, want %d", got.Counted, want.Counted))
	nearest := math.Inf(1)
	for _, v := range slices.Concat(rows, columns) {
		if v > 0 {
			nearest = min(nearest, math.Abs(v/want.Threshold-1))
		}
	}
	text := strconv.FormatFloat(nearest, 'g', 2, 64)
	rounded, err := strconv.ParseFloat(text, 64)
	r.exact(layer+" nearest_to_threshold", err == nil && rounded == want.Nearest,
		fmt.Sprintf("got %v, want %v", nearest, want.Nearest))
	return want.compare(r, layer+" box", got.Map, size)
}

// edges are a square map's largest values over rows and over columns.
func edges(m []float64, size int) (overRows, overColumns []float64) {
	overRows, overColumns = make([]float64, size), make([]float64, size)
	for i, v := range m {
		overRows[i%size] = max(overRows[i%size], v)
		overColumns[i/size] = max(overColumns[i/size], v)
	}
	return overRows, overColumns
}

// compare finds the box of a map.
func (want boxFile) compare(r *run, stage string, m []float64, width int) error {
	square, bounds, threshold, err := actmax.FindBox(m, width)
	if err != nil {
		return err
	}
	r.relative(stage+" threshold", []float64{threshold}, []float64{want.Threshold}, stepTolerance)
	w, h := square.Size()
	got := boxFile{want.Threshold, bounds.X, bounds.Y, square.X, square.Y,
		[2]int{square.X[0], square.Y[0]}, [2]int{w, h}}
	r.exact(stage, got == want, fmt.Sprintf("got %v, want %v", got, want))
	return nil
}
