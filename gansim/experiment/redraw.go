package experiment

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"gansim.example/gansim/figure"
)

// ErrNoRows says that a folder has no rows of a panel.
var ErrNoRows = errors.New("no rows")

// Drawing is a panel made from rows.
type Drawing struct {
	Figure  figure.Figure // of this panel alone
	Section *Section      // values and tests; the notes stand in report.md
	Origin  Origin        // of the first row
}

// Redraw makes a panel ("a" to "d") from its rows alone: those of a results folder, or some of them
// as CSV under the same header. Sample pictures come from the folder, if it has them.
func Redraw(dir, letter string, rows io.Reader) (*Drawing, error) {
	if rows == nil {
		f, err := os.Open(filepath.Join(dir, "panel_"+letter+".csv"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("experiment: %w of panel %s in %s", ErrNoRows, letter, dir)
		}
		if err != nil {
			return nil, fmt.Errorf("experiment: %w", err)
		}
		defer f.Close()
		rows = f
	}
	switch letter {
	case "a":
		return redraw(dir, rows, func(e *env, d *Drawing, all []RowA) (err error) {
			if d.Section, err = e.summariseA(all); err != nil {
				return err
			}
			sets, err := e.setsOf(all)
			if err == nil {
				d.Figure.A, err = e.drawA(sets, all)
			}
			return err
		})
	case "b":
		return redraw(dir, rows, func(e *env, d *Drawing, all []RowB) error {
			d.Section, d.Figure.B = e.summariseB(all, nil), e.drawB(all)
			return nil
		})
	case "c":
		return redraw(dir, rows, func(e *env, d *Drawing, all []RowC) (err error) {
			d.Section, d.Figure.C, err = e.reportC(all)
			return err
		})
	case "d":
		return redraw(dir, rows, func(e *env, d *Drawing, all []RowD) (err error) {
			t := newTableD(all, e.Seed, e.world.Name == Miniature)
			if d.Section, err = t.summarise(); err == nil {
				d.Figure.D = t.draw(d.Section)
			}
			return err
		})
	}
	return nil, fmt.Errorf("experiment: no panel %q", letter)
}

func redraw[Row any](dir string, r io.Reader, draw func(*env, *Drawing, []Row) error) (*Drawing, error) {
	rows, err := readCSV[Row](r)
	if err != nil {
		return nil, err
	}
	d := &Drawing{Origin: reflect.ValueOf(rows[0]).FieldByName("Origin").Interface().(Origin)}
	e := &env{Options: Options{Seed: d.Origin.Seed}, store: store{dir: dir, origin: d.Origin}}
	if e.preset, err = FindPreset(d.Origin.Preset); err != nil {
		return nil, err
	}
	e.world = &World{Name: e.preset.World} // pictures and tests need no networks
	if err := draw(e, d, rows); err != nil {
		return nil, err
	}
	d.Section.Notes = nil
	d.Figure.Miniature = e.world.Name == Miniature
	d.Figure.Note = fmt.Sprintf("Preset %s, seed %d.", d.Origin.Preset, d.Origin.Seed)
	return d, nil
}

// setsOf are the sets of panel A that have rows. What is neither a condition nor the user's photographs
// is a natural set.
func (e *env) setsOf(rows []RowA) ([]imageSet, error) {
	known := map[string]setKind{photographs: user}
	for _, name := range conditionsA {
		c, err := FindCondition(name)
		if err != nil {
			return nil, err
		}
		known[c.Label] = c.kind()
	}
	var sets []imageSet
	for _, name := range setNames(rows) {
		sets = append(sets, imageSet{name: name, kind: known[name]})
	}
	return sets, nil
}

// readCSV reads what table wrote; all columns must be there, at least one row, in any order.
func readCSV[Row any](r io.Reader) ([]Row, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	if len(lines) < 2 {
		return nil, fmt.Errorf("experiment: %w to draw", ErrNoRows)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	rows := make([]Row, len(lines)-1)
	for i := range rows {
		if err := fill(reflect.ValueOf(&rows[i]).Elem(), lines[i+1], at); err != nil {
			return nil, fmt.Errorf("experiment: row %d: %w", i+1, err)
		}
	}
	return rows, nil
}

// fill sets a row's fields, embedded ones too.
func fill(row reflect.Value, line []string, at map[string]int) error {
	for i := range row.NumField() {
		f := row.Type().Field(i)
		if f.Anonymous {
			if err := fill(row.Field(i), line, at); err != nil {
				return err
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		k, ok := at[name]
		if !ok {
			return fmt.Errorf("no column %q", name)
		}
		if err := parse(row.Field(i), line[k]); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
	}
	return nil
}

// parse reads what text wrote.
func parse(v reflect.Value, s string) (err error) {
	if v.Kind() == reflect.Pointer {
		if s == "" {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int:
		var x int64
		x, err = strconv.ParseInt(s, 10, 64)
		v.SetInt(x)
	case reflect.Uint64:
		var x uint64
		x, err = strconv.ParseUint(s, 10, 64)
		v.SetUint(x)
	case reflect.Float64:
		var x float64
		x, err = strconv.ParseFloat(s, 64)
		v.SetFloat(x)
	case reflect.Bool:
		var x bool
		x, err = strconv.ParseBool(s)
		v.SetBool(x)
	default:
		err = fmt.Errorf("cannot read %s", v.Type())
	}
	return err
}
